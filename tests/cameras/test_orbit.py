"""The axis that cameras turn about, whatever way it points, and cameras that turn about none."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from invrender.cameras.orbit import Orbit, circular_orbit
from invrender.cameras.projection import look_at, perspective
from invrender.cameras.scan import scan_cameras, scan_geometry
from invrender.nouns import Cameras
from invrender.nouns.scan import ScanSetup

ANGLES = torch.arange(0, 360, 15, dtype=torch.float64)


def scanner(**changes: object) -> Cameras:
    setup = ScanSetup("cone", ANGLES, (20, 30), (0.2, 0.2), 40.0, 60.0)
    return scan_cameras(scan_geometry(dataclasses.replace(setup, **changes)))  # type: ignore[arg-type]


def moved(cameras: Cameras, rotation: torch.Tensor, shift: torch.Tensor) -> Cameras:
    """The same cameras in a world that is turned, then shifted."""
    motion = torch.eye(4, dtype=torch.float64)
    motion[:3, :3], motion[:3, 3] = rotation, shift
    return Cameras(cameras.world_to_camera @ torch.linalg.inv(motion), cameras.projection, cameras.size)


def found(cameras: Cameras, helix: bool = False) -> Orbit:
    orbit = circular_orbit(cameras, helix)
    assert orbit is not None
    return orbit


def test_a_scanner_turns_about_z() -> None:
    orbit = found(scanner(axis_offset=1.5, detector_offset=(2.0, -1.0), tilt=2.0, yaw=1.0, pitch=3.0))

    torch.testing.assert_close(orbit.axis, torch.tensor([0.0, 0, 1], dtype=torch.float64), atol=1e-9, rtol=0)
    torch.testing.assert_close(orbit.centre, torch.zeros(3, dtype=torch.float64), atol=1e-6, rtol=0)
    assert orbit.radius == pytest.approx(math.hypot(40, 1.5))
    torch.testing.assert_close(orbit.angles, torch.deg2rad(ANGLES), atol=1e-9, rtol=0)
    assert orbit.arc == pytest.approx(2 * math.pi)


def test_a_parallel_scanner_is_off_its_axis_by_its_offset() -> None:
    angles = torch.linspace(0, 171, 20, dtype=torch.float64)
    orbit = found(scanner(beam="parallel", angles=angles, axis_offset=1.5))

    torch.testing.assert_close(orbit.centre[:2], torch.zeros(2, dtype=torch.float64), atol=1e-6, rtol=0)
    assert orbit.parallel and orbit.aside == pytest.approx(-1.5)
    assert orbit.arc == pytest.approx(math.pi)


def test_any_axis_anywhere() -> None:
    turn = torch.linalg.qr(torch.tensor([[1.0, 2, 3], [0, 1, 4], [5, 6, 0]], dtype=torch.float64)).Q
    turn = turn * torch.linalg.det(turn)
    shift = torch.tensor([300.0, -20, 7], dtype=torch.float64)
    orbit = found(moved(scanner(), turn, shift))

    torch.testing.assert_close(orbit.axis, turn[:, 2], atol=1e-9, rtol=0)
    torch.testing.assert_close(orbit.centre, shift, atol=1e-6, rtol=0)
    torch.testing.assert_close(orbit.frame, torch.eye(3, dtype=torch.float64), atol=1e-9, rtol=0)


def test_a_turntable_of_pictures() -> None:
    eyes = torch.stack([4 * torch.deg2rad(ANGLES).sin(), torch.ones(24).double(), 4 * torch.deg2rad(ANGLES).cos()], 1)
    cameras = Cameras(look_at(eyes, [0.0, 0, 0]), perspective(40, (64, 64), 0.1, 9).expand(24, 4, 4), (64, 64))
    orbit = found(cameras)

    torch.testing.assert_close(orbit.axis, torch.tensor([0.0, 1, 0], dtype=torch.float64), atol=1e-9, rtol=0)
    assert orbit.radius == pytest.approx(4.0)


def test_a_helix_only_where_asked_for() -> None:
    cameras = scanner(rise=3.0)

    assert circular_orbit(cameras) is None
    assert float(found(cameras, helix=True).heights.diff().mean()) == pytest.approx(3 * 15 / 360)


def test_what_is_no_circle() -> None:
    cameras = scanner()
    wobble = cameras.world_to_camera.clone()
    wobble[5, 0, 3] += 0.2
    zoom = cameras.projection.clone()
    zoom[3, :2] *= 1.1
    generator = torch.Generator().manual_seed(1)
    eyes = 4 * torch.nn.functional.normalize(torch.randn(24, 3, generator=generator, dtype=torch.float64), dim=1)

    assert circular_orbit(dataclasses.replace(cameras, world_to_camera=wobble)) is None
    assert circular_orbit(dataclasses.replace(cameras, projection=zoom)) is None
    assert circular_orbit(dataclasses.replace(cameras, world_to_camera=look_at(eyes, [0.0, 0, 0]))) is None
    assert circular_orbit(cameras[[0, 0, 0, 0]]) is None
    assert circular_orbit(cameras[:2]) is None
