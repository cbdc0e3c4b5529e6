"""What is in a mesh or a dataset: the facts that `invrender inspect` prints, measured and not judged."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from invrender.cameras.parallel import standpoints
from invrender.cameras.projection import common_point, intrinsics
from invrender.evaluate.posed_views import informed, view_names
from invrender.geometry.connectivity import components, edge_face_counts, genus, is_watertight, merge_vertices
from invrender.nouns import Cameras, Mesh, Views
from invrender.shading.finish import of_rows

Triple = tuple[float, float, float]
Range = tuple[float, float]
AXES = ("+X", "+Y", "+Z", "-X", "-Y", "-Z")


@dataclass(frozen=True)
class MeshFacts:
    """Facts about a mesh; lengths in its own units.

    Topology counts after vertices at exactly the same position are joined, since files split them along texture seams.

    Attributes:
        vertices, faces: as the file gives them.
        low, high, extent, centre: of the bounding box of the vertices that faces use.
        area: of all faces.
        volume: enclosed, or None where the mesh is not watertight; negative where it is inside out.
        watertight: every edge has two faces.
        consistent_winding: no two faces run an edge the same way.
        bodies: components that share no vertex.
        genus: handles of all bodies together, or None where the mesh is not watertight.
        boundary_edges: edges of one face.
        crowded_edges: edges of three faces or more.
        unreferenced_vertices: used by no face.
        coincident_vertices: vertices beyond the first at one position.
        degenerate_faces: without area.
        duplicate_faces: faces beyond the first on the same three positions.
        uv, colours: whether it has them.
        texture: its (width, height), or None.
        material: its name.
        albedo: linear RGB.
        shine: what some of it does besides reflecting diffusely: highlights, mirrors, gloss, emission, unlit.
    """

    vertices: int
    faces: int
    low: Triple
    high: Triple
    extent: Triple
    centre: Triple
    area: float
    volume: float | None
    watertight: bool
    consistent_winding: bool
    bodies: int
    genus: float | None
    boundary_edges: int
    crowded_edges: int
    unreferenced_vertices: int
    coincident_vertices: int
    degenerate_faces: int
    duplicate_faces: int
    uv: bool
    colours: bool
    texture: tuple[int, int] | None
    material: str
    albedo: Triple
    shine: tuple[str, ...]


def mesh_facts(mesh: Mesh) -> MeshFacts:
    """Measure a mesh (any; it need not be closed or clean)."""
    vertices, faces = mesh.numpy()
    used = np.unique(faces)
    low, high = vertices[used].min(axis=0), vertices[used].max(axis=0)
    centre = (low + high) / 2
    corners = (vertices - centre)[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.linalg.norm(across, axis=1) / 2
    _, welded = merge_vertices(vertices, faces)
    counts = edge_face_counts(welded)
    closed = is_watertight(welded)
    texture = mesh.material.texture
    return MeshFacts(
        vertices=len(vertices),
        faces=len(faces),
        low=_triple(low),
        high=_triple(high),
        extent=_triple(high - low),
        centre=_triple(centre),
        area=float(areas.sum()),
        volume=float(np.einsum("ij,ij->", corners[:, 0], across) / 6) if closed else None,
        watertight=closed,
        consistent_winding=_consistent(welded),
        bodies=int(components(welded).max(initial=-1)) + 1,
        genus=genus(welded),
        boundary_edges=int((counts == 1).sum()),
        crowded_edges=int((counts > 2).sum()),
        unreferenced_vertices=len(vertices) - len(used),
        coincident_vertices=len(used) - len(np.unique(vertices[used] + 0.0, axis=0)),
        degenerate_faces=int((areas <= 1e-12 * float((high - low).max()) ** 2).sum()),
        duplicate_faces=len(welded) - len(np.unique(np.sort(welded, axis=1), axis=0)),
        uv=mesh.uv is not None,
        colours=mesh.colours is not None,
        texture=None if texture is None else (texture.shape[1], texture.shape[0]),
        material=mesh.material.name,
        albedo=mesh.material.rgb,
        shine=_shine(mesh),
    )


def _shine(mesh: Mesh) -> tuple[str, ...]:
    look = mesh.material
    found = {
        "highlights": look.highlighted,
        "mirrors": look.mirrors,
        "gloss": look.glossy,
        "emission": look.emits,
        "unlit": look.unlit,
    }
    if mesh.finish is not None:
        rows = of_rows(mesh.finish)
        some = {"highlights": rows.specular > 0, "mirrors": rows.mirror > 0, "emission": rows.emission > 0}
        found |= {name: bool(each.any()) for name, each in {**some, "unlit": rows.lit == 0}.items()}
    return tuple(name for name, there in found.items() if there)


def _consistent(faces: NDArray[np.int64]) -> bool:
    """Whether each directed edge occurs at most once."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return len(np.unique(edges, axis=0)) == len(edges)


