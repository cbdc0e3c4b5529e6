"""Pictures of scenes by rays and by paths, as means over passes of one ray a pixel.

Memory does not grow with the passes, with gradients neither: each pass is then followed again when its gradient is
taken. Equal seeds give equal pictures, and a part of the pixels is a part of the same picture but for its noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch.utils.checkpoint import checkpoint

from invrender.cameras.lens import cameras_of, has_lens, lens_rays
from invrender.errors import UsageError
from invrender.kernels import Backend
from invrender.kernels.intersect import approached
from invrender.kernels.radiance import SceneArrays, Transport
from invrender.nouns import Camera, Lights
from invrender.nouns.scene import Scene
from invrender.ops.radiance import radiance
from invrender.render import scene_arrays
from invrender.render.edges import EdgeSampling
from invrender.render.pixel_samples import mixed, places
from invrender.render.scene_arrays import Geometry
from invrender.shading.lights import fixed

Tensor = torch.Tensor

RAYS_AT_ONCE = 2**18
DEPTH = {"raytraced": 4, "path": 8}
_AROUND = 1.75  # radius of a sphere that holds the frame's cube


@dataclass(frozen=True)
class Shot:
    """What is followed for a picture, and how closely.

    Attributes:
        mode: "raytraced": light from lamps, environment and emission, through mirrors and glass; "path": all light,
            also what surfaces pass on to each other.
        depth: how often a path is continued from a surface, at most; None: 4, of paths 8.
        spp: rays a pixel. One alone goes through the pixel's centre in mode "raytraced"; else they are spread over it.
        seed: of all random numbers.
        shadows: whether things block the light.
        edges: how closely edges are looked at, whose motion is a part of gradients; None: it is left out.
    """

    mode: Literal["raytraced", "path"] = "raytraced"
    depth: int | None = None
    spp: int = 1
    seed: int = 0
    shadows: bool = True
    edges: EdgeSampling | None = None

    def __post_init__(self) -> None:
        if self.mode not in DEPTH:
            raise UsageError(f"scenes have no mode {self.mode!r}", f"use one of {', '.join(DEPTH)}")
        if self.spp < 1:
            raise UsageError(f"{self.spp} rays a pixel show nothing", "use at least 1")
        if self.depth is not None and self.depth < 0:
            raise UsageError(f"a path cannot be continued {self.depth} times", "use a depth from 0")

    @property
    def transport(self) -> Transport:
        """The same for kernels."""
        depth = DEPTH[self.mode] if self.depth is None else self.depth
        return Transport(depth, indirect=self.mode == "path", shadows=self.shadows)


@dataclass(frozen=True)
class View:
    """A scene made ready to be seen by one camera.

    Attributes:
        arrays: the scene for kernels.
        background: [3] behind everything; None: the environment.
        unseen: [3] a part of the environment that rays of the camera do not see, or None.
        geometry, camera, size, backend, shot: it was made with.
        in_torch: whether the reference twin follows the light.
    """

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
        like = self.arrays.vertices
        start = approached(self.geometry.local(origin), direction.to(self.geometry.centre), _AROUND).to(like)
        given = (self.arrays, start, direction.to(like), seed, self.shot.transport)
        found = self.backend.radiance_torch(*given) if self.in_torch else radiance(self.backend, *given)
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
    """A scene made ready to be seen by a camera; arguments as `picture` has them."""
    if geometry is None:
        dtype = torch.float64 if in_torch else torch.float32
        geometry = scene_arrays.geometry(scene.meshes, backend.device, dtype)
    if geometry.vertices.requires_grad and not in_torch:
        raise UsageError("vertices have no gradient through these kernels", "use `in_torch=True`, or detach them")
    if isinstance(scene.lights, Lights):
        scene = replace(scene, lights=fixed(scene.lights, cameras_of(camera, size, 1.0, 2.0)))
    packed = scene_arrays.arrays(geometry, scene)
    background = None if scene.background is None else packed.backdrop
    unseen = None
    if shot.mode == "path" and isinstance(scene.lights, Lights):
        unseen = packed.ambient
        packed = _all_around(packed)
    return View(packed, background, unseen, geometry, camera, size, backend, shot, in_torch)


def picture(
    scene: Scene,
    camera: Camera,
    size: tuple[int, int],
    backend: Backend,
    shot: Shot,
    *,
    in_torch: bool = False,
    geometry: Geometry | None = None,
    pixels: Tensor | None = None,
) -> Tensor:
    """Linear RGB over the background [H,W,3], or [P,3] for some pixels; differentiable.

    Gradients reach numbers of materials, textures, lights, environment, background and camera. With `shot.edges` they
    tell how edges and hard shadows move, too; see `scene_edges`.

    Args:
        scene: with lights; those that move with the camera do so.
        camera: of any kind.
        size: (H, W) in pixels.
        backend: that follows the light.
        shot: what is followed.
        in_torch: by the reference twin, in float64, whose gradients are of both modes.
        geometry: of the scene's meshes, as `scene_arrays.geometry` makes it; None: it is made here.
        pixels: [P] int64, numbers of pixels row by row from the top; None: all.

    Raises:
        InputError: the meshes cannot be drawn.
        UsageError: gradients are asked for that there are none of.
    """
    return layers(scene, camera, size, backend, shot, in_torch=in_torch, geometry=geometry, pixels=pixels)[..., :3]


def layers(
    scene: Scene,
    camera: Camera,
    size: tuple[int, int],
    backend: Backend,
    shot: Shot,
    *,
    in_torch: bool = False,
    geometry: Geometry | None = None,
    pixels: Tensor | None = None,
) -> Tensor:
    """The same with the share of the rays that meet something: [H,W,4] or [P,4].

    Over a black background the colours are premultiplied with it.
    """
    ready = view(scene, camera, size, backend, shot, in_torch=in_torch, geometry=geometry)
    total = sum((one_pass(ready, number, pixels) for number in range(1, shot.spp)), one_pass(ready, 0, pixels))
    mean = total / shot.spp
    return mean.reshape(*size, 4) if pixels is None else mean


@dataclass(frozen=True)
class Estimate:
    """A picture so far.

    Attributes:
        passes: how many it is the mean of.
        image: [H,W,4] as `layers` has it.
        noise: root mean square over the pixels of the standard error of their luminance, relative to the mean
            luminance, both as a picture shows them, which is white from 1 on; infinite after one pass.
    """

    passes: int
    image: Tensor
    noise: float


def estimate(ready: View, exposure: float = 1.0) -> Iterator[Estimate]:
    """A view's picture after each of its passes.

    Args:
        ready: made by `view`.
        exposure: the factor on luminance with which the noise is judged.
    """
    total = deviation = None
    with torch.no_grad():
        for number in range(ready.shot.spp):
            drawn = one_pass(ready, number).double()
            light = luminance(drawn)
            if total is None or deviation is None:
                total, deviation = drawn, torch.zeros_like(light)
            else:
                before = luminance(total) / number
                total = total + drawn
                deviation = deviation + (light - before) * (light - luminance(total) / (number + 1))  # Welford 1962
            mean = total / (number + 1)
            noise = _noise(exposure * luminance(mean), exposure**2 * deviation, number + 1)
            yield Estimate(number + 1, mean.reshape(*ready.size, 4), noise)


def one_pass(ready: View, number: int, pixels: Tensor | None = None) -> Tensor:
    """One ray for each pixel [P,4], in parts that bound the memory."""
    device = ready.arrays.vertices.device
    every = torch.arange(ready.size[0] * ready.size[1], device=device) if pixels is None else pixels.to(device)
    parts = [_part(ready, number, k, part) for k, part in enumerate(every.split(RAYS_AT_ONCE))]
    return torch.cat(parts) if parts else ready.arrays.vertices.new_zeros(0, 4)


def luminance(colour: Tensor) -> Tensor:
    """Of linear RGB [...,3+] with the primaries of sRGB (ITU-R BT.709), [...]."""
    return 0.2126 * colour[..., 0] + 0.7152 * colour[..., 1] + 0.0722 * colour[..., 2]


def _part(ready: View, number: int, part: int, pixels: Tensor) -> Tensor:
    shot = ready.shot
    centred = shot.mode == "raytraced" and shot.spp == 1
    within = None if centred else places(pixels, number, mixed(shot.seed, 0))
    on_lens = places(pixels, number, mixed(shot.seed, 1)) if has_lens(ready.camera) else None
    rays = lens_rays(ready.camera, ready.size, pixels, within, on_lens)

    def follow(origin: Tensor, direction: Tensor) -> Tensor:
        return ready.seen(origin, direction, mixed(shot.seed, 2, number, part))

    if shot.spp > 1 and torch.is_grad_enabled() and follow_needs_gradient(ready, rays.origin, rays.direction):
        found: Tensor = checkpoint(follow, rays.origin, rays.direction, use_reentrant=False, preserve_rng_state=False)
        return found
    return follow(rays.origin, rays.direction)


def follow_needs_gradient(ready: View, *rays: Tensor) -> bool:
    """Whether reverse mode reaches the rays or the scene."""
    parts = (*vars(ready.arrays).values(), ready.background, ready.unseen, *rays)
    return any(part is not None and part.requires_grad for part in parts)


def _all_around(packed: SceneArrays) -> SceneArrays:
    """The same with the light from everywhere as a part of the environment, which paths then find blocked or not."""
    if _dark(packed.ambient):
        return packed
    around = packed.ambient.expand(1, 1, 3) if not packed.environment.numel() else packed.environment + packed.ambient
    return replace(packed, environment=around, ambient=torch.zeros_like(packed.ambient))


def _dark(light: Tensor) -> bool:
    """Whether there is none, and none that gradients ask about."""
    tangent = torch.autograd.forward_ad.unpack_dual(light).tangent
    return tangent is None and not light.requires_grad and not bool(light.any())


def _noise(mean: Tensor, deviation: Tensor, passes: int) -> float:
    """See `Estimate`: half the width of the interval of one standard error about the mean, as far as it is shown."""
    if passes < 2:
        return float("inf")
    error = (deviation.clamp(min=0) / (passes * (passes - 1))).sqrt()
    shown = ((mean + error).clamp(0, 1) - (mean - error).clamp(0, 1)) / 2
    light = float(mean.clamp(0, 1).mean())
    spread = float(shown.square().mean().sqrt())
    return spread / light if light > 0 else (0.0 if spread == 0 else float("inf"))
