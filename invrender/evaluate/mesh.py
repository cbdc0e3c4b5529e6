"""How close a reconstructed mesh is to its reference: silhouettes, distances and the state of the mesh.

No alignment: both meshes live in one frame. Cameras stand on a Fibonacci sphere of radius 3 around the reference's
vertex mean, in units in which the reference's largest coordinate is 0.9, with a field of view of 45 degrees. Distances
run from points sampled on one surface to the nearest point of the other surface, exactly, and are given as fractions
of the diagonal of the reference's bounding box. The F-score is that of Knapitsch et al. 2017 ("Tanks and Temples").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rays import camera_rays
from invrender.cameras.rigs import fibonacci
from invrender.errors import InputError
from invrender.evaluate.distances import Solid, distances
from invrender.geometry.intersections import self_intersections
from invrender.geometry.surface_facts import areas_and_volume, facts_of, joined
from invrender.geometry.vectors import Floats, Ints
from invrender.geometry.visibility import blocked
from invrender.kernels import Backend
from invrender.nouns import Cameras, Mesh

MARGIN, DISTANCE, FOV = 0.9, 3.0, 45.0
LEAVES = 500_000  # that lines through one surface may meet in all, one for each point on either surface
FEWEST = 1_000  # points on each surface all the same
NODES, FACES = 8, 2  # costs: of a ray, in leaves of a tree that it meets; of drawing a face, in the same
MERGE = 1e-8  # of the frame's unit: vertices this close are one


@dataclass(frozen=True)
class MeshMetrics:
    """What `mesh_metrics` measures. Distances are fractions of the reference's diagonal; None: cannot be measured.

    Attributes:
        iou, iou_min: mean and worst silhouette intersection over union on held-out views.
        chamfer: mean of the two mean point-to-surface distances.
        chamfer_visible: the same from the sample points that can be seen from outside, from wherever.
        f1, f05: F-scores at 1 % and 0.5 %.
        normal_consistency: mean |cosine| between the normals at nearest points, both ways.
        watertight: every edge has two faces, duplicate vertices joined.
        components: connected parts.
        genus: handles, of a watertight mesh.
        euler: V - E + F.
        self_intersections: pairs of faces of which one pierces the other.
        vertices, faces: as the mesh holds them; degenerate_faces of them have no area or no finite corner.
        chamfer_seen, f1_seen, f05_seen: as without `seen`, from the sample points that the cameras of the result's
            input saw, each on its own surface; None where these are not known.
        out_of_sight: share of the reference's surface that none of those cameras saw.
        hollow: share of the reference's surface in hollows that no silhouette shows, wherever it is taken from: every
            straight line that touches the surface there meets the object elsewhere.
        chamfer_outlined: the Chamfer distance from the sample points outside such hollows.
        surface_samples: points on each surface that distances and shares were taken from.
    """

    iou: float
    iou_min: float
    chamfer: float | None
    chamfer_visible: float | None
    f1: float
    f05: float
    normal_consistency: float
    watertight: bool
    components: int
    genus: float | None
    euler: int
    self_intersections: int
    vertices: int
    faces: int
    degenerate_faces: int
    chamfer_seen: float | None = None
    f1_seen: float | None = None
    f05_seen: float | None = None
    out_of_sight: float | None = None
    hollow: float | None = None
    chamfer_outlined: float | None = None
    surface_samples: int = 0


def mesh_metrics(
    result: Mesh,
    reference: Mesh,
    backend: Backend,
    views: int = 16,
    size: int = 256,
    samples: int = 30_000,
    seed: int = 0,
    seen_by: Cameras | None = None,
) -> MeshMetrics:
    """Measure a result against its reference; open, tangled and degenerate results are measured as they are.

    Args:
        result, reference: meshes in the same frame.
        backend: draws the silhouettes.
        views: cameras on the sphere.
        size: side of the square silhouettes in pixels.
        samples: points per surface; fewer of surfaces of long thin faces across each other, see `affordable`.
        seed: of the samples.
        seen_by: the cameras of the views that the result was made from, where they are known.

    Raises:
        InputError: the reference has no face with an area.
    """
    good, ref = _solid(result), _solid(reference)
    if not len(ref.f):
        raise InputError("the reference mesh has no face with an area", "compare with a mesh that has a surface")
    centre, scale = evaluation_frame(reference)
    state = _state(good, scale)
    counts = (len(result.vertices), len(result.faces), len(result.faces) - len(good.f))
    if not len(good.f):
        return MeshMetrics(0.0, 0.0, None, None, 0.0, 0.0, 0.0, *state, *counts)
    cameras = evaluation_cameras(centre, scale, views, size)
    iou = silhouette_iou(*silhouettes((good, ref), cameras, backend))
    samples = affordable(samples, good, ref)
    between = distances(good, ref, samples, seed, seen_by)
    whole = (between.chamfer, between.visible, between.f1, between.f05, between.cosine)
    parts = (*between.seen, between.unseen, between.hollow, between.outlined)
    found = MeshMetrics(float(iou.mean()), float(iou.min()), *whole, *state, *counts, *parts)
    return replace(found, surface_samples=samples)


def affordable(samples: int, *surfaces: Solid) -> int:
    """How many of so many points there is time for.

    Boxes of a million slanted needles overlap by the thousand, so that a point takes a hundred times the time of one on
    a scan; of other surfaces all points are taken.
    """
    crossed = max(each.tree.crossed for each in surfaces)
    return min(samples, max(FEWEST, int(LEAVES / max(crossed, 1.0))))


def measured(mesh: Mesh, reference: Mesh | None, backend: Backend, seen_by: Cameras | None = None) -> dict[str, Any]:
    """What a run tells of its mesh: all metrics where a reference is known, else the state of the mesh alone.

    Args:
        mesh, reference: in the same frame.
        backend: draws the silhouettes.
        seen_by: the cameras that the mesh was made from.
    """
    if reference is not None:
        return asdict(mesh_metrics(mesh, reference, backend, seen_by=seen_by))
    vertices, faces = mesh.numpy()
    facts = facts_of(faces)
    return {
        "watertight": facts.watertight,
        "components": facts.components,
        "genus": facts.genus,
        "self_intersections": len(self_intersections(vertices, faces)),
        "vertices": len(vertices),
        "faces": len(faces),
    }


def _solid(mesh: Mesh) -> Solid:
    v, f = mesh.numpy()
    areas, _ = areas_and_volume(v, f)  # 0 without finite corners
    f = f if (areas > 0).all() else f[areas > 0]
    finite = np.asarray(np.isfinite(v).all(1))
    return Solid(v if finite.all() else np.where(finite[:, None], v, 0.0), f)


def _state(mesh: Solid, scale: float) -> tuple[bool, int, float | None, int, int]:
    """(watertight, components, genus, euler, self-intersections) with duplicate vertices joined."""
    if not len(mesh.f):
        return False, 0, None, 0, 0
    f = joined(mesh.v, mesh.f, MERGE * scale)
    facts = facts_of(f)
    tree = mesh.tree if len(f) == len(mesh.f) else None  # it is over the same faces then
    crossing = 0 if not len(f) else len(self_intersections(mesh.v, f, tree))
    return facts.watertight, facts.components, facts.genus, facts.euler, crossing


def evaluation_frame(reference: Mesh) -> tuple[Floats, float]:
    """The centre [3] and the scale of the held-out cameras: vertex mean, and max |coordinate - centre| / 0.9.

    Of the vertices that faces use: a stray that none uses would leave the object smaller than a pixel.
    """
    v, f = reference.numpy()
    used = np.zeros(len(v), bool)
    used[f.ravel()] = True
    v = v[used & np.asarray(np.isfinite(v).all(1))]
    centre = v.mean(0)
    return centre, float(np.abs(v - centre).max()) / MARGIN


def evaluation_cameras(centre: Floats, scale: float, views: int = 16, size: int = 256) -> Cameras:
    """The held-out cameras: a Fibonacci sphere of radius 3 scale around the centre, 45 degrees, square images."""
    target = torch.as_tensor(centre, dtype=torch.float64)
    eyes = target + DISTANCE * scale * fibonacci(views)
    projection = perspective(FOV, (size, size), 0.01 * DISTANCE * scale, 4 * DISTANCE * scale)
    return Cameras(look_at(eyes, target), projection.repeat(views, 1, 1), (size, size))


def hard_masks(vertices: Floats, faces: Ints, cameras: Cameras, backend: Backend) -> torch.Tensor:
    """Whether each pixel's centre sees the mesh: [N,H,W] bool on the CPU."""
    x = torch.as_tensor(vertices, dtype=torch.float64)
    x = torch.cat([x, torch.ones(len(x), 1, dtype=torch.float64)], 1)
    f = torch.as_tensor(faces).to(backend.device)
    masks = []
    for matrix in cameras.clip_from_world:  # one at a time bounds the memory
        clip = (x @ matrix.T)[None].to(backend.device, torch.float32)
        masks.append(backend.rasterize(clip, f, cameras.size)[0][0].cpu() >= 0)
    return torch.stack(masks)


