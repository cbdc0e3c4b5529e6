"""What every number in metrics.json means: its title, unit, which way is better, and one sentence for people.

Names of tables within tables are joined by dots (`unseen.ssim`). A name that stands for different things has an
entry of its own for the method that differs: `neural-renderer:psnr`. Tables by view (`views_iou_each`) have one entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

HIGHER: Literal["higher"] = "higher"
LOWER: Literal["lower"] = "lower"
PERCENT = "%"


@dataclass(frozen=True)
class Entry:
    """A metric.

    Attributes:
        title: a few words.
        sentence: what it means, for people who know pictures and no formulas.
        better: higher or lower; "": neither, it describes.
        unit: "" for plain numbers; "%": of a share that is stored as 0 to 1.
        main: whether it tells how good the result is; others are details.
    """

    title: str
    sentence: str
    better: Literal["higher", "lower", ""] = ""
    unit: str = ""
    main: bool = False


_OUTLINES = {
    "views": Entry("views", "How many of the input's pictures the result was made from."),
    "views_iou": Entry(
        "overlap with the input's outlines (IoU)",
        "The area that both the result's outline and the input's mask cover, as a share of the area that either covers,"
        " averaged over the views; 100 % is a perfect match, and single pixels of noise cost a percent or two.",
        HIGHER, PERCENT, main=True,
    ),
    "views_iou_each": Entry("overlap by view", "The overlap with each mask: a view that falls behind has a wrong mask"
                            " or a wrong camera.", HIGHER, PERCENT),
    "views_iou_of_hull": Entry(
        "overlap of the visual hull",
        "The same overlap for the visual hull, the largest body that fits all masks, from which refinement began.",
        HIGHER, PERCENT,
    ),
    "held_out_iou": Entry(
        "overlap with outlines left out (IoU)",
        "The overlap with masks that were left out of a trial: what the shape is worth from directions nobody took a"
        " picture from.",
        HIGHER, PERCENT, main=True,
    ),
    "held_out_iou_of_hull": Entry(
        "overlap of the hull with outlines left out",
        "The same for the visual hull alone; refinement is kept only where it does better than this.", HIGHER, PERCENT,
    ),
    "result": Entry("what was kept", "`refined`: the refined mesh; `hull`: the visual hull, since refinement did"
                    " not predict unseen views better."),
    "smoothness": Entry("smoothness",
                        "The weight of the term that keeps the surface smooth, as it was chosen or given."),
    "repair": Entry("repair", "How the mesh was freed of self-intersections: `clean` had none; `grid` means that it was"
                    " extracted anew, at the price of detail."),
}  # fmt: skip

_AGAINST_A_MESH = {
    "iou": Entry(
        "overlap of unseen outlines (IoU)",
        "The overlap of outlines with those of the true object, from cameras all around it that the run never saw.",
        HIGHER, PERCENT, main=True,
    ),
    "iou_min": Entry("worst unseen outline (IoU)", "The overlap of the direction that fits least.", HIGHER, PERCENT),
    "chamfer": Entry(
        "distance between the surfaces (Chamfer)",
        "How far the two surfaces are apart on average, counted from each to the other, in percent of the diagonal of"
        " the object's box; parts that no camera can see count, too.",
        LOWER, PERCENT, main=True,
    ),
    "chamfer_visible": Entry(
        "distance where it can be seen",
        "The same, only where the surface can be seen from outside: the inside of a closed body is left out.",
        LOWER, PERCENT,
    ),
    "f1": Entry(
        "surface within 1 % (F-score)",
        "How much of both surfaces has the other within 1 % of the diagonal: 100 % if all of it has.",
        HIGHER, PERCENT, main=True,
    ),
    "f05": Entry("surface within 0.5 % (F-score)", "The same within 0.5 % of the diagonal.", HIGHER, PERCENT),
    "normal_consistency": Entry(
        "agreement of directions",
        "The mean cosine of the angle between the surfaces' normals: 1 where they run parallel everywhere; noise and"
        " blur bring it down long before distances show.",
        HIGHER,
    ),
    "chamfer_seen": Entry(
        "distance where the input's cameras look",
        "The distance over the points of both surfaces that the input's cameras saw: what pictures could tell.",
        LOWER, PERCENT,
    ),
    "f1_seen": Entry("share within 1 % where the input's cameras look", "The F-score at 1 % of the diagonal over the"
                     " points that the cameras of the input saw.", HIGHER, PERCENT),
    "f05_seen": Entry("share within 0.5 % where the input's cameras look", "The same at 0.5 % of the diagonal.",
                      HIGHER, PERCENT),
    "out_of_sight": Entry("surface that no view shows", "The share of the reference's surface that no picture of the"
                          " input shows: nothing is known of it, and what is there is a guess.", "", PERCENT),
    "hollow": Entry("surface in hollows", "The share of the reference's surface in hollows, as a cup's inside, which"
                    " belong to no silhouette: outlines leave them filled.", "", PERCENT),
    "chamfer_outlined": Entry("distance outside hollows", "The distance outside such hollows: what silhouettes can get"
                              " right at best.", LOWER, PERCENT),
    "surface_samples": Entry("points on each surface", "How many points, spread evenly over each of both surfaces, the"
                             " distances and shares were taken from, however many triangles there are; fewer (1,000 at"
                             " least) where long thin triangles cross one another's way."),
}  # fmt: skip

_STATE_OF_A_MESH = {
    "watertight": Entry(
        "watertight",
        "Whether the surface is closed, so that it has an inside: needed for printing and simulation.",
        HIGHER,
    ),
    "components": Entry("bodies", "Pieces of the mesh that do not touch each other."),
    "genus": Entry("handles (genus)", "How many handles or holes go through the body: 0 for a ball, 1 for a mug."),
    "euler": Entry("Euler characteristic", "Vertices minus edges plus faces: 2 for each ball, 2 less for each handle."),
    "self_intersections": Entry("self-intersections", "Pairs of triangles that cut through each other.", LOWER),
    "vertices": Entry("vertices", "Corners of the mesh."),
    "faces": Entry("triangles", "Faces of the mesh."),
    "reduced": Entry("reduced as asked", "Whether the mesh has as few triangles as --faces asked for."),
    "degenerate_faces": Entry("triangles without area", "Faces whose corners lie on one line or in one place.", LOWER),
}

_SCORES = {
    "iou": Entry("overlap of outlines (IoU)", "The overlap of the result's outline with the photograph's mask.",
                 HIGHER, PERCENT),
    "psnr_shared": Entry(
        "likeness where both show the object (PSNR)",
        "Likeness over pixels that are object in both pictures: judges colour alone, not the outline.", HIGHER, "dB",
    ),
    "psnr_masked": Entry(
        "likeness within the mask (PSNR)",
        "Likeness over all pixels of the photograph's object; a shape that is too large costs nothing here.",
        HIGHER, "dB",
    ),
    "psnr_whole": Entry(
        "likeness of the whole picture (PSNR)",
        "Likeness over all pixels, both pictures over black: 20 dB is a rough likeness, 30 dB a good one; every 6 dB"
        " halve the difference.",
        HIGHER, "dB", main=True,
    ),
    "ssim": Entry("structure (SSIM)", "Likeness of local structure, as edges and texture: 1 for equal pictures.",
                  HIGHER, main=True),
}  # fmt: skip


def _scores(group: str, title: str) -> dict[str, Entry]:
    return {
        f"{group}.{name}": Entry(f"{title}: {each.title}", each.sentence, each.better, each.unit, each.main)
        for name, each in _SCORES.items()
    }


_PHOTOGRAPHS = {
    **_scores("seen", "photographs it was made from"),
    **_scores("unseen", "photographs set aside"),
    **_scores("folds", "views left out in turn"),
    "unseen_each": Entry("photographs set aside, each", "The same scores for every photograph that was set aside."),
    "folds_each": Entry("views left out in turn, each", "The same scores for every reconstruction without some views."),
    "stages": Entry("stages", "Score before and after each stage, and whether its result was kept."),
    "texture": Entry("texture", "Pixels on a side of the texture.", unit="pixels"),
    "notes": Entry("notes", "What a user should know of how the result came about."),
    "cameras": Entry("cameras moved", "How far the cameras were moved to make the photographs agree: positions in"
                     " percent of their distance, directions in degrees, and pixels in the pictures."),
    "gains": Entry("exposures",
                   "The factor per colour by which each photograph's brightness was made equal to the rest."),
    "highlights": Entry("highlights", "The share of the surface whose brightness changes with the direction it is seen"
                        " from, which a single colour per point cannot show.", LOWER, PERCENT),
}  # fmt: skip

_VOLUMES = {
    "views_psnr": Entry(
        "likeness of the input's views (PSNR)",
        "How well pictures of the result repeat the input's own: every 6 dB halve the difference, and 30 dB are hard to"
        " tell apart.",
        HIGHER, "dB", main=True,
    ),
    "view_residuals": Entry("misfit by view",
                            "The share of each view's optical depth that the result does not explain.",
                            LOWER, PERCENT),
    "extinction": Entry("extinction", "How much a unit of density dims light per unit of length: the factor between the"
                        " volume's values and measured optical depths."),
    "noise.kind": Entry("noise assumed", "How the pixels were taken to err: exact, rounded to 8 bits, or by counted"
                        " photons."),
    "noise.photons": Entry("photons", "Photons a pixel counts where nothing is in the way; 0: not counted."),
    "smoothing": Entry("smoothing", "The weight of the total variation, which keeps noise out and edges in, as chosen"
                       " by views left out."),
    "held_out_misfit": Entry("misfit of views left out", "How badly views that were left out are predicted, by weight"
                             " of smoothing: the least of them decided.", LOWER),
    "calibration.axis": Entry("axis of rotation found", "By how many columns of the detector the axis of rotation is"
                              " seen farther to the right than the input says.", unit="px"),
    "calibration.u": Entry("detector offset found, columns", "By how many columns the detector stands farther to the"
                           " right than the input says.", unit="px"),
    "calibration.v": Entry("detector offset found, rows", "By how many rows the detector stands farther down than the"
                           " input says.", unit="px"),
    "calibration.tilt": Entry("detector tilt found", "Degrees by which the detector is turned in its plane, clockwise"
                              " seen from the source, farther than the input says.", unit="degrees"),
    "calibration.axis_uncertainty": Entry("uncertainty of the axis", "The standard deviation of the axis's place.",
                                          LOWER, "px"),
    "calibration.u_uncertainty": Entry("uncertainty of the offset, columns", "The standard deviation of the offset"
                                       " along columns.", LOWER, "px"),
    "calibration.v_uncertainty": Entry("uncertainty of the offset, rows", "The standard deviation of the offset along"
                                       " rows.", LOWER, "px"),
    "calibration.tilt_uncertainty": Entry("uncertainty of the tilt", "The standard deviation of the tilt.",
                                          LOWER, "degrees"),
    "calibration.poses": Entry("cameras found", "The file in the run's folder that holds the cameras as they were"
                               " found."),
    "calibration.pixel": Entry("column at the axis", "World units that a column of the detector covers at the axis."),
    "calibration.misfit": Entry("misfit with it", "What a coarse grid leaves of the views with the geometry that was"
                                " found.", LOWER, PERCENT),
    "calibration.misfit_before": Entry("misfit without it", "The same with the input's geometry.", LOWER, PERCENT),
    "geometry.axis": Entry("axis as the views want it", "By how many columns farther to the right a coarse grid"
                           " explains the views best; near 0 where the geometry is right.", unit="px"),
    "geometry.uncertainty": Entry("uncertainty of that", "The standard deviation of that number.", LOWER, "px"),
    "geometry.gain": Entry("misfit that it takes off", "The share of a coarse grid's misfit that goes away with the"
                           " axis there.", LOWER, PERCENT),
    "field_of_view": Entry("field of view", "The share of the grid that all views see, where they cut the object off:"
                           " values outside of it only stand for what dims rays there.", unit=PERCENT),
    "compare": Entry("solvers compared", "Each solver on the same views: likeness of the density where the true one is"
                     " known, the share of the views' optical depths that it does not explain, of those it saw and of"
                     " those that were kept from all, and what it took."),
    "support": Entry("grid in use", "The share of the grid's cells where anything can be: the rest was ruled out by"
                     " empty pixels.", unit=PERCENT),
    "carving": Entry("carving", "`wide`: a cell's width around the object was kept free to fill; `tight`: none."),
    "also_written": Entry("also written", "The density in other formats; `volume_hu` in Hounsfield units."),
    "saturated_pixels": Entry("pixels without light", "Pixels that are black, so that they only tell a least density;"
                              " they were left out."),
    "samples": Entry("samples", "Grid samples along z, y and x that were solved for."),
    "field": Entry("field",
                   "`neural`: the density was read from a trained network; `grid`: it was solved for directly."),
    "psnr": Entry(
        "likeness of the density (PSNR)",
        "How near the density is to the true one, sample by sample, against its greatest value; every 6 dB halve the"
        " error.",
        HIGHER, "dB", main=True,
    ),
    "relative_l2": Entry("error of the density", "The root of the summed squared error, as a share of the true"
                         " density's own: 0 is perfect, 1 is as good as nothing.", LOWER, PERCENT, main=True),
    "ssim": Entry("structure (SSIM)", "Likeness of local structure: 1 for equal volumes.", HIGHER),
    "heldout_psnr": Entry(
        "likeness of views left out (PSNR)",
        "How well pictures from cameras that the run never saw are predicted: the fairest of all measures.",
        HIGHER, "dB", main=True,
    ),
    "heldout_psnr_worst": Entry("worst view left out (PSNR)", "The unseen view that is predicted least.", HIGHER, "dB"),
    "heldout_views": Entry("views left out", "How many of the input's views were kept back to judge by."),
    "resampled": Entry("resampled", "Whether the result had to be resampled to the true volume's grid to be compared."),
    "least": Entry("least value", "The least value of the volume."),
    "greatest": Entry("greatest value", "The greatest value of the volume."),
    "reference_greatest": Entry("greatest true value", "The greatest value of the true volume."),
    "sought": Entry("sought", "What was solved for: density and colour, or the transfer function of a known volume."),
    "loss": Entry("loss", "What was left of the quantity that was brought down, at the last step.", LOWER),
}  # fmt: skip

_MEDIA = {
    "novel_views": Entry("views left out", "How many of the input's views were kept back to judge by."),
    "novel_psnr": Entry(
        "likeness of views left out (PSNR)", _VOLUMES["heldout_psnr"].sentence, HIGHER, "dB", main=True
    ),
    "misfit": Entry("misfit", "What the last step left of the difference between pictures.", LOWER),
    "greatest_extinction": Entry("greatest extinction", "The densest place: the reciprocal is how far light gets there"
                                 " on average."),
    "free": Entry("free", "What was solved for besides the density."),
    "note": Entry("note", "What to keep in mind when judging this."),
    "albedo": Entry("albedo found", "The share of light that is scattered rather than absorbed, by colour."),
    "albedo_reference": Entry("true albedo", "The same for the asset that the views are of."),
    "g": Entry("mean cosine found (g)",
               "How much light keeps its direction when it is scattered: 0 evenly, 1 straight on."),
    "g_reference": Entry("true mean cosine", "The same for the asset that the views are of."),
    "light.intensity": Entry("lights found", "The intensity of each light, by colour."),
    "density_psnr": Entry("likeness of the extinction (PSNR)", _VOLUMES["psnr"].sentence, HIGHER, "dB", main=True),
    "ambiguous": Entry("ambiguous", "What the pictures cannot tell apart."),
}  # fmt: skip

_SCENES = {
    "targets": Entry("pictures", "How many pictures the scene's values were found from."),
    "solver": Entry("solver", "How the values were found."),
    "steps": Entry("steps", "Steps that were taken."),
    "evaluations": Entry("evaluations", "How often the scene was drawn."),
    "unexplained": Entry("left unexplained", "The share of the pictures that the scene with its values does not explain"
                         " (root mean square).", LOWER, PERCENT, main=True),
    "own_noise": Entry("noise of the scene's own pictures", "How much pictures of the scene differ by chance, since its"
                       " light is followed at random.", LOWER, PERCENT),
    "values": Entry("values", "Each value at the start and as it was found, with its standard error."),
    "noise": Entry("noise of the pictures", "The standard deviation of what is left in the pixels, from which standard"
                   " errors follow."),
    "confounded": Entry("confounded", "Pairs of values that change the pictures in nearly the same way, so that only a"
                        " combination is known."),
    "undetermined": Entry("undetermined", "Values that the pictures say nothing about."),
    "posterior": Entry("posterior", "Draws of all values that explain the pictures, with their 90 % intervals; R-hat"
                       " near 1 and many effective draws mean that they can be trusted."),
}  # fmt: skip

_NETWORKS = {
    "network": Entry("network", "The architecture."),
    "parameters": Entry("parameters", "Numbers in the network that were learnt."),
    "measured_on": Entry("measured on", "The samples it was judged by, which it never learnt from."),
    "pictures_measured": Entry("pictures measured", "How many pictures it was judged by."),
    "neural-renderer:psnr": Entry(
        "likeness of its pictures (PSNR)",
        "How near the network's pictures come to rendered ones of objects it never saw; every 6 dB halve the"
        " difference.",
        HIGHER, "dB", main=True,
    ),
    "neural-renderer:ssim": Entry("structure (SSIM)", "Likeness of local structure, as edges: 1 for equal pictures.",
                                  HIGHER, main=True),
    "mean_picture_psnr": Entry("the mean picture instead (PSNR)", "What a picture would score that is the mean of all:"
                               " a network that learnt something is well above it.", "", "dB"),
    "validation_psnr": Entry("likeness in validation (PSNR)", "The same while it trained, on the samples that chose the"
                             " best weights.", HIGHER, "dB"),
    "milliseconds": Entry("time of one picture", "The median time the network takes for a picture.", LOWER, "ms"),
    "iterations": Entry("steps", "Steps that were taken."),
}  # fmt: skip

GLOSSARY: Mapping[str, Entry] = {
    **_OUTLINES, **_AGAINST_A_MESH, **_PHOTOGRAPHS, **_STATE_OF_A_MESH, **_VOLUMES, **_MEDIA, **_SCENES, **_NETWORKS,
}  # fmt: skip
"""By name, as in metrics.json; the most telling of a kind first."""

WHOLE = frozenset(name for name in GLOSSARY if name.endswith("_each")) | {
    "view_residuals", "held_out_misfit", "values", "posterior", "cameras", "gains", "stages", "confounded",
}  # fmt: skip
"""Tables that have one entry for all that is in them."""


def meaning(name: str, method: str = "") -> Entry | None:
    """The entry of a metric of a method, if there is one."""
    return GLOSSARY.get(f"{method}:{name}") or GLOSSARY.get(name)


def entries(metrics: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The content of a metrics.json by the names that the glossary has; null and what is empty are left out."""
    for key, value in metrics.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and name not in WHOLE:
            yield from entries(value, f"{name}.")
        elif value is not None and value not in ({}, []):
            yield name, value
