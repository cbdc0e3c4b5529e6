"""Mitsuba 3's shape optimisation on the pictures of `benchmarks/photometric.py`.

As its tutorial has it: Large Steps, uniform Adam, projective sampling of contours, continuous derivatives inside. It
starts from the same hull, remeshed once to the edge length of our second stage, and knows albedo and light. The surface
glows with the colours that our model gives its vertices (albedo * E(normal) / pi, differentiated through the normals)
and reflects nothing: no shadow rays, which the pictures would not show, and so the cheapest that Mitsuba can do. Six
views a step. Rates and weights are the best of a few that were tried (`photometric.md`); kernels are compiled before.
DrJit needs an LLVM of its time: where "Cannot select" ends it, name one in DRJIT_LIBLLVM_PATH (14 and 15 of Debian are
too old).
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from photometric_pictures import SIZE, Drawn

from invrender.geometry.embedded import remesh_embedded
from invrender.nouns import Cameras, Mesh
from invrender.shading.spherical_harmonics import irradiance_basis

Tensor = torch.Tensor

EDGE, RATE, DECAY, LAMBDA = 0.028, 0.003, 0.1, 1.0  # the rate falls by DECAY until time is up
BATCH, SHADING, CONTOURS = 6, 4, 1  # views a step; samples a pixel of the interior and of its contours
LOOK = 10.0  # CPU seconds between two looks at the held-out views


@dataclass(frozen=True)
class Peer:
    """What Mitsuba reached: the mesh, masked PSNR of views held out, CPU seconds, steps, and whether it was enough."""

    mesh: Mesh
    psnr: float
    seconds: float
    steps: int
    reached: bool


def mitsuba() -> Any:
    """The module, or None with a line that says why."""
    try:
        import drjit as dr
        import mitsuba as mi

        mi.set_variant("llvm_ad_rgb")
        dr.eval(mi.Float(1.0))
    except (ImportError, RuntimeError) as error:
        print(f"Mitsuba 3 is left out: {error} (pip install 'invrender[bench]'; and for DrJit an LLVM newer than 15)")
        return None
    mi.set_log_level(mi.LogLevel.Error)
    return mi


def optimised(
    mi: Any, start: Mesh, views: Cameras, given: Drawn, albedo: float, light: Tensor,
    score: Callable[[Mesh], float], enough: float, cap: float,
) -> Peer:  # fmt: skip
    """Optimise a hull [V,3], [F,3] in world units until `score` says `enough` or `cap` CPU seconds are spent."""
    import drjit as dr

    found = remesh_embedded(start.vertices.numpy(), start.faces.numpy(), EDGE)
    scene, params = _scene(mi, found.vertices, found.faces, views)
    large = mi.ad.LargeSteps(params["mesh.vertex_positions"], params["mesh.faces"], LAMBDA)
    descent = mi.ad.Adam(lr=RATE, uniform=True)
    descent["u"] = large.to_differential(params["mesh.vertex_positions"])
    colour = _shading(mi, params["mesh.faces"], albedo, light)
    step = _Step(mi, scene, params, colour, [mi.TensorXf(image.numpy()) for image in given.images])
    step.gradient(large.from_differential(descent["u"]), 0)  # compiles its kernels
    begun, looked, steps = time.process_time(), 0.0, 0
    while True:
        positions = large.from_differential(descent["u"])
        dr.backward(dr.dot(positions, step.gradient(dr.detach(positions), steps)))
        descent.step()
        steps += 1
        spent = time.process_time() - begun
        descent.set_learning_rate(RATE * DECAY ** min(spent / cap, 1.0))
        if spent - looked > LOOK or spent > cap:
            vertices = np.array(large.from_differential(descent["u"])).reshape(-1, 3)
            mesh = Mesh(torch.from_numpy(vertices).double(), torch.from_numpy(found.faces))
            psnr = score(mesh)
            begun, looked = time.process_time() - spent, spent
            if psnr >= enough or spent > cap:
                return Peer(mesh, psnr, spent, steps, psnr >= enough)


@dataclass(frozen=True)
class _Step:
    """The gradient of a batch of views.

    Positions and colours are leaves of their own: where one depends on the other inside one call of Mitsuba's renderer,
    the gradient of contours is lost (3.9.1; found by finite differences).
    """

    mi: Any
    scene: Any
    params: Any
    colour: Callable[[Any], Any]
    pictures: list[Any]

    def gradient(self, positions: Any, number: int) -> Any:
        """Of the mean squared difference of step `number`'s views, with respect to positions [3 V]."""
        import drjit as dr

        dr.enable_grad(positions)
        colours = self.colour(positions)
        glow = dr.detach(colours)
        dr.enable_grad(glow)
        moving = dr.detach(positions)
        dr.enable_grad(moving)
        self.params["mesh.vertex_positions"] = moving
        self.params["mesh.vertex_color"] = glow
        self.params.update()
        groups = len(self.pictures) // BATCH
        loss = 0.0
        for view in range(number % groups, len(self.pictures), groups):
            seed = number * len(self.pictures) + view
            image = self.mi.render(self.scene, self.params, sensor=view, seed=seed)
            loss += dr.mean(dr.square(image - self.pictures[view]), axis=None)
        dr.backward(loss)
        dr.backward(dr.dot(colours, dr.grad(glow)))
        return dr.grad(moving) + dr.grad(positions)