def silhouettes(meshes: Sequence[Solid], cameras: Cameras, backend: Backend) -> list[torch.Tensor]:
    """`hard_masks` of some meshes: [N,H,W] bool each.

    On the CPU they are found by rays where that costs less: of very fine meshes no pixel's centre sees most faces. All
    of them are found in the same way.
    """
    pixels, most = cameras.size[0] * cameras.size[1], max(meshes, key=lambda each: len(each.f))
    if backend.device.type != "cpu" or pixels * (NODES + most.tree.crossed) > FACES * len(most.f):
        return [hard_masks(each.v, each.f, cameras, backend) for each in meshes]
    masks: list[list[torch.Tensor]] = [[] for _ in meshes]
    for k in range(len(cameras)):
        rays = camera_rays(cameras[k : k + 1])
        for mesh, found in zip(meshes, masks, strict=True):
            hit = blocked(rays.origin.numpy(), rays.direction.numpy(), mesh.tree)
            found.append(torch.from_numpy(hit).reshape(cameras.size))
    return [torch.stack(found) for found in masks]


def silhouette_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Intersection over union of masks [N,H,W] (bool, or coverage in [0, 1]): [N] float64; 1 where both are empty."""
    a, b = a.double(), b.double()
    both, either = torch.minimum(a, b).sum((1, 2)), torch.maximum(a, b).sum((1, 2))
    return torch.where(either > 0, both / either.clamp(min=1e-12), torch.ones_like(either))
