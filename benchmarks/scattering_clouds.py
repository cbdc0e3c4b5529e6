"""Clouds from pictures: quality, and CPU seconds of one thread.

    python benchmarks/scattering_clouds.py

Prints a row for each cloud and number of steps: the PSNR of the extinction (to the greatest value of the truth) and of
views that were left out, and the seconds that the solver took, compiling excluded by a run of a few steps before.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("NUMBA_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import invrender  # noqa: F401  (before torch: it sets up threads)

import numpy as np  # isort: skip
import torch

from invrender.backends import select
from invrender.io.scenes.write import write_scene
from invrender.methods.scattering import task
from invrender.methods.scattering.method import METHOD
from invrender.methods.scattering.settings import ScatteringSettings
from invrender.nouns import DirectionalLight, Environment, Medium, Scene, Volume
from invrender.solve.loop import Loop

THIN, TOP, DENSE = 1.0, 6.0, 20.0  # greatest extinction of the bumpy ball in a box of side 1
CASES = (
    (32, 60, TOP), (32, 400, TOP), (32, 85, THIN), (32, 400, THIN), (32, 85, DENSE), (32, 400, DENSE), (64, 200, TOP),
)  # fmt: skip
VIEWS, SUN, SPP = 24, (0.3, 0.81, 0.5), 256
WARM = 3  # steps, one on each grid


def bumpy_ball(n: int, top: float) -> Volume:
    """A ball with bumps, denser in places inside."""
    at = np.linspace(0, 1, n)
    z, y, x = np.meshgrid(at, at, at, indexing="ij")
    u, v, w = x - 0.5, y - 0.5, z - 0.5
    bumps = 0.06 * np.sin(14 * u) * np.sin(12 * v) * np.sin(16 * w)
    edge = np.clip((0.42 - np.sqrt(u * u + v * v + w * w) + bumps) * 12, 0, 1)
    inner = 0.6 + 0.4 * np.sin(9 * x + 1) * np.sin(8 * y) * np.cos(7 * z)
    return Volume.from_numpy((top * edge * inner).astype(np.float32))


def lit(volume: Volume) -> Scene:
    """Albedo 0.95, g 0.5, under a sun and a sky that is brighter above."""
    height = torch.cos((torch.arange(16) + 0.5) / 16 * math.pi)
    sky = (0.25 + 0.5 * height.clamp(min=0))[:, None, None].expand(16, 32, 3).contiguous()
    medium = Medium(volume, 0.95, 0.5)
    return Scene((), [DirectionalLight(SUN, 3.0)], None, Environment(picture=sky), media=medium)


def solved(place: Path, n: int, steps: int, top: float) -> tuple[dict[str, float], float]:
    """What is measured of the ball that is found in so many steps, and the solver's CPU seconds."""
    place.mkdir(parents=True, exist_ok=True)
    write_scene(place / "scene.toml", lit(bumpy_ball(n, top)))
    settings = ScatteringSettings(
        place / "scene.toml", gif_frames=0, views=VIEWS, size=n, target_spp=SPP, iterations=steps
    )
    backend = select("cpu", needs=METHOD.needs)
    given, spent = task.load(settings, backend), 0.0
    for count in (WARM, steps):  # the first run compiles
        problem = METHOD.begin(given, replace(settings, iterations=count), backend)
        start, loop = time.process_time(), Loop(problem.schedule)
        for _ in loop:
            pass
        spent = time.process_time() - start
    return METHOD.measure(given, problem.result(loop.state.finished), backend), spent


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print("| grid | steps | greatest extinction | density dB | novel views dB | CPU s |\n|---|---|---|---|---|---|")
    for n, steps, top in CASES:
        found, spent = solved(Path("outputs/scattering_clouds") / f"{n}_{top:g}", n, steps, top)
        told = f"{found['density_psnr']:.2f} | {found['novel_psnr']:.2f} | {spent:.1f}"
        print(f"| {n} | {steps} | {top:g} | {told} |", flush=True)


if __name__ == "__main__":
    main()
