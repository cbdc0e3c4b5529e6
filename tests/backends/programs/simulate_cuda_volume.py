"""Runs every volume kernel of the cuda backend in Numba's simulator on small nasty scenes; prints the errors."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence

import torch

from invrender.backends import select, self_test
from invrender.backends.cuda.launch import translated
from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rays import camera_rays, index_places
from invrender.kernels.compositing import Rules, Shade
from invrender.kernels.field import Field, FieldRays
from invrender.nouns import Cameras
from invrender.render.sampling import sample_rays

Tensor = torch.Tensor

SHAPES = ((4, 3, 6), (2, 7, 2))  # the second one is one cell thick
BOUNDS = torch.tensor([[-0.5, -0.4, -0.3], [0.5, 0.45, 0.35]], dtype=torch.float64)
SIZE = (3, 3)
EYES = ((1.5, 0.4, 0.9), (0.1, -0.05, 0.02), (0.0, 0.025, 2.0))  # askew, inside, and along an axis
TARGETS = ((0.0, 0.0, 0.0), (9.0, 1.0, 2.0), (0.0, 0.025, 0.0))
RULES = {
    "table": Rules("sequential", 0.1, 0.8),
    "mip": Rules("mip", 0.1, 0.8),
    "colour": Rules("early-termination"),
}

NEEDS = ("volumes",)
CUDA, CPU, REFERENCE = (select(name, needs=NEEDS) for name in ("cuda", "cpu", "torch"))
ERRORS: dict[str, float] = {}


def compare(name: str, values: Sequence[Tensor | float], expected: Sequence[Tensor | float]) -> None:
    """Note the largest difference relative to the largest expected value."""
    for value, other in zip(values, expected, strict=True):
        a, b = torch.as_tensor(value).double(), torch.as_tensor(other).double()
        worst = float((a - b).abs().max() / (b.abs().max() + 1e-9)) if a.shape == b.shape else float("inf")
        ERRORS[name] = max(ERRORS.get(name, 0.0), worst)


def projectors(grid: Tensor, cameras: Cameras, generator: torch.Generator) -> tuple[bool, int]:
    """Exact integrals and Joseph's; whether both backends follow the same rays, and how many rays miss."""
    shape = (grid.shape[0], grid.shape[1], grid.shape[2])
    rays = camera_rays(cameras)
    given, double = (BOUNDS, rays.origin, rays.direction), grid.double()
    depth = REFERENCE.line_integral(double, *given)
    compare("line_integral", [CUDA.line_integral(grid, *given)], [depth])
    pull = torch.rand(len(depth), generator=generator)
    expected = REFERENCE.line_integral_adjoint(pull.double(), double, *given)[0]
    compare("line_integral_adjoint", [CUDA.line_integral_adjoint(pull, grid, *given)[0]], [expected])
    chosen = torch.rand(len(EYES), *SIZE, generator=generator) > 0.2
    support = torch.zeros(shape, dtype=torch.bool)
    support[:, :2, 1:3] = True
    same = True
    for limits in ((), (chosen,), (None, support)):
        ours = CUDA.joseph_rays(shape, BOUNDS, cameras, *limits)
        theirs = REFERENCE.joseph_rays(shape, BOUNDS, cameras, *limits)
        inside = grid * support if len(limits) == 2 else grid  # the reference does not shorten rays to the support
        same &= torch.equal(ours.pixels, theirs.pixels) and (len(limits) == 2 or ours.samples == theirs.samples)
        compare("joseph", [ours.forward(inside)], [theirs.forward(inside.double())])
        values, target, weight = torch.rand(3, len(ours.pixels), generator=generator)
        weight[::3] = 0
        found = (ours.adjoint(values), *ours.normal(inside, target, weight))
        expected = (theirs.adjoint(values.double()), *theirs.normal(inside.double(), target, weight))
        if len(limits) == 2:
            found, expected = (tuple(part * support for part in parts[:2]) + parts[2:] for parts in (found, expected))
        compare("joseph_adjoint", found, expected)
    return same, int((depth == 0).sum())


def back(shape: tuple[int, int, int], cameras: Cameras) -> None:
    """Pictures back into a grid, from outside and from within."""
    images = torch.rand(len(EYES), *SIZE, generator=torch.Generator().manual_seed(1))
    given = index_places(shape, BOUNDS, cameras), shape
    compare("backproject", [CUDA.backproject(images, *given)], [REFERENCE.backproject(images.double(), *given)])


