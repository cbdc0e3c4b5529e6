"""Whether a backend works here: small scenes with known answers, one for each part that a caller may need."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from invrender.errors import RetryError
from invrender.kernels import PARTS, Backend, Part
from invrender.kernels.floor import floor
from invrender.kernels.radiance import INTENSITY, Transport
from invrender.nouns import Cameras
from invrender.nouns.topology import topology


def self_test(backend: Backend, needs: tuple[Part, ...] = PARTS) -> str:
    """Try the kernels for what is needed: an empty string if the answers are right, else what is wrong.

    Each part of the test calls only kernels that a reconstruction of that kind needs anyway: where they have to be
    compiled, no time is lost.

    Raises:
        MemoryError, RetryError: not the backend's fault: memory is full, or somebody asks to stop.
    """
    for part in needs:
        try:
            problem = _TESTS[part](backend)
        except (MemoryError, RetryError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the backend does not work here
            return f"{type(error).__name__}: {error}".splitlines()[0]
        if problem:
            return problem
    return ""


def _meshes(backend: Backend) -> str:
    """Draw one triangle and move it."""
    clip = torch.tensor([[[-0.49, -0.54, 0, 1], [0.48, -0.54, 0, 1], [-0.49, 0.49, 0, 1]]], device=backend.device)
    faces = torch.tensor([[0, 1, 2]], device=backend.device)
    face_id, depth = backend.rasterize(clip, faces, (16, 16))
    edges = topology(faces)
    area, tape = backend.silhouette_taped(clip, faces, edges, (16, 16))
    growth = (backend.silhouette_adjoint(torch.ones_like(area), tape)[..., :2] * clip[..., :2]).sum()
    # Right angle, legs of 7.76 and 8.24 pixels: area 32, and d area / d scale is twice that.
    if not 24 <= int((face_id == 0).sum()) <= 40 or not bool((depth[face_id == 0].abs() < 1e-6).all()):
        return "the self-test triangle is rasterized wrongly"
    if abs(float(area.sum()) - 32) > 1 or abs(float(growth) - 64) > 2:
        return "the self-test triangle has a wrong area or derivative"
    return ""


def _volumes(backend: Backend) -> str:
    """Measure one density along an axis, there and back."""
    bounds = torch.tensor([[-1.0, -1, -1], [1, 1, 1]], dtype=torch.float64, device=backend.device)
    density = (torch.linspace(-1, 1, 5) + 2).expand(3, 4, 5).contiguous().to(backend.device)
    lens = torch.tensor([[[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, -0.2], [0, 0, -1, 0]]], dtype=torch.float64)
    eye = torch.eye(4, dtype=torch.float64)[None]
    eye[0, 2, 3] = -3
    ray = torch.tensor([[-3.0, 0.3, 0.2]], dtype=torch.float64, device=backend.device)
    depth = backend.line_integral(density, bounds, ray, torch.tensor([[1.0, 0, 0]]).to(ray))
    rays = backend.joseph_rays((3, 4, 5), bounds, Cameras(eye, lens, (1, 1)))
    one = torch.ones(len(rays.pixels), device=backend.device)
    gradient, loss = rays.normal(density, 0 * one, one)
    slope = float((gradient * density).sum())
    # The density is x + 2: 4 along x, and along z in the middle 4 as well, so half its square is 8 and the slope 16.
    if abs(float(depth.sum()) - 4) > 1e-3:
        return "the self-test density has a wrong optical depth"
    if abs(loss - 8) > 1e-2 or abs(slope - 16) > 2e-2:
        return "the self-test density has a wrong projection or derivative"
    return ""


def _scenes(backend: Backend) -> str:
    """Light a floor from one point, and see how it gets brighter."""
    rays = torch.tensor([[0.0, 0, 1], [5.0, 0, 1]], device=backend.device)
    down = torch.tensor([[0.0, 0, -1]] * 2, device=backend.device)
    scene, transport = floor(backend.device), Transport(depth=0)
    shown = backend.radiance(scene, rays, down, 0, transport)
    given = (scene, rays, down, 0, transport, shown, frozenset({"lights"}))
    found = backend.radiance_adjoint(torch.ones_like(shown), *given).lights
    # Lambert's law: albedo 1, intensity pi, distance 2 upright; the second ray meets nothing.
    if (shown - shown.new_tensor([[0.25, 0.25, 0.25, 1], [0, 0, 0, 0]])).abs().max() > 1e-4:
        return "the self-test scene is lit wrongly"
    if found is None or abs(float(found[0, INTENSITY]) * math.pi - 0.25) > 1e-4:
        return "the self-test scene has a wrong derivative"
    return ""


_TESTS: dict[Part, Callable[[Backend], str]] = {"meshes": _meshes, "volumes": _volumes, "scenes": _scenes}
