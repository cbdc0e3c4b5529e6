"""Coverage kept in bytes means what floats mean."""

from __future__ import annotations

import torch

from invrender.nouns.coverage import coverage, covers, in_bytes, whole


def test_bytes_hold_coverage_to_half_a_level():
    floats = torch.linspace(-0.2, 1.3, 1001)
    kept = in_bytes(floats)
    assert kept.dtype == torch.uint8
    assert float((coverage(kept) - floats.clamp(0, 1)).abs().max()) <= 0.5 / 255 + 1e-6
    assert torch.equal(in_bytes(coverage(kept)), kept)
    assert coverage(floats) is floats


def test_shares_are_asked_of_both_alike():
    kept = torch.arange(256).to(torch.uint8)
    for share in (0.1, 0.5, 0.75, 1.0):
        assert torch.equal(covers(kept, share), covers(kept.double() / 255, share))
    assert (int(whole(kept)), float(whole(kept.float()))) == (255, 1.0)
