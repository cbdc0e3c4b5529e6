"""A result that does not explain its own masks is doubted, and the views are named."""

from __future__ import annotations

import pytest

from invrender.methods.silhouette.method import METHOD


@pytest.mark.parametrize(
    ("ious", "worst"),
    [
        ([0.99, 0.98, 0.97, 0.99], None),
        ([0.95, 0.91, 0.93, 0.88], None),
        ([0.99, 0.98, 0.6, 0.99], ("c",)),
        ([0.79, 0.8, 0.7, 0.75], ("c", "d", "a")),
    ],
)
def test_doubts_name_the_worst_views(ious, worst):
    doubts = METHOD.doubt(None, {"views_iou_each": dict(zip("abcd", ious, strict=True))})
    assert [doubt.views for doubt in doubts] == ([] if worst is None else [worst])
