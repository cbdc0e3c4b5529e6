"""What looks wrong in single views, whatever the method: nearly the same ones, and blurred ones."""

from __future__ import annotations

from invrender.evaluate.alike import alike_findings
from invrender.evaluate.posed_views import view_names
from invrender.evaluate.sharpness import blur_findings
from invrender.evaluate.thumbnails import thumbnails
from invrender.findings import Finding
from invrender.nouns import Views


def view_findings(views: Views) -> list[Finding]:
    """Of masks alone: views that are nearly the same; of pictures in colour also those that are blurred."""
    small, names, coloured = thumbnails(views), view_names(views), views.images is not None
    found = alike_findings(views.cameras, names, small, coloured)
    return found + (blur_findings(views.cameras, names, small) if coloured else [])
