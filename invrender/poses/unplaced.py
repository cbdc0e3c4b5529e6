"""Why pictures could not be placed, as far as their features and matches tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from invrender.io.files.paths import shown
from invrender.poses.prepare import Prepared
from invrender.poses.structure import LEAST_MATCHES

_FEW_FEATURES = 100
_BLURRED = 0.25  # of the median sharpness


@dataclass(frozen=True)
class Evidence:
    """What is known of the pictures of a search, by the names of their copies.

    Attributes:
        prepared: all pictures.
        features: how many each has.
        matches: of pairs, those that agree with one motion.
        groups: the pictures of each model, the one that counts first.
        contradicting: pictures that were placed where the masks of others say that they cannot be.
    """

    prepared: Sequence[Prepared]
    features: Mapping[str, int]
    matches: Mapping[frozenset[str], int]
    groups: Sequence[AbstractSet[str]]
    contradicting: AbstractSet[str] = frozenset()

    def name(self, file: str) -> str:
        """The picture's name as messages quote it."""
        return shown(next(item.photograph.name for item in self.prepared if item.file == file))


def reasons(evidence: Evidence) -> dict[str, str]:
    """For each picture that the first group lacks, by its own name, why."""
    placed = evidence.groups[0] if evidence.groups else set()
    median = float(np.median([item.sharpness for item in evidence.prepared]))
    found = {}
    for item in evidence.prepared:
        if item.file not in placed:
            blurred = "blurred; " if item.sharpness < _BLURRED * median else ""
            found[item.photograph.name] = blurred + _reason(item.file, placed, evidence)
    return found


def _reason(file: str, placed: AbstractSet[str], evidence: Evidence) -> str:
    features = evidence.features.get(file, 0)
    if file in evidence.contradicting:
        return "what it shows fits only where the masks of other pictures say that it cannot be"
    if features < _FEW_FEATURES:
        return f"only {features} features: too plain, too dark or out of focus"
    most, other = _best(file, evidence, None)
    if most < LEAST_MATCHES:
        return "no overlap: it shares no part with any other picture that could be recognised"
    near, mate = _best(file, evidence, placed)
    group = next((g for g in evidence.groups[1:] if file in g), None)
    if near >= LEAST_MATCHES:
        return f"too few matches with the placed pictures: at most {near}, with {evidence.name(mate)}"
    if group is not None:
        return f"in a group of {len(group)} pictures that does not overlap with the others"
    return f"no overlap with the placed pictures; {most} matches with {evidence.name(other)}, which is none of them"


def _best(file: str, evidence: Evidence, among: AbstractSet[str] | None) -> tuple[int, str]:
    """The most matches with any other picture (of some), and which."""
    counts = [
        (count, next(iter(pair - {file})))
        for pair, count in evidence.matches.items()
        if file in pair and (among is None or next(iter(pair - {file})) in among)
    ]
    return max(counts, default=(0, ""))
