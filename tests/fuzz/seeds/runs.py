"""Seeds of what a run leaves and takes: its folder with run.json, and settings in a .toml."""

from __future__ import annotations

import json

from seeds.meshes import seeds as mesh_seeds
from seeds.seed import TINY_MESH, Seed

RECORD = {
    "invrender": "0.1.0",
    "command": "reconstruct",
    "argv": ["reconstruct", "box.ply", "-o", "run"],
    "status": "finished",
    "started": "2026-01-01T10:00:00+00:00",
    "ended": "2026-01-01T10:01:00+00:00",
    "resumed": [],
    "seconds": 60.0,
    "seed": 0,
    "backend": "cpu",
    "device": "cpu",
    "timings": {"start": 1.0, "solve": 50.0},
    "versions": {"python": "3.11.7"},
    "machine": {"cores": 2},
    "pid": 1,
    "host": "elsewhere",
    "files": ["config.toml", "metrics.json", "losses.csv", "mesh.ply"],
    "error": None,
}

CONFIG = b"""# settings
method = "silhouette"
preset = "draft"
views = 4
size = 24
elevation = 12.5
iterations = 3
smoothness = 1.0
gif_frames = 0
backend = "cpu"
"""


def seeds() -> list[Seed]:
    """Both of them."""
    box = next(seed.files["box.ply"] for seed in mesh_seeds() if seed.kind == "ply-little")
    run = {
        "run/run.json": json.dumps(RECORD, indent=1).encode(),
        "run/config.toml": CONFIG,
        "run/metrics.json": b'{"iou": 0.99, "vertices": 8}\n',
        "run/losses.csv": b"step,loss\n1,0.5\n2,0.25\n",
        "run/mesh.ply": box,
        "box.ply": box,
    }
    looks = (("inspect", "run"), ("inspect", "run", "--json"))
    again = ("reconstruct", "box.ply", "--size", "24", "--overwrite", *TINY_MESH)
    check = ("reconstruct", "box.ply", "--config", "config.toml", "-o", "run", "--dry-run")
    return [
        Seed("run", run, (*looks, again)),
        Seed("config", {"config.toml": CONFIG, "box.ply": box}, (check,)),
    ]
