"""The settings of reconstruction from silhouettes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from invrender.run.settings import MESH, Flag, Key, Own, Range, ViewsRunSettings

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"iterations": 150, "smoothness": 1.0, "gif_frames": 24},
    "standard": {},
    "fine": {"iterations": 900, "edge_pixels": 2.0},
}


@dataclass(frozen=True)
class SilhouetteSettings(ViewsRunSettings):
    """What a run from silhouettes adds."""

    OF_PRESETS: ClassVar[Mapping[str, Mapping[str, object]]] = PRESETS
    PER_PIXEL: ClassVar[int] = 4  # masks, their sums, and distances for carving
    AT_WORK: ClassVar[int] = 80  # an asset's mask is averaged from 16 samples
    OWN: ClassVar[Own] = Own(views=12, size=256, most=384)
    UNSET: ClassVar[Mapping[str, str]] = {
        "views": "12 of an asset",
        "size": "256 of an asset, 384 of a dataset",
        "masks": "what the dataset brings",
        "bounds": "by the views",
        "hull_resolution": "by the size of a pixel",
        "smoothness": "chosen by leaving views out",
        "units": "the asset's own, if it says",
        "object": "all of them",
        "faces": "as many as the views tell",
    }

    method: Annotated[Literal["silhouette"], Key("What to learn from.")] = "silhouette"
    masks: Annotated[
        Path | Literal["auto"] | None,
        Flag("Masks, named after the images, white is object; auto: found in them.", "DIR|auto"),
    ] = None
    mask_refine: Annotated[
        Literal["none", "grabcut"], Key("Of masks that are found: whether outlines follow the colours (grabcut).")
    ] = "none"
    bounds: Annotated[
        tuple[float, ...] | None,
        Flag("Box around the object or of the grid, for a dataset.", "X0,Y0,Z0,X1,Y1,Z1"),
        Range(-1e12, 1e12),
    ] = None
    skip_missing: Annotated[bool, Flag("Leave out a dataset's views whose files are missing.")] = False
    init: Annotated[
        str,
        Flag("What refinement starts from; a file: a mesh, or a checkpoint of an earlier run.", "hull|sphere|FILE"),
    ] = "hull"
    iterations: Annotated[
        int, Flag("Steps of the refinement; 0: the first shape is the result."), Range(0, 1_000_000)
    ] = 450
    hull_resolution: Annotated[int | None, Key("Cells along the hull's longest side."), Range(8, 400)] = None
    edge_pixels: Annotated[
        float, Key("Edge length of the final triangles, in pixels of the views."), Range(0.5, 1000)
    ] = 2.6
    rate: Annotated[
        float, Key("Step length of the first stage, as a share of about half the object's size."), Range(1e-5, 1)
    ] = 0.02
    smoothness: Annotated[float | None, Key("Factor on the membrane weights."), Range(0, 1e4)] = None
    bending: Annotated[float, Key("Weight of the bending energy."), Range(0, 1e4)] = 1.0
    diffusion: Annotated[
        float, Key("Lambda of Large Steps: how far steps are smoothed over the surface."), Range(0, 1e4)
    ] = 10.0
    units: Annotated[str | None, Flag("What a unit of length is, noted in mesh.glb: m, mm, ...", "UNIT")] = None
    colours: Annotated[
        Literal["auto", "off"],
        Flag("Colours at the vertices: auto: where a dataset's pictures show any.", None, MESH),
    ] = "auto"
    object: Annotated[str | None, Flag("One of several objects of a mesh file, by name or number.", "NAME", MESH)] = (
        None
    )
    faces: Annotated[int | None, Flag("Reduce the result to N triangles.", "N", MESH), Range(4, 100_000_000)] = None


SETTINGS = SilhouetteSettings


def suits(source: Path) -> bool:
    """Accept every input that no other method accepts: a mesh, or a dataset of pictures."""
    del source
    return True
