"""Free numbers stand for values within their bounds, and derivatives of both modes are those of differences."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from scipy.spatial.transform import Rotation

from invrender.parameters.encodings import Encoding, above, bounded, direction, linear, polar, positive, rigid, rotated

Tensor = torch.Tensor


def numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def pose() -> Tensor:
    made = torch.eye(4, dtype=torch.float64)
    made[:3, :3] = torch.from_numpy(Rotation.from_euler("xyz", [20, -50, 10], degrees=True).as_matrix())
    made[:3, 3] = numbers(1, 2, 3)
    return made


CASES: dict[str, Callable[[], tuple[Encoding, Tensor]]] = {
    "positive": lambda: (positive(numbers(1, 2, 3)), numbers(0.5, 7, 1e5)),
    "above": lambda: (above(numbers(1.5)[0], 1.0), numbers(1.33)[0]),
    "bounded": lambda: (bounded(numbers(0.5, 0.5), 0, 1), numbers(0.1, 0.9)),
    "linear": lambda: (linear(numbers(1, 2, 3), 5.0), numbers(4, -2, 0)),
    "direction": lambda: (direction(numbers(0, 0, 2)), numbers(0.6, 0, -0.8)),
    "polar": lambda: (polar(numbers(0, 9, 1), numbers(0, 1, 0)), numbers(3, -4, 5)),
    "rigid": lambda: (rigid(torch.eye(4, dtype=torch.float64), 3.0), pose()),
}


@pytest.mark.parametrize("name", CASES)
def test_values_come_back(name: str) -> None:
    encoding, value = CASES[name]()
    assert torch.allclose(encoding.decode(encoding.encode(value)), value, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name: str) -> None:
    encoding, value = CASES[name]()
    for raw in (encoding.encode(value), torch.zeros_like(encoding.encode(value))):
        forward = torch.func.jacfwd(encoding.decode)(raw)
        assert torch.autograd.gradcheck(encoding.decode, raw.requires_grad_(True), check_forward_ad=True)
        assert bool(torch.isfinite(forward).all())


def test_bounds_hold_whatever_the_numbers() -> None:
    extreme = numbers(-800, 30)
    assert bool((bounded(extreme, 0, 1).decode(extreme) <= 1).all())
    assert bool((positive(extreme).decode(numbers(-50, 50)) > 0).all())


def test_values_on_a_bound_start_inside() -> None:
    assert bounded(numbers(0, 1), 0, 1).encode(numbers(0, 1)).isfinite().all()
    assert positive(numbers(0.0)).decode(positive(numbers(0.0)).encode(numbers(0.0))).item() == pytest.approx(0.01)


def test_rotations_are_those_of_scipy() -> None:
    vector = numbers(0.3, -1.2, 2.0)
    assert torch.allclose(rotated(vector), torch.from_numpy(Rotation.from_rotvec(vector.numpy()).as_matrix()))


def test_a_camera_turns_about_what_it_looks_at() -> None:
    turned = rigid(torch.eye(4, dtype=torch.float64), 3.0).decode(numbers(0, math.pi / 2, 0, 0, 0, 0))
    assert torch.allclose(turned[:3, 3], numbers(3, 0, -3), atol=1e-12)  # a quarter of a circle about (0, 0, -3)
    assert torch.allclose(turned[:3, 3] - 3 * turned[:3, 2], numbers(0, 0, -3), atol=1e-12)
