"""The settings of reconstruction from photographs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from invrender.run.settings import MESH, OWN_VIEWS, RIG, Flag, Key, Own, Range, ViewsRunSettings

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"effort": 0.5, "size": 200, "gif_frames": 24},
    "standard": {},
    "fine": {"effort": 2.0, "size": 640},
}

Appearance = Literal["baked", "lit", "view-dependent"]
Start = Literal["auto", "hull", "field"]


@dataclass(frozen=True)
class PhotometricSettings(ViewsRunSettings):
    """What a run from photographs adds."""

    OF_PRESETS: ClassVar[Mapping[str, Mapping[str, object]]] = PRESETS
    OWN: ClassVar[Own] = Own(views=24, size=256, most=400)
    UNSET: ClassVar[Mapping[str, str]] = {
        "views": "24 of an asset",
        "size": "256 of an asset, 400 of a dataset",
        "masks": "what the dataset brings",
        "bounds": "by the views",
        "holdout": "the dataset's own split, or each eighth of 24 views and more",
        "texture": "by the size of a pixel, at most 4096",
        "light": "not known",
        "albedo": "each point has its own",
        "object": "all of them",
        "faces": "as many as come out",
    }

    method: Annotated[Literal["photometric"], Key("What to learn from.")] = "photometric"
    masks: Annotated[
        Path | Literal["auto"] | None,
        Flag("Masks, named after the images, white is object; auto: found in them.", "DIR|auto"),
    ] = None
    bounds: Annotated[
        tuple[float, ...] | None,
        Flag("Box around the object or of the grid, for a dataset.", "X0,Y0,Z0,X1,Y1,Z1"),
        Range(-1e12, 1e12),
    ] = None
    skip_missing: Annotated[bool, Flag("Leave out a dataset's views whose files are missing.")] = False
    holdout: Annotated[int | None, Flag("Set every N-th view aside to measure by; 0: none.", "N"), Range(0, 10_000)] = (
        None
    )
    folds: Annotated[
        int,
        Flag("Measure by K reconstructions from a part of the views each, before the one from all; 0: none.", "K"),
        Range(0, 20),
    ] = 0
    appearance: Annotated[
        Appearance,
        Flag(
            "What the surface looks like. baked: colours as seen; lit: albedo and light; view-dependent: colours that "
            "change with the view, stored beside the mesh."
        ),
    ] = "baked"
    texture: Annotated[int | None, Flag("Texels a side; 0: colours at the vertices.", "N"), Range(0, 4096)] = None
    light: Annotated[
        str | None, Flag("Light that is known: the direction towards it, or a file.", "X,Y,Z|FILE.json")
    ] = None
    optimize: Annotated[
        tuple[str, ...],
        Flag(
            "What is unknown, with commas between: shape, albedo, light, pose, intrinsics, exposure.",
            "PART,...",
        ),
    ] = ("shape", "albedo", "light")
    albedo: Annotated[
        str | None, Flag("Of a lit result: constant, or a known one as a number or r,g,b.", "constant|A|R,G,B")
    ] = None
    shadows: Annotated[bool, Key("Whether a lit result traces its own shadows, which takes twice as long.")] = False
    start: Annotated[
        Start,
        Flag("What the shape grows from: the visual hull, or a radiance field on a grid; auto: by the views."),
    ] = "auto"
    effort: Annotated[float, Flag("Factor on the numbers of steps."), Range(0.01, 100)] = 1.0
    object: Annotated[str | None, Flag("One of several objects of a mesh file, by name or number.", "NAME", MESH)] = (
        None
    )
    faces: Annotated[
        int | None,
        Flag("Reduce the result to N triangles, before its texture is made.", "N", MESH),
        Range(4, 100_000_000),
    ] = None
    cameras: Annotated[
        str, Flag("A ring around it, points spread over a sphere, or a transforms.json.", RIG, OWN_VIEWS)
    ] = "sphere"


SETTINGS = PhotometricSettings


def suits(source: Path) -> bool:
    """Accept datasets of pictures in colour."""
    from invrender.io.datasets.kinds import shows_colours

    found: bool = shows_colours(source)
    return found
