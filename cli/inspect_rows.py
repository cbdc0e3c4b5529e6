"""The facts of `invrender inspect` as lines for people, a label and a text each, and how they are printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from invrender.cli.options import print_json

if TYPE_CHECKING:
    from invrender.evaluate.mesh_facts import DatasetFacts, MeshFacts
    from invrender.evaluate.volume_facts import TransmittanceFacts, VolumeFacts
    from invrender.io.meshes.objects import Named
    from invrender.nouns import Views

Rows = list[tuple[str, str]]

OBJECTS = 8  # that are named to people


def mesh_rows(facts: MeshFacts, units: str | None) -> Rows:
    """What is in a mesh, and what one unit of it is, if that is known."""
    noise = 1e-9 * max(facts.extent)
    return [
        ("vertices", f"{facts.vertices}{_of(facts.coincident_vertices, 'share a place with another')}"),
        ("faces", f"{facts.faces}"),
        ("bounds", f"{_point(facts.low, noise)} to {_point(facts.high, noise)}"),
        (
            "size",
            f"{' x '.join(map(_number, facts.extent))} ({f'unit: {units}' if units else 'no unit given'})",
        ),
        ("area", _number(facts.area)),
        ("volume", _volume(facts)),
        ("watertight", _watertight(facts)),
        ("winding", "consistent" if facts.consistent_winding else "not consistent: some neighbours face opposite ways"),
        ("bodies", str(facts.bodies)),
        ("genus", "undefined (not watertight)" if facts.genus is None else f"{facts.genus:g}{_handles(facts.genus)}"),
        ("unreferenced", _count(facts.unreferenced_vertices, "vertices that no face uses", "vertex that no face uses")),
        ("degenerate", _count(facts.degenerate_faces, "faces without area", "face without area")),
        ("duplicate", _count(facts.duplicate_faces, "faces that repeat another", "face that repeats another")),
        ("looks", _appearance(facts)),
    ]


def volume_rows(facts: VolumeFacts) -> Rows:
    """What is in a volume."""
    x, y, z = facts.samples
    noise = 1e-9 * max(facts.extent)
    held = facts.occupied
    negative = f"; {facts.negative} of the samples are negative, which no density is" if facts.negative else ""
    border = "clear" if facts.on_border == 0 else f"up to {100 * facts.on_border:.3g}% of the greatest value"
    return [
        ("samples", f"{x} x {y} x {z}{f', {facts.channels} channels' if facts.channels > 1 else ''}"),
        ("bounds", f"{_point(facts.low, noise)} to {_point(facts.high, noise)}"),
        ("size", " x ".join(map(_number, facts.extent)) + (f" {facts.units}s" if facts.units else "")),
        ("spacing", " x ".join(map(_number, facts.spacing))),
        *_placed(facts),
        ("values", f"{_number(facts.least)} to {_number(facts.greatest)}, mean {_number(facts.mean)}{negative}"),
        ("percentiles", "50%: {:.4g}, 90%: {:.4g}, 99%: {:.4g}, 99.9%: {:.4g}".format(*facts.percentiles)),
        ("empty", f"{100 * facts.empty:.1f}% of the samples are 0"),
        ("occupied", "nothing" if held is None else f"{_point(held[0], noise)} to {_point(held[1], noise)}"),
        ("border", border),
        ("memory", f"{facts.bytes / 2**20:.4g} MiB as float32"),
    ]


def _placed(facts: VolumeFacts) -> Rows:
    """How a grid is turned; bounds are those of its own frame."""
    if facts.placement is None:
        return []
    return [("turned", f"by {facts.turned:.3g} degrees against its file's world; the bounds are of its own frame")]


def transmittance_rows(facts: TransmittanceFacts) -> Rows:
    """What is in a dataset of transmittance."""
    infinite = f", and {facts.infinite} infinite" if facts.infinite else ""
    return [
        ("views", f"{facts.views} of {facts.width} x {facts.height} pixels"),
        ("quantity", f"{facts.quantity}, {'8 bits' if facts.eight_bit else 'floats'}"),
        ("values", "none finite" if facts.least is None else f"{facts.least:.5g} to {facts.greatest:.5g}{infinite}"),
        ("saturated", _count(facts.saturated, "pixels without light", "pixel without light")),
        ("bad", _count(facts.bad, "pixels are marked as such", "pixel is marked as such")),
        ("extinction", f"{facts.extinction:.5g} times the density"),
        ("grid", "not given" if facts.grid is None else " x ".join(str(n) for n in reversed(facts.grid))),
        ("bounds", "not given" if facts.bounds is None else str([list(corner) for corner in facts.bounds])),
    ]


def _of(count: int, what: str) -> str:
    return f" ({count} {what})" if count else ""


def _volume(facts: MeshFacts) -> str:
    if facts.volume is None:
        return "undefined (not watertight)"
    inside_out = " (negative: the faces point inwards)" if facts.volume < 0 and facts.consistent_winding else ""
    return f"{_number(facts.volume)}{inside_out}"


def _handles(genus: float) -> str:
    return (
        {0: " (no handles)", 1: " (one handle)"}.get(int(genus), f" ({genus:g} handles)") if genus == int(genus) else ""
    )


def _watertight(facts: MeshFacts) -> str:
    if facts.watertight:
        return "yes"
    faults = [
        _count(facts.boundary_edges, "open edges", "open edge"),
        _count(facts.crowded_edges, "edges of more than two faces", "edge of more than two faces"),
    ]
    return f"no: {' and '.join(fault for fault in faults if fault != 'none')}"


def _appearance(facts: MeshFacts) -> str:
    parts = [f"material '{facts.material}'" if facts.material != "default" else "no material"]
    parts += [f"texture {facts.texture[0]} x {facts.texture[1]}"] if facts.texture else []
    parts += ["texture coordinates"] if facts.uv else []
    parts += ["vertex colours"] if facts.colours else []
    return ", ".join([*parts, *facts.shine])


def dataset_rows(facts: DatasetFacts, explained: tuple[float, ...] | None) -> Rows:
    """What is in a dataset of pictures, and what share of each mask the others explain."""
    meeting = "yes" if facts.common_target else f"no: the axes pass {_number(facts.miss)} by it"
    return [
        ("views", f"{facts.views}, {_kinds(facts)}"),
        ("image size", f"{facts.width} x {facts.height} pixels"),
        *lens_rows(facts.fov_x, facts.fov_y, facts.span_x, facts.span_y),
        ("look at", f"{_point(facts.target, 1e-5 * facts.distance[1])}, all of them: {meeting}"),
        ("distance", f"{span(facts.distance)} from that point"),
        ("elevation", f"{span(facts.elevation)} degrees, with {facts.up} up"),
        ("widest gap", f"{facts.widest_gap:.0f} degrees from a direction to its nearest camera"),
        *(_mask_rows(facts, explained) if facts.masked else []),
    ]


Span = tuple[float, float]


def lens_rows(fov_x: Span, fov_y: Span, span_x: Span | None, span_y: Span | None) -> Rows:
    """How much pictures show: angles of view, or lengths where rays are parallel."""
    rows = [("field of view", f"{span(fov_x)} x {span(fov_y)} degrees")] if fov_x[1] > 0 else []
    if span_x is not None and span_y is not None:
        rows.append(("parallel rays", f"pictures show {span(span_x, 4)} x {span(span_y, 4)} units"))
    return rows


def _kinds(facts: DatasetFacts) -> str:
    """What the views are made of."""
    if facts.masked == facts.views:
        return "colours and masks" if facts.images else "masks only"
    masks = f"masks of {facts.masked}" if facts.masked else "no masks"
    return f"colours, {masks}" if facts.images else masks


def _mask_rows(facts: DatasetFacts, explained: tuple[float, ...] | None) -> Rows:
    """What the masks show, and how they agree."""
    low, mean, high = facts.coverage or (0.0, 0.0, 0.0)
    share = f"{low:.1%} to {high:.1%}, mean {mean:.1%} (least {facts.least_covered}, most {facts.most_covered})"
    return [("mask coverage", share), ("cut off", _cut_off(facts)), ("agreement", _agreement(explained))]


def split_rows(views: Views) -> Rows:
    """What a dataset of pictures says of itself: views set aside, unknown pixels, the object's box."""
    from invrender.io.files.paths import listing

    rows = []
    if views.held_out:
        names = listing([views.names[i] for i in views.held_out])
        rows.append(("held out", f"{len(views.held_out)} of {len(views)} views: {names}"))
    unknown = 0.0 if views.confidence is None else 1 - float(views.confidence.mean())
    if unknown > 1e-4:
        rows.append(
            (
                "unknown",
                f"{unknown:.2%} of the pixels: without a mask, beyond the pictures, or undistorted from nothing",
            )
        )
    if views.bounds is not None:
        low, high = views.bounds.tolist()
        rows.append(("bounds", f"{_point(tuple(low), 0.0)} to {_point(tuple(high), 0.0)}"))
    return rows


