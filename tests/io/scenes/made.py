"""Scene files made in a folder: what every test needs of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from invrender.errors import InputError
from invrender.io.scenes.read import read_scene
from invrender.nouns import Scene

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"


def scene(folder: Path, text: str) -> Scene:
    """What a scene file of this text holds."""
    (folder / "scene.toml").write_text(text)
    return read_scene(folder / "scene.toml")


def refused(folder: Path, text: str) -> str:
    """What is said of a scene file that cannot be."""
    with pytest.raises(InputError) as caught:
        scene(folder, text)
    assert caught.value.remedy
    assert "scene.toml" in caught.value.cause
    return str(caught.value)


def squares(folder: Path, *materials: str, name: str = "a") -> Path:
    """An .obj file of a row of squares with the materials m0, m1, ..."""
    lines = [f"mtllib {name}.mtl"]
    for k in range(len(materials)):
        lines += [f"v {k + x} {y} 0" for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
        lines += [f"usemtl m{k}", f"f {4 * k + 1} {4 * k + 2} {4 * k + 3} {4 * k + 4}"]
    (folder / f"{name}.obj").write_text("\n".join(lines) + "\n")
    (folder / f"{name}.mtl").write_text("".join(f"newmtl m{k}\n{text}\n" for k, text in enumerate(materials)))
    return folder / f"{name}.obj"
