"""Agreement of posed masks of which pixels or whole views are unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invrender.backends import select
from invrender.cameras.around import around
from invrender.evaluate.posed_views import agreement, cut_off, informed, posed_findings
from invrender.nouns import Scene, Views
from invrender.render.raster import render
from invrender.samples import SAMPLES


@pytest.fixture(scope="module")
def half_known() -> Views:
    """A mug; of every other view the left third is unknown and white, and of two views everything."""
    mesh = SAMPLES["mug"]()
    cameras = around(mesh, "sphere", 14, 64)
    masks = render(Scene(mesh), cameras, "silhouette", select("torch"), 2)[..., 0].clamp(0, 1)
    confidence = torch.ones_like(masks)
    confidence[::2, :, :21] = 0
    confidence[[3, 8]] = 0
    masks = torch.where(confidence > 0, masks, 1.0)
    return Views(cameras, masks, None, tuple(f"v{i}" for i in range(14)), confidence)


def test_what_is_unknown_contradicts_nothing(half_known):
    found = agreement(half_known)
    assert found.names == tuple(f"v{i}" for i in range(14) if i not in (3, 8))
    assert min(found.explained) > 0.98
    assert posed_findings(found, cut_off(half_known)) == []
    assert informed(half_known) == [i for i in range(14) if i not in (3, 8)]
    assert posed_findings(agreement(replace(half_known, confidence=None)), ()) != []


def test_a_view_that_contradicts_the_others_is_still_named(half_known):
    masks = half_known.masks.clone()
    masks[5] = masks[5].roll(9, 1)
    found = agreement(replace(half_known, masks=masks))
    assert [found.names[view] for view in found.wrong] == ["v5"]


def test_masks_of_the_background_are_still_recognised(half_known):
    known = half_known.confidence > 0
    (finding,) = posed_findings(agreement(replace(half_known, masks=torch.where(known, 1 - half_known.masks, 0.0))), ())
    assert "object is black" in str(finding)


def test_views_that_share_a_pose_are_compared_where_both_are_known(half_known):
    twice = [0, 0, *range(1, 14)]
    both = half_known[twice]
    masks, confidence = both.masks.clone(), both.confidence.clone()
    masks[1, 40:], confidence[1, 40:] = 0, 0
    assert agreement(replace(both, masks=masks, confidence=confidence)).together == ()
    assert agreement(replace(both, masks=masks)).together == ("v0", "v0")
