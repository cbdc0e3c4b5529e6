"""Kernels of light transport and their adjoints beside the reference, path by path: random numbers are the same."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch

from invrender.kernels import Backend
from invrender.kernels.radiance import CLASSIC, DIELECTRIC, GLOSSY, KD, UNLIT, RadianceGradient, SceneArrays, Transport
from tests.backends.scene_arrays import as_type, box, camera, material, point, spot, sun

Tensor = torch.Tensor

LIGHTS = [point((0.3, -0.6, 0.3)), spot((-0.2, -0.5, 0.7), (0.1, 0.2, -1), (2, 1, 1), 18, 53), sun((0.2, -0.9, 0.4))]
BALLS = {
    "classic": (CLASSIC, material(Kd=(0.3, 0.3, 0.5), Ks=0.4, Ns=25, mirror=0.2)),
    "glossy": (GLOSSY, material(Kd=(0.6, 0.3, 0.5), roughness=0.4, metallic=0.5)),
    "glass": (DIELECTRIC, material(transmission=(0.9, 0.8, 0.9), ior=1.4)),
    "unlit": (UNLIT, material(Kd=(0.3, 0.3, 0.5))),
    "veil": (CLASSIC, material(Kd=0.6, Ke=0.3, opacity=0.5)),
    "textured": ([GLOSSY, 0, 1], material(Kd=0.9, roughness=0.8, metallic=0.7)),
}
ALL = frozenset(field.name for field in fields(RadianceGradient))
TRANSPORTS = [Transport(2), Transport(4, indirect=True, roulette=2), Transport(3, indirect=True, shadows=False)]


def arrays(name: str, sky: bool) -> SceneArrays:
    """A room with everything in it."""
    kind, row = BALLS[name]
    random = torch.Generator().manual_seed(4)
    picture = torch.rand(3, 5, 3, generator=random)
    plain = box(row, kind, lights=LIGHTS, ambient=torch.tensor([0.1, 0.2, 0.3]), backdrop=torch.tensor([0.3, 0.2, 0.1]))
    plain = replace(plain, environment=picture.double()) if sky else plain
    if name != "textured":
        return plain
    return replace(
        plain,
        uv=torch.rand(len(plain.faces), 3, 2, generator=random).double() * 1.5,
        colours=0.5 + torch.rand(len(plain.faces), 3, 3, generator=random).double() / 2,
        texels=0.3 + torch.rand(4 * 3 + 2 * 3, 3, generator=random).double() * 0.7,
        textures=torch.tensor([[0, 4, 3], [12, 2, 3]]),
    )


@pytest.fixture(scope="module", params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def kernels(request, open_backend) -> Backend:
    return open_backend(request.param)


@pytest.mark.parametrize("transport", TRANSPORTS, ids=["rays", "paths", "no shadows"])
@pytest.mark.parametrize("name", BALLS)
def test_paths_and_their_adjoints_are_those_of_the_reference(kernels, reference_adjoint, name, transport):
    exact = arrays(name, sky=transport.depth > 2)
    narrow = as_type(exact, torch.float32)
    origin, direction = camera(24)
    rays = (origin, direction, 7, transport)
    short = (origin.float(), direction.float(), 7, transport)
    expected, shown = kernels.radiance_torch(exact, *rays), kernels.radiance(narrow, *short)
    same = ((shown - expected).abs() < 1e-3 * (1 + expected.abs())).all(1)
    assert same.double().mean() > 0.985  # rounding sends few paths elsewhere
    assert torch.allclose(shown.double().mean(0), expected.mean(0), atol=0.02)
    grad = torch.randn(len(shown), 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * same[:, None]
    wanted = reference_adjoint(kernels)(grad, exact, *rays, expected, ALL)
    found = kernels.radiance_adjoint(grad.float(), narrow, *short, shown, ALL)
    for part in ALL:
        value, other = getattr(found, part).double(), getattr(wanted, part)
        assert value.shape == other.shape
        if not value.numel():
            continue
        scale = other.abs().amax(0) if part in ("materials", "lights") else other.abs().max()
        off = (value - other).abs() > 2e-3 * scale + 1e-5
        assert off.double().mean() <= (0.02 if part in ("origin", "direction") else 0), (part, off.nonzero())


@pytest.fixture(scope="module")
def reference_adjoint():
    from invrender.backends.torch.radiance_over import radiance_adjoint_by

    return lambda backend: radiance_adjoint_by(backend.trace)


def test_what_is_not_asked_for_is_not_given(kernels):
    exact = as_type(arrays("classic", False), torch.float32)
    origin, direction = (part.float() for part in camera(4))
    shown = kernels.radiance(exact, origin, direction, 1, Transport(1))
    found = kernels.radiance_adjoint(shown, exact, origin, direction, 1, Transport(1), shown, frozenset({"lights"}))
    assert [name for name in ALL if getattr(found, name) is not None] == ["lights"]


def test_results_depend_on_the_seed_and_not_on_threads(open_backend, monkeypatch):
    kernels = open_backend("cpu")
    exact = as_type(arrays("textured", True), torch.float32)
    origin, direction = (part.float() for part in camera(40))
    transport, results = Transport(3, indirect=True), []
    for threads in (1, 3):
        monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
        monkeypatch.setattr("invrender.backends.cpu.threads.thread_count", lambda threads=threads: threads)
        shown = kernels.radiance(exact, origin, direction, 5, transport)
        found = kernels.radiance_adjoint(shown, exact, origin, direction, 5, transport, shown, ALL)
        results.append([shown, *(getattr(found, name) for name in sorted(ALL))])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
    assert not torch.equal(results[0][0], kernels.radiance(exact, origin, direction, 6, transport))
    few = kernels.radiance(exact, origin[:9], direction[:9], 5, transport)
    assert torch.equal(few, results[0][0][:9])  # a ray's path does not depend on the others


def test_a_path_through_black_keeps_what_its_lights_would_add(kernels):
    """A black floor under a light that is off: the derivative with either is that of the other, not zero."""
    dark = arrays("classic", False)
    lights = dark.lights.clone()
    lights[0, 6:9] = 0
    dark = as_type(replace(dark, lights=lights[:1], light_kinds=dark.light_kinds[:1]), torch.float32)
    origin, direction = (part.float() for part in camera(8))
    shown = kernels.radiance(dark, origin, direction, 1, Transport(0))
    ones = torch.ones_like(shown)
    found = kernels.radiance_adjoint(ones, dark, origin, direction, 1, Transport(0), shown, ALL)
    assert (found.lights[0, 6:9] > 1e-2).all()
    black = replace(dark, materials=dark.materials.clone(), lights=lights[:1].float() + 1)
    black.materials[:, KD : KD + 3] = 0
    shown = kernels.radiance(black, origin, direction, 1, Transport(0))
    found = kernels.radiance_adjoint(ones, black, origin, direction, 1, Transport(0), shown, ALL)
    assert (found.materials[0, KD : KD + 3] > 1e-2).all()
