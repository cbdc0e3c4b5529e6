"""Masks of a disc with a hole before backdrops of many kinds: the answer is known by formula."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from invrender.cameras.projection import look_at, perspective
from invrender.colour import srgb_to_linear
from invrender.errors import BackendError, InputError
from invrender.nouns import Cameras, Views
from invrender.segmentation.automatic import automatic_masks, with_automatic_masks
from invrender.segmentation.boxes import projected_boxes

SIZE = (120, 160)
VIEWS = 4
BACKDROPS = {
    "dark": (0.03, 0.03, 0.04),
    "light": (0.95, 0.95, 0.93),
    "grey": (0.5, 0.5, 0.5),
    "green": (0.1, 0.7, 0.2),
}


def disc(centre: tuple[float, float], radius: float, hole: float) -> np.ndarray:
    """Coverage [H,W] of a disc with a hole in its middle, in pixels, sampled four times on each side of a pixel."""
    y, x = np.meshgrid(*((np.arange(4 * side) + 0.5) / 4 for side in SIZE), indexing="ij")
    away = np.hypot(x - centre[0], y - centre[1])
    fine = ((away < radius) & (away > hole)).astype(np.float64)
    return fine.reshape(SIZE[0], 4, SIZE[1], 4).mean((1, 3))


def photographs(backdrop, noise=0.01, colours=(0.8, 0.35, 0.25), shade=0.0, centres=None, hole=14.0):
    """Pictures [H,W,3] linear of the disc, the object striped, the backdrop shaded; and its coverage [N,H,W]."""
    random = np.random.default_rng(3)
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in SIZE), indexing="ij")
    masks = np.stack(
        [disc(centre, 36.0, hole) for centre in centres or [(60 + 9 * k, 50 + 5 * k) for k in range(VIEWS)]]
    )
    behind = np.clip(np.array(backdrop) + shade * (0.6 * x - 0.4 * y + 0.3 * x * x)[..., None], 0, 1)
    front = np.array(colours) * (1 + 0.2 * np.sin(20 * x))[..., None]
    mixed = masks[..., None] * srgb_to_linear(front) + (1 - masks[..., None]) * srgb_to_linear(behind)
    stored = np.where(mixed > 0.0031308, 1.055 * mixed ** (1 / 2.4) - 0.055, 12.92 * mixed)
    noisy = np.clip(stored + random.normal(0, noise, stored.shape), 0, 1)
    return srgb_to_linear(noisy).astype(np.float32), masks


def names(count: int = VIEWS) -> list[str]:
    return [f"v{view}" for view in range(count)]


def iou(one: torch.Tensor, two: np.ndarray) -> float:
    """The least over the views."""
    a = one.numpy()
    return float((np.minimum(a, two).sum((1, 2)) / np.maximum(a, two).sum((1, 2))).min())


@pytest.mark.parametrize("noise", [0.0, 0.015])
@pytest.mark.parametrize("kind", BACKDROPS)
def test_a_disc_before_a_plain_backdrop_is_found_with_its_hole(kind, noise):
    pictures, expected = photographs(BACKDROPS[kind], noise)
    masks, confidence, note = automatic_masks(pictures, names())
    assert iou(masks, expected) > (
        0.985 if noise == 0 else 0.95 if kind == "dark" else 0.965
    )  # generous where it is dark
    assert kind in note or kind == "green"
    assert "coloured" in note or kind != "green"
    for view in range(VIEWS):
        assert float(masks[view, 50 + 5 * view, 60 + 9 * view]) == 0  # the middle of the hole
    sure = np.abs(expected - 0.5) == 0.5
    assert float(confidence.numpy()[sure].mean()) > 0.97


@pytest.mark.parametrize("shade", [0.12, 0.25])
def test_a_shaded_backdrop_is_no_object(shade):
    pictures, expected = photographs((0.55, 0.55, 0.6), 0.008, shade=shade)
    masks, _, _ = automatic_masks(pictures, names())
    assert iou(masks, expected) > 0.97


def test_an_object_may_touch_the_border():
    centres = [(20.0, 60.0), (80.0, 110.0), (150.0, 20.0), (80.0, 60.0)]
    pictures, expected = photographs(BACKDROPS["grey"], centres=centres)
    assert iou(automatic_masks(pictures, names())[0], expected) > 0.97


def test_outlines_before_a_dark_backdrop_lie_between_the_pixels_where_the_light_says():
    pictures, expected = photographs(BACKDROPS["dark"], 0.015, hole=-1.0)
    masks, _, _ = automatic_masks(pictures, names())
    area = masks.numpy().sum((1, 2)) / expected.sum((1, 2))
    outline = 2 * np.pi * 36.0 / expected[0].sum()  # of which half a pixel would be lost or won by whole pixels
    assert float(np.abs(area - 1).max()) < 0.25 * outline


def test_a_bright_object_does_not_shine_into_a_dark_backdrop_s_deep_shadow():
    random = np.random.default_rng(5)
    pictures, expected = photographs(BACKDROPS["dark"], 0.0, hole=-1.0)
    other = disc((60.0, 118.0), 30.0, -1.0)  # nearly touches the first, and light shines into the corners between
    pictures = np.where(other[..., None] > 0, 0.6 * other[..., None], pictures[:1]).astype(np.float32).repeat(VIEWS, 0)
    pictures = (pictures + random.uniform(0, 0.0025, pictures.shape)).astype(np.float32)
    _, confidence, _ = automatic_masks(pictures, names())
    background = np.maximum(expected[0], other) == 0
    assert float((confidence.numpy()[:, background] == 0).mean()) < 0.001


def test_small_holes_are_filled_where_shadows_look_like_the_backdrop_and_kept_where_nothing_does():
    for kind, filled in (("dark", True), ("green", False)):
        pictures, expected = photographs(BACKDROPS[kind], 0.004, hole=2.2)
        if kind == "dark":
            pictures += np.random.default_rng(0).uniform(0, 0.012, pictures.shape).astype(np.float32)
        masks, confidence, _ = automatic_masks(pictures, names())
        assert (float(masks[0, 50, 60]) > 0.5) == filled
        assert (float(confidence[0, 50, 60]) < 0.5) == filled  # what was filled is not to be relied on
        assert expected[0, 50, 60] == 0


def test_several_parts_are_kept_and_specks_dropped():
    pictures, expected = photographs(BACKDROPS["light"])
    other = disc((130.0, 20.0), 12.0, -1.0)
    speck = disc((15.0, 105.0), 1.2, -1.0)
    for extra in (other, speck):
        pictures = (extra[..., None] * 0.1 + (1 - extra[..., None]) * pictures).astype(np.float32)
    masks, _, _ = automatic_masks(pictures, names())
    assert iou(masks, np.maximum(expected, other)) > 0.96
    assert float(masks[:, 100:110, 10:20].max()) == 0


def test_colours_near_the_backdrop_s_are_in_doubt():
    pictures, _ = photographs((0.5, 0.5, 0.5), 0.012)
    near = srgb_to_linear(np.float32(0.5) + np.linspace(0, 0.12, 40, dtype=np.float32))
    pictures[:, 90:110, 5:45] = near[None, None, :, None]
    _, confidence, _ = automatic_masks(pictures, names())
    assert float(confidence[:, 95:105, 5:45].min()) < 0.3
    assert float(confidence[:, 5:20, 5:45].min()) > 0.9


def test_the_box_of_the_object_leaves_out_what_lies_beside_it():
    pictures, expected = photographs(BACKDROPS["grey"])
    pictures[:, 100:118, 5:30] = 0.9  # a label on the backdrop
    assert iou(automatic_masks(pictures, names())[0], expected) < 0.95
    boxes = np.array([[10 + 5 * k, 90 + 5 * k, 20 + 9 * k, 100 + 9 * k] for k in range(VIEWS)])
    masks, confidence, _ = automatic_masks(pictures, names(), boxes)
    assert iou(masks, expected) > 0.965
    assert float(confidence[:, 105:115, 8:28].min()) == 1  # known to be background


def test_what_is_no_picture_is_unknown():
    pictures, expected = photographs(BACKDROPS["grey"])
    covered = torch.zeros(VIEWS, *SIZE)
    covered[:, 6:-6, 9:-4] = 1
    pictures = pictures * covered.numpy()[..., None]
    masks, confidence, _ = automatic_masks(pictures, names(), covered=covered)
    assert iou(masks, expected * covered.numpy()) > 0.965
    assert float(confidence[covered == 0].max()) == 0


def clutter(count: int = VIEWS) -> np.ndarray:
    random = np.random.default_rng(1)
    return random.random((count, *(side // 8 for side in SIZE), 3)).repeat(8, 1).repeat(8, 2).astype(np.float32)


def test_clutter_is_refused_with_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("U2NET_HOME", str(tmp_path))
    with pytest.raises(InputError, match="cluttered") as refused:
        automatic_masks(clutter(), names())
    assert "--masks DIR" in refused.value.remedy
    assert "rembg" in refused.value.remedy


class FakeRembg:
    """Stands for rembg: everything right of the middle is the object."""

    __spec__ = type("spec", (), {"name": "rembg"})()

    @staticmethod
    def new_session(model: str) -> str:
        return model

    @staticmethod
    def remove(picture, session, only_mask):
        assert only_mask
        found = np.zeros(picture.shape[:2], np.uint8)
        found[20:-20, picture.shape[1] // 2 : -10] = 255
        return found


def test_a_segmenter_is_used_where_its_weights_are_there_and_never_without(monkeypatch, tmp_path):
    monkeypatch.setenv("U2NET_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "rembg", FakeRembg)
    with pytest.raises(InputError, match="cluttered") as refused:
        automatic_masks(clutter(), names())
    assert str(tmp_path) in refused.value.remedy
    (tmp_path / "u2net.onnx").write_bytes(b"weights")
    masks, confidence, note = automatic_masks(clutter(), names())
    assert "u2net" in note
    assert float(masks[:, 20:-20, 85:-15].min()) == float(confidence.min()) == 1
    assert float(masks[:, :, :75].max()) == 0


def test_pictures_without_an_object():
    pictures, _ = photographs(BACKDROPS["grey"])
    pictures[2] = pictures[2, 2, 2]
    masks, confidence, note = automatic_masks(pictures, names())
    assert "v2" in note
    assert float(masks[2].max()) == float(confidence[2].max()) == 0
    with pytest.raises(InputError, match="no object stands out"):
        automatic_masks(np.full((VIEWS, *SIZE, 3), 0.4, np.float32), names())


def test_grabcut_follows_the_colours(monkeypatch):
    pictures, expected = photographs(BACKDROPS["green"])
    assert iou(automatic_masks(pictures, names(), refine="grabcut")[0], expected) > 0.96
    monkeypatch.setattr("invrender.segmentation.grabcut.find_spec", lambda name: None)
    with pytest.raises(BackendError, match="OpenCV"):
        automatic_masks(pictures, names(), refine="grabcut")


def test_views_keep_their_own_masks_and_get_those_that_they_lack():
    eyes = torch.tensor([[0.0, 0.0, 3.0], [0.5, 0.0, 3.0], [0.0, 0.5, 3.0], [0.4, 0.4, 3.0]], dtype=torch.float64)
    cameras = Cameras(look_at(eyes, (0.0, 0.0, 0.0)), perspective(40.0, SIZE, 1.0, 9.0).expand(4, 4, 4), SIZE)
    bounds = torch.tensor([[-0.8, -0.8, -0.2], [0.8, 0.8, 0.2]]).double()
    boxes = projected_boxes(cameras, bounds)
    half = 0.8 / 2.8 / np.tan(np.radians(20)) * 60  # of the front side, 2.8 before the first camera
    assert boxes[0].tolist() == [
        np.floor(60 - half) - 2,
        np.ceil(60 + half) + 2,
        np.floor(80 - half) - 2,
        np.ceil(80 + half) + 2,
    ]
    pictures, expected = photographs(BACKDROPS["light"], centres=[(80.0, 60.0)] * 4)
    own = torch.full(SIZE, 0.25)
    views = Views(cameras, torch.stack([own, *[torch.zeros(SIZE)] * 3]), torch.from_numpy(pictures), bounds=bounds)
    found, note = with_automatic_masks(views, [True, False, False, False])
    assert torch.equal(found.masks[0], own)
    assert bool((found.confidence[0] == 1).all())
    assert iou(found.masks[1:], expected[1:]) > 0.965
    mixed = (found.masks[1:] > 0.2) & (found.masks[1:] < 0.8)
    before, after = (each[1:][mixed].mean(0) for each in (torch.from_numpy(pictures), found.images))
    inside = torch.from_numpy(pictures)[1:][found.masks[1:] == 1].mean(0)
    assert float((after - inside).abs().max()) < 0.3 * float((before - inside).abs().max())  # its own colours alone
    assert "3 pictures" in note
    assert with_automatic_masks(views, [True] * 4) == (views, "")
