"""One cloud under a sun and a grey sky, here and in Mitsuba 3 (`prbvolpath`): means, cost of a path, gradients.

    python benchmarks/scattering_mitsuba.py [--vertices 32 64] [--size 64] [--spp 64] [--runs 8] [--rounds 2]

One thread. The cloud's vertices are Mitsuba's cell centres if its box is half a voxel wider on each side; the outermost
are 0, so that nothing is cut off. Means are those of all pixels, with their standard error from independent runs; the
gradient is that with a factor on the extinction and with the albedo. A gradient pass here knows what was seen, which
its counterpart there finds anew. Mitsuba is `pip install mitsuba`; where its LLVM is missing, DRJIT_LIBLLVM_PATH names
a libLLVM.so.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1")

import numpy as np
import torch

from invrender.backends import select
from invrender.kernels import Backend
from invrender.kernels.radiance import DIRECTIONAL, ENDLESS, FLOOR, SceneArrays, Transport

Tensor = torch.Tensor

ALBEDO, ASYMMETRY, SKY = 0.95, 0.5, 0.5
SUN, IRRADIANCE = (0.3, -0.5, 0.81), 3.0
EYE, ANGLE = (0.0, -2.4, 0.3), 30.0
NEEDS = frozenset({"extinction", "albedo"})
TRANSPORT = Transport(ENDLESS, indirect=True, floor=FLOOR)


def cloud(count: int, depth: float = 17.0) -> Tensor:
    """An extinction [n,n,n] with a zero border, whose mean along x through the middle is `depth`."""
    random = torch.Generator().manual_seed(3)
    axis = torch.linspace(-1, 1, count)
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    bumps = torch.zeros(count, count, count)
    for _ in range(24):
        wave, shift = 5 * torch.randn(3, generator=random), 6.3 * torch.rand(1, generator=random)
        bumps += torch.sin(wave[0] * x + wave[1] * y + wave[2] * z + shift) / 24**0.5
    inside = (1 - (x * x + y * y + z * z).sqrt() / 0.9).clamp(min=0)
    values = (2 * inside + 0.5 * bumps - 0.2).clamp(min=0) * (inside > 0)
    return values * (depth / values[count // 2, count // 2].mean())


def arrays(extinction: Tensor) -> SceneArrays:
    """The scene as kernels take it: a box of 1, without surfaces."""
    direction = torch.nn.functional.normalize(torch.tensor(SUN), dim=0)
    light = torch.tensor([[0, 0, 0, *direction.tolist(), *[IRRADIANCE] * 3, 1, 0]])
    none = torch.zeros(0, 3)
    return SceneArrays(
        vertices=none, faces=torch.zeros(0, 3, dtype=torch.int64), normals=torch.zeros(0, 3, 3),
        uv=torch.zeros(0, 3, 2), colours=torch.zeros(0, 3, 3), face_material=torch.zeros(0, dtype=torch.int64),
        materials=torch.zeros(0, 20), material_kinds=torch.zeros(0, 3, dtype=torch.int64), texels=none,
        textures=torch.zeros(0, 3, dtype=torch.int64), lights=light, light_kinds=torch.tensor([DIRECTIONAL]),
        environment=torch.full((1, 1, 3), SKY), turn=torch.eye(3), ambient=torch.zeros(3), backdrop=torch.zeros(3),
        extinction=extinction[..., None].contiguous(), albedo=torch.full((1, 1, 1, 3), ALBEDO),
        asymmetry=torch.full((1, 1, 1, 1), ASYMMETRY), box=torch.tensor([[-0.5] * 3, [0.5] * 3]),
    )  # fmt: skip


def rays(size: int, spp: int, seed: int) -> tuple[Tensor, Tensor]:
    """Through random places of each pixel, [size^2 spp,3]; the picture is upright."""
    eye = torch.tensor(EYE)
    ahead = torch.nn.functional.normalize(-eye, dim=0)
    right = torch.nn.functional.normalize(torch.linalg.cross(ahead, torch.tensor([0.0, 0, 1])), dim=0)
    up = torch.linalg.cross(right, ahead)
    half = float(np.tan(np.radians(ANGLE / 2)))
    jitter = torch.rand(size, size, spp, 2, generator=torch.Generator().manual_seed(seed))
    grid = torch.stack(torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")[::-1], -1)
    place = ((grid[:, :, None] + jitter) / size * 2 - 1) * half
    direction = ahead + place[..., :1] * right - place[..., 1:] * up
    direction = torch.nn.functional.normalize(direction.reshape(-1, 3), dim=-1)
    return eye.expand(len(direction), 3).contiguous(), direction


@dataclass
class Ours:
    """This library's paths."""

    backend: Backend
    scene: SceneArrays
    size: int

    def picture(self, spp: int, seed: int) -> np.ndarray:
        """[H,W]."""
        shown = self.backend.radiance(self.scene, *rays(self.size, spp, seed), seed, TRANSPORT)
        return shown[:, :3].mean(1).reshape(self.size, self.size, spp).mean(2).double().numpy()

    def passes(self, spp: int, seed: int) -> tuple[float, float, tuple[float, float]]:
        """CPU-seconds of a picture and of its gradient, and the gradient of its mean with a factor and the albedo."""
        at = rays(self.size, spp, seed)
        start = time.process_time()
        shown = self.backend.radiance(self.scene, *at, seed, TRANSPORT)
        middle = time.process_time()
        grad = torch.full_like(shown, 1 / (3 * len(shown)))
        found = self.backend.radiance_adjoint(grad, self.scene, *at, seed, TRANSPORT, shown, NEEDS)
        end = time.process_time()
        assert found.extinction is not None and found.albedo is not None
        by_factor = float((found.extinction.double() * self.scene.extinction).sum())
        return middle - start, end - middle, (by_factor, float(found.albedo.sum()))


