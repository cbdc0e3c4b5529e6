"""Small jobs of every method, for one process or several.

`python jobs.py FOLDER NAME...` runs them one after the other. Each leaves FOLDER/NAME, a run folder.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from invrender.backends import shared_rays
from invrender.methods.launch import backend_for, company
from invrender.methods.reconstruct import Layers, method_and_settings
from invrender.methods.transmittance import budget
from invrender.run.execute import Destination, execute

REPOSITORY = Path(__file__).parent.parent.parent
QUIET = {"gif_frames": 0, "backend": "cpu"}
MUG, BLOB = REPOSITORY / "data" / "mug.glb", "blob.npz"

JOBS: Mapping[str, Mapping[str, Any]] = {
    "silhouette": {"input": MUG, "method": "silhouette", "views": 7, "size": 64, "iterations": 12},
    "photometric": {"input": MUG, "method": "photometric", "views": 6, "size": 48, "effort": 0.02, "texture": 0},
    "transmittance": {"input": BLOB, "method": "transmittance", "views": 9, "size": 24, "iterations": 12},
    "noisy": {"input": BLOB, "method": "transmittance", "views": 16, "size": 24, "iterations": 12, "noise": "8bit"},
    "slabs": {"input": BLOB, "method": "transmittance", "views": 9, "size": 24, "iterations": 12, "split": "slabs"},
    "noisy slabs": {
        "input": BLOB,
        "method": "transmittance",
        "views": 16,
        "size": 24,
        "iterations": 12,
        "noise": "8bit",
        "split": "slabs",
    },
    "fine slabs": {
        "input": BLOB,
        "method": "transmittance",
        "views": 9,
        "size": 24,
        "iterations": 12,
        "split": "slabs",
    },
    "long": {"input": BLOB, "method": "transmittance", "views": 9, "size": 24, "iterations": 1500},
    "volume": {"input": BLOB, "method": "volume", "views": 5, "size": 32, "iterations": 12},
    "scattering": {"input": BLOB, "method": "scattering", "views": 4, "size": 24, "iterations": 20},
}


def run(name: str, folder: Path) -> None:
    """Run a job on whatever processes there are."""
    budget.COARSE_FROM = 10 if name.startswith("fine") else 192  # from where a grid of half the resolution comes first
    job = {**QUIET, **JOBS[name]}
    source = Path(job.pop("input"))
    method, settings = method_and_settings(
        Layers({**job, "input": source if source.is_absolute() else folder / source})
    )
    execute(method, settings, backend_for(method, settings), Destination(folder / name, overwrite=True), quiet=True)


if __name__ == "__main__":
    shared_rays.FEWEST = 16  # rays: jobs are small here
    with company() as leads:
        if leads:
            for each in sys.argv[2:]:
                run(each, Path(sys.argv[1]))