def _agreement(explained: tuple[float, ...] | None) -> str:
    from statistics import median

    if explained is None:
        return "none: the cameras look at nothing in common"
    if not explained:
        return "unknown: that takes two masks"
    return f"what all views have in common explains {median(explained):.0%} of a mask, at least {min(explained):.0%}"


def _cut_off(facts: DatasetFacts) -> str:
    from invrender.io.files.paths import listing

    if not facts.cut_off:
        return "none: every mask stays clear of the border"
    return f"{len(facts.cut_off)} of {facts.masked} masks touch the border: {listing(facts.cut_off)}"


def _count(count: int, many: str, one: str) -> str:
    return "none" if not count else f"{count} {one if count == 1 else many}"


def _number(value: float) -> str:
    return f"{value + 0.0:.7g}"


def _point(point: tuple[float, float, float], noise: float) -> str:
    """A point in brackets; coordinates below the noise are shown as 0, for what rounding left there is no news."""
    return f"({', '.join(_number(value if abs(value) > noise else 0.0) for value in point)})"


def span(ends: tuple[float, float], digits: int = 5) -> str:
    """A range in significant digits, or its one number."""
    low, high = (f"{value:.{digits}g}" for value in ends)
    return low if low == high else f"{low} to {high}"


def show(facts: Mapping[str, Any], rows: Rows, as_json: bool) -> None:
    """Print facts as JSON, or their path and kind above rows of names and texts."""
    if as_json:
        print_json(facts)
        return
    typer.echo(f"{facts['path']}  ({facts['kind']})")
    width = max(len(label) for label, _ in rows)
    for label, text in rows:
        typer.echo(f"  {label:<{width}}  {text}")


def object_rows(every: Sequence[Named]) -> list[tuple[str, str]]:
    """The objects that --object takes, where there are several."""
    if len(every) < 2:
        return []
    named = [f"{each.number}: {each.name} ({each.faces})" for each in every[:OBJECTS]]
    more = f", and {len(every) - OBJECTS} more" if len(every) > OBJECTS else ""
    return [("objects", f"{', '.join(named)}{more}; polygons in brackets, --object takes one")]
