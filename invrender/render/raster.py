"""Pictures of a scene: silhouettes, depth, normals, colours and shaded views, from any backend's kernels.

All of them are differentiable in the mesh's vertices and in the cameras (through clip positions), coloured ones in the
material and the vertex colours too, and shaded ones in the lights. What is discrete has no gradient: which face a pixel
sees (edges are what `antialias` is for), and which side a normal points to.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from invrender import ops
from invrender.cameras.parallel import to_viewers
from invrender.errors import UsageError
from invrender.kernels import Backend
from invrender.nouns import Cameras, Lights, Mesh, Scene, Views
from invrender.nouns.topology import Topology, topology
from invrender.render.images import average, enlarge, straight
from invrender.render.modes import find_mode
from invrender.render.occlusion import Occlusion, openness
from invrender.render.rays import Body, Places, body
from invrender.shading.lights import to_lights
from invrender.shading.points import carried, facing_normals, points_of, seen
from invrender.shading.surface import Surface, surface_on, welded

Tensor = torch.Tensor

_PIXELS_AT_ONCE = 2**20


@dataclass(frozen=True)
class _Style:
    """How pictures with colours are drawn; see `render`."""

    mode: str
    backend: Backend
    dtype: torch.dtype
    occlusion: Occlusion | None


def render(
    scene: Scene,
    cameras: Cameras,
    mode: str,
    backend: Backend,
    supersample: int = 1,
    dtype: torch.dtype = torch.float32,
    lights: Sequence[Lights] | None = None,
    occlusion: Occlusion | None = None,
) -> Tensor:
    """Pictures of a scene's mesh from N cameras.

    Args:
        scene: mesh, lights, and the background that shows where nothing is hit.
        cameras: N of them.
        mode: "silhouette": coverage in [0, 1]. "depth": distance along the viewing axis in world units, inf where
            nothing is hit; one sample at the pixel's centre. "normal": 0.5 + 0.5 n of the world-space normal n that
            faces the camera. "color": linear RGB of the surface itself, whatever the light. "shaded": linear RGB under
            the lights, as the material reflects them.
        backend: whose kernels draw.
        supersample: pictures are drawn at this many times the size and averaged (not depth).
        dtype: of the computation after projection, which is float64 in any case.
        lights: those of each picture, instead of the scene's for all.
        occlusion: of the light from everywhere, in mode "shaded"; None: all of it arrives.

    Returns:
        [N,H,W,C] of that dtype, C = 1 for silhouette and depth, else 3; antialiased, but for depth.

    Raises:
        UsageError: there is no such mode.
    """
    if mode == "silhouette":
        return _coverage(scene.mesh, cameras, backend, supersample, dtype)[..., None]
    if mode == "depth":
        prepared = surface_on(backend.device, scene.mesh)
        return _by_view(cameras, lambda part: _draw_depth(prepared, part, backend, dtype))
    premultiplied = layers(scene, cameras, mode, backend, supersample, dtype, lights, occlusion)
    background = torch.as_tensor(scene.backdrop).to(premultiplied)
    return premultiplied[..., :3] + (1 - premultiplied[..., 3:]) * background


def layers(
    scene: Scene,
    cameras: Cameras,
    mode: str,
    backend: Backend,
    supersample: int = 1,
    dtype: torch.dtype = torch.float32,
    lights: Sequence[Lights] | None = None,
    occlusion: Occlusion | None = None,
) -> Tensor:
    """Colour over nothing: [N,H,W,4] premultiplied linear RGB and alpha, in mode "normal", "color" or "shaded".

    See `render`.
    """
    row = find_mode(mode, "mesh")
    if not row.layered:
        raise UsageError(f"mode {mode} draws no colours over nothing", "take shaded, color or normal, or `render`")
    if row.renderer != "raster":
        raise UsageError(f"mode {mode} is drawn by rays", "use `invrender.render`, or `render.traced.layers`")
    prepared = surface_on(backend.device, scene.mesh)
    return layers_of(prepared, lights or scene.look, cameras, mode, backend, supersample, dtype, occlusion)


def layers_of(
    prepared: Surface,
    lights: Lights | Sequence[Lights],
    cameras: Cameras,
    mode: str,
    backend: Backend,
    supersample: int = 1,
    dtype: torch.dtype = torch.float32,
    occlusion: Occlusion | None = None,
) -> Tensor:
    """The same of a surface on the backend's device that is ready for drawing, under the lights of all or of each.

    Where the surface knows its `openness`, that is what ambient occlusion has.
    """
    style = _Style(mode, backend, dtype, occlusion and occlusion.shared(supersample))

    def draw(some: Cameras, light: Lights) -> Tensor:
        return _by_view(some, lambda part: _draw(prepared, part, style, light), supersample)

    if isinstance(lights, Lights):
        return draw(cameras, lights).clamp(min=0)
    return torch.cat([draw(cameras[[k]], light) for k, light in enumerate(lights)]).clamp(min=0)


def normals(mesh: Mesh, cameras: Cameras, backend: Backend) -> Tensor:
    """Unit normals [N,H,W,3] float32 in the world that face the camera, at pixels' centres; 0 where nothing is hit."""
    prepared = surface_on(backend.device, mesh)
    centre = prepared.positions.detach().mean(0)
    attributes = torch.cat([prepared.normals, prepared.positions[prepared.position_of] - centre], 1).float()

    def draw(part: Cameras) -> Tensor:
        clip = clip_positions(prepared.positions, part)
        face_id, _ = ops.rasterize(backend, clip, prepared.faces, part.size)
        values = ops.interpolate(backend, attributes, prepared.attribute_faces, face_id, clip[:, prepared.position_of])
        to_eye = to_viewers(part, values[..., 3:6], centre)
        facing = facing_normals(values[..., :3], _face_normals(prepared, face_id, values), to_eye)
        return torch.where(face_id[..., None] >= 0, facing, 0)

    return _by_view(cameras, draw)


