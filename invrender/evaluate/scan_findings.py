"""What looks wrong in a scan before anything is reconstructed: its numbers, its angles, its frames."""

from __future__ import annotations

from collections.abc import Iterator

from invrender.errors import InputError
from invrender.evaluate.scan_facts import ScanFacts
from invrender.findings import Finding

WIDEST = 120.0  # degrees that a beam may open: beyond it no flat detector is used
NARROWEST = 0.02  # degrees below which a beam is parallel
MOST_MAGNIFIED = 1000.0
OFF = 0.05  # by which the air may differ from 1
NEGATIVE, SATURATED = 0.05, 1e-3  # shares of pixels; a few pixels of most detectors are always full
CENTRAL = 0.7  # of a side's view that the other has at least, where the detector is meant to stand centrally


def check_scan(facts: ScanFacts) -> tuple[Finding, ...]:
    """What looks wrong.

    Raises:
        InputError: what cannot be meant: lengths in different units, or numbers that are not what they are said to be.
    """
    _refuse_units(facts)
    _refuse_values(facts)
    return (*_lengths(facts), *_angles(facts), *_aside(facts), *_light(facts))


def _refuse_units(facts: ScanFacts) -> None:
    if max(facts.opening) > WIDEST:
        raise InputError(
            f"the beam opens by {max(facts.opening):.1f} degrees: the detector is far too large for its distance",
            f"give pixel, source_object and source_detector in one unit; a text brings its own: pixel = \"0.2 mm\" "
            f"(now all are taken as {facts.unit})",
        )  # fmt: skip


def _refuse_values(facts: ScanFacts) -> None:
    if facts.values == "transmittance" and facts.greatest > 10:
        raise InputError(
            f"the transmittances reach {facts.greatest:.4g}, and 1 is all of the light",
            'they look like counts: write values = "counts", with [[flat]] or i0 = "auto" in [preparation]',
        )
    if facts.values == "line-integral" and (facts.least > 50 or facts.greatest > 1000):
        raise InputError(
            f"the line integrals are {facts.least:.4g} to {facts.greatest:.4g}, which no ray survives",
            'they look like counts: write values = "counts", with [[flat]] or i0 = "auto" in [preparation]',
        )
    if facts.values == "counts" and facts.negative > NEGATIVE:
        raise InputError(
            f"{facts.negative:.0%} of the counts are negative",
            "give counts as they were recorded, before dark frames are taken off; or, of line integrals, write "
            'values = "line-integral"',
        )


def _lengths(facts: ScanFacts) -> Iterator[Finding]:
    if facts.beam != "parallel" and facts.opening[0] < NARROWEST and facts.columns > 1:
        yield Finding(
            f"the beam opens by {facts.opening[0]:.2g} degrees, as if parallel",
            f'is pixel in the unit of the distances ({facts.unit})? With a parallel beam, write beam = "parallel"',
        )
    if facts.magnification > MOST_MAGNIFIED:
        yield Finding(
            f"the magnification is {facts.magnification:.4g}: a pixel is {facts.voxel:.3g} {facts.unit} at the axis",
            "check source_object and source_detector, and that both are in one unit",
        )


def _angles(facts: ScanFacts) -> Iterator[Finding]:
    if facts.missing:
        needed = 180 + (facts.opening[0] if facts.beam != "parallel" else 0)
        yield Finding(
            f"the angles cover {facts.turned:.4g} degrees, and {needed:.4g} are needed to see all from all sides",
            f"edges that face the {facts.missing:.3g} degrees of directions that are missing come out smeared, and "
            f"densities beside them wrong; scan {needed:.4g} degrees or more",
        )


def _aside(facts: ScanFacts) -> Iterator[Finding]:
    if facts.aside < CENTRAL:
        full = facts.turned > 359
        yield Finding(
            f"the axis stands aside: one side of the detector sees {facts.aside:.0%} as far from it as the other",
            "a full turn makes up for that, if it is meant; else check axis_offset and detector_offset"
            if full
            else "check axis_offset and detector_offset; a detector that is meant to stand aside takes a full turn",
        )


def _light(facts: ScanFacts) -> Iterator[Finding]:
    if facts.saturated > SATURATED:
        yield Finding(
            f"{facts.saturated:.2%} of the pixels hold {facts.greatest:g}, the most that their numbers can",
            "they are left out; a shorter exposure keeps the air below what the detector can count",
        )
    if facts.negative > 0 and facts.values != "line-integral":  # of which noise makes some in the air
        yield Finding(
            f"{facts.negative:.2%} of the pixels are negative",
            "counts are given as they were recorded" if facts.values == "counts" else "check what `values` says",
        )
    if facts.air is not None and facts.air > 1 + OFF:
        yield Finding(
            f"the frames' borders read {facts.air:.3g} times what they do without an object",
            'flat frames of another exposure, or swapped with dark ones? i0 = "auto" in [preparation] takes the air '
            "of the frames themselves",
        )
    elif facts.air is not None and facts.air < 1 - OFF:
        yield Finding(
            f"no border of the frames shows the open beam: the brighter one reads {facts.air:.3g} of it",
            "the object reaches beyond the detector on both sides, or the flat frames were brighter: then "
            'i0 = "auto" in [preparation]',
        )
