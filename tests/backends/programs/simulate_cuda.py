"""Runs every kernel of the cuda backend in Numba's simulator on small nasty scenes; prints the largest errors."""

from __future__ import annotations

import json

import torch

from invrender.backends import select, self_test
from invrender.kernels import Backend
from invrender.kernels.radiance import DIELECTRIC, Transport
from invrender.nouns.topology import topology
from tests.backends.scene_arrays import box, camera, material, point, spot

NEEDS = ("meshes", "scenes")
SIZE = (7, 10)
CORNERS, FACES = 14, 10


def scene(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two views of a triangle soup; the odd ones reach behind the eye, and some corners are not finite."""
    generator = torch.Generator().manual_seed(seed)
    clip = torch.randn(2, CORNERS, 4, generator=generator)
    clip[..., 3] = clip[..., 3].abs() + (-0.3 if seed % 2 else 0.3)
    if seed == 1:
        clip[0, 3, 0], clip[1, 5, 2] = float("nan"), float("inf")
    return clip, torch.randint(0, CORNERS, (FACES, 3), generator=generator)


def error(value: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference relative to the largest value."""
    return float((value - expected).abs().max() / (expected.abs().max() + 1e-9))


def light(backend: Backend, reference: Backend) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]:
    """Paths and their gradients in a room with a glass ball, but for those few that rounding sends elsewhere."""
    glass = material(transmission=0.9, ior=1.4)
    lights = [point((0.3, -0.6, 0.3)), spot((-0.2, -0.5, 0.7), (0.1, 0.2, -1), (2, 1, 1), 18, 53)]
    room = box(glass, DIELECTRIC, lights=lights, environment=torch.ones(2, 3, 3), dtype=torch.float32)
    rays = (room, *(part.float() for part in camera(6)), 1, Transport(2, indirect=True))
    shown, expected = backend.radiance(*rays), reference.radiance(*rays)
    same = ((shown - expected).abs() < 1e-4).all(1, keepdim=True)
    assert same.double().mean() > 0.9
    needs = frozenset(("materials", "lights", "environment", "origin", "direction"))
    given = (*rays, expected, needs)
    ours, theirs = (each.radiance_adjoint(same * expected, *given) for each in (backend, reference))
    pairs = [(getattr(ours, name), getattr(theirs, name)) for name in sorted(needs)]
    values, others = zip((shown * same, expected * same), *pairs, strict=True)
    return values, others


def main() -> None:
    """Compare with the cpu backend, which is tested against the reference on many more scenes."""
    backend, reference = select("cuda", needs=NEEDS), select("cpu", needs=NEEDS)
    errors: dict[str, float] = {}
    ids_equal = True

    def compare(name: str, values: tuple[torch.Tensor, ...], expected: tuple[torch.Tensor, ...]) -> None:
        worst = max(error(value, other) for value, other in zip(values, expected, strict=True))
        errors[name] = max(errors.get(name, 0.0), worst)

    for seed in range(2):
        clip, faces = scene(seed)
        edges = topology(faces)
        generator = torch.Generator().manual_seed(seed)
        face_id, depth = backend.rasterize(clip, faces, SIZE)
        expected_id, expected_depth = reference.rasterize(clip, faces, SIZE)
        ids_equal &= torch.equal(face_id, expected_id) and torch.equal(depth, expected_depth)
        finite = torch.nan_to_num(clip, posinf=1.0)
        attributes = torch.randn(CORNERS, 2, generator=generator)
        grad, image = torch.randn(2, 2, *SIZE, 2, generator=generator)
        seen, other = (face_id, depth, clip, faces, edges), (grad, attributes, faces, face_id, finite)
        for name, arguments in {
            "interpolate": (attributes, faces, face_id, finite),
            "interpolate_adjoint": other,
            "antialias": (image, *seen),
            "antialias_adjoint": (grad, image, *seen),
        }.items():
            values, expected = getattr(backend, name)(*arguments), getattr(reference, name)(*arguments)
            tuples = [part if isinstance(part, tuple) else (part,) for part in (values, expected)]
            compare(name, *tuples)
        coverage, tape = backend.silhouette_taped(clip, faces, edges, SIZE)
        expected_coverage, expected_tape = reference.silhouette_taped(clip, faces, edges, SIZE)
        compare("silhouette", (coverage,), (expected_coverage,))
        pulled = (backend.silhouette_adjoint(grad[..., 0], tape),)
        compare("silhouette_adjoint", pulled, (reference.silhouette_adjoint(grad[..., 0], expected_tape),))
        masks, believed = torch.rand(2, 2, *SIZE, generator=generator)
        given = (faces, edges, CORNERS, masks, torch.tensor([0.5, 0.2]), believed)
        moved = (torch.randn(CORNERS, 3, generator=generator).double(), 3 * torch.eye(4).repeat(2, 1, 1).double())
        for views in (None, [1]):
            ours, theirs = (each.silhouette_misfit(*given)(*moved, views)[1:] for each in (backend, reference))
            compare("silhouette_misfit", ours, theirs)
        points, origin = clip[0, :, :3].nan_to_num(), torch.randn(40, 3, generator=generator)
        rays = (points, faces, origin, -origin + 0.2 * torch.randn(40, 3, generator=generator))
        ids_equal &= torch.equal(backend.trace(*rays)[0], reference.trace(*rays)[0])
    compare("radiance", *light(backend, reference))
    print(
        json.dumps(
            {
                "description": backend.description,
                "self_test": self_test(backend, NEEDS),
                "ids_equal": ids_equal,
                "errors": errors,
            }
        )
    )


main()
