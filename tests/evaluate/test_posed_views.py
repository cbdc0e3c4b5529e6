"""Wrong poses, orders, axes and masks are found and named; good data of many kinds are left in peace."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invrender.backends import select
from invrender.cameras.around import around
from invrender.evaluate.conventions import readings
from invrender.evaluate.posed_views import agreement, cut_off, posed_findings
from invrender.geometry.agreement import small
from invrender.nouns import Cameras, Mesh, Scene, Views
from invrender.render.raster import render

SIGNS = {"opencv": (1.0, -1, -1, 1), "upside down": (-1.0, -1, 1, 1), "pytorch3d": (-1.0, 1, -1, 1)}


def ell() -> Mesh:
    """An L of unequal legs and depth: no rotation or mirror image of it is like it."""
    outline = [(0, 0), (3, 0), (3, 1), (1, 1), (1, 4), (0, 4)]
    vertices = [(x, y, z) for z in (0.0, 1.5) for x, y in outline]
    caps = [(0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 5)]
    faces = [(c, b, a) for a, b, c in caps] + [(a + 6, b + 6, c + 6) for a, b, c in caps]
    for i in range(6):
        j = (i + 1) % 6
        faces += [(i, j, j + 6), (i, j + 6, i + 6)]
    return Mesh(torch.tensor(vertices, dtype=torch.float64), torch.tensor(faces))


def views_of(count: int, kind: str = "sphere", size: int | tuple[int, int] = 64, **placement: float) -> Views:
    mesh = ell()
    cameras = around(mesh, kind, count, size, **placement)  # type: ignore[arg-type]
    masks = render(Scene(mesh), cameras, "silhouette", select("torch"), 2)[..., 0].clamp(0, 1)
    return Views(cameras, masks, None, tuple(f"v{i}" for i in range(count)))


@pytest.fixture(scope="module")
def good() -> Views:
    return views_of(16)


def posed(views: Views, world_to_camera: torch.Tensor) -> Views:
    return replace(views, cameras=replace(views.cameras, world_to_camera=world_to_camera))


def turned(views: Views, name: str) -> Views:
    return posed(views, torch.tensor(SIGNS[name]).double()[:, None] * views.cameras.world_to_camera)


def inverted(views: Views) -> Views:
    return posed(views, torch.linalg.inv(views.cameras.world_to_camera))


def reordered(views: Views, order: list[int]) -> Views:
    return replace(views, cameras=views.cameras[order])


def zoomed(views: Views, factor: float) -> Views:
    projection = views.cameras.projection.clone()
    projection[:, :2] *= factor
    return replace(views, cameras=replace(views.cameras, projection=projection))


def of_half_size(views: Views) -> Views:
    """Intrinsics of a picture of half the size, whose principal point is then a quarter down and right."""
    projection = views.cameras.projection.clone()
    projection[:, :2] *= 0.5
    projection[:, 0, 2] += 0.5
    projection[:, 1, 2] -= 0.5
    return replace(views, cameras=replace(views.cameras, projection=projection))


def found_in(views: Views) -> list[str]:
    return [str(finding) for finding in posed_findings(agreement(views), cut_off(views))]


@pytest.mark.parametrize("views", [
    lambda: views_of(2), lambda: views_of(3), lambda: views_of(4, "orbit"), lambda: views_of(8),
    lambda: views_of(12, "orbit"),
    lambda: views_of(40, size=32), lambda: views_of(7, size=(40, 72)),
])  # fmt: skip
def test_good_views_are_left_in_peace(views):
    assert found_in(views()) == []


@pytest.mark.parametrize("shift", [(0, 1), (1, 1)])
def test_masks_that_are_off_by_a_pixel_are_left_in_peace(good, shift):
    assert found_in(replace(good, masks=good.masks.roll(shift, (1, 2)))) == []


def test_views_that_cut_the_object_off_are_named_and_agree():
    views = views_of(12, distance=2.9)
    (finding,) = posed_findings(agreement(views), cut_off(views))
    border = torch.cat([views.masks[:, 0], views.masks[:, -1], views.masks[:, :, 0], views.masks[:, :, -1]], 1)
    touching = {f"v{i}" for i in range(12) if border[i].max() >= 0.5}
    assert 2 < len(touching) < 12
    assert set(finding.views) == touching
    assert f"{len(touching)} of 12 masks touch" in finding.cause


@pytest.mark.parametrize("wrong", [(7,), (3, 11)])
def test_wrong_poses_among_good_ones_are_named(good, wrong):
    order = list(range(16))
    for view in wrong:
        order[view] = (view + 5) % 16
    (finding,) = posed_findings(agreement(reordered(good, order)), ())
    assert set(finding.views) == {f"v{view}" for view in wrong}
    assert "contradict" in finding.cause


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda v: turned(v, "opencv"), ["OpenCV axes", "second and third"]),
        (lambda v: turned(v, "pytorch3d"), ["PyTorch3D", "first and third"]),
        (lambda v: turned(v, "upside down"), ["upside down", "first and second"]),
        (inverted, ["read as world-to-camera matrices they", "invert every matrix"]),
        (lambda v: inverted(turned(v, "opencv")), ["world-to-camera matrices with OpenCV axes"]),
        (lambda v: reordered(v, [(i + 3) % 16 for i in range(16)]), ["3 frames earlier"]),
        (lambda v: reordered(v, [(i - 2) % 16 for i in range(16)]), ["2 frames later"]),
        (lambda v: reordered(v, sorted(range(16), key=str)), ["sorted numerically"]),
        (lambda v: replace(v, masks=v.masks.flip(1)), ["mirrored vertically"]),
        (lambda v: replace(v, masks=v.masks.flip(2)), ["mirrored horizontally"]),
        (lambda v: replace(v, masks=1 - v.masks), ["object is black", "invert the masks"]),
        (lambda v: zoomed(v, 0.5), ["twice the focal length"]),
        (lambda v: zoomed(v, 2.0), ["half the focal length"]),
        (lambda v: replace(v, masks=v.masks.rot90(1, (1, 2))), ["lie on their side"]),
        (lambda v: replace(v, masks=v.masks.roll(-3, 2)), ["masks that are shifted by", "of the width to the left"]),
        (of_half_size, ["intrinsics of pictures half as large", "as w and h"]),
    ],
)  # fmt: skip
def test_what_a_dataset_was_meant_as_is_named(good, harm, words):
    found = found_in(harm(good))
    for word in words:
        assert word in found[0]


def test_the_wrong_one_of_four_is_named():
    views = views_of(4)
    (finding,) = posed_findings(agreement(replace(views, masks=views.masks[[0, 1, 1, 3]])), ())
    assert finding.views == ("v2",)


def test_poses_that_pictures_share_are_named(good):
    (first, *_) = posed_findings(agreement(reordered(good, [0, 0, 0, 0, 0, *range(5, 16)])), ())
    assert first.views == ("v0", "v1", "v2", "v3", "v4")
    assert "the same pose, but other masks" in first.cause


def test_the_same_picture_twice_is_left_in_peace(good):
    twice = [*range(16), 3]
    again = Views(good.cameras[twice], good.masks[twice], None, tuple(f"v{i}" for i in range(17)))
    assert found_in(again) == []


def test_width_and_height_swapped():
    views = views_of(12, size=(64, 48))
    projection = views.cameras.projection.clone()
    projection[:, 0] *= 48 / 64
    projection[:, 1] *= 64 / 48
    swapped = replace(views, cameras=replace(views.cameras, projection=projection))
    assert "width and height swapped" in found_in(swapped)[0]


def test_poses_in_no_order_are_said_with_the_worst_views(good):
    order = torch.randperm(16, generator=torch.Generator().manual_seed(3)).tolist()
    (finding,) = posed_findings(agreement(reordered(good, order)), ())
    assert "disagree" in finding.cause
    assert len(finding.views) == 3
    assert "likely causes" in finding.remedy


def test_readings_leave_the_number_of_views_and_pixels():
    views = views_of(6, size=(20, 30))
    for reading in readings(small(views.masks, views.cameras, views.names)):
        cameras: Cameras = reading.views.cameras
        assert len(cameras) == 6
        assert reading.views.masks.shape == reading.views.distances.shape == (6, *cameras.size)