def step(grid: Tensor, generator: torch.Generator) -> None:
    """The step, with some voxels held."""
    gradient, before, curvature = (torch.rand(grid.shape, generator=generator) for _ in range(3))
    curvature = torch.where(curvature < 0.2, torch.inf, curvature + 0.5)
    for weight in (0.0, 0.3):
        given = ((weight, 0.05), 0.7)
        double = (part.double() for part in (grid, gradient, curvature, before))
        compare(
            "smooth_step",
            CUDA.smooth_step(grid, gradient, curvature, before, *given),
            REFERENCE.smooth_step(*double, *given),
        )


def composites(density: Tensor, cameras: Cameras, generator: torch.Generator) -> None:
    """Every kind of sample and every way to put them together, there and back."""
    rays = camera_rays(cameras)
    steps = sample_rays(rays, BOUNDS, (density.shape[0], density.shape[1], density.shape[2]), 0.15, torch.float32)
    lights = torch.nn.functional.normalize(torch.randn(len(steps.count), 2, 3, generator=generator), dim=2)
    shade = Shade(lights.reshape(-1, 6), 0.2, 0.7, 0.4, 5.0, 0.6)
    rules_of = {**RULES, "lit": Rules("early-termination", 0.1, 30.0, shade)}
    for kind, rules in rules_of.items():
        grid, table = density[..., None], None
        if kind in ("lit", "colour"):
            grid = torch.cat([30 * grid, torch.rand(*density.shape, 3, generator=generator)], 3)
        if kind != "colour":
            table = torch.rand(4, 4, generator=generator) * torch.tensor([1, 1, 1, 6.0])
        grad = torch.randn(len(steps.count), 4, generator=generator)
        expected = REFERENCE.composite(grid, steps, table, rules)
        result = CUDA.composite(grid, steps, table, rules)
        compare(f"composite {kind}", [result], [expected])
        parts = CUDA.composite_adjoint(grad, result, grid, steps, table, rules)
        others = REFERENCE.composite_adjoint(grad, expected, grid, steps, table, rules)
        compare(f"composite_adjoint {kind}", parts[: 1 if table is None else 2], others[: 1 if table is None else 2])


def fields(generator: torch.Generator) -> None:
    """Radiance fields against the cpu backend, which leaves the same faint colours out."""
    index = torch.full((4, 5, 6), -1, dtype=torch.int32)
    inside = torch.zeros(index.shape, dtype=torch.bool)
    inside[1:-1, 1:-1, 1:-1] = torch.rand(2, 3, 4, generator=generator) < 0.8
    index[inside] = torch.arange(int(inside.sum()), dtype=torch.int32)
    field = Field(
        2 * torch.randn(len(index[inside]), generator=generator) - 1,
        torch.randn(len(index[inside]), 12, generator=generator), index,
    )  # fmt: skip
    start, end = torch.rand(2, 12, 3, generator=generator) * torch.tensor([5.0, 4.0, 3.0])
    count, step = torch.full((12,), 9, dtype=torch.int32), (end - start) / 9
    count[0] = 0
    rays = FieldRays(start, step, step.norm(dim=1), count, torch.randn(12, 4, generator=generator))
    target = torch.rand(12, 4, generator=generator)
    importlib.import_module("invrender.backends.cuda.field").SCRATCH = 5 * 9 * 9  # numbers: five rays at a time
    compare("field", [CUDA.field(field, rays)], [CPU.field(field, rays)])
    compare("field_misfit", CUDA.field_misfit(field, rays, target), CPU.field_misfit(field, rays, target))
    compare("field_light", [CUDA.field_light(field, rays)], [CPU.field_light(field, rays)])


def main() -> None:
    """Compare with the reference, which is tested against known answers and differences."""
    lens = perspective(50.0, SIZE, 0.1, 4.0).repeat(len(EYES), 1, 1)
    cameras = Cameras(look_at(list(EYES), list(TARGETS)), lens, SIZE)
    same, missed = True, []
    for seed, shape in enumerate(SHAPES):
        generator = torch.Generator().manual_seed(seed)
        grid = torch.rand(shape, generator=generator)
        agree, misses = projectors(grid, cameras, generator)
        same &= agree
        missed.append(misses)
        back(shape, cameras)
        step(grid, generator)
        composites(grid, cameras, generator)
        fields(generator)
    away = CUDA.joseph_rays(SHAPES[0], BOUNDS + 9, cameras)
    driver = ("[700] CUDA_ERROR_OUT_OF_MEMORY: out of memory", "[719] unspecified launch failure", "[1] invalid value")
    print(
        json.dumps(
            {
                "description": CUDA.description,
                "self_test": self_test(CUDA, NEEDS),
                "same_rays": same,
                "missed": missed,
                "nothing_to_do": [away.samples, float(away.adjoint(torch.zeros(0)).abs().max())],
                "exit_codes": [getattr(translated(RuntimeError(text)), "exit_code", None) for text in driver],
                "errors": ERRORS,
            }
        )
    )


main()
