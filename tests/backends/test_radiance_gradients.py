"""Derivatives of light transport: the reference's against differences, in both modes; the kernels' with noise."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.autograd import forward_ad

from invrender.kernels import Backend
from invrender.kernels.radiance import (
    CLASSIC,
    DIELECTRIC,
    EMISSION,
    GLOSSY,
    IOR,
    KD,
    KS,
    OPACITY,
    SceneArrays,
    Transport,
)
from invrender.ops.radiance import radiance
from tests.backends.scene_arrays import as_type, box, camera, material, point, spot, sun

Tensor = torch.Tensor

LIGHTS = [point((0.3, -0.6, 0.3)), spot((-0.2, -0.5, 0.7), (0.1, 0.2, -1), (2, 1, 1), 18, 53), sun((0.2, -0.9, 0.4))]
KINDS = {
    "classic": (CLASSIC, material(Kd=(0.3, 0.3, 0.5), Ks=0.4, Ns=25, mirror=0.4)),
    "glossy": (GLOSSY, material(Kd=(0.6, 0.3, 0.5), roughness=0.4, metallic=0.5)),
    "glass": (DIELECTRIC, material(transmission=(0.9, 0.8, 0.9), ior=1.4)),
}
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # torch's own forward mode
PARTS = ("materials", "lights", "environment", "ambient", "backdrop", "origin", "direction")


@pytest.fixture(scope="module")
def kernels(open_backend) -> Backend:
    return open_backend("cpu")


def arrays(name: str, emission: bool = False) -> SceneArrays:
    kind, row = KINDS[name]
    exact = box(row, kind, lights=LIGHTS, ambient=torch.tensor([0.1, 0.2, 0.3]), backdrop=torch.tensor([0.3, 0.2, 0.1]))
    if not emission:
        exact.materials[:, EMISSION : EMISSION + 3] = 0
    return exact


def moves(exact: SceneArrays, name: str, rays: dict[str, Tensor]) -> Tensor:
    """A step of the part of that name, at random but one that keeps unit vectors and picks the same paths."""
    base = rays[name] if name in rays else getattr(exact, name)
    step = torch.randn(base.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    if name in rays:
        step = step[:1].expand_as(base)
    if name == "direction":
        step = step - (step * base).sum(1, keepdim=True) * base
    if name == "lights":  # which of the numbers there are depends on the kind
        step[0, 3:6], step[2, :3], step[0, 9:], step[2, 9:] = 0, 0, 0, 0
        step[:, 9:] *= 0.1
    if name == "materials":
        step = 0.2 * step * (base != 0)
        step[:, OPACITY] = 0
        step[:, IOR] = 0  # by which refraction is picked; `transposes` has it
    return step


def value(
    kernels: Backend, exact: SceneArrays, rays: dict[str, Tensor], transport: Transport, **changed: Tensor
) -> Tensor:
    lit = replace(exact, **{name: part for name, part in changed.items() if name not in rays})
    both = {**rays, **{name: part for name, part in changed.items() if name in rays}}
    return kernels.radiance_torch(lit, both["origin"], both["direction"], 5, transport)[:, :3]


@pytest.mark.parametrize("depth", [1, 4])
@pytest.mark.parametrize("name", ["classic", "glass"])
def test_the_reference_agrees_with_differences_where_there_is_no_noise(kernels, name, depth):
    """Mirrored rays, and refracted ones if what they are picked by stays; those few whose face changes are left out."""
    exact, rays, transport = arrays(name), dict(zip(("origin", "direction"), camera(20), strict=True)), Transport(depth)
    for part in PARTS if name == "classic" else PARTS[:-2]:
        base = rays[part] if part in rays else getattr(exact, part)
        step, h = moves(exact, part, rays), 1e-6
        after, before = (value(kernels, exact, rays, transport, **{part: base + k * h * step}) for k in (1, -1))
        slope = (after - before) / (2 * h)
        with forward_ad.dual_level():
            dual = value(kernels, exact, rays, transport, **{part: forward_ad.make_dual(base, step)})
            found = forward_ad.unpack_dual(dual).tangent
        found = torch.zeros_like(slope) if found is None else found
        close = (found - slope).abs() < 1e-6 * (1 + slope.abs()) * (20 if part in rays else 1)
        assert close.all(1).double().mean() > (0.93 if part in rays else 0.99), part


@pytest.mark.parametrize("indirect", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_forward_and_reverse_mode_and_the_kernel_are_transposes(kernels, name, indirect):
    """<J x, y> = <x, J' y>, with J by forward mode and J' by reverse mode and by path replay."""
    exact, transport = arrays(name, True), Transport(3, indirect, roulette=2)
    rays = dict(zip(("origin", "direction"), camera(16), strict=True))
    narrow = as_type(exact, torch.float32)
    shown = kernels.radiance(narrow, rays["origin"].float(), rays["direction"].float(), 5, transport)
    exactly = value(kernels, exact, rays, transport)
    same = ((shown[:, :3] - exactly).abs() < 1e-3 * (1 + exactly.abs())).all(1)
    pull = torch.randn(len(shown), 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64) * same[:, None]
    for part in PARTS:
        base = rays[part] if part in rays else getattr(exact, part)
        step = moves(exact, part, rays)
        if not base.numel():
            continue
        with forward_ad.dual_level():
            dual = value(kernels, exact, rays, transport, **{part: forward_ad.make_dual(base, step)})
            tangent = forward_ad.unpack_dual(dual).tangent
        pushed = 0.0 if tangent is None else float((tangent * pull).sum())
        free = base.clone().requires_grad_()
        result = (value(kernels, exact, rays, transport, **{part: free}) * pull).sum()
        pulled = float((torch.autograd.grad(result, free)[0] * step).sum()) if result.requires_grad else 0.0
        assert pulled == pytest.approx(pushed, rel=1e-9, abs=1e-9)
        single = base.float().requires_grad_()
        given = {"origin": rays["origin"].float(), "direction": rays["direction"].float()}
        lit = narrow if part in rays else replace(narrow, **{part: single})
        given.update({part: single} if part in rays else {})
        (radiance(kernels, lit, given["origin"], given["direction"], 5, transport)[:, :3] * pull).sum().backward()
        size = float((single.grad.double() * step).abs().sum())
        assert float((single.grad * step).sum()) == pytest.approx(pushed, abs=3e-4 * size + 1e-5), part


def test_gradients_of_paths_are_the_slopes_of_their_means(kernels):
    """Kd, the lamp, and Ks, which picks other paths when it changes: then the means agree, within noise."""
    exact = as_type(arrays("classic", True), torch.float32)
    origin, direction = (part.float().repeat(300, 1) for part in camera(8))
    transport = Transport(3, indirect=True)  # too short for roulette, which differences do not see through

    def mean(materials: Tensor, seed: int) -> Tensor:
        lit = replace(exact, materials=materials)
        return radiance(kernels, lit, origin, direction, seed, transport)[:, :3].double().mean()

    for row, column, h, noise in ((0, KD, 0.1, 0.02), (3, EMISSION, 1.0, 0.02), (4, KS, 0.1, 0.1)):
        free = exact.materials.clone().requires_grad_()
        mean(free, 1).backward()
        after, before = exact.materials.clone(), exact.materials.clone()
        after[row, column] += h
        before[row, column] -= h
        slope = float(mean(after, 1) - mean(before, 1)) / (2 * h)
        assert float(free.grad[row, column]) == pytest.approx(slope, rel=noise)
