"""Paths of light through a closed-in box: rays and paths per CPU-second, with gradients, beside Embree and Mitsuba 3.

    python benchmarks/transport.py [--faces 100 5000 80000] [--size 128] [--spp 4 64] [--rounds 3]

One thread. A ball of ever more faces stands in a room with a lamp; all is diffuse, so that Mitsuba knows it. First rows
are of first hits alone (unlit surfaces), then of whole paths. The last line compares pictures, block by block: how far
apart they are in standard errors. Mitsuba (`pip install mitsuba`) is left out where it is missing.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1")

import numpy as np
import torch
import trimesh

from invrender.backends import select
from invrender.backends.torch.trace import trace as trace_with
from invrender.kernels import Backend
from invrender.kernels.radiance import CLASSIC, EMISSION, IOR, KD, KIND, OPACITY, UNLIT, SceneArrays, Transport

Tensor = torch.Tensor

DEPTH, ROULETTE = 7, 5
KDS = {
    "white": (0.7, 0.7, 0.7),
    "red": (0.6, 0.2, 0.2),
    "green": (0.2, 0.6, 0.2),
    "ball": (0.4, 0.4, 0.7),
    "lamp": (0.0, 0, 0),
}
LIGHT = 6.0
EYE, ANGLE = (0.0, -3.2, 0.0), 40.0


def parts(faces: int) -> dict[str, trimesh.Trimesh]:
    """Meshes by material: walls face inwards, the lamp is a closed slab."""
    walls = {
        "white": [
            ((-1, -1, -1), (2, 0, 0), (0, 2, 0)),
            ((-1, -1, 1), (0, 2, 0), (2, 0, 0)),
            ((-1, 1, -1), (2, 0, 0), (0, 0, 2)),
        ],
        "red": [((-1, -1, -1), (0, 2, 0), (0, 0, 2))],
        "green": [((1, -1, -1), (0, 0, 2), (0, 2, 0))],
    }
    made = {name: trimesh.util.concatenate([_quad(*each) for each in quads]) for name, quads in walls.items()}
    level = max(0, round(np.log(max(faces, 20) / 20) / np.log(4)))
    ball = trimesh.creation.icosphere(level, 0.42)
    ball.apply_translation((0.25, 0.1, -0.58))
    lamp = trimesh.creation.box((0.6, 0.6, 0.04))
    lamp.apply_translation((0, 0, 0.97))
    return {**made, "ball": ball, "lamp": lamp}


def _quad(corner: Any, side: Any, other: Any) -> trimesh.Trimesh:
    o, a, b = (np.array(part, float) for part in (corner, side, other))
    return trimesh.Trimesh([o, o + a, o + a + b, o + b], [[0, 1, 2], [0, 2, 3]], process=False)


def arrays(meshes: dict[str, trimesh.Trimesh], kind: int = CLASSIC) -> SceneArrays:
    """The scene as kernels take it, in float32."""
    corners = torch.cat([torch.tensor(mesh.triangles.copy()) for mesh in meshes.values()]).float()
    sides = corners[:, 1:] - corners[:, :1]
    normals = torch.nn.functional.normalize(torch.linalg.cross(sides[:, 0], sides[:, 1]), dim=-1)
    rows = torch.zeros(len(meshes), 20)
    rows[:, KD : KD + 3], rows[:, OPACITY], rows[:, IOR] = torch.tensor([KDS[name] for name in meshes]), 1, 1.5
    rows[list(meshes).index("lamp"), EMISSION : EMISSION + 3] = LIGHT
    kinds = torch.full((len(meshes), 3), -1)
    kinds[:, KIND] = kind
    none = torch.zeros(0, 3)
    return SceneArrays(
        corners.reshape(-1, 3), torch.arange(3 * len(corners)).reshape(-1, 3),
        normals[:, None].expand(-1, 3, -1).contiguous(),
        none.reshape(0, 3, 2), none.reshape(0, 3, 3),
        torch.repeat_interleave(torch.arange(len(meshes)), torch.tensor([len(mesh.faces) for mesh in meshes.values()])),
        rows, kinds, none, none.long(), torch.zeros(0, 11), torch.zeros(0).long(), none.reshape(0, 0, 3), torch.eye(3),
        torch.zeros(3), torch.zeros(3),
    )  # fmt: skip


def rays(size: int, spp: int, seed: int) -> tuple[Tensor, Tensor]:
    """Jittered rays of a camera, pixel by pixel."""
    generator = torch.Generator().manual_seed(seed)
    place = torch.stack(torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij"), -1).reshape(-1, 1, 2)
    at = ((place + torch.rand(size * size, spp, 2, generator=generator)) / size * 2 - 1) * np.tan(np.radians(ANGLE / 2))
    direction = torch.stack([at[..., 1], torch.ones_like(at[..., 0]), -at[..., 0]], -1).reshape(-1, 3)
    return torch.tensor(EYE).expand_as(direction).contiguous(), torch.nn.functional.normalize(direction, dim=-1)


def quickest(work: Callable[[int], Any], rounds: int) -> float:
    """CPU-seconds of the quickest of some rounds, after one that compiles."""
    work(0)
    best = float("inf")
    for k in range(1, rounds + 1):
        start = time.process_time()
        work(k)
        best = min(best, time.process_time() - start)
    return best


def ours(backend: Backend, meshes: dict[str, trimesh.Trimesh], size: int, spp: int, rounds: int) -> None:
    """Rows of this library, and of Embree."""
    scene, (origin, direction), transport = arrays(meshes), rays(size, spp, 1), Transport(DEPTH, True, True, ROULETTE)
    count, one = len(origin), torch.ones(len(origin), 4)
    unlit = replace(scene, material_kinds=arrays(meshes, UNLIT).material_kinds)
    first = quickest(lambda k: backend.radiance(unlit, origin, direction, k, transport), rounds)
    path = quickest(lambda k: backend.radiance(scene, origin, direction, k, transport), rounds)
    shown, needs = backend.radiance(scene, origin, direction, 1, transport), frozenset({"materials", "lights"})
    back = quickest(
        lambda _: backend.radiance_adjoint(one, scene, origin, direction, 1, transport, shown, needs), rounds
    )
    embree = quickest(lambda _: trace_with(scene.vertices, scene.faces, origin, direction, engine="embree"), rounds)
    row(f"{backend.name}, {len(scene.faces)} faces, {spp} spp", count, first, path, path + back)
    row("  embreex", count, embree)


def row(name: str, count: int, first: float | None, path: float | None = None, both: float | None = None) -> None:
    """Print one."""
    cells = [f"{count / first / 1e6:8.2f}" if first else " " * 8]
    cells += [f"{count / each / 1e3:8.0f}" if each else " " * 8 for each in (path, both)]
    print(f"{name:32}", *cells, f"{both / path:8.2f}" if both and path else "", flush=True)


class Mitsuba:
    """The same scene there."""

    def __init__(self, meshes: dict[str, trimesh.Trimesh], size: int, folder: Path) -> None:
        import drjit
        import mitsuba

        mitsuba.set_variant("llvm_ad_rgb")
        drjit.set_thread_count(1)
        self.mi, self.dr = mitsuba, drjit
        film = {"type": "hdrfilm", "width": size, "height": size, "rfilter": {"type": "box"}, "pixel_format": "rgb"}
        to_world = mitsuba.ScalarTransform4f().look_at(origin=EYE, target=(0, 0, 0), up=(0, 0, 1))
        scene = {"type": "scene", "sensor": {"type": "perspective", "fov": ANGLE, "to_world": to_world, "film": film}}
        for name, mesh in meshes.items():
            mesh.export(folder / f"{name}.ply")
            bsdf = {"type": "diffuse", "reflectance": {"type": "rgb", "value": KDS[name]}}
            scene[name] = {
                "type": "ply", "filename": str(folder / f"{name}.ply"), "face_normals": True,
                "bsdf": {"type": "twosided", "id": f"bsdf_{name}", "nested": bsdf},
            }  # fmt: skip
        scene["lamp"]["emitter"] = {"type": "area", "radiance": {"type": "rgb", "value": LIGHT}}
        self.scene = mitsuba.load_dict(scene)

    def integrator(self, kind: str, roulette: int = ROULETTE) -> Any:
        """`path` or `prb`."""
        return self.mi.load_dict({"type": kind, "max_depth": DEPTH + 2, "rr_depth": roulette})

    def picture(self, spp: int, seed: int, roulette: int = ROULETTE) -> np.ndarray:
        """[H,W,3]."""
        return np.array(self.mi.render(self.scene, integrator=self.integrator("path", roulette), spp=spp, seed=seed))

    def gradient(self, spp: int, seed: int) -> None:
        """With all reflectances and the radiance, by path replay."""
        parameters = self.mi.traverse(self.scene)
        keys = [key for key, _ in parameters if key.endswith(("reflectance.value", "radiance.value"))]
        for key in keys:
            self.dr.enable_grad(parameters[key])
        parameters.update()
        image = self.mi.render(self.scene, parameters, integrator=self.integrator("prb"), spp=spp, seed=seed)
        self.dr.backward(self.dr.sum(image))
        self.dr.eval([self.dr.grad(parameters[key]) for key in keys])
        self.dr.sync_thread()

    def rows(self, size: int, spp: int, rounds: int) -> None:
        """Time it."""
        path = quickest(lambda k: self.picture(spp, k), rounds)
        both = quickest(lambda k: self.gradient(spp, k), rounds)
        row("  mitsuba, path and prb", size * size * spp, None, path, both)


def agreement(backend: Backend, meshes: dict[str, trimesh.Trimesh], other: Mitsuba, size: int, spp: int = 64) -> None:
    """Differences of blocks of 8^2 pixels in standard errors, from 8 pictures each."""
    transport, runs = Transport(DEPTH, True, True, 1000), 8
    scene, mine, theirs = arrays(meshes), [], []
    for seed in range(runs):
        shown = backend.radiance(scene, *rays(size, spp // runs, seed), seed, transport)[:, :3]
        mine.append(_blocks(shown.reshape(size, size, -1, 3).mean(2).double().numpy()))
        theirs.append(_blocks(other.picture(spp // runs, 100 + seed, 1000).astype(float)))
    a, b = np.stack(mine), np.stack(theirs)
    error = np.sqrt((a.var(0, ddof=1) + b.var(0, ddof=1)) / runs)
    apart = (a.mean(0) - b.mean(0)) / np.maximum(error, 1e-6)
    print(
        f"pictures of {size}^2 at {spp} spp: means {a.mean():.4f} and {b.mean():.4f}; blocks apart by "
        f"{np.abs(apart).mean():.2f} standard errors on average (.8 to .9 if equal), "
        f"{(np.abs(apart) > 3).mean():.1%} by more than 3 (2 % if equal)"
    )


def _blocks(image: np.ndarray) -> np.ndarray:
    """Means over 8^2 pixels."""
    side = len(image) // 8
    return image[: side * 8, : side * 8].reshape(side, 8, side, 8, 3).mean((1, 3))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, nargs="+", default=[100, 5000, 80000])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--spp", type=int, nargs="+", default=[4, 64])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    backend = select("cpu", needs=("scenes",))
    print(f"{'':32}  Mrays/s  kpaths/s  with gradients  times the paths alone   (per CPU-second)")
    with tempfile.TemporaryDirectory() as folder:
        for faces in asked.faces:
            meshes = parts(faces)
            try:
                other = Mitsuba(meshes, asked.size, Path(folder))
            except ImportError as error:
                other = None
                print(f"Mitsuba is left out: {error} (pip install mitsuba)")
            for spp in asked.spp:
                ours(backend, meshes, asked.size, spp, asked.rounds)
                if other is not None:
                    other.rows(asked.size, spp, asked.rounds)
        if other is not None:
            agreement(backend, meshes, other, asked.size)


if __name__ == "__main__":
    main()
