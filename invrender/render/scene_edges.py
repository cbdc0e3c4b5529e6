"""How outlines and hard shadows of scenes move with cameras, lights and vertices: what pictures by rays lack.

See `boundary` for the equation, `edges` and `shadow_edges` for the lines. Points on them are found without gradients
(`scene_edges`) and serve any number of derivatives at one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch

from invrender.cameras.lens import cameras_of, has_lens
from invrender.errors import UsageError
from invrender.kernels import radiance as seam
from invrender.kernels.radiance import SceneArrays
from invrender.nouns import Lights
from invrender.nouns.light import DirectionalLight, Light
from invrender.render.boundary import Points, boundary, moved
from invrender.render.derivatives import asked_for
from invrender.render.edges import DEFAULT, EdgeTask, edge_points
from invrender.render.pixel_samples import mixed
from invrender.render.scene_view import View
from invrender.render.screen import Frame, screen_from_frame
from invrender.render.shadow_edges import ShadowTask, shadow_edge_points

Tensor = torch.Tensor

_NEAR, _FAR = 1e-3, 1e3  # of the frame: of cameras as matrices, which are not clipped here


@dataclass(frozen=True)
class SceneEdges:
    """Points on the lines across which a picture jumps.

    Attributes:
        outlines: on edges of meshes; their lines move with positions and camera.
        shadows: for the number of a light, points on the borders of its shadows, which move with the light as well.
    """

    outlines: tuple[Points, ...]
    shadows: tuple[tuple[int, tuple[Points, ...]], ...]


def scene_edges(ready: View) -> SceneEdges:
    """Points on the edges of a view, as `ready.shot.edges` asks for them; without gradients."""
    positions, screen, lights = (part.detach() for part in _moving(ready))
    outlines = tuple(edge_points(_edge_task(ready), positions, screen))
    shadows = tuple(
        (k, tuple(shadow_edge_points(_shadow_task(ready, k), positions, screen, lights[k]))) for k in _casting(ready)
    )
    return SceneEdges(outlines, shadows)


def edge_motion(ready: View, edges: SceneEdges | None = None) -> Tensor | None:
    """Zeros [1,H,W,3] with the derivative of how edges move, or None where there is none.

    The reference twin's have both modes; those of kernels are found when a gradient is asked for, and only then.

    Args:
        ready: the view.
        edges: found before, for the same view; None: found here.

    Raises:
        UsageError: there is a medium, through which edges are not followed.
    """
    if edges is None and (ready.shot.edges is None or has_lens(ready.camera) or not edges_move(ready)):
        return None
    if ready.scene.media:
        raise UsageError("how edges move is not known where there is a medium", "leave `edges` out of the shot")
    image = ready.geometry.surface.positions.new_zeros(1, *ready.size, 3)
    positions, screen, lights = _moving(ready)
    if edges is None and not ready.in_torch:
        total = boundary(image, partial(edge_points, _edge_task(ready)), positions, screen)
        for k in _casting(ready):
            find = partial(shadow_edge_points, _shadow_task(ready, k))
            total = total + boundary(image, find, positions, screen, lights[k])
        return total
    found = scene_edges(ready) if edges is None else edges
    total = moved(image, found.outlines, positions, screen)
    for k, points in found.shadows:
        total = total + moved(image, points, positions, screen, lights[k])
    return total


def edges_move(ready: View) -> bool:
    """Whether derivatives are asked for with something that moves edges."""
    camera, lights = ready.camera, ready.scene.lights
    moving = [ready.geometry.surface.positions, camera.pose, camera.fov, camera.extent]
    if ready.shot.shadows:
        several = (lights,) if isinstance(lights, Lights) else lights
        moving += [getattr(light, name, None) for light in several for name in ("position", "direction")]
    return asked_for(*moving)


def left_out(ready: View) -> Iterator[str]:
    """What of the motion of edges is no part of the derivatives, in words."""
    if has_lens(ready.camera):
        yield "edges are blurred by the lens, and how they move is left out"
    materials = [mesh.material for mesh in ready.scene.meshes]
    if any(each.mirrors or each.refracts or each.glossy for each in materials):
        yield "how edges move that are seen in mirrors or through glass is left out"
    if any(isinstance(each.opacity, Tensor) or each.opacity < 1 for each in materials):
        yield "how edges move that are seen through other surfaces is left out"
    soft = ready.arrays.environment.numel() > 0 or any(each.emits for each in materials)
    if ready.shot.shadows and soft:
        yield "how soft shadows of environment and emitting surfaces move is left out"
    if ready.shot.mode == "path":
        yield "how the edges of shadows move that indirect light shows is left out"


def _moving(ready: View) -> tuple[Tensor, Tensor, Tensor]:
    """Positions [V,3] in the frame, the camera [1,4,4] from the frame to the screen, lights [L,4] in the frame."""
    frame = _frame(ready)
    positions = frame.local(ready.geometry.surface.positions)
    reach = frame.unit
    cameras = cameras_of(ready.camera, ready.size, _NEAR * reach, _FAR * reach)
    return positions, screen_from_frame(cameras, frame), _lights(ready, frame)


def _frame(ready: View) -> Frame:
    return Frame(ready.geometry.centre, ready.geometry.unit)


def _lights(ready: View, frame: Frame) -> Tensor:
    """Homogeneous points [L,4] in the frame, in the order of the arrays."""
    lights = ready.scene.lights
    if isinstance(lights, Lights):
        towards = torch.as_tensor(lights.direction, dtype=torch.float64).reshape(-1, 3)
        world = torch.cat([towards, torch.zeros_like(towards[:, :1])], 1)
    else:
        world = torch.stack([_point(light) for light in lights]) if lights else frame.centre.new_zeros(0, 4)
    return torch.stack([frame.local_point(each) for each in world]) if len(world) else world


def _point(light: Light) -> Tensor:
    """[4] float64: (position, 1), or (direction towards it, 0)."""
    far = isinstance(light, DirectionalLight)
    place = torch.as_tensor(light.direction if isinstance(light, DirectionalLight) else light.position)
    return torch.cat([place.double(), torch.tensor([0.0 if far else 1.0], dtype=torch.float64, device=place.device)])


def _casting(ready: View) -> list[int]:
    """The lights that cast shadows."""
    if not ready.shot.shadows:
        return []
    strength = ready.arrays.lights.detach()[:, seam.INTENSITY : seam.INTENSITY + 3]
    found: list[int] = strength.any(1).nonzero()[:, 0].tolist()
    return found


def _edge_task(ready: View) -> EdgeTask:
    geometry, sampling, frame = ready.geometry, ready.shot.edges or DEFAULT, _frame(ready)
    lights = torch.stack([_world(each, frame) for each in _lights(ready, frame)]) if _casting(ready) else None
    seen = partial(_beside, _still(ready))
    return EdgeTask(geometry.surface, frame, ready.size, seen, 3, sampling, lights, geometry.lines)


def _world(light: Tensor, frame: Frame) -> Tensor:
    """A homogeneous point [4] of the frame in the world, without derivatives."""
    light = light.detach()
    return torch.cat([torch.where(light[3] == 0, light[:3], frame.world(light[:3])), light[3:]])


def _shadow_task(ready: View, number: int) -> ShadowTask:
    geometry = ready.geometry
    sampling = ready.shot.edges or DEFAULT
    alone = replace(_still(ready), arrays=_one_light(_still(ready).arrays, number), background=None, unseen=None)
    alone = replace(alone, shot=replace(ready.shot, depth=0, mode="raytraced", shadows=False))
    return ShadowTask(
        ready.backend,
        geometry.surface.faces,
        geometry.lines.edges,
        _frame(ready),
        ready.size,
        partial(_direct, alone),
        3,
        sampling,
    )


def _still(ready: View) -> View:
    """The same without derivatives, followed by the backend's own kernels, which compute in float32."""
    arrays = SceneArrays(**{name: _single(part.detach()) for name, part in vars(ready.arrays).items()})
    background, unseen = (None if part is None else part.detach().float() for part in (ready.background, ready.unseen))
    return replace(ready, arrays=arrays, background=background, unseen=unseen, in_torch=False)