class Mitsuba:
    """The same there."""

    def __init__(self, extinction: Tensor, size: int) -> None:
        import drjit
        import mitsuba

        mitsuba.set_variant("llvm_ad_rgb")
        drjit.set_thread_count(1)
        self.mi, self.dr, self.extinction, self.size = mitsuba, drjit, extinction, size
        transform, wide = mitsuba.ScalarTransform4f, 0.5 + 0.5 / (len(extinction) - 1)
        placed = transform().translate([-wide] * 3).scale(2 * wide)
        grid = {"type": "gridvolume", "grid": mitsuba.VolumeGrid(extinction.numpy()[..., None]), "to_world": placed}
        film = {"type": "hdrfilm", "width": size, "height": size, "rfilter": {"type": "box"}, "pixel_format": "rgb"}
        look = transform().look_at(origin=EYE, target=(0, 0, 0), up=(0, 0, 1))
        self.scene = mitsuba.load_dict(
            {
                "type": "scene",
                "sensor": {"type": "perspective", "fov": ANGLE, "to_world": look, "film": film},
                "sky": {"type": "constant", "radiance": {"type": "rgb", "value": SKY}},
                "sun": {
                    "type": "directional", "direction": [-part for part in SUN],
                    "irradiance": {"type": "rgb", "value": IRRADIANCE},
                },
                "cube": {
                    "type": "cube",
                    "to_world": transform().scale(wide),
                    "bsdf": {"type": "null"},
                    "interior": {
                        "type": "heterogeneous", "sigma_t": grid, "scale": 1.0,
                        "albedo": {"type": "constvolume", "value": {"type": "rgb", "value": ALBEDO}},
                        "phase": {"type": "hg", "g": ASYMMETRY},
                    },
                },
            }
        )  # fmt: skip
        self.integrator = mitsuba.load_dict({"type": "prbvolpath", "max_depth": -1, "rr_depth": 5})

    def picture(self, spp: int, seed: int) -> np.ndarray:
        """[H,W]."""
        image = self.mi.render(self.scene, integrator=self.integrator, spp=spp, seed=seed)
        return np.array(image).astype(float).mean(2)

    def passes(self, spp: int, seed: int) -> tuple[float, float, tuple[float, float]]:
        """See `Ours.passes`."""
        parameters = self.mi.traverse(self.scene)
        keys = ["cube.interior_medium.sigma_t.data", "cube.interior_medium.albedo.value.value"]
        for key in keys:
            self.dr.enable_grad(parameters[key])
            self.dr.clear_grad(parameters[key])
        parameters.update()
        start = time.process_time()
        image = self.mi.render(self.scene, parameters, integrator=self.integrator, spp=spp, seed=seed)
        self.dr.eval(image)
        self.dr.sync_thread()
        middle = time.process_time()
        self.dr.backward(self.dr.mean(image, axis=None))
        found = [np.array(self.dr.grad(parameters[key])).astype(float) for key in keys]
        end = time.process_time()
        by_factor = float((found[0][..., 0] * self.extinction.numpy()).sum())
        return middle - start, end - middle, (by_factor, float(found[1].sum()))


