"""Pictures of scenes by rays and by paths, as means over passes of one ray a pixel.

Memory does not grow with the passes, with gradients neither: each pass is then followed again when its gradient is
taken. Equal seeds give equal pictures, and a part of the pixels is a part of the same picture but for its noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch.utils.checkpoint import checkpoint

from invrender.cameras.lens import has_lens, lens_rays
from invrender.kernels import Backend
from invrender.nouns import Camera
from invrender.nouns.scene import Scene
from invrender.render.pixel_samples import mixed, places
from invrender.render.scene_arrays import Geometry
from invrender.render.scene_edges import SceneEdges, edge_motion, scene_edges
from invrender.render.scene_view import Shot, View, view

__all__ = ["Estimate", "SceneEdges", "Shot", "View", "estimate", "layers", "picture", "scene_edges", "view"]

Tensor = torch.Tensor

RAYS_AT_ONCE = 2**18


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
    edges: SceneEdges | None = None,
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
        edges: what `scene_edges` found for the same scene and camera, for many derivatives at one place; None: it is
            found here, where `shot.edges` asks for it and a gradient with something that moves edges is asked for.

    Raises:
        InputError: the meshes cannot be drawn.
        UsageError: gradients are asked for that there are none of.
    """
    ready = view(scene, camera, size, backend, shot, in_torch=in_torch, geometry=geometry)
    drawn = _mean(ready, pixels)[:, :3]
    motion = edge_motion(ready, edges)
    if motion is not None:
        motion = motion.reshape(-1, 3).to(drawn)
        drawn = drawn + (motion if pixels is None else motion[pixels.to(motion.device)])
    return drawn.reshape(*size, 3) if pixels is None else drawn


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
    """The same with the share of the rays that meet something: [H,W,4] or [P,4]; edges have no gradients.

    Over a black background the colours are premultiplied with it.
    """
    ready = view(scene, camera, size, backend, shot, in_torch=in_torch, geometry=geometry)
    mean = _mean(ready, pixels)
    return mean.reshape(*size, 4) if pixels is None else mean


def _mean(ready: View, pixels: Tensor | None) -> Tensor:
    """Of all passes, [P,4]; with gradients nothing is kept of a pass, which is followed again when they are taken."""
    again = ready.shot.spp > 1 and _taped(ready)
    means = []
    for part, some in enumerate(_parts(ready, pixels)):
        total = ready.arrays.vertices.new_zeros(len(some), 4)
        for number in range(ready.shot.spp):
            given = (ready, number, part, some)
            total = total + (
                checkpoint(_part, *given, use_reentrant=False, preserve_rng_state=False) if again else _part(*given)
            )
        means.append(total / ready.shot.spp)
    return torch.cat(means) if means else ready.arrays.vertices.new_zeros(0, 4)


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
    parts = [_part(ready, number, k, part) for k, part in enumerate(_parts(ready, pixels))]
    return torch.cat(parts) if parts else ready.arrays.vertices.new_zeros(0, 4)


def _parts(ready: View, pixels: Tensor | None) -> tuple[Tensor, ...]:
    """The numbers of pixels that are followed at once."""
    device = ready.arrays.vertices.device
    every = torch.arange(ready.size[0] * ready.size[1], device=device) if pixels is None else pixels.to(device)
    return every.split(RAYS_AT_ONCE) if len(every) else ()


def luminance(colour: Tensor) -> Tensor:
    """Of linear RGB [...,3+] with the primaries of sRGB (ITU-R BT.709), [...]."""
    return 0.2126 * colour[..., 0] + 0.7152 * colour[..., 1] + 0.0722 * colour[..., 2]


def _part(ready: View, number: int, part: int, pixels: Tensor) -> Tensor:
    shot = ready.shot
    centred = shot.mode == "raytraced" and shot.spp == 1
    within = None if centred else places(pixels, number, mixed(shot.seed, 0))
    on_lens = places(pixels, number, mixed(shot.seed, 1)) if has_lens(ready.camera) else None
    rays = lens_rays(ready.camera, ready.size, pixels, within, on_lens)
    return ready.seen(rays.origin, rays.direction, mixed(shot.seed, 2, number, part))


def _taped(ready: View) -> bool:
    """Whether reverse mode reaches the scene or the camera."""
    camera = ready.camera
    numbers = (camera.pose, camera.fov, camera.extent, camera.aperture, camera.focus)
    parts = (*vars(ready.arrays).values(), ready.background, ready.unseen, *numbers)
    return torch.is_grad_enabled() and any(isinstance(part, Tensor) and part.requires_grad for part in parts)


def _noise(mean: Tensor, deviation: Tensor, passes: int) -> float:
    """See `Estimate`: half the width of the interval of one standard error about the mean, as far as it is shown."""
    if passes < 2:
        return float("inf")
    error = (deviation.clamp(min=0) / (passes * (passes - 1))).sqrt()
    shown = ((mean + error).clamp(0, 1) - (mean - error).clamp(0, 1)) / 2
    light = float(mean.clamp(0, 1).mean())
    spread = float(shown.square().mean().sqrt())
    return spread / light if light > 0 else (0.0 if spread == 0 else float("inf"))
