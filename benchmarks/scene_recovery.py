"""Values recovered from one picture: the lamp from a far start, the camera from many, and two materials at once."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from scene_world import LAMP, POWER, Found, angle, camera, recovered, seen, shot, turned, world

from invrender.kernels import Backend
from invrender.nouns import Material, Mesh, PointLight, Scene

NOISE = 0.01  # standard deviation, of the pictures that poses are found from
Row = tuple[str, str, str, str]
"""Experiment, what was found, the bar, and CPU seconds."""


def light(meshes: Sequence[Mesh], backend: Backend, size: int = 128) -> list[Row]:
    """From intensity 1 at (-1, -10, -50), as RayTracer.jl's example."""
    target = seen(world(meshes, size), backend, shot())
    start = world(meshes, size, PointLight((-1.0, -10.0, -50.0), 1.0, "lamp"))
    found = recovered(start, target, ["light.position", "light.intensity"], backend, shot())
    (lamp,) = found.scene.lights  # type: ignore[misc]
    away = float((torch.as_tensor(lamp.position) - torch.tensor(LAMP)).norm() / torch.tensor(LAMP).norm())
    power = float(lamp.intensity) / POWER - 1
    told = f"position off by {away:.3%}, intensity by {power:+.3%}; {found.evaluations} evaluations"
    return [(f"lamp from far off, {size}^2", told, "1 %, 150 evaluations, 1 CPU-s", f"{found.seconds:.2f}")]


def exposed(scene: Scene, backend: Backend) -> Scene:
    """The scene with its lamp as strong as makes the brightest pixel 1, as one exposes a photograph."""
    (lamp,) = scene.lights
    peak = float(seen(scene, backend, shot()).image.max())
    return replace(scene, lights=(replace(lamp, intensity=float(lamp.intensity) / peak),))


def pose(meshes: Sequence[Mesh], backend: Backend, starts: int, off: Sequence[float], size: int = 96) -> list[Row]:
    """From cameras that are turned by so many degrees, and moved by a tenth of that in world units."""
    rows = []
    truth = exposed(world(meshes, size), backend)
    for degrees in off:
        found: list[Found] = []
        errors: list[float] = []
        for seed in range(starts):
            target = seen(truth, backend, shot(64), NOISE, seed)
            start = turned(truth, degrees, 0.1 * degrees, 1000 + seed)
            found.append(recovered(start, target, ["camera.pose"], backend, shot(16), noise=NOISE, spp=16))
            errors.append(angle(found[-1].scene.cameras[0].pose, truth.cameras[0].pose))
        good = sum(error < 0.5 for error in errors) / starts
        seconds = [each.seconds for each in found]
        told = (
            f"{good:.1%} within .5 degrees of {starts}; median {statistics.median(errors):.3f}, worst {max(errors):.1f}"
        )
        spent = f"{statistics.median(seconds):.2f}, most {max(seconds):.2f}"
        name, bar = f"camera {degrees:g} degrees and {0.1 * degrees:g} off, {size}^2", 95 if degrees <= 5 else 90
        rows.append((name, told, f"{bar} %, 5 CPU-s", spent))
    return rows


def materials(backend: Backend, size: int = 128) -> list[Row]:
    """Kd, Ks and Ns of two balls, from grey with wide highlights."""
    rows, truth = [], balls()
    lamp = PointLight((2.0, 4.0, 5.0), 60.0, "lamp")
    free = [f"material.{mesh.material.name}.{what}" for mesh in truth for what in ("Kd", "Ks", "Ns")]
    for noise in (0.0, NOISE):
        target = seen(before(truth, size, lamp), backend, shot(), noise)
        grey = tuple(_with(mesh, albedo=(0.5,) * 3, specular=(0.1,) * 3, shininess=10.0) for mesh in truth)
        found = recovered(before(grey, size, lamp), target, free, backend, shot())
        errors = {what: _off(found.scene.meshes, truth, what) for what in ("albedo", "specular", "shininess")}
        told = f"Kd off by {errors['albedo']:.4f}, Ks by {errors['specular']:.4f}, Ns by {errors['shininess']:.2%}"
        told += f"; {found.evaluations} evaluations"
        name = f"two materials, {size}^2, noise {noise:g}"
        rows.append((name, told, "Kd .005, Ns 5 %, 2 CPU-s", f"{found.seconds:.2f}"))
    return rows


def balls() -> tuple[Mesh, Mesh]:
    """Two, with a narrow and a wide highlight."""
    import trimesh

    made = []
    for name, at, kd, ks, ns in (
        ("clay", -1.1, (0.6, 0.3, 0.1), 0.2, 20.0),
        ("lacquer", 1.1, (0.1, 0.2, 0.5), 0.4, 80.0),
    ):
        ball = trimesh.creation.icosphere(4, radius=1.0)
        vertices = torch.tensor(ball.vertices) + torch.tensor([at, 0.0, 0.0], dtype=torch.float64)
        material = Material(albedo=kd, specular=(ks,) * 3, shininess=ns, name=name)
        made.append(Mesh(vertices, torch.tensor(ball.faces, dtype=torch.int64), material=material))
    return made[0], made[1]


def before(meshes: Sequence[Mesh], size: int, lamp: PointLight) -> Scene:
    """Meshes in front of a camera."""
    return replace(world(meshes, size, lamp), cameras=(camera(size, (0.0, 1.0, 6.0), (0.0, 0.0, 0.0)),))


def _with(mesh: Mesh, **changes: Any) -> Mesh:
    return replace(mesh, material=replace(mesh.material, **changes))


def _off(found: Sequence[Mesh], truth: Sequence[Mesh], what: str) -> float:
    """The largest error of a number; of exponents relative to the truth."""
    pairs = [(torch.as_tensor(getattr(a.material, what)).double(), torch.as_tensor(getattr(b.material, what)).double())
             for a, b in zip(found, truth, strict=True)]  # fmt: skip
    return max(float(((a - b) / (b if what == "shininess" else 1)).abs().max()) for a, b in pairs)
