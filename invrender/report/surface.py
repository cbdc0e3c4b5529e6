"""A mesh made small enough for a page: fewer triangles where there are many, positions of 16 bits, deflated.

What viewer.js reads back: low bytes, then high bytes, of the differences between neighbours of 16-bit numbers;
positions [3,V] first, then the vertices of faces [F,3], colours [3,V] of 8 bits, texture coordinates [2,V] of 16 bits.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb
from invrender.nouns import Material, Mesh, Scene
from invrender.nouns.appearance import plain_colour
from invrender.report.compared import Picture
from invrender.report.media import still

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_FACES = 40_000
MOST_VERTICES = 65_535  # that 16 bits can number
TEXTURE, TEXTURE_BUDGET = 1024, 380_000  # pixels on a side, characters
FULL = 65_535.0


@dataclass(frozen=True)
class Shape:
    """What is drawn: vertices [V,3], faces [F,3], sRGB colours [V,3] in [0, 1] or none, or texture coordinates [V,2]
    with a picture [h,w,3] uint8; and whether it is drawn as it is, without light."""

    vertices: Floats
    faces: Ints
    colours: Floats | None = None
    uv: Floats | None = None
    texture: Picture | None = None
    unlit: bool = False


def shape_of(asset: Mesh | Scene) -> Shape | None:
    """A mesh, or all meshes of a scene in their materials' colours; None where there is no face."""
    if isinstance(asset, Mesh):
        found = _of_mesh(asset)
    else:
        every = [_plain(_of_mesh(mesh), _look_of(mesh.material)) for mesh in asset.meshes]
        if not every:
            return None
        starts = np.cumsum([0, *(len(each.vertices) for each in every)])
        found = Shape(
            np.concatenate([each.vertices for each in every]),
            np.concatenate([each.faces + start for each, start in zip(every, starts, strict=False)]),
            np.concatenate([each.colours for each in every if each.colours is not None]),
        )
    return small(found) if len(found.faces) else None


def _of_mesh(mesh: Mesh) -> Shape:
    vertices, faces = mesh.numpy()
    whole: NDArray[np.bool_] = np.asarray(np.isfinite(vertices).all(1))
    faces = faces[whole[faces].all(1)]
    vertices = np.where(whole[:, None], vertices, 0.0)
    unlit = mesh.material.unlit
    if mesh.uv is not None and mesh.material.texture is not None:
        texture = mesh.material.texture.detach().cpu().double().clamp(0, 1).numpy()
        shown = (linear_to_srgb(texture) * 255).round().astype(np.uint8)
        return Shape(vertices, faces, None, mesh.uv.detach().cpu().double().numpy(), shown, unlit)
    if mesh.colours is not None:
        colours = linear_to_srgb(mesh.colours.detach().cpu().double().clamp(0, 1).numpy())
        return Shape(vertices, faces, colours, unlit=unlit)
    if mesh.material.is_default:
        return Shape(vertices, faces)
    return _plain(Shape(vertices, faces, unlit=unlit), _look_of(mesh.material))


def _look_of(material: Material) -> tuple[float, float, float]:
    """One colour for a material: what it reflects, mirrors, lets through and emits, taken together."""
    parts = (material.albedo, material.mirror, material.transmission, material.emission)
    red, green, blue = (min(sum(channel), 1.0) for channel in zip(*map(plain_colour, parts), strict=True))
    return red, green, blue


def _plain(shape: Shape, albedo: tuple[float, float, float]) -> Shape:
    """The shape with a colour at each vertex: its own, its texture's, or the albedo."""
    if shape.colours is not None:
        return shape
    if shape.uv is not None and shape.texture is not None:
        return replace(shape, colours=_sampled(shape.uv, shape.texture), uv=None, texture=None)
    return replace(shape, colours=np.tile(linear_to_srgb(np.clip(np.array(albedo), 0, 1)), (len(shape.vertices), 1)))


def _sampled(uv: Floats, texture: Picture) -> Floats:
    height, width = texture.shape[:2]
    columns = np.clip((uv[:, 0] % 1.0) * width, 0, width - 1).astype(int)
    rows = np.clip((1 - uv[:, 1] % 1.0) * height, 0, height - 1).astype(int)
    sampled: Floats = texture[rows, columns] / 255.0
    return sampled


def small(shape: Shape) -> Shape:
    """The shape with at most MOST_FACES; a simplified one has its colours at vertices."""
    shape = _used(shape)
    if len(shape.faces) <= MOST_FACES and len(shape.vertices) <= MOST_VERTICES:
        return shape
    import fast_simplification
    from scipy.spatial import cKDTree

    coloured = _plain(shape, (0.0, 0.0, 0.0)) if shape.uv is not None else shape
    points, which = np.unique(shape.vertices, axis=0, return_inverse=True)
    faces = which.reshape(-1)[shape.faces]
    faces = faces[(faces != np.roll(faces, 1, 1)).all(1)]
    if len(faces) > MOST_FACES:
        scale = max(float(np.ptp(points, axis=0).max()), 1e-30)
        start = points.mean(0)
        fewer, faces = fast_simplification.simplify(
            ((points - start) / scale).astype(np.float32), faces.astype(np.int32), target_count=MOST_FACES
        )
        points = fewer.astype(np.float64) * scale + start
    colours = None
    if coloured.colours is not None:
        colours = coloured.colours[cKDTree(shape.vertices).query(points)[1]]
    return _used(Shape(points, faces.astype(np.int64), colours, unlit=shape.unlit))


def _used(shape: Shape) -> Shape:
    """Vertices in the order in which faces use them, without those that no face uses."""
    used, first, which = np.unique(shape.faces.reshape(-1), return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    kept = used[order]
    return Shape(
        shape.vertices[kept],
        rank[which.reshape(-1)].reshape(-1, 3),
        None if shape.colours is None else shape.colours[kept],
        None if shape.uv is None else shape.uv[kept],
        shape.texture,
        shape.unlit,
    )


def packed(shape: Shape, centre: Floats, scale: float) -> dict[str, Any]:
    """What viewer.js takes of a shape, in the frame (x - centre) / scale."""
    points = (shape.vertices - centre) / scale
    low, high = points.min(0), points.max(0)
    size = np.where(high > low, high - low, 1.0)
    parts = [_differences(((points - low) / size * FULL).round().astype(np.uint16).T)]
    parts.append(_differences(shape.faces.astype(np.uint16)))
    if shape.colours is not None:
        parts.append((shape.colours * 255).round().clip(0, 255).astype(np.uint8).T.tobytes())
    if shape.uv is not None:
        parts.append(_differences(((shape.uv % 1.0000001) * FULL).round().clip(0, FULL).astype(np.uint16).T))
    table: dict[str, Any] = {
        "packed": base64.b64encode(zlib.compress(b"".join(parts), 9)).decode(),
        "vertices": len(points),
        "faces": len(shape.faces),
        "low": low.tolist(),
        "high": (low + size).tolist(),
        "coloured": shape.colours is not None,
        "textured": shape.uv is not None and shape.texture is not None,
        "shaded": not shape.unlit,
    }
    if shape.uv is not None and shape.texture is not None:
        table["texture"] = still(shape.texture, TEXTURE, TEXTURE_BUDGET)
    return table


def _differences(values: NDArray[np.uint16]) -> bytes:
    flat = values.reshape(-1)
    steps = np.diff(flat, prepend=np.zeros(1, np.uint16))  # modulo 2^16
    return (steps & 0xFF).astype(np.uint8).tobytes() + (steps >> 8).astype(np.uint8).tobytes()