def render_views(
    mesh: Mesh,
    cameras: Cameras,
    backend: Backend,
    lights: Lights | None = None,
    mode: str = "shaded",
    occlusion: Occlusion | None = None,
) -> Views:
    """An asset's own views: masks of exact coverage and colours ("shaded" or "color") with straight alpha."""
    scene = Scene(mesh, lights or Lights())
    images, _ = straight(layers(scene, cameras, mode, backend, occlusion=occlusion))
    masks = _coverage(mesh, cameras, backend, 1, torch.float32).clamp(0, 1)
    names = tuple(f"view_{i:03d}" for i in range(len(cameras)))
    return Views(cameras, masks.cpu(), images.clamp(0, 1).cpu(), names)


def clip_positions(positions: Tensor, cameras: Cameras, dtype: torch.dtype = torch.float32) -> Tensor:
    """Clip positions [N,V,4] of points [V,3], multiplied in float64 so that large world offsets cancel."""
    matrix = cameras.clip_from_world.to(positions.device)
    homogeneous = torch.cat([positions.double(), torch.ones_like(positions[:, :1], dtype=torch.float64)], 1)
    return (homogeneous @ matrix.transpose(1, 2)).to(dtype)


def _depths(positions: Tensor, cameras: Cameras) -> Tensor:
    """Distances [N,V,1] float64 of points [V,3] along the viewing axes."""
    axis = -cameras.world_to_camera[:, 2].to(positions.device)
    homogeneous = torch.cat([positions.double(), torch.ones_like(positions[:, :1], dtype=torch.float64)], 1)
    return (homogeneous @ axis.T).T[..., None]


