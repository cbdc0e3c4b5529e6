"""Sample assets made by formula: meshes, closed and free of self-intersections, volumes, scenes, and a sky."""

from __future__ import annotations

from collections.abc import Callable

import torch

from invrender.errors import UsageError
from invrender.io.files.paths import nearest
from invrender.nouns import Mesh, Volume
from invrender.samples import solids, volumes
from invrender.samples.head import head
from invrender.samples.revolved import sphere, torus_knot, vase
from invrender.samples.scenes import SceneSample, cornell_box, lit_tree, summer_cloud, table_top
from invrender.samples.sculpted import blobby, figure, mug
from invrender.samples.sky import clear_sky

SAMPLES: dict[str, Callable[[], Mesh]] = {
    "mug": mug,
    "torus-knot": torus_knot,
    "blobby": blobby,
    "figure": figure,
    "vase": vase,
    "sphere": sphere,
}

VOLUMES: dict[str, Callable[[int], Volume]] = {
    "cloud": volumes.cloud,
    "shepp-logan": volumes.shepp_logan,
    "volume-torus": volumes.torus,
    "double-sphere": volumes.double_sphere,
    "helix": volumes.helix,
    "gyroid": volumes.gyroid,
    "orbital": volumes.orbital,
    "volume-sphere": solids.sphere,
    "volume-cube": solids.cube,
    "complex": solids.complex_shapes,
    "blobs": solids.blobs,
    "turbulence": solids.turbulence,
    "head": head,
}
"""Volumes by name: each takes the number of samples along a side of its cube."""

SCENES: dict[str, Callable[[], SceneSample]] = {
    "lit-tree": lit_tree,
    "cornell-box": cornell_box,
    "table-top": table_top,
    "summer-cloud": summer_cloud,
}

PICTURES: dict[str, Callable[[], torch.Tensor]] = {"sky": clear_sky}
"""Environments by name: radiance [h,w,3] by latitude and longitude."""

UNITS: dict[str, str] = {"mug": "metre"}
"""What one unit of a sample's coordinates is, where it stands for something of a certain size."""


def describe(name: str) -> str:
    """What the sample of that name is, in one line: the first of its docstring."""
    makers: dict[str, Callable[..., object]] = {**SAMPLES, **VOLUMES, **SCENES, **PICTURES}
    make = makers[name]
    return (make.__doc__ or "").splitlines()[0]


def make(name: str, resolution: int = 128) -> Mesh | Volume | SceneSample | torch.Tensor:
    """The sample of that name: a mesh, a volume of `resolution` samples along each side, a scene, or an environment.

    Raises:
        UsageError: there is none.
    """
    check_name(name)
    if name in SCENES:
        return SCENES[name]()
    if name in PICTURES:
        return PICTURES[name]()
    return SAMPLES[name]() if name in SAMPLES else VOLUMES[name](resolution)


def check_name(name: str) -> None:
    """
    Raises:
        UsageError: there is no such sample.
    """
    known = (*SAMPLES, *VOLUMES, *SCENES, *PICTURES)
    if name in known:
        return
    close = nearest(name, known)
    hint = f"did you mean {close}? " if close else ""
    raise UsageError(f"there is no sample '{name}'", f"{hint}use one of: {', '.join(known)}")
