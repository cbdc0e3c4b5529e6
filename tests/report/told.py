"""Made-up runs for the tests of reports: small ones of every kind, with folders to read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from invrender.cameras.rigs import rig
from invrender.nouns import Material, Mesh, Scene, Volume
from invrender.report.compared import Compared
from invrender.report.story import Posed, Setting, Story
from invrender.samples import SAMPLES

HOSTILE = '<img src="http://example.com/x" onerror="alert(1)"> & "quotes" </script>'
METRICS = {
    "views": 6,
    "views_iou": 0.985,
    "views_iou_each": {f"view {i}": 0.98 + i / 1000 for i in range(6)},
    "iou": 0.972,
    "chamfer": 0.0041,
    "watertight": True,
    "unknown_to_all": 3,
}


def noise(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def gif(path: Path, frames: int = 6, side: int = 48) -> None:
    pictures = [Image.fromarray(noise(side, side, 3, seed=i)) for i in range(frames)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=80, loop=0)


def compared(count: int = 2, side: int = 40) -> Sequence[Compared]:
    pictures = [[noise(side, side, 3, seed=3 * i + k) for k in range(3)] for i in range(count)]
    return [Compared(f"view_{i}.png", *three, 0.9 + i / 100, "IoU", i > 0) for i, three in enumerate(pictures)]


def folder_of(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    gif(path / "progress.gif")
    gif(path / "turntable.gif")
    rows = [f"{i % 20},{10.0 / (i + 1):.5f},{0.1 * i:.3f},{'hull' if i < 20 else 'refine'}" for i in range(40)]
    (path / "losses.csv").write_text("\n".join(["step,loss,iou,phase", *rows]) + "\n")
    (path / "metrics.json").write_text("{}")
    return path


def story(folder: Path, asset: Any = None, **changes: Any) -> Story:
    posed = Posed(rig("orbit", 6, (0, 0, 0), 1.0, (48, 64)), tuple(f"view_{i}.png" for i in range(6)))
    told = Story(
        folder_of(folder), "mug", "data/mug.glb", "silhouette", "", METRICS, (),
        coloured() if asset is None else asset, posed, compared(),
        settings=[Setting("views", "6", "24"), Setting("seed", "0", "0")],
        timings={"start": 0.4, "refine": 12.0}, seconds=14.0, environment={"invrender": "0", "backend": "cpu"},
        command="invrender reconstruct data/mug.glb", ended="1 May 2026",
    )  # fmt: skip
    return replace(told, **changes)


def coloured() -> Mesh:
    ball = SAMPLES["sphere"]()
    return replace(ball, colours=(ball.vertices / ball.vertices.abs().max() / 2 + 0.5).float())


def textured(side: int = 64) -> Mesh:
    ball = SAMPLES["sphere"]()
    points = ball.vertices / ball.vertices.norm(dim=1, keepdim=True)
    u = torch.atan2(points[:, 0], points[:, 2]) / (2 * torch.pi) + 0.5
    v = torch.asin(points[:, 1].clamp(-1, 1)) / torch.pi + 0.5
    texture = torch.from_numpy(noise(side, side, 3).astype(np.float32) / 255)
    return replace(ball, uv=torch.stack([u, v], 1), material=Material(texture=texture, unlit=True))


def blob(side: int = 24) -> Volume:
    x = torch.linspace(-1, 1, side)
    z, y, x = torch.meshgrid(x, x, x, indexing="ij")
    return Volume.from_numpy(torch.exp(-6 * ((x - 0.3) ** 2 + y**2 + z**2)).numpy())


def scene() -> Scene:
    ball = SAMPLES["sphere"]()
    other = replace(ball, vertices=ball.vertices + 2.5, material=Material(albedo=(0.8, 0.1, 0.1), name="red"))
    return Scene((ball, other))
