"""What the shell completes, by the variables that its script sets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from invrender.backends.select import BACKENDS
from invrender.methods.names import METHODS
from invrender.render.modes import mode_names
from invrender.samples import PICTURES, SAMPLES, SCENES, VOLUMES

ROOT = Path(__file__).parents[2]
LOOK = (
    "import sys; from invrender.cli import app\n"
    "try: app.run([])\n"
    "finally: print('heavy:', [name for name in ('torch', 'numba', 'numpy', 'matplotlib') if name in sys.modules])"
)


def completed(line: str, folder: Path) -> list[str]:
    """What the last word of a line may become; nothing heavy is imported for it."""
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "_INVRENDER_COMPLETE": "complete_bash", "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", LOOK], capture_output=True, text=True, env=environment, cwd=folder, check=True
    )
    *words, heavy = done.stdout.split("\n")[:-1]
    assert heavy == "heavy: []"
    return [word for word in words if word]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("invrender reconstruct x --method ", ["auto", *METHODS]),
        ("invrender reconstruct --preset d", ["draft"]),
        ("invrender reconstruct --backend ", ["auto", *BACKENDS]),
        ("invrender render x --mode ", mode_names()),
        ("invrender render x --look s", ["shells", "solid", "skin"]),
        ("invrender render x --light ", ["studio", "three-point", "camera"]),
        ("invrender sample ", [*SAMPLES, *VOLUMES, *SCENES, *PICTURES]),
        ("invrender settings s", [name for name in METHODS if name.startswith("s")]),
        ("invrender reconstruct --method silhouette --set smo", ["smoothness="]),
        ("invrender train --set val", ["validate_every=", "validation="]),
        ("invrender batch col", ["collect"]),
        ("invrender render x --colormap vir", ["viridis"]),
        ("invrender reconstruct data/m", []),  # the shell itself completes files
    ],
)
def test_values_are_completed(line: str, words: list[str], tmp_path: Path) -> None:
    assert set(completed(line, tmp_path)) == set(words)


def test_folders_of_batches_are_completed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / "outputs" / name).mkdir(parents=True)
    (tmp_path / "outputs" / "one" / "batch.json").write_text(json.dumps({}))
    assert completed("invrender batch status ", tmp_path) == ["outputs/one"]