@dataclass(frozen=True)
class DatasetFacts:
    """Facts about posed images; lengths in the dataset's own units, angles in degrees.

    Attributes:
        views: how many.
        width, height: of the images, in pixels.
        fov_x, fov_y: least and greatest angle of view; 0 of cameras with parallel rays.
        span_x, span_y: least and greatest width and height of what parallel cameras see; None: there are none.
        target: the point nearest to all viewing axes.
        miss: root mean square distance of the axes from it.
        common_target: whether all cameras look at one point: `miss` is below 2 % of the mean distance.
        distance: least and greatest distance of the cameras from the target.
        up: the axis of the world that is upwards in the images.
        elevation: least and greatest angle of the cameras above the plane through the target across `up`.
        widest_gap: the largest angle from any direction around the target to the nearest camera.
        images: whether there are colours.
        masked: how many views show the object in a mask; what follows is of these.
        coverage: least, mean and greatest share of the image that is object, or None without masks.
        least_covered, most_covered: the names of those views.
        cut_off: the views whose mask touches the border of the image.
    """

    views: int
    width: int
    height: int
    fov_x: Range
    fov_y: Range
    span_x: Range | None
    span_y: Range | None
    target: Triple
    miss: float
    common_target: bool
    distance: Range
    up: str
    elevation: Range
    widest_gap: float
    images: bool
    masked: int
    coverage: Triple | None
    least_covered: str
    most_covered: str
    cut_off: tuple[str, ...]


def dataset_facts(views: Views) -> DatasetFacts:
    """Measure a dataset."""
    height, width = views.cameras.size
    fx, fy, _, _ = (values.numpy() for values in intrinsics(views.cameras))
    flat = views.cameras.parallel.numpy()
    target, miss = common_point(views.cameras)
    offset = (standpoints(views.cameras) - target).numpy()
    distance = np.linalg.norm(offset, axis=1)
    up = _up(views.cameras)
    direction = offset / np.maximum(distance, 1e-300)[:, None]
    masked = views if views.confidence is None else views[informed(views)]
    coverage = masked.masks.mean(dim=(1, 2), dtype=masked.masks.dtype).double().numpy()
    names = view_names(masked)
    return DatasetFacts(
        views=len(views.cameras),
        width=width,
        height=height,
        fov_x=_range(np.where(flat, 0, 2 * np.degrees(np.arctan(width / 2 / fx)))),
        fov_y=_range(np.where(flat, 0, 2 * np.degrees(np.arctan(height / 2 / fy)))),
        span_x=_range(width / fx[flat]) if flat.any() else None,
        span_y=_range(height / fy[flat]) if flat.any() else None,
        target=_triple(target.numpy()),
        miss=miss,
        common_target=miss < 0.02 * float(distance.mean()),
        distance=_range(distance),
        up=AXES[up],
        elevation=_range(np.degrees(np.arcsin(np.clip(direction[:, up % 3] * (1 if up < 3 else -1), -1, 1)))),
        widest_gap=_widest_gap(direction),
        images=views.images is not None,
        masked=len(names),
        coverage=(float(coverage.min()), float(coverage.mean()), float(coverage.max())) if names else None,
        least_covered=names[int(coverage.argmin())] if names else "",
        most_covered=names[int(coverage.argmax())] if names else "",
        cut_off=tuple(name for name, mask in zip(names, masked.masks.numpy(), strict=True) if _touches_border(mask)),
    )


def _up(cameras: Cameras) -> int:
    """The index in AXES of the world axis nearest to the cameras' mean upward direction (+Y where there is none)."""
    mean = cameras.world_to_camera[:, 1, :3].mean(dim=0).numpy()
    if np.abs(mean).max() < 1e-6:
        return 1
    axis = int(np.abs(mean).argmax())
    return axis if mean[axis] > 0 else axis + 3


def _widest_gap(direction: NDArray[np.float64]) -> float:
    """The largest angle, over 2000 even directions, to the nearest camera, in degrees."""
    i = np.arange(2000)
    y = 1 - 2 * (i + 0.5) / len(i)
    azimuth = i * (math.pi * (3 - math.sqrt(5)))
    radius = np.sqrt(1 - y * y)
    around = np.stack([radius * np.sin(azimuth), y, radius * np.cos(azimuth)], axis=1)
    return float(np.degrees(np.arccos(np.clip((around @ direction.T).max(axis=1).min(), -1, 1))))


def _touches_border(mask: NDArray[np.float32]) -> bool:
    return bool(max(mask[0].max(), mask[-1].max(), mask[:, 0].max(), mask[:, -1].max()) >= 0.5)


def _range(values: NDArray[np.float64]) -> Range:
    return float(values.min()), float(values.max())


def _triple(values: NDArray[np.float64]) -> Triple:
    return float(values[0]), float(values[1]), float(values[2])
