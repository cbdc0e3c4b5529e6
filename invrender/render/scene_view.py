"""A scene made ready to be seen by one camera, and what rays see of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch

from invrender.cameras.lens import cameras_of, check_camera
from invrender.errors import UsageError
from invrender.kernels import Backend
from invrender.kernels.intersect import approached
from invrender.kernels.radiance import ENDLESS, Estimator, SceneArrays, Transport
from invrender.nouns import Camera, Lights
from invrender.nouns.scene import Scene
from invrender.ops.radiance import radiance
from invrender.render import scene_arrays
from invrender.render.derivatives import asked_for
from invrender.render.edges import EdgeSampling
from invrender.render.scene_arrays import Geometry
from invrender.shading.lights import fixed

Tensor = torch.Tensor

Kind = Literal["raytraced", "path", "scattering"]
DEPTH: dict[Kind, int] = {"raytraced": 4, "path": 8, "scattering": ENDLESS}
INDIRECT: tuple[Kind, ...] = ("path", "scattering")
_AROUND = 1.75  # radius of a sphere that holds the frame's cube


@dataclass(frozen=True)
class Shot:
    """What is followed for a picture, and how closely.

    Attributes:
        mode: "raytraced": light from lamps, environment and emission, through mirrors and glass; "path": all light,
            also what surfaces pass on to each other, through the medium where there is one; "scattering": the same,
            however often light is scattered.
        depth: how often a path is continued from a surface or in a medium, at most; None: 4, of paths 8, and without
            end where there is a medium or the mode is "scattering".
        spp: rays a pixel. One alone goes through the pixel's centre in mode "raytraced"; else they are spread over it.
        seed: of all random numbers.
        shadows: whether things block the light.
        edges: how closely edges are looked at, whose motion is a part of gradients; None: it is left out. There is
            none of it where there is a medium.
        estimator, sky: of media; see `kernels.radiance.Transport`.
    """

    mode: Kind = "raytraced"
    depth: int | None = None
    spp: int = 1
    seed: int = 0
    shadows: bool = True
    edges: EdgeSampling | None = None
    estimator: Estimator = "differential"
    sky: bool | None = None

    def __post_init__(self) -> None:
        if self.mode not in DEPTH:
            raise UsageError(f"scenes have no mode {self.mode!r}", f"use one of {', '.join(DEPTH)}")
        if self.spp < 1:
            raise UsageError(f"{self.spp} rays a pixel show nothing", "use at least 1")
        if self.depth is not None and self.depth < 0:
            raise UsageError(f"a path cannot be continued {self.depth} times", "use a depth from 0")

    def transport(self, medium: bool = False, behind: bool = False) -> Transport:
        """The same for kernels, through a scene that holds a medium or not, with what is `behind` it."""
        depth = DEPTH["scattering" if medium else self.mode] if self.depth is None else self.depth
        indirect = self.mode in INDIRECT
        return Transport(depth, indirect, self.shadows, estimator=self.estimator, sky=self.sky, behind=behind)


@dataclass(frozen=True)
class View:
    """A scene made ready to be seen by one camera.

    Attributes:
        scene: with lights that have directions of their own.
        arrays: the same for kernels.
        background: [3] behind everything; None: the environment.
        unseen: [3] a part of the environment that rays of the camera do not see, or None.
        geometry, camera, size, backend, shot: it was made with.
        in_torch: whether the reference twin follows the light.
    """

    scene: Scene
    arrays: SceneArrays
    background: Tensor | None
    unseen: Tensor | None
    geometry: Geometry
    camera: Camera
    size: tuple[int, int]
    backend: Backend
    shot: Shot
    in_torch: bool

    def seen(self, origin: Tensor, direction: Tensor, seed: int) -> Tensor:
        """What rays [R,3] of the world with unit directions see: linear RGB, background included, and alpha; [R,4]."""
        return self.followed(*self.started(origin, direction), seed)

    def started(self, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
        """Where rays of the world enter the scene's frame, and their directions, as kernels take them."""
        like = self.arrays.vertices
        start = approached(self.geometry.local(origin), direction.to(self.geometry.centre), _AROUND)
        return start.to(like), direction.to(like)

    def followed(self, start: Tensor, direction: Tensor, seed: int) -> Tensor:
        """What rays see that were `started`."""
        medium, plain = bool(self.scene.media), self.background is not None
        transport = self.shot.transport(medium, behind=medium and plain)
        given = (self.arrays, start, direction, seed, transport)
        found = self.backend.radiance_torch(*given) if self.in_torch else radiance(self.backend, *given)
        if transport.behind:
            return found
        colour, alpha = found[:, :3], found[:, 3:]
        if self.background is not None:
            return torch.cat([colour * alpha + (1 - alpha) * self.background, alpha], 1)
        return found if self.unseen is None else torch.cat([colour - (1 - alpha) * self.unseen, alpha], 1)


def view(
    scene: Scene,
    camera: Camera,
    size: tuple[int, int],
    backend: Backend,
    shot: Shot,
    *,
    in_torch: bool = False,
    geometry: Geometry | None = None,
) -> View:
    """A scene made ready to be seen by a camera; arguments as `scenes.picture` has them."""
    check_camera(camera)
    if scene.media:
        _check_through_medium(camera, shot)
    if geometry is None:
        dtype = torch.float64 if in_torch else torch.float32
        geometry = scene_arrays.geometry(scene.meshes, backend.device, dtype, scene.media)
    if geometry.vertices.requires_grad and not in_torch:
        raise UsageError("vertices have no gradient through these kernels", "use `in_torch=True`, or detach them")
    if isinstance(scene.lights, Lights):
        scene = replace(scene, lights=fixed(scene.lights, cameras_of(camera, size, 1.0, 2.0)))
    packed = scene_arrays.arrays(geometry, scene)
    background = None if scene.background is None else packed.backdrop
    unseen = None
    if shot.mode in INDIRECT and isinstance(scene.lights, Lights):
        unseen = packed.ambient
        packed = _all_around(packed)
    return View(scene, packed, background, unseen, geometry, camera, size, backend, shot, in_torch)


def _check_through_medium(camera: Camera, shot: Shot) -> None:
    if shot.mode not in INDIRECT:
        raise UsageError(f"mode {shot.mode} does not follow light through a medium", "use --mode scattering")
    if asked_for(camera.pose, camera.fov, camera.extent, camera.aperture, camera.focus):
        raise UsageError("cameras have no gradient where there is a medium", "detach the camera's numbers")


def _all_around(packed: SceneArrays) -> SceneArrays:
    """The same with the light from everywhere as a part of the environment, which paths then find blocked or not."""
    if not asked_for(packed.ambient) and not bool(packed.ambient.any()):
        return packed
    around = packed.ambient.expand(1, 1, 3) if not packed.environment.numel() else packed.environment + packed.ambient
    return replace(packed, environment=around, ambient=torch.zeros_like(packed.ambient))