def _scene(mi: Any, vertices: Any, faces: Any, views: Cameras) -> tuple[Any, Any]:
    """A glowing mesh seen by all views, and its parameters."""
    mesh = mi.Mesh("mesh", len(vertices), len(faces))
    mesh.add_attribute("vertex_color", 3, np.full(3 * len(vertices), 0.5, np.float32))
    given = mi.traverse(mesh)
    given["vertex_positions"] = vertices.astype(np.float32).ravel()
    given["faces"] = faces.astype(np.uint32).ravel()
    given.update()
    glow = {"type": "area", "radiance": {"type": "mesh_attribute", "name": "vertex_color"}}
    black = {"type": "diffuse", "reflectance": {"type": "rgb", "value": 0.0}}
    sensors = {f"sensor_{k}": _sensor(mi, pose) for k, pose in enumerate(views.world_to_camera)}
    samples = {"sppc": SHADING, "sppp": CONTOURS, "sppi": 0}
    integrator = {"type": "prb_projective", "max_depth": 1, **samples}
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/mesh.ply"
        mesh.write_ply(path)
        shape = {"type": "ply", "filename": path, "emitter": glow, "bsdf": black}
        scene = mi.load_dict({"type": "scene", "integrator": integrator, "mesh": shape, **sensors})
    return scene, mi.traverse(scene)


def _sensor(mi: Any, world_to_camera: Tensor) -> dict[str, Any]:
    """The same camera for Mitsuba, which looks along +Z with X to the left."""
    pose = torch.linalg.inv(world_to_camera.double()) @ torch.diag(torch.tensor([-1.0, 1.0, -1.0, 1.0]).double())
    film = {"type": "hdrfilm", "width": SIZE, "height": SIZE, "rfilter": {"type": "box"}, "pixel_format": "rgb"}
    to_world = mi.ScalarTransform4f(pose.numpy())
    return {
        "type": "perspective",
        "fov": 45.0,
        "to_world": to_world,
        "film": film,
        "sampler": {"type": "stratified", "sample_count": SHADING},
    }


def _shading(mi: Any, faces: Any, albedo: float, light: Tensor) -> Callable[[Any], Any]:
    """Colours of vertices from their positions, both flat: order 2 is a quadric of the unit normal."""
    import drjit as dr

    a, b, c = (dr.gather(mi.UInt32, faces, 3 * dr.arange(mi.UInt32, len(faces) // 3) + k) for k in range(3))
    normals = torch.nn.functional.normalize(torch.randn(64, 3, dtype=torch.float64, generator=torch.manual_seed(0)))
    x, y, z = normals.unbind(1)
    quadric = torch.stack([x * x, y * y, z * z, x * y, y * z, z * x, x, y, z], 1)
    weights = torch.linalg.lstsq(quadric, irradiance_basis(normals) @ light).solution * (albedo / math.pi)

    def colour(flat: Any) -> Any:
        points = dr.unravel(mi.Point3f, flat)
        p, q, r = (mi.Vector3f(*(dr.gather(mi.Float, axis, k) for axis in points)) for k in (a, b, c))
        sums = [dr.zeros(mi.Float, len(flat) // 3) for _ in range(3)]
        for total, part in zip(sums, dr.cross(q - p, r - p), strict=True):
            for corner in (a, b, c):
                dr.scatter_add(total, part, corner)
        n = dr.normalize(mi.Vector3f(*sums))
        terms = [n.x * n.x, n.y * n.y, n.z * n.z, n.x * n.y, n.y * n.z, n.z * n.x, n.x, n.y, n.z]
        channels = [sum(float(w) * t for w, t in zip(column, terms, strict=True)) for column in weights.T]
        return dr.ravel(mi.Color3f(*(dr.maximum(value, 0.0) for value in channels)))

    return colour
