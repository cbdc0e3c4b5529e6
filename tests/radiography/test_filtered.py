"""Filtered back-projection against exact line integrals of ellipsoids, and against scikit-image's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from skimage.transform import iradon

from invrender.backends import select
from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rigs import fibonacci
from invrender.cameras.scan import scan_cameras, scan_geometry
from invrender.errors import InputError
from invrender.nouns import Cameras
from invrender.nouns.scan import ScanSetup
from invrender.radiography.filtered import filled, filtered_back_projection
from invrender.radiography.redundancy import arc_of, displaced, parker
from invrender.samples.ellipsoids import Ellipsoid, transmittances

Tensor = torch.Tensor

SAMPLES = 32
BOUNDS = torch.tensor([[-1.0] * 3, [1.0] * 3], dtype=torch.float64)
TURN = torch.arange(120) * 3.0
BALL = (Ellipsoid((0.0, 0.0, 0.0), (0.6, 0.6, 0.6), 0.75),)
ASIDE = (Ellipsoid((0.15, -0.1, 0.05), (0.6, 0.5, 0.6), 0.75),)


def scanned(
    ellipsoids: tuple[Ellipsoid, ...], beam: Any, angles: Tensor = TURN, **changed: Any
) -> tuple[Tensor, Cameras]:
    """Depths and cameras of a scan at a magnification of 1.6; `pixel`: at the axis."""
    size = changed.pop("size", (40, 40))
    pixel = changed.pop("pixel", 2.6 / size[1]) * (1.0 if beam == "parallel" else 1.6)
    cameras = scan_cameras(scan_geometry(ScanSetup(beam, angles, size, (pixel, pixel), 5.0, 8.0, **changed)))
    return -transmittances(ellipsoids, cameras).log(), cameras


def found(depth: Tensor, cameras: Cameras, known: Tensor | None = None, name: Any = "ram-lak") -> Tensor:
    known = torch.ones_like(depth, dtype=torch.bool) if known is None else known
    backend = select("cpu", needs=("volumes",))
    return filtered_back_projection(depth, known, cameras, (SAMPLES,) * 3, BOUNDS, backend, name)


def inside(ellipsoids: tuple[Ellipsoid, ...], share: float = 0.65) -> Tensor:
    """[D,H,W] bool: samples well within the first ellipsoid, near the plane of the source."""
    line = torch.linspace(-1, 1, SAMPLES)
    z, y, x = torch.meshgrid(line, line, line, indexing="ij")
    first = ellipsoids[0]
    scaled = zip((x, y, z), first.centre, first.axes, strict=True)
    return (sum(((at - c) / r) ** 2 for at, c, r in scaled) < share**2) & (z.abs() < 0.15)


SHORT = torch.arange(76) * 3.0
GEOMETRIES: dict[str, tuple[Any, Tensor, dict[str, Any]]] = {
    "parallel": ("parallel", TURN, {}),
    "parallel, half a turn": ("parallel", TURN[:60], {}),
    "parallel, backwards, three quarters": ("parallel", -TURN[:90], {}),
    "parallel, tilted, axis aside": ("parallel", TURN, {"tilt": 3.0, "axis_offset": 0.1}),
    "fan": ("fan", TURN, {"size": (36, 40), "pixel": 0.065}),
    "fan, short scan": ("fan", SHORT, {"size": (36, 40), "pixel": 0.065}),
    "cone": ("cone", TURN, {}),
    "cone, short scan": ("cone", SHORT, {}),
    "cone, short scan backwards": ("cone", -SHORT, {}),
    "cone, three quarters": ("cone", TURN[:90], {}),
    "cone, detector and axis aside": ("cone", TURN, {"axis_offset": 0.1, "detector_offset": (0.2, 0.1)}),
    "cone, tilted": ("cone", TURN, {"tilt": 4.0}),
    "cone, turned away": ("cone", TURN, {"yaw": 6.0, "pitch": 4.0}),
    "cone, half of a wide detector": ("cone", TURN, {"detector_offset": (0.75, 0.0), "pixel": 1.35 / 40}),
    "cone, the other half": ("cone", TURN, {"detector_offset": (-0.75, 0.0), "pixel": 1.35 / 40}),
    "parallel, half of a wide detector": ("parallel", TURN, {"detector_offset": (0.45, 0.0), "pixel": 1.35 / 40}),
}


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_ball_has_its_density_in_units_of_length(geometry: str) -> None:
    """The profile within 1 %, the mean within half a percent, of the density per unit of length."""
    beam, angles, changed = GEOMETRIES[geometry]
    density = found(*scanned(ASIDE, beam, angles, **changed))[inside(ASIDE)] / 0.75
    assert float(density.mean()) == pytest.approx(1, abs=0.005)
    assert float((density - 1).abs().max()) < 0.012


@pytest.mark.parametrize("name", ["ram-lak", "shepp-logan", "cosine", "hann"])
def test_every_filter_keeps_the_scale(name: str) -> None:
    density = found(*scanned(BALL, "cone"), name=name)[inside(BALL, 0.6)] / 0.75
    assert float(density.mean()) == pytest.approx(1, abs=0.005)


def test_smoother_filters_let_less_noise_through() -> None:
    depth, cameras = scanned(BALL, "parallel")
    noise = 0.02 * torch.randn(depth.shape, generator=torch.Generator().manual_seed(1))
    spread = [
        float(found(depth + noise, cameras, name=n)[inside(BALL)].std()) for n in ("ram-lak", "shepp-logan", "hann")
    ]
    assert spread[0] > 1.1 * spread[1] > 1.3 * spread[2]


def test_uneven_angles_count_by_their_gaps() -> None:
    steps = 0.3 + torch.rand(160, generator=torch.Generator().manual_seed(2))
    angles = steps.cumsum(0) * 360 / float(steps.sum())
    density = found(*scanned(ASIDE, "cone", angles))[inside(ASIDE)] / 0.75
    assert float((density - 1).abs().max()) < 0.015


def test_pixels_that_are_not_known_are_filled_in_along_the_row() -> None:
    depth, cameras = scanned(ASIDE, "cone")
    known = torch.rand(depth.shape, generator=torch.Generator().manual_seed(3)) > 0.02
    known[3, 5] = False
    broken = torch.where(known, depth, 0.0)
    density = found(broken, cameras, known)[inside(ASIDE)] / 0.75
    assert float((density - 1).abs().mean()) < 0.01
    ramp = torch.arange(8.0).expand(1, 1, 8)
    holes = torch.tensor([False, True, False, False, True, True, True, False])
    assert filled(ramp * holes, holes[None, None]).flatten().tolist() == [1, 1, 2, 3, 4, 5, 6, 6]


def test_a_turned_world_gives_the_turned_density() -> None:
    """The axis of rotation may point anywhere: along x, the middle slice across x is what was that across z."""
    depth, cameras = scanned(ASIDE, "cone")
    permuted = torch.tensor([[0.0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]], dtype=torch.float64)
    turned = Cameras(cameras.world_to_camera @ permuted.T, cameras.projection, cameras.size)
    straight, other = found(depth, cameras), found(depth, turned)
    # x y z became z x y: world' = permuted @ world.
    assert torch.allclose(other.permute(2, 0, 1), straight, atol=1e-5)


def test_views_off_a_circle_are_refused_with_a_remedy() -> None:
    eyes = 3 * fibonacci(12)
    cameras = Cameras(look_at(eyes, (0.0, 0.0, 0.0)), perspective(40.0, (8, 8), 0.1, 9.0).repeat(12, 1, 1), (8, 8))
    with pytest.raises(InputError, match="circle") as caught:
        found(torch.zeros(12, 8, 8), cameras)
    assert "--solver fista" in caught.value.remedy


def test_a_slice_is_what_scikit_image_makes_of_it() -> None:
    """The same sinogram of several ellipsoids: both differ by less than either from the truth."""
    phantom = (
        *ASIDE,
        Ellipsoid((0.2, 0.2, 0.0), (0.2, 0.1, 0.5), 0.5),
        Ellipsoid((-0.2, -0.2, 0.0), (0.1, 0.2, 0.5), 1.0),
    )
    angles = torch.arange(90) * 2.0
    depth, cameras = scanned(phantom, "parallel", angles, size=(1, 63), pixel=2 / 63)
    sinogram = depth[:, 0].T.double().numpy() / (2 / 63)
    # scikit-image's columns are centred on the middle pixel; its samples are pixels apart, rows down.
    theirs = iradon(sinogram, theta=angles.numpy(), filter_name="ramp", circle=True)
    bounds = torch.tensor([[-62 / 63, -62 / 63, 0.0], [62 / 63, 62 / 63, 0.0]], dtype=torch.float64)
    ours = (
        filtered_back_projection(
            depth, torch.ones_like(depth, dtype=torch.bool), cameras, (1, 63, 63), bounds, select("torch")
        )[0]
        .double()
        .numpy()
    )
    best = min(
        float(np.abs((flipped - ours)[12:-12, 12:-12]).mean())
        for flipped in (theirs, theirs[::-1], theirs[:, ::-1], theirs[::-1, ::-1])
    )
    assert best < 0.02 * ours.max()


def test_a_ray_and_its_opposite_share_a_short_scan() -> None:
    arc = arc_of(torch.deg2rad(torch.linspace(0, 219, 220).double()), 2 * math.pi)
    assert not arc.whole
    assert arc.length == pytest.approx(math.radians(220))
    fan = torch.linspace(-0.3, 0.3, 7).double()
    weights = parker(arc, fan)
    # The source's opposite for a ray at the angle g is half a turn and 2 g further on.
    along = torch.linspace(0.2, 0.5, 5).double()
    for column, angle in enumerate(fan.tolist()):
        twin = along + math.pi + 2 * angle
        pair = [
            parker(type(arc)(arc.share, at, arc.length, False), torch.tensor([sign * angle]).double())[:, 0]
            for at, sign in ((along, 1), (twin, -1))
        ]
        measured = twin < arc.length
        assert torch.allclose((pair[0] + pair[1])[measured], torch.ones(int(measured.sum())).double(), atol=1e-9), (
            column
        )
    assert 0 <= float(weights.min()) <= float(weights.max()) <= 1


def test_a_wide_detector_shares_what_both_sides_see() -> None:
    columns = torch.linspace(-0.2, 1.0, 49).double()
    weights = displaced(columns, 5.0)
    there = columns.abs() <= 0.2
    assert torch.allclose(weights[there] + weights[there].flip(0), torch.ones(int(there.sum())).double(), atol=1e-9)
    assert bool((weights[columns > 0.2] == 1).all())


def test_angles_stand_for_half_the_gaps_beside_them() -> None:
    whole = arc_of(torch.deg2rad(torch.tensor([0.0, 90, 180, 300])).double(), 2 * math.pi)
    assert whole.whole
    assert torch.rad2deg(whole.share).tolist() == pytest.approx([75, 90, 105, 90])
    twice = arc_of(torch.deg2rad(torch.arange(0, 360, 10).double()), math.pi)
    assert float(twice.share.sum()) == pytest.approx(math.pi)
