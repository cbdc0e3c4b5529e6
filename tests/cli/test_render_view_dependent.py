"""`invrender render --view-dependent`: colours by functions of direction, from files as documented."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from invrender.cli.app import run

CALL = ["render", "ball.ply", "--mode", "color", "--size", "33", "--elevation", "0", "--view-dependent", "colours.npz"]


@pytest.fixture(autouse=True)
def ball(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """A ball of one grey whose green is brighter where one looks along +z; the number of its vertices."""
    monkeypatch.chdir(tmp_path)
    mesh = trimesh.creation.icosphere(2)
    mesh.export("ball.ply")
    coefficients = np.zeros((len(mesh.vertices), 4, 3), np.float32)
    coefficients[:, 0], coefficients[:, 3, 1] = 0.5, 0.25
    np.savez("colours.npz", coefficients=coefficients)
    return len(mesh.vertices)


def middle(path: str) -> list[int]:
    """The RGB of the pixel in the middle, 0 to 255."""
    return [int(value) for value in np.asarray(Image.open(path).convert("RGB"))[16, 16]]


def test_a_colour_changes_from_the_front_to_the_back() -> None:
    assert run([*CALL, "-o", "front.png"]) == 0
    assert run([*CALL, "-o", "back.png", "--azimuth", "180", "--background", "transparent"]) == 0
    assert middle("front.png") == pytest.approx([127.5, 63.75, 127.5], abs=2)
    assert middle("back.png") == pytest.approx([127.5, 191.25, 127.5], abs=2)


def test_a_dataset_shows_them_too() -> None:
    assert run([*CALL, "--dataset", "set", "--views", "2"]) == 0
    greens = [middle(str(path))[1] for path in sorted(Path("set").rglob("*.png"))]
    assert greens == pytest.approx([63.75, 191.25], abs=2)


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({"coefficients": np.zeros((5, 4, 3), np.float32)}, "5 vertices"),
        ({"coefficients": np.zeros((5, 3), np.float32)}, "holds no colours"),
        ({"density": np.zeros((5, 4, 3), np.float32)}, "holds no colours"),
        ({"coefficients": np.full((5, 4, 3), np.nan, np.float32)}, "no numbers"),
        (b"PK damaged", "cannot be read"),
        (None, "does not exist"),
    ],
)
def test_files_of_something_else_are_refused(
    stored: dict[str, np.ndarray] | bytes | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("colours.npz").unlink()
    if isinstance(stored, bytes):
        Path("colours.npz").write_bytes(stored)
    elif stored is not None:
        np.savez("colours.npz", **stored)  # type: ignore[arg-type]
    assert run([*CALL, "-o", "a.png"]) == 3
    assert said in " ".join(capsys.readouterr().err.split())
    assert not Path("a.png").exists()


def test_other_modes_have_no_use_for_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render", "ball.ply", "-o", "a.png", "--view-dependent", "colours.npz"]) == 2
    assert "--view-dependent has no effect in mode shaded" in " ".join(capsys.readouterr().err.split())
