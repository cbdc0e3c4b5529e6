"""Light through media against what is known, with many samples: a table of biases and z-scores.

    python -m benchmarks.scattering_physics [--rays 200000] [--seeds 16] [--backend cpu]

Run from the folder of the sources, since the answers are those of the tests. A z-score is a distance in standard
errors of means over independent seeds: of many, one in 370 is beyond 3. Extinction is checked in five directions:
random weights of its vertices, between the estimators and in the answers of quadrature and of layers.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import torch

from invrender.backends import select
from invrender.kernels import Backend
from invrender.kernels.radiance import DIRECTION, ENDLESS, INTENSITY, SceneArrays, Transport
from tests.backends.medium_answers import layers
from tests.backends.scene_arrays import alike, as_type, camera, medium, point, sun
from tests.backends.test_medium import LAMP, ONCE, TOWARDS, WHITE, many, once, ramp, uneven
from tests.backends.test_medium_gradients import PATHS, SINGLE, gradients

Tensor = torch.Tensor


def row(name: str, found: Tensor, expected: float) -> None:
    """Numbers [S] of seeds beside what is expected."""
    error = float(found.std()) / len(found) ** 0.5
    apart = float(found.mean()) - expected
    z = apart / error if error > 1e-9 else 0.0
    print(f"{name:58} {float(found.mean()):10.5f} {expected:10.5f} {apart:+10.1e} {error:9.1e} {z:+6.2f}", flush=True)


def means(
    kernels: Backend, arrays: SceneArrays, rays: tuple[Tensor, Tensor], transport: Transport, seeds: int
) -> Tensor:
    """Of the first channel, for each seed."""
    narrow, (origin, direction) = as_type(arrays, torch.float32), (part.float().contiguous() for part in rays)
    runs = (kernels.radiance(narrow, origin, direction, seed, transport)[:, 0] for seed in range(seeds))
    return torch.stack([run.double().mean() for run in runs])


def forward(kernels: Backend, rays: int, seeds: int) -> None:
    """Furnaces, light scattered once, slabs, and looking for the sky."""
    side = round(rays**0.5)
    for looked in (False, True):
        transport = Transport(ENDLESS, indirect=True, sky=looked)
        cloud = medium(uneven(9, 12.0), 1.0, 0.6, environment=WHITE)
        row(f"furnace, sky looked for: {looked}", means(kernels, cloud, camera(side), transport, seeds), 1.0)
    lights = [sun(TOWARDS, (ONCE["irradiance"],) * 3), point(LAMP, (ONCE["intensity"],) * 3)]
    cube = medium(ramp(), ONCE["albedo"], ONCE["asymmetry"], ONCE["emission"], lights=lights)
    answer = float(once().seen(*camera(side)).mean())
    row("light scattered once, by quadrature", means(kernels, cube, camera(side), SINGLE, seeds), answer)
    for albedo in (1.0, 0.6):
        slab, ray = slab_of(albedo)
        row(f"slab of albedo {albedo}, by layers", means(kernels, slab, many(ray, rays), PATHS, seeds),
            layers(2.0, albedo, (0.8, 0.6))[0])  # fmt: skip
    sky = torch.full((6, 8, 3), 0.2)
    sky[1, 2] = 6.0
    cloud = medium(uneven(5), 0.9, 0.5, environment=sky)
    for depth in (0, 2, ENDLESS):
        one, other = (
            means(kernels, cloud, camera(side), Transport(depth, indirect=True, sky=k), seeds) for k in (True, False)
        )
        other = other.roll(1)  # else both are of the same paths
        row(f"sky looked for less sky met, depth {depth}", one - other, 0.0)


def slab_of(albedo: float) -> tuple[SceneArrays, tuple[tuple[float, ...], tuple[float, ...]]]:
    """An optical thickness of 2, wide enough to have no sides, under a light; and a ray that sees it."""
    slab = medium(alike(50.0), albedo, box=((-1, -1, -0.02), (1, 1, 0.02)), lights=[sun((0.0, 0.8, 0.6))])
    return slab, ((0.6, 0.0, 0.82), (-0.6, 0.0, -0.8))


def derivatives(kernels: Backend, rays: int, seeds: int) -> None:
    """Against quadrature and layers, and between estimators."""
    side, answer = round(rays**0.5), once()
    free = {name: getattr(answer, name).clone().requires_grad_() for name in (*ONCE, "sun")}
    slopes = torch.autograd.grad(replace(answer, **free).seen(*camera(side)).mean(), list(free.values()))
    expected = dict(zip(free, slopes, strict=True))
    lights = [sun(TOWARDS, (ONCE["irradiance"],) * 3), point(LAMP, (ONCE["intensity"],) * 3)]
    cube = medium(ramp(), ONCE["albedo"], ONCE["asymmetry"], ONCE["emission"], lights=lights)
    place = torch.linspace(-0.5, 0.5, 5).double()[:, None]
    for name in ("differential", "analog", "null", "singular"):
        found = gradients(kernels, cube, camera(side), replace(SINGLE, estimator=name), seeds)
        row(f"once, {name}: extinction", found["extinction"].sum((1, 2, 3, 4)), float(expected["extinction"]))
        row(f"once, {name}: its slope", (found["extinction"] * place).sum((1, 2, 3, 4)), float(expected["ramp"]))
    for name in ("albedo", "asymmetry", "emission"):
        row(f"once: {name}", found[name].sum((1, 2, 3, 4)), float(expected[name]))
    row("once: the sun's irradiance", found["lights"][:, 0, INTENSITY], float(expected["irradiance"]))
    across = torch.linalg.cross(answer.sun, torch.tensor([0.0, 0, 1]).double())
    for axis in (across, torch.linalg.cross(across, answer.sun)):
        turned = found["lights"][:, 0, DIRECTION : DIRECTION + 3] @ axis
        row("once: the sun's direction", turned, float(expected["sun"] @ axis))
    for albedo in (1.0, 0.6):
        slab, ray = slab_of(albedo)
        found = gradients(kernels, slab, many(ray, rays), names=("extinction", "albedo"), seeds=seeds)
        by_albedo = [layers(2.0, albedo + step, (0.8, 0.6))[0] for step in (0, -1e-4)]
        row(f"slab of albedo {albedo}: thickness", found["extinction"].sum((1, 2, 3, 4)) * 25,
            layers(2.0, albedo, (0.8, 0.6))[1])  # fmt: skip
        row(f"slab of albedo {albedo}: albedo", found["albedo"].sum((1, 2, 3, 4)),
            (by_albedo[0] - by_albedo[1]) / 1e-4)  # fmt: skip


def estimators(kernels: Backend, rays: int, seeds: int) -> None:
    """Differences of each from analog, where there is something everywhere, in five directions."""
    cloud = medium(1 + uneven(5, 6.0), 0.9, 0.4, 0.1, lights=[sun((0.2, -0.9, 0.4))], environment=0.4 * WHITE)
    weights = torch.randn(5, 5, 5, 5, 1, generator=torch.Generator().manual_seed(2)).double()
    for depth in (1, 3, ENDLESS):
        found = {}
        for name in ("analog", "differential", "null", "singular"):
            transport = Transport(depth, indirect=True, estimator=name)
            given = gradients(kernels, cloud, camera(round(rays**0.5)), transport, seeds, ("extinction",))
            found[name] = torch.einsum("szyxc,kzyxc->sk", given["extinction"], weights)
        for name in ("differential", "null", "singular"):
            for k in range(5):
                apart = found[name][:, k] - found["analog"][:, k].roll(1)
                row(f"{name} less analog, depth {depth}, direction {k}", apart, 0.0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rays", type=int, default=200000)
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--backend", default="cpu")
    asked = parser.parse_args()
    kernels = select(asked.backend, needs=("scenes",))
    print(f"{'':58} {'found':>10} {'expected':>10} {'apart':>10} {'error':>9} {'z':>6}")
    forward(kernels, asked.rays, asked.seeds)
    derivatives(kernels, asked.rays // 4, asked.seeds)
    estimators(kernels, asked.rays // 4, asked.seeds)


if __name__ == "__main__":
    main()
