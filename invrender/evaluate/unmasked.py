"""What is wrong with posed pictures whose object nobody has marked."""

from __future__ import annotations

from invrender.evaluate.posed_views import view_names
from invrender.findings import Finding
from invrender.io.files.paths import listing
from invrender.nouns import Views

REMEDY = "give masks for them (--masks DIR, white is object): rough ones do"


def unmasked_findings(views: Views) -> list[Finding]:
    """The views of which nothing is known, whose colours then tell nothing either."""
    if views.confidence is None:
        return []
    known = views.confidence.flatten(1).amax(1) > 0
    names = tuple(name for name, one in zip(view_names(views), known.tolist(), strict=True) if not one)
    return [Finding(f"{listing(names)}: no mask, and none to be found: unknown", REMEDY, names)] if names else []