def _by_view(cameras: Cameras, draw: Callable[[Cameras], Tensor], supersample: int = 1) -> Tensor:
    """Draw a few cameras at a time and average blocks of pixels, so that memory grows with the pictures alone."""
    large = enlarge(cameras, supersample)
    height, width = large.size
    step = max(1, _PIXELS_AT_ONCE // (height * width))
    parts = [average(draw(large[begin : begin + step]), supersample) for begin in range(0, len(cameras), step)]
    return torch.cat(parts)


@dataclass(frozen=True)
class Solid:
    """What silhouettes need of a mesh: merged vertices [V,3], faces [F,3] and their topology."""

    positions: Tensor
    faces: Tensor
    topology: Topology


def solid_on(backend: Backend, mesh: Mesh) -> Solid:
    """A mesh on a backend's device, ready for silhouettes."""
    positions, faces, _ = welded(Mesh(mesh.vertices.to(backend.device), mesh.faces.to(backend.device)))
    return Solid(positions, faces, topology(faces))


def _coverage(mesh: Mesh, cameras: Cameras, backend: Backend, supersample: int, dtype: torch.dtype) -> Tensor:
    return coverage_of(solid_on(backend, mesh), cameras, backend, supersample, dtype)


def coverage_of(
    prepared: Surface | Solid, cameras: Cameras, backend: Backend, supersample: int = 1,
    dtype: torch.dtype = torch.float32,
) -> Tensor:  # fmt: skip
    """The coverage [N,H,W] of mode "silhouette" of a mesh on the backend's device that is ready for drawing."""

    def draw(part: Cameras) -> Tensor:
        clip = clip_positions(prepared.positions, part, dtype)
        return ops.silhouette(backend, clip, prepared.faces, prepared.topology, part.size)[..., None]

    return _by_view(cameras, draw, supersample)[..., 0]


def _draw_depth(prepared: Surface, cameras: Cameras, backend: Backend, dtype: torch.dtype) -> Tensor:
    clip = clip_positions(prepared.positions, cameras, dtype)
    face_id, _ = ops.rasterize(backend, clip, prepared.faces, cameras.size)
    along = ops.interpolate(backend, _depths(prepared.positions, cameras).to(dtype), prepared.faces, face_id, clip)
    return torch.where(face_id[..., None] >= 0, along, math.inf)


def _draw(prepared: Surface, cameras: Cameras, style: _Style, lights: Lights) -> Tensor:
    """Premultiplied RGBA [N,H,W,4]; everything that varies over the surface is interpolated in one go."""
    backend = style.backend
    clip = clip_positions(prepared.positions, cameras, style.dtype)
    face_id, depth = ops.rasterize(backend, clip, prepared.faces, cameras.size)
    centre = prepared.positions.detach().mean(0)  # float32 holds positions about it, whatever the world's offset
    known = () if prepared.openness is None else (prepared.openness,)
    columns = [prepared.normals, prepared.positions[prepared.position_of] - centre, *known, *carried(prepared)]
    attributes = torch.cat(columns, 1).to(style.dtype)
    values = ops.interpolate(backend, attributes, prepared.attribute_faces, face_id, clip[:, prepared.position_of])
    to_eye = to_viewers(cameras, values[..., 3:6], centre)
    flat = _face_normals(prepared, face_id, values)
    normal = facing_normals(values[..., :3], flat, to_eye)
    rest = values[..., 8:] if known else values[..., 6:]
    if style.mode == "normal":
        colour = 0.5 + 0.5 * normal
    elif style.mode == "color":
        colour = points_of(prepared, rest).colour
    else:
        share = None
        if known:
            away = (flat * to_eye).sum(-1, keepdim=True) < 0
            share = torch.where(away, values[..., 7:8], values[..., 6:7])
        elif style.occlusion is not None:
            at = Places(face_id, values[..., :0], values[..., 3:6], normal, facing_normals(flat, flat, to_eye))
            share = _openness(body(prepared, backend, style.dtype), at, centre, style.occlusion)
        to_light = to_lights(lights, cameras).to(normal)
        colour = seen(points_of(prepared, rest), normal, to_eye, to_light, lights, share)
    hit = (face_id >= 0)[..., None].to(colour.dtype)
    drawn = torch.cat([colour * hit, hit], -1)
    return _limited(ops.antialias(backend, drawn, face_id, depth, clip, prepared.faces, prepared.topology), drawn)


def _face_normals(prepared: Surface, face_id: Tensor, like: Tensor) -> Tensor:
    """The normals [N,H,W,3] of the faces that pixels see, those of any face where they see none."""
    if not len(prepared.faces):
        return like.new_zeros(*face_id.shape, 3)
    return prepared.face_normals.to(like)[face_id.clamp(min=0)]


def _openness(solid: Body, at: Places, centre: Tensor, occlusion: Occlusion) -> Tensor:
    """Ambient occlusion [N,H,W,1] at what pixels see; the points are world units about `centre`."""
    hit = at.face >= 0
    found = at.some(hit)
    offset = ((centre - solid.centre) / solid.unit).to(found.point)
    share = torch.ones_like(at.point[..., :1])
    share[hit] = openness(solid, replace(found, point=found.point.detach() / solid.unit + offset), occlusion)
    return share


def _limited(mixed: Tensor, flat: Tensor) -> Tensor:
    """Antialiased pictures [N,H,W,C] within what the pixels around show without it.

    Colours are extrapolated to contours; across a crease that overshoots, which shows as specks.
    """
    if flat.requires_grad:  # pooling knows which pixel a limit comes from
        around = flat.permute(0, 3, 1, 2)
        highest, negative = (torch.nn.functional.max_pool2d(each, 3, 1, 1) for each in (around, -around))
        return torch.minimum(torch.maximum(mixed, -negative.permute(0, 2, 3, 1)), highest.permute(0, 2, 3, 1))
    least, most = (_around(_around(flat, pick, 1), pick, 2) for pick in (torch.minimum, torch.maximum))
    return torch.minimum(torch.maximum(mixed, least), most)


def _around(values: Tensor, pick: Callable[[Tensor, Tensor], Tensor], axis: int) -> Tensor:
    """The least or the greatest of each value and both its neighbours along an axis; ten times as fast as pooling."""
    count = values.shape[axis]
    found = values.clone()
    for here, there in (((1, count), (0, count - 1)), ((0, count - 1), (1, count))):
        part = found.narrow(axis, here[0], here[1] - here[0])
        part.copy_(pick(part, values.narrow(axis, there[0], there[1] - there[0])))
    return found
