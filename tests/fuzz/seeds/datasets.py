"""Seeds of datasets: transforms.json and COLMAP models with pictures of a ball, and its transmittance."""

from __future__ import annotations

import io
import json
import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seeds.meshes import seeds as mesh_seeds
from seeds.seed import SMALL, TINY, TINY_MESH, Seed
from seeds.shapes import DISTANCE, FOCAL, FOV, SIDE, camera_to_world, chords, picture

VIEWS = 4
DEPTH = chords()
MASK = (255 * (DEPTH > 0)).astype(np.uint8)
COLOUR = np.stack([(140 * DEPTH).astype(np.uint8), MASK // 2, 255 - MASK], 2)


def _table(name: str, count: int = VIEWS, **more: Any) -> dict[str, Any]:
    """transforms.json for files called by `name`, a format that takes the view's number."""
    poses = camera_to_world(count)
    frames = [{"file_path": name.format(i), "transform_matrix": pose.tolist()} for i, pose in enumerate(poses)]
    return {"camera_angle_x": FOV, "w": SIDE, "h": SIDE, **more, "frames": frames}


def _as_json(table: dict[str, Any]) -> bytes:
    return json.dumps(table, indent=1).encode()


def _rgba() -> dict[str, bytes]:
    image = picture(np.dstack([COLOUR, MASK]))
    return {
        "data/transforms.json": _as_json(_table("view{}.png")),
        **{f"data/view{i}.png": image for i in range(VIEWS)},
    }


def _masks_of_frames() -> dict[str, bytes]:
    """JPEGs with a mask each, focal lengths instead of an angle."""
    lens = {"fl_x": FOCAL, "fl_y": FOCAL, "cx": SIDE / 2, "cy": SIDE / 2, "k1": 0.0, "camera_model": "OPENCV"}
    table = _table("images/{}.jpg", **lens)
    for i, frame in enumerate(table["frames"]):
        frame["mask_path"] = f"masks/{i}.png"
    files = {"data/transforms.json": _as_json(table)}
    files |= {f"data/images/{i}.jpg": picture(COLOUR, "JPEG") for i in range(VIEWS)}
    return files | {f"data/masks/{i}.png": picture(MASK) for i in range(VIEWS)}


def _palette() -> dict[str, bytes]:
    """Pictures without extension in the table, masks in a folder: a palette, grey, 16 bits and a TIFF."""
    masks = (picture(MASK, mode="P"), picture(MASK), picture(MASK.astype(np.uint16) * 257), picture(MASK, "TIFF"))
    files = {"data/transforms.json": _as_json(_table("./view{}"))}
    files |= {f"data/view{i}.png": picture(COLOUR) for i in range(VIEWS)}
    return files | {f"data/masks/view{i}.{'tif' if i == 3 else 'png'}": mask for i, mask in enumerate(masks)}


def _poses() -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """(quaternion w x y z, shift) of world to camera in OpenCV's axes."""
    placed = []
    for pose in camera_to_world(VIEWS):
        turn = np.diag([1.0, -1, -1]) @ pose[:3, :3].T
        w = math.sqrt(max(1e-12, 1 + np.trace(turn))) / 2
        x, y, z = (turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1])
        placed.append((np.array([w, x / 4 / w, y / 4 / w, z / 4 / w]), -turn @ pose[:3, 3]))
    return placed


def _colmap_images() -> dict[str, bytes]:
    image = picture(np.dstack([COLOUR, MASK]))
    return {f"data/images/photo{i}.png": image for i in range(VIEWS)}


def _colmap_text() -> dict[str, bytes]:
    lines = ["# image list"]
    for i, (q, t) in enumerate(_poses()):
        lines += [f"{i + 1} {' '.join(f'{v:.17g}' for v in (*q, *t))} 1 photo{i}.png", "1.5 2.5 -1 3 4 7"]
    cameras = f"# cameras\n1 PINHOLE {SIDE} {SIDE} {FOCAL} {FOCAL} {SIDE / 2} {SIDE / 2}\n"
    model = {"images.txt": "\n".join(lines) + "\n", "cameras.txt": cameras}
    return {f"data/sparse/0/{name}": text.encode() for name, text in model.items()} | _colmap_images()


def _colmap_binary() -> dict[str, bytes]:
    images = struct.pack("<Q", VIEWS)
    for i, (q, t) in enumerate(_poses()):
        images += struct.pack("<i7di", i, *q, *t, 1) + f"photo{i}.png\0".encode()
        images += struct.pack("<Q", 2) + struct.pack("<ddq", 1, 2, -1) * 2
    cameras = struct.pack("<QiiQQ4d", 1, 1, 1, SIDE, SIDE, FOCAL, FOCAL, SIDE / 2, SIDE / 2)
    return {"data/sparse/0/images.bin": images, "data/sparse/0/cameras.bin": cameras} | _colmap_images()


def _transmittance(suffix: str) -> dict[str, bytes]:
    light = np.exp(-DEPTH)
    levels = np.round(light * 255).astype(np.uint8)
    written = io.BytesIO()
    np.save(written, light.astype(np.float32))
    image = {
        "npy": written.getvalue(),
        "tif": picture(light.astype(np.float32), "TIFF"),
        "png": picture(levels),
    }[suffix]
    facts = {"kind": "transmittance", "bounds": [[-1, -1, -1], [1, 1, 1]], "grid": [8, 8, 8], "extinction": 1.0}
    table = _as_json(_table("view{}." + suffix, **facts))
    return {"data/transforms.json": table, **{f"data/view{i}.{suffix}": image for i in range(VIEWS)}}


def _of_pictures(kind: str, files: dict[str, bytes]) -> Seed:
    commands = (
        ("inspect", "data"),
        ("inspect", "data", "--json"),
        ("reconstruct", "data", "--size", "24", *TINY_MESH),
    )
    return Seed(kind, files, commands)


def _of_transmittance(suffix: str) -> Seed:
    commands = (
        ("inspect", "data"),
        ("inspect", "data", "--json"),
        ("reconstruct", "data", "--set", "smoothing=0.001", *TINY),
    )
    return Seed(f"transmittance-{suffix}", _transmittance(suffix), commands)


def _cameras() -> Seed:
    """Cameras from a file for the views of a mesh."""
    box = next(seed for seed in mesh_seeds() if seed.kind == "ply-little")
    table = _table("view{}.png", near=0.1 * DISTANCE, far=10 * DISTANCE)
    commands = (
        ("render", "box.ply", "--cameras", "cameras.json", "-o", "out.png", *SMALL),
        ("render", "box.ply", "--cameras", "cameras.json", "--dataset", "set", *SMALL),
        ("reconstruct", "box.ply", "--set", "cameras=cameras.json", "--size", "24", *TINY_MESH),
    )
    return Seed("cameras", {"cameras.json": _as_json(table), **box.files}, commands)


def seeds() -> list[Seed]:
    """All of them."""
    colour = ("reconstruct", "data", "--method", "volume", "--set", "grid=8", "--set", "rays=64", "--size", "12", *TINY)
    rgba = _of_pictures("rgba", _rgba())
    return [
        Seed(rgba.kind, rgba.files, (*rgba.commands, colour)),
        _of_pictures("masks", _masks_of_frames()),
        _of_pictures("masks-folder", _palette()),
        _of_pictures("colmap-text", _colmap_text()),
        _of_pictures("colmap-binary", _colmap_binary()),
        *(_of_transmittance(suffix) for suffix in ("npy", "tif", "png")),
        _cameras(),
    ]
