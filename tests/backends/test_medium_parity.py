"""Kernels of light through media and their adjoints beside the reference, path by path: random numbers are the same."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch

from invrender.kernels import Backend
from invrender.kernels.radiance import ENDLESS, RadianceGradient, SceneArrays, Transport
from tests.backends.scene_arrays import as_type, camera, material, medium, point, quad, sphere, spot, sun

Tensor = torch.Tensor

ASKED = frozenset(field.name for field in fields(RadianceGradient)) - {"origin", "direction"}
LIGHTS = [
    point((0.8, -0.9, 0.3), (2, 1, 1)),
    sun((0.2, -0.9, 0.4)),
    spot((-0.2, -1.5, 0.7), (0.1, 1, -0.4), (2, 1, 1), 18, 53),
]
CASES = {
    "differential": Transport(ENDLESS, indirect=True, floor=2.0),
    "analog": Transport(6, indirect=True, estimator="analog"),
    "null": Transport(6, indirect=True, estimator="null", floor=2.0),
    "singular": Transport(4, indirect=True, estimator="singular", sky=True),
    "surfaces": Transport(5, indirect=True, roulette=2, floor=2.0, sky=False),
    "boundary": Transport(5, indirect=True, floor=2.0, sky=True),
    "no shadows": Transport(2, indirect=True, shadows=False),
}


@pytest.fixture(scope="module", params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def kernels(request, open_backend) -> Backend:
    return open_backend(request.param)


def arrays(name: str, coloured: bool) -> SceneArrays:
    """A medium that is nowhere alike, with what the case needs around it."""
    random = torch.Generator().manual_seed(0)

    def noise(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=random).double()

    given = {"lights": LIGHTS, "environment": noise(4, 8, 3)}
    if name == "surfaces":
        corners = [((-1, -1, -0.6), (2, 0, 0), (0, 2, 0)), ((-1, 0.2, -1), (2, 0, 0), (0, 0, 2))]
        lamp = quad((-0.3, -0.3, 0.97), (0, 0.6, 0), (0.6, 0, 0))
        rows = [material(Kd=0.7), material(Kd=(0.5, 0.2, 0.2), Ks=0.3), material(Kd=0.1, Ke=5)]
        given = {**given, "parts": [*(quad(*part) for part in corners), lamp], "materials": rows}
    if name == "boundary":
        given = {**given, "boundary": sphere(0.4)[0], "environment": torch.ones(1, 1, 3)}
    extinction = 8 * noise(5, 7, 8, 3 if coloured else 1)
    return medium(extinction, 0.5 + noise(2, 3, 2, 3) / 2, 0.8 * noise(2, 2, 2, 1) - 0.3, noise(2, 2, 3, 3), **given)


@pytest.mark.parametrize(
    ("name", "coloured"), [*((name, False) for name in CASES), ("differential", True), ("null", True)]
)
def test_paths_and_their_adjoints_are_those_of_the_reference(kernels, name, coloured):
    from invrender.backends.torch.radiance_over import radiance_adjoint_by

    exact, (origin, direction), transport = arrays(name, coloured), camera(12), CASES[name]
    narrow, rays, short = (
        as_type(exact, torch.float32),
        (origin, direction, 7, transport),
        (origin.float(), direction.float()),
    )
    expected, shown = kernels.radiance_torch(exact, *rays), kernels.radiance(narrow, *short, 7, transport)
    same = ((shown - expected).abs() < 1e-3 * (1 + expected.abs())).all(1)
    assert same.double().mean() > 0.99  # rounding sends few paths elsewhere
    grad = torch.randn(len(shown), 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * same[:, None]
    wanted = radiance_adjoint_by(kernels.trace)(grad, exact, *rays, expected, ASKED)
    found = kernels.radiance_adjoint(grad.float(), narrow, *short, 7, transport, shown, ASKED)
    for part in ASKED:
        value, other = getattr(found, part).double(), getattr(wanted, part)
        assert value.shape == other.shape
        if value.numel():
            # A nested path that rounding sends elsewhere changes a few vertices of the extinction's gradient alone.
            off = (value - other).abs() > 2e-3 * other.abs().max() + 1e-6
            assert off.double().mean() <= (0.02 if part == "extinction" else 0), (part, off.nonzero())


def test_results_do_not_depend_on_threads_or_other_rays(open_backend, monkeypatch):
    kernels = open_backend("cpu")
    exact, (origin, direction) = (
        as_type(arrays("differential", False), torch.float32),
        (part.float() for part in camera(40)),
    )
    transport, results = CASES["differential"], []
    for threads in (1, 3):
        monkeypatch.setattr("invrender.backends.cpu.threads.thread_count", lambda threads=threads: threads)
        shown = kernels.radiance(exact, origin, direction, 5, transport)
        found = kernels.radiance_adjoint(shown, exact, origin, direction, 5, transport, shown, ASKED)
        results.append([shown, *(getattr(found, name) for name in sorted(ASKED))])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
    assert torch.equal(kernels.radiance(exact, origin[:9], direction[:9], 5, transport), results[0][0][:9])
    assert not torch.equal(kernels.radiance(exact, origin, direction, 6, transport), results[0][0])


def test_a_replayed_path_ends_with_nothing_left(kernels):
    """What was seen is used up, bit by bit: gradients with albedo and light of a path whose rest is 0 are exactly 0."""
    exact = as_type(arrays("analog", False), torch.float32)
    dark = SceneArrays(**{**vars(exact), "environment": torch.zeros(1, 1, 3), "emission": torch.zeros(0, 0, 0, 3)})
    dark = SceneArrays(**{**vars(dark), "lights": torch.zeros(0, 11), "light_kinds": torch.zeros(0, dtype=torch.int64)})
    origin, direction = (part.float() for part in camera(12))
    for estimator in ("differential", "analog", "null", "singular"):
        transport = Transport(8, indirect=True, estimator=estimator, floor=2.0)
        shown = kernels.radiance(dark, origin, direction, 3, transport)
        assert (shown[:, :3] == 0).all()
        found = kernels.radiance_adjoint(torch.ones_like(shown), dark, origin, direction, 3, transport, shown, ASKED)
        for part in ("extinction", "albedo", "asymmetry"):
            assert (getattr(found, part) == 0).all(), (estimator, part)
