"""The views of a run from transmittance: ranked all at once as one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invrender.backends import select
from invrender.cameras.volume_rigs import volume_rig
from invrender.methods.transmittance.compared import views_of
from invrender.methods.transmittance.measurement import Noise, measure
from invrender.methods.transmittance.task import Task
from invrender.nouns import Volume
from invrender.render import absorption
from invrender.samples.ellipsoids import FOUR, averaged, transmittances

KERNELS = select("cpu", needs=("volumes",))


def test_views_are_ranked_in_few_calls_and_as_one_by_one() -> None:
    volume = averaged(FOUR, 24)
    cameras = volume_rig(volume, "orbit", 9, (40, 48))
    data = measure(cameras, transmittances(FOUR, cameras), Noise())
    task = Task(data, volume.shape, volume.bounds, 1.0, None)
    rough = Volume(volume.values + 0.2 * torch.rand(volume.values.shape, generator=torch.Generator().manual_seed(4)),
                   volume.bounds)  # fmt: skip
    calls = []

    def counted(*given: torch.Tensor) -> torch.Tensor:
        calls.append(len(given[2]))
        return KERNELS.line_integral(*given)

    views = views_of(task, 32, replace(KERNELS, line_integral=counted))
    scores = views.scores(rough)
    assert len(scores) == 9 and len(set(scores)) > 4
    assert len(calls) == 1
    assert scores == replace(views, several=None).scores(rough)
    assert len(calls) == 10


def test_many_rays_are_followed_in_parts_of_several_views(monkeypatch: pytest.MonkeyPatch) -> None:
    volume = averaged(FOUR, 12)
    cameras = volume_rig(volume, "orbit", 5, (8, 10))
    whole = absorption.optical_depth(volume, cameras, KERNELS)
    alone = torch.cat([absorption.optical_depth(volume, cameras[[view]], KERNELS) for view in range(5)])
    assert torch.equal(whole, alone)
    for rays in (170, 1):  # two views and a bit, and less than one
        monkeypatch.setattr(absorption, "AT_ONCE", rays)
        assert torch.equal(whole, absorption.optical_depth(volume, cameras, KERNELS))
