"""What a volume loses in a format that has no place for it."""

from __future__ import annotations

from pathlib import Path

import torch

from invrender.io.volumes.read import volume_extension
from invrender.nouns import Volume

BARE = (".npy", ".raw")  # values alone
PAGES = (".tif", ".tiff")
MEASURED = (".nii", ".nii.gz", ".nrrd", *PAGES)  # which tell the unit of length, where it is one of these
UNITS = ("metre", "millimetre", "micrometre")
NAMED = (".npz", ".vti", ".vdb")  # whose arrays have names


def lost(volume: Volume, target: Path) -> list[str]:
    """What a file of the format that the extension names does not hold of a volume, one sentence each."""
    extension = volume_extension(target)
    said = []
    if extension in BARE and not _is_default(volume):
        said.append(f"{extension} holds no spacing, origin or units: it is read as a box whose longest axis is 1")
    if extension == ".raw":
        shape = ",".join(str(count) for count in volume.values.shape[0 if len(volume.values) > 1 else 1 :])
        said.append(f".raw tells nothing of itself: read it with --shape {shape} --dtype float32")
    if extension in (*BARE, *PAGES) and volume.placement is not None:
        said.append(f"{extension} does not say how the grid is turned against its world")
    if volume.units is not None and not (extension in MEASURED and volume.units in UNITS):
        said.append(f"the units, {volume.units}, are not written")
    if extension not in (*NAMED, *BARE) and volume.name not in ("density", ""):
        said.append(f"{extension} has no place for the name of the array, {volume.name}")
    return said


def _is_default(volume: Volume) -> bool:
    """Whether the box is the one that values alone are given."""
    plain = Volume.from_numpy(volume.numpy()).bounds
    return bool(torch.allclose(plain, volume.bounds.double().cpu()))