def agreement(mine: Ours, theirs: Mitsuba, spp: int, runs: int) -> None:
    """Means, blocks and gradients beside each other."""
    pictures = [np.stack([one.picture(spp, seed) for seed in range(runs)]) for one in (mine, theirs)]
    means = [part.mean((1, 2)) for part in pictures]
    a, b = (part.mean() for part in means)
    error = (sum(part.var(ddof=1) for part in means) / runs) ** 0.5
    print(f"  means {a:.5f} and {b:.5f}: apart by {a / b - 1:+.1e} of them, {(a - b) / error:+.1f} standard errors")
    blocks = [part.reshape(runs, 8, mine.size // 8, 8, -1).mean((2, 4)) for part in pictures]
    spread = np.sqrt(sum(part.var(0, ddof=1) for part in blocks) / runs)
    apart = np.abs(blocks[0].mean(0) - blocks[1].mean(0)) / np.maximum(spread, 1e-6)
    print(f"  64 blocks: root mean square of their distances {np.sqrt((apart**2).mean()):.2f} standard errors")
    sums = [np.array([one.passes(spp, 50 + seed)[2] for seed in range(runs)]) for one in (mine, theirs)]
    for k, name in enumerate(("a factor on extinction", "albedo")):
        one, other = (part[:, k] for part in sums)
        error = ((one.var(ddof=1) + other.var(ddof=1)) / runs) ** 0.5
        apart = (one.mean() - other.mean()) / error
        print(f"  gradient with {name}: {one.mean():.5f} and {other.mean():.5f}, {apart:+.1f} standard errors")


def costs(one: Any, spp: int, rounds: int) -> tuple[float, float]:
    """Microseconds of CPU time a path, of a picture and of its gradient: the quickest round after one that compiles."""
    work: Callable[[int], tuple[float, float, Any]] = partial(one.passes, spp)
    work(0)
    times = [work(seed)[:2] for seed in range(1, rounds + 1)]
    scale = 1e6 / (one.size**2 * spp)
    return min(part[0] for part in times) * scale, min(part[1] for part in times) * scale


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vertices", type=int, nargs="+", default=[32, 64])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--spp", type=int, default=64)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    backend = select("cpu", needs=("scenes",))
    for count in asked.vertices:
        extinction = cloud(count)
        mine = Ours(backend, arrays(extinction), asked.size)
        theirs = Mitsuba(extinction, asked.size)
        print(f"{count}^3 vertices, {asked.size}^2 pixels, {asked.spp} paths each, microseconds of CPU time a path:")
        (path, back), (path_there, back_there) = (costs(one, asked.spp, asked.rounds) for one in (mine, theirs))
        print(f"  here     {path:7.2f}, gradient pass {back:7.2f} ({back / path:.2f} times)")
        print(f"  Mitsuba  {path_there:7.2f}, gradient pass {back_there:7.2f}; of these, here takes", end=" ")
        print(f"{path / path_there:.3f} and {back / back_there:.3f}", flush=True)
        agreement(mine, theirs, asked.spp, asked.runs)


if __name__ == "__main__":
    main()
