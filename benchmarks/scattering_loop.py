"""A cloud from pictures, here and with Mitsuba 3 (`prbvolpath`) in a loop of the same kind.

    python benchmarks/scattering_loop.py [--steps 85] [--ours 40 85] [--variation 1 10]

The bumpy ball of `scattering_clouds.py` (32^3, greatest extinction 6) in 24 views of 32^2, under its sun and sky.
Each side draws its own targets (256 rays a pixel); Mitsuba's is told where the medium can be. Its loop has 6 views of 4
rays a step, other paths for pictures and gradients, total variation (in units of the first gradient's mean), Adam with
a falling rate, and the mean of the last iterates; its first step, which compiles, does not count. Prints the PSNR of
the extinction and the CPU seconds of one thread. Mitsuba is `pip install mitsuba`; where its LLVM is missing,
DRJIT_LIBLLVM_PATH names a libLLVM.so.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1")

import invrender  # noqa: F401  (before torch: it sets up threads)

import numpy as np  # isort: skip
import torch
from numpy.typing import NDArray
from scattering_clouds import SPP, SUN, TOP, VIEWS, bumpy_ball, lit, solved
from scipy.ndimage import binary_dilation

from invrender.cameras.volume_rigs import volume_rig

Grid = NDArray[np.float32]

SIZE, POWER, ALBEDO, ASYMMETRY = 32, 3.0, 0.95, 0.5
BATCH, RAYS = 6, 4  # views of a step, and rays a pixel
RATE, LEFT, BETAS = 0.3, 0.05, (0.9, 0.99)  # Adam's, and what is left of the rate in the end
FIRST = 0.6  # extinction to begin with
LEAST, MOST = 1e-3, 4 * TOP
ROUND, TAIL = 0.1, 0.3  # of the total variation; share of the steps whose iterates are averaged


def decibels(found: Grid, truth: Grid) -> float:
    """PSNR to the greatest value of the truth."""
    return float(-10 * np.log10(((found - truth) ** 2).mean() / truth.max() ** 2))


def variation(x: Grid) -> Grid:
    """Gradient of the rounded total variation along the axes."""
    gradient = np.zeros_like(x)
    for axis in range(3):
        step = np.diff(x, axis=axis)
        pull = step / np.sqrt(step * step + ROUND * ROUND)
        none = np.zeros_like(x.take([0], axis))
        gradient += np.concatenate([none, pull], axis) - np.concatenate([pull, none], axis)
    return gradient


@dataclass
class Mitsuba:
    """The same views in Mitsuba; `mi` and `dr` are its modules."""

    mi: Any
    dr: Any

    def scene(self, x: Grid) -> Any:
        """The extinction in its box, under sun and sky. The grid's vertices are centres of Mitsuba's cells."""
        turn, half = self.mi.ScalarTransform4f, 0.5 / (SIZE - 1)
        low, high = -0.5 - half, 0.5 + half
        grid = self.mi.VolumeGrid(x[..., None].astype(np.float32))
        placed = turn().translate([low] * 3).scale([high - low] * 3)
        inside = {
            "type": "heterogeneous", "albedo": ALBEDO, "phase": {"type": "hg", "g": ASYMMETRY},
            "sigma_t": {"type": "gridvolume", "grid": grid, "to_world": placed},
        }  # fmt: skip
        sky = self.mi.Bitmap(lit(bumpy_ball(SIZE, TOP)).environment.picture.numpy())
        sun = {"type": "directional", "direction": [-s for s in SUN], "irradiance": {"type": "rgb", "value": POWER}}
        moved = turn().scale([high] * 3)
        return self.mi.load_dict({
            "type": "scene",
            "sky": {"type": "envmap", "bitmap": sky},
            "sun": sun,
            "cube": {"type": "cube", "to_world": moved, "bsdf": {"type": "null"}, "interior": inside},
            "integrator": {"type": "prbvolpath", "max_depth": 1000, "rr_depth": 4},
        })  # fmt: skip

    def sensors(self, cameras: Any) -> list[Any]:
        """The cameras."""
        film = {"type": "hdrfilm", "width": SIZE, "height": SIZE, "rfilter": {"type": "box"}, "pixel_format": "rgb"}
        found = []
        for k, pose in enumerate(torch.linalg.inv(cameras.world_to_camera).numpy()):
            eye, field = pose[:3, 3], math.degrees(2 * math.atan(1 / float(cameras.projection[k, 0, 0])))
            look = {"origin": list(eye), "target": list(eye - pose[:3, 2]), "up": list(pose[:3, 1])}
            placed = self.mi.ScalarTransform4f().look_at(**look)
            found.append(self.mi.load_dict({"type": "perspective", "fov": field, "to_world": placed, "film": film}))
        return found


def theirs(truth: Grid, cameras: Any, steps: int, weight: float) -> tuple[float, float]:
    """PSNR and CPU seconds of Mitsuba's loop."""
    import drjit as dr
    import mitsuba as mi

    mi.set_variant("llvm_ad_rgb")
    dr.set_thread_count(1)
    side = Mitsuba(mi, dr)
    whole, sensors = side.scene(truth), side.sensors(cameras)
    path = whole.integrator()
    targets = [np.array(mi.render(whole, sensor=s, integrator=path, spp=SPP, seed=i)) for i, s in enumerate(sensors)]
    hull = binary_dilation(truth > 0)
    x = np.where(hull, FIRST, 0).astype(np.float32)
    scene = side.scene(x)
    params = mi.traverse(scene)
    key = next(name for name in params.keys() if "sigma_t" in name and name.endswith("data"))  # noqa: SIM118
    random, unit, begun = np.random.default_rng(0), 1.0, 0.0
    first, second, mean = 0 * x, 0 * x, 0 * x
    for k in range(-1, steps):
        if k == 0:
            begun = time.process_time()
        params[key] = mi.TensorXf(x[..., None])
        dr.enable_grad(params[key])
        params.update()
        for view in random.permutation(VIEWS)[:BATCH]:
            seeds = {"seed": (k + 1) * 131 + int(view), "seed_grad": 10**6 + (k + 1) * 131 + int(view)}
            shown = mi.render(scene, params, sensor=sensors[view], integrator=path, spp=RAYS, **seeds)
            dr.backward(dr.mean(dr.square(shown - mi.TensorXf(targets[view])), axis=None))
        gradient = np.nan_to_num(np.array(dr.grad(params[key]))[..., 0])
        dr.disable_grad(params[key])
        if k < 0:
            unit = float(np.abs(gradient[hull]).mean())
            continue
        gradient = gradient + weight * unit * variation(x)
        first = BETAS[0] * first + (1 - BETAS[0]) * gradient
        second = BETAS[1] * second + (1 - BETAS[1]) * gradient * gradient
        rate = RATE * (LEFT + (1 - LEFT) * 0.5 * (1 + math.cos(math.pi * k / steps)))
        move = first / (1 - BETAS[0] ** (k + 1)) / (np.sqrt(second / (1 - BETAS[1] ** (k + 1))) + 1e-12)
        x = np.where(hull, np.clip(x - rate * move, LEAST, MOST), 0).astype(np.float32)
        count = k + 1 - math.ceil((1 - TAIL) * steps)
        mean = mean + (x - mean) / count if count > 1 else x
    return decibels(mean, truth), time.process_time() - begun


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=85)
    parser.add_argument("--ours", type=int, nargs="+", default=[40, 85])
    parser.add_argument("--variation", type=float, nargs="+", default=[1.0, 10.0])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    volume = bumpy_ball(SIZE, TOP)
    print("| loop | steps | density dB | CPU s |\n|---|---|---|---|")
    for steps in asked.ours:
        measured, spent = solved(Path("outputs/scattering_loop"), SIZE, steps, TOP)
        print(f"| here | {steps} | {measured['density_psnr']:.2f} | {spent:.1f} |", flush=True)
    for weight in asked.variation:
        cameras = volume_rig(volume, "sphere", VIEWS, (SIZE, SIZE))
        found, spent = theirs(volume.values[0].numpy(), cameras, asked.steps, weight)
        print(f"| Mitsuba, total variation {weight:g} | {asked.steps} | {found:.2f} | {spent:.1f} |", flush=True)


if __name__ == "__main__":
    main()
