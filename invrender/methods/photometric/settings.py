"""The settings of reconstruction from photographs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from invrender.run.settings import Flag, Range, ViewsRunSettings

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"effort": 0.5, "size": 200, "gif_frames": 24},
    "standard": {},
    "fine": {"effort": 2.0, "size": 640},
}

PANEL = "Photographs"
Appearance = Literal["baked", "lit", "view-dependent"]
Start = Literal["auto", "hull", "field"]


@dataclass(frozen=True)
class PhotometricSettings(ViewsRunSettings):
    """What a run from photographs adds; a dataset's are scaled down to 400, an asset's own views have 256 pixels.

    Attributes:
        masks: folder of masks for a dataset, or auto: from the pictures.
        bounds: x, y, z of the lower and the upper corner of a box around the object.
        skip_missing: leave out views whose pictures are not there.
        holdout: every how many-th view is set aside to measure by; 0: none; none: the dataset's own split, or each
            eighth of 24 views and more.
        folds: reconstructions from a part of the views each, to measure by what they have not seen, before the one
            from all of them; 0: none.
        appearance: baked: colours as seen; lit: albedo and light; view-dependent: colours that change with the view,
            stored beside the mesh.
        texture: texels a side; 0: colours at the vertices; none: by the size of a pixel, at most 4096.
        light: of an asset's own views, or known light of photographs: x,y,z towards it, or a .json file.
        optimize: what is unknown: shape, albedo, light, pose, intrinsics, exposure.
        albedo: of a lit result: constant, or a known one as a number or r,g,b; none: each point has its own.
        shadows: whether a lit result traces the shape's own shadows, which costs as much again.
        start: what the shape grows from: the visual hull, or a radiance field on a grid; auto: by the views.
        effort: factor on the numbers of steps.
        object: of a mesh file with several: the one to reconstruct, by name or number; none: all.
        faces: triangles to which the result is reduced before its texture is made; none: as many as come out.
    """

    method: Literal["photometric"] = "photometric"
    masks: Annotated[
        Path | None, Flag("Masks, named after the images, white is object; auto: found in them.", "DIR|auto", PANEL)
    ] = None
    bounds: Annotated[
        tuple[float, ...] | None, Flag("Box around the object.", "X0,Y0,Z0,X1,Y1,Z1", PANEL), Range(-1e12, 1e12)
    ] = None
    skip_missing: Annotated[bool, Flag("Leave out views whose pictures are missing.", None, PANEL)] = False
    holdout: Annotated[
        int | None, Flag("Set every N-th view aside to measure by; 0: none.", "N", PANEL), Range(0, 10_000)
    ] = None
    folds: Annotated[int, Flag("Measure by K reconstructions from a part of the views.", "K", PANEL), Range(0, 20)] = 0
    appearance: Annotated[Appearance, Flag("What the surface looks like.", None, PANEL)] = "baked"
    texture: Annotated[int | None, Flag("Texels a side; 0: colours at the vertices.", "N", PANEL), Range(0, 4096)] = (
        None
    )
    light: Annotated[str | None, Flag("Light that is known.", "X,Y,Z|FILE.json", PANEL)] = None
    optimize: Annotated[
        tuple[str, ...],
        Flag(
            "What is unknown; of a scene paths such as light.position, camera.pose, material.NAME.Kd.",
            "shape,albedo,light,pose,intrinsics,exposure|PATH,...",
            PANEL,
        ),
    ] = ("shape", "albedo", "light")
    albedo: str | None = None
    shadows: bool = False
    start: Annotated[Start, Flag("What the shape grows from.", None, PANEL)] = "auto"
    effort: Annotated[float, Flag("Factor on the numbers of steps.", None, PANEL), Range(0.01, 100)] = 1.0
    object: Annotated[str | None, Flag("One of several objects of a mesh file.", "NAME", "Mesh")] = None
    faces: Annotated[int | None, Flag("Reduce the result to N triangles.", "N", "Mesh"), Range(4, 100_000_000)] = None
    cameras: Annotated[
        str, Flag("A ring around the object, points spread over a sphere, or a transforms.json.", "orbit|sphere|FILE")
    ] = "sphere"


SETTINGS = PhotometricSettings


def suits(source: Path) -> bool:
    """Accept datasets of pictures in colour."""
    from invrender.io.datasets.kinds import shows_colours

    found: bool = shows_colours(source)
    return found
