"""The dataset in data/vase_photos: "photographs" of a painted vase on a table, by paths of light, with rough masks.

python examples/photographs.py data/vase_photos [--height 240 --spp 24]

The pictures have what real ones have: a background, shadows, a light that stays while the camera walks around, noise,
8-bit JPEG. The masks are drawn a little too large, as people draw them.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import binary_dilation

import invrender
from invrender.cameras.lens import camera_of
from invrender.cameras.projection import look_at, perspective
from invrender.render.images import to_bytes
from invrender.render.scene_view import Shot
from invrender.samples import make

RINGS = ((12.0, 2.9, 8), (35.0, 3.1, 10), (62.0, 3.2, 6))  # degrees above the table, distance, photographs
FOV = 27.0  # across the height
MARGIN = 1  # pixels by which masks are too large
CLAY, CREAM, SLATE, WOOD = (0.45, 0.13, 0.07), (0.75, 0.62, 0.42), (0.03, 0.05, 0.08), (0.33, 0.19, 0.09)


def main(folder: Path, height: int, spp: int) -> None:
    """Draw the photographs, their masks and their cameras."""
    vase = painted_vase()
    low, high = vase.vertices.amin(0), vase.vertices.amax(0)
    scale = float((high - low).max())
    target = ((low + high) / 2).tolist()
    size = (height, height * 4 // 3)
    eyes = torch.tensor([spot(*ring, k, number) for number, ring in enumerate(RINGS) for k in range(ring[2])])
    eyes = eyes.double() * scale + torch.tensor(target)
    projection = perspective(FOV, size, 0.5 * scale, 10 * scale).expand(len(eyes), 4, 4)
    cameras = invrender.Cameras(look_at(eyes, target), projection, size)
    sun = invrender.DirectionalLight((0.5, 1.0, 0.35), (2.2, 2.0, 1.7))
    scene = invrender.Scene([vase, table(float(low[1]), scale)], [sun], None, invrender.Environment((0.55, 0.62, 0.75)))
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    frames = []
    for k in range(len(cameras)):
        name = f"vase_{k:02d}"
        shot = Shot("path", spp=spp, seed=k)
        picture = invrender.render(scene, camera_of(cameras, k), "path", shot=shot)[0]
        Image.fromarray(to_bytes(picture)).save(folder / "images" / f"{name}.jpg", quality=88)
        covered = invrender.render(vase, cameras[[k]], "silhouette")[0, ..., 0].cpu().numpy() > 0.02
        mask = binary_dilation(covered, iterations=MARGIN)
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"{name}.png")
        pose = torch.linalg.inv(cameras.world_to_camera[k])
        frames.append({"file_path": f"images/{name}.jpg", "transform_matrix": pose.tolist()})
        print(name)
    focal = size[0] / 2 / math.tan(math.radians(FOV / 2))
    lens = {"fl_x": focal, "fl_y": focal, "cx": size[1] / 2, "cy": size[0] / 2, "w": size[1], "h": size[0]}
    text = json.dumps({**lens, "frames": frames}, indent=1)
    (folder / "transforms.json").write_text(text + "\n", encoding="utf-8")


def spot(elevation: float, distance: float, count: int, at: int, ring: int) -> tuple[float, float, float]:
    """Where the photographer stands: not quite on the ring, as nobody does."""
    wobble = np.random.default_rng(100 * ring + at).normal(size=3)
    azimuth = 2 * math.pi * (at + 0.35 * ring) / count + 0.06 * wobble[0]
    tilt, away = math.radians(elevation + 2 * wobble[1]), distance * (1 + 0.03 * wobble[2])
    across = away * math.cos(tilt)
    return across * math.sin(azimuth), away * math.sin(tilt), across * math.cos(azimuth)


def painted_vase() -> invrender.Mesh:
    """The sample vase with bands, zigzags and dots, and the grain of clay, as colours at many vertices."""
    import trimesh

    vase = make("vase")
    assert isinstance(vase, invrender.Mesh)
    vertices, faces = vase.numpy()
    for _ in range(2):
        vertices, faces = trimesh.remesh.subdivide(vertices, faces)
    x, y, z = vertices.T
    up = (y - y.min()) / np.ptp(y)
    turn = np.arctan2(x, z) / (2 * np.pi)  # turns, -.5 to .5
    colour = np.tile(CLAY, (len(vertices), 1)).astype(np.float64)
    zigzag = np.abs(((turn * 14) % 1) - 0.5) * 0.16
    colour[np.abs(up - 0.30 - zigzag) < 0.016] = CREAM
    colour[np.abs(up - 0.36 - zigzag) < 0.010] = SLATE
    for band in (0.16, 0.24, 0.56, 0.74):
        colour[np.abs(up - band) < 0.011] = SLATE if band in (0.24, 0.74) else CREAM
    dots = np.hypot((((turn * 18) % 1) - 0.5) * 0.10, up - 0.65) < 0.026
    colour[dots] = CREAM
    colour *= (1 + 0.25 * grain(vertices, 0.035, 1) + 0.15 * grain(vertices, 0.09, 2))[:, None]
    material = invrender.Material((1.0, 1.0, 1.0), name="painted clay")
    fresh = invrender.Mesh.from_numpy(vertices, faces)
    return replace(fresh, colours=torch.from_numpy(colour.clip(0.01, 0.9)), material=material)


def table(level: float, scale: float) -> invrender.Mesh:
    """A wooden top of boards, wide enough to fill what the pictures show of the ground."""
    side = np.linspace(-8 * scale, 8 * scale, 420)
    x, z = np.meshgrid(side, side, indexing="ij")
    points = np.stack([x.ravel(), np.full(x.size, level), z.ravel()], 1)
    board = np.floor(x / (0.45 * scale))
    shift = np.random.default_rng(5).normal(size=64)[board.astype(int) % 64]
    rings = 0.5 + 0.5 * np.sin((x + 0.06 * np.sin(2.2 * z / scale + 4 * shift)) * 46 / scale + 9 * shift)
    seam = np.abs(x / (0.45 * scale) - np.round(x / (0.45 * scale))) < 0.03
    shade = (0.75 + 0.2 * rings + 0.12 * shift) * np.where(seam, 0.35, 1.0)
    colours = shade.ravel()[:, None] * np.array(WOOD)
    row, column = np.meshgrid(np.arange(419), np.arange(419), indexing="ij")
    a = (row * 420 + column).ravel()
    faces = np.concatenate([np.stack([a, a + 1, a + 421], 1), np.stack([a, a + 421, a + 420], 1)])
    mesh = invrender.Mesh.from_numpy(points, faces)
    plain = invrender.Material((1.0, 1.0, 1.0), name="wood")
    return replace(mesh, colours=torch.from_numpy(colours.clip(0.01, 0.9)), material=plain)


def grain(points: np.ndarray, size: float, seed: int) -> np.ndarray:
    """Smooth noise of about unit variance: [N] at points [N,3], with bumps of about `size`."""
    random = np.random.default_rng(seed)
    waves = random.normal(size=(48, 3)) / size
    phase = random.uniform(0, 2 * np.pi, 48)
    return np.cos(points @ waves.T + phase).sum(1) / math.sqrt(24)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--height", type=int, default=240)
    parser.add_argument("--spp", type=int, default=24)
    given = parser.parse_args()
    main(given.folder, given.height, given.spp)
