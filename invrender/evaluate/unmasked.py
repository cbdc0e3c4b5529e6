"""Views of which nothing is known, since nobody has marked the object in them: their colours tell nothing either."""

from __future__ import annotations

from collections.abc import Sequence

from invrender.evaluate.posed_views import view_names
from invrender.findings import Finding
from invrender.io.files.paths import listing
from invrender.nouns import Views

REMEDY = "give masks for them (--masks DIR, white is object): rough ones do"


def known_views(views: Views) -> tuple[list[int], tuple[str, ...]]:
    """The numbers of the views with known pixels, and the names of the others."""
    if views.confidence is None:
        return list(range(len(views))), ()
    known = (views.confidence.flatten(1).amax(1) > 0).tolist()
    names = tuple(name for name, one in zip(view_names(views), known, strict=True) if not one)
    return [view for view, one in enumerate(known) if one], names


def unmasked_findings(names: Sequence[str]) -> list[Finding]:
    """What is to be said of the views with these names, of which nothing is known."""
    if not names:
        return []
    if len(names) == 1:
        cause = f"{names[0]} has no mask, and none can be found: it takes no part"
    else:
        cause = f"{len(names)} views have no mask, and none can be found, so that they take no part: {listing(names)}"
    return [Finding(cause, REMEDY, tuple(names))]
