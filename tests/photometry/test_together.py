"""Cameras that are all off a little agree again on a painted ball, without anybody telling its colours."""

from __future__ import annotations

from dataclasses import replace

import torch

from invrender.backends import select
from invrender.photometry.exposure import exposed
from invrender.photometry.photos import Photos
from invrender.photometry.registration import twist_of, twisted
from invrender.photometry.together import Settled, register_together
from tests.photometry.painted_ball import ball, taken
from tests.photometry.test_registration import displaced


def off(count: int = 10) -> torch.Tensor:
    return 0.015 * torch.randn(count, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def rest(twist: torch.Tensor, found: Settled) -> torch.Tensor:
    """Twists [N,6] that are left of displacements after their corrections, each against the object where it is now."""
    turned = found.common.clone()
    turned[:3, :3] /= torch.linalg.det(turned[:3, :3]) ** (1 / 3)
    motions = [twisted(a) @ twisted(b) @ turned for a, b in zip(twist, found.moved.twist, strict=True)]
    left = torch.stack([twist_of(motion) for motion in motions])
    return left - left.mean(0)


def pixels(photos: Photos, twist: torch.Tensor) -> float:
    return float(twist.norm(dim=1).mean() / photos.pixel.mean())


def test_cameras_agree_again() -> None:
    photos, twist = taken(10, fine=4), off()
    found = register_together(*ball(4), displaced(photos, twist), select("cpu"))
    assert pixels(photos, rest(twist, found)) < 0.4 < 0.3 * pixels(photos, twist - twist.mean(0))


def test_what_all_cameras_do_together_is_not_theirs() -> None:
    photos, twist = taken(10, fine=4), off() + torch.tensor([0.01, 0, 0, 0, 0.02, 0])
    moved = register_together(*ball(4), displaced(photos, twist), select("cpu")).moved.twist
    away = -torch.nn.functional.normalize(photos.eye, dim=1)
    assert float(moved.mean(0).norm()) < 0.1 * float(moved.norm(dim=1).mean())
    assert abs(float((moved[:, 3:] * away).sum(1).mean())) < 1e-3


def test_exposures_need_not_be_equal() -> None:
    photos, twist = taken(10, fine=4), off()
    gains = 2.0 ** torch.linspace(-1, 0, 10, dtype=torch.float64)[:, None].expand(-1, 3)
    darker = exposed(displaced(photos, twist), gains)
    found = register_together(*ball(4), darker, select("cpu"), ("pose", "exposure"))
    assert pixels(photos, rest(twist, found)) < 0.55


def test_a_focal_length_alone_leaves_cameras_where_they_are() -> None:
    photos = taken(6, fine=4)
    found = register_together(
        *ball(4), displaced(photos, torch.zeros(6, 6).double(), 0.02), select("cpu"), ("intrinsics",)
    )
    assert abs(found.moved.focal + 0.02) < 0.003
    assert float(found.moved.twist.abs().max()) < 1e-9


def test_what_colours_tell_of_cameras_is_told() -> None:
    photos = taken(10, fine=4)
    shining = replace(photos, images=_lit_from_the_camera(photos))
    bright, dull = (register_together(*ball(4), each, select("cpu"), levels=(2,)).share for each in (photos, shining))
    assert dull < 0.1 < bright


def _lit_from_the_camera(photos: Photos) -> torch.Tensor:
    """Images of a surface without paint whose lamp moves with the camera: brightest in the middle."""
    height, width = photos.size
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-width / height, width / height, width),
                          indexing="ij")  # fmt: skip
    return (0.8 - 0.3 * (x**2 + y**2)).clamp(min=0)[None, ..., None].expand(len(photos), -1, -1, 3)
