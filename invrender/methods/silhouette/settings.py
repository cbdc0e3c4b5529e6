"""The settings of reconstruction from silhouettes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from invrender.run.settings import Flag, Range, ViewsRunSettings

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"iterations": 150, "smoothness": 1.0, "gif_frames": 24},
    "standard": {},
    "fine": {"iterations": 900, "edge_pixels": 2.0},
}


@dataclass(frozen=True)
class SilhouetteSettings(ViewsRunSettings):
    """What a run from silhouettes adds; 12 views of 256 pixels of an asset, or a dataset's scaled down to 384.

    Attributes:
        masks: folder of masks for a dataset, or auto: found in its pictures.
        mask_refine: of masks that are found: none, or grabcut for outlines that follow the colours.
        bounds: x, y, z of the lower and the upper corner of a box that holds the object, for a dataset.
        skip_missing: leave out views of a dataset whose files are missing.
        init: what refinement starts from: hull, sphere, a mesh file, or a checkpoint of an earlier run.
        iterations: steps of the refinement, over three stages; 0 returns the first shape.
        hull_resolution: cells along the hull's longest side; none: from the size of a pixel.
        edge_pixels: edge length of the final triangles, in pixels of the views.
        rate: step length of the first stage, as a share of about half the object's size.
        smoothness: factor on the membrane weights; none: chosen by leaving views out.
        bending: weight of the bending energy; diffusion: lambda of Large Steps.
        units: what a unit of length is, noted in mesh.glb.
        colours: auto: vertices get the colours of a dataset's pictures, where these show any; off: never.
        object: of a mesh file with several: the one to reconstruct, by name or number; none: all.
        faces: triangles to which the result is reduced; none: as many as the views tell.
    """

    method: Literal["silhouette"] = "silhouette"
    masks: Annotated[
        Path | None,
        Flag("Masks, named after the images, white is object; auto: found in them.", "DIR|auto", "Photographs"),
    ] = None
    mask_refine: Literal["none", "grabcut"] = "none"
    bounds: Annotated[
        tuple[float, ...] | None,
        Flag("Box of the object or of the grid, for a dataset.", "X0,Y0,Z0,X1,Y1,Z1"),
        Range(-1e12, 1e12),
    ] = None
    skip_missing: Annotated[bool, Flag("Leave out a dataset's views whose files are missing.")] = False
    init: Annotated[str, Flag("What refinement starts from.", "hull|sphere|FILE", "Silhouettes")] = "hull"
    iterations: Annotated[int, Flag("Steps of the optimisation."), Range(0, 1_000_000)] = 450
    hull_resolution: Annotated[int | None, Range(8, 400)] = None
    edge_pixels: Annotated[float, Range(0.5, 1000)] = 2.6
    rate: Annotated[float, Range(1e-5, 1)] = 0.02
    smoothness: Annotated[float | None, Range(0, 1e4)] = None
    bending: Annotated[float, Range(0, 1e4)] = 1.0
    diffusion: Annotated[float, Range(0, 1e4)] = 10.0
    units: str | None = None
    colours: Annotated[
        Literal["auto", "off"], Flag("Colours at the vertices, where a dataset's pictures show any.", None, "Mesh")
    ] = "auto"
    object: Annotated[str | None, Flag("One of several objects of a mesh file.", "NAME", "Mesh")] = None
    faces: Annotated[int | None, Flag("Reduce the result to N triangles.", "N", "Mesh"), Range(4, 100_000_000)] = None


SETTINGS = SilhouetteSettings


def suits(source: Path) -> bool:
    """Accept every input that no other method accepts: a mesh, or a dataset of pictures."""
    del source
    return True
