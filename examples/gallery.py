"""The pictures of docs/gallery.md: every mode of `invrender render` on five assets, by the commands that a user has.

python examples/gallery.py docs/gallery [--size 240]
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

import invrender
from invrender.cli.app import run
from invrender.report.lettering import Panel, framed

SURFACE = ("shaded", "raytraced", "path", "color", "silhouette", "depth", "normal")
VOLUME = ("volume", "mip", "transmittance", "scattering")
ASSETS = {"mug": SURFACE, "torus-knot": SURFACE, "figure": SURFACE, "cloud": VOLUME, "head": VOLUME}
LIGHT = ("transmittance", "scattering")  # modes in which values are extinction, and cannot be negative
FLAGS = {"mip": ["--mode", "volume", "--compositing", "mip"], "scattering": ["--mode", "scattering", "--spp", "64"]}


def main(folder: Path, size: int) -> None:
    """One sheet for each asset, a panel for each mode."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name, modes in ASSETS.items():
            asset = Path(scratch) / (f"{name}.npz" if modes is VOLUME else f"{name}.glb")
            command(["sample", name, "-o", str(asset), "-q"])
            panels = [Panel(drawn(absorbing(asset) if mode in LIGHT else asset, mode, size), mode) for mode in modes]
            Image.fromarray(framed(panels)).save(folder / f"{name}.png", optimize=True)
            print(folder / f"{name}.png")


def absorbing(asset: Path) -> Path:
    """A volume whose values go from 0 on, as extinction does: of a CT, whose air has -1000, that plus 1000."""
    volume = invrender.read(asset)
    assert isinstance(volume, invrender.Volume)
    if float(volume.values.min()) >= 0:
        return asset
    shifted = asset.with_name(f"{asset.stem}_from_0.npz")
    invrender.write(shifted, replace(volume, values=volume.values - volume.values.min()))
    return shifted


def drawn(asset: Path, mode: str, size: int) -> np.ndarray:
    """The picture of one mode, [H,W,3] uint8."""
    picture = asset.with_name(f"{asset.stem}_{mode}.png")
    flags = FLAGS.get(mode, ["--mode", mode])
    command(["render", str(asset), "-o", str(picture), "--size", str(size), *flags, "-q"])
    return np.asarray(Image.open(picture).convert("RGB"))


def command(words: list[str]) -> None:
    """Run one command line."""
    if run(words) != 0:
        raise SystemExit(f"failed: invrender {' '.join(words)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=240)
    given = parser.parse_args()
    main(given.folder, given.size)