def _single(values: Tensor) -> Tensor:
    return values.float() if values.is_floating_point() else values


def _one_light(arrays: SceneArrays, number: int) -> SceneArrays:
    """Surfaces under one light and nothing else, which emit nothing."""
    materials = arrays.materials.clone()
    materials[:, seam.EMISSION : seam.EMISSION + 3] = 0
    materials[arrays.material_kinds[:, seam.KIND] == seam.UNLIT, seam.KD : seam.KD + 3] = 0
    return replace(
        arrays,
        materials=materials,
        lights=arrays.lights[[number]],
        light_kinds=arrays.light_kinds[[number]],
        environment=arrays.environment[:0, :0],
        ambient=torch.zeros_like(arrays.ambient),
        backdrop=torch.zeros_like(arrays.backdrop),
    )


def _beside(still: View, origin: Tensor, direction: Tensor) -> Tensor:
    """What rays see [2K,3], the first half on one side of edges, the others on the other, with equal random numbers."""
    seed = mixed(still.shot.seed, 3)
    sides = zip(origin.chunk(2), direction.chunk(2), strict=True)
    return torch.cat([still.seen(*side, seed)[:, :3] for side in sides])


def _direct(alone: View, origin: Tensor, direction: Tensor) -> Tensor:
    return alone.seen(origin, direction, mixed(alone.shot.seed, 4))[:, :3]
