"""All cameras of a set of photographs set right at once, each by the colours that the other photographs show.

Every step takes the surface's colours anew from all photographs where they have come to, and moves each camera by one
Gauss-Newton step towards what the others agree on, coarse pictures first. What all cameras do together is no
correction but a motion of the frame, so it is given to the object: the mean turn and shift, and the mean factor on the
distances, which pictures tell apart from the object's size no more than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from invrender import ops
from invrender.geometry.vectors import vertex_normals
from invrender.kernels import Backend
from invrender.nouns.topology import topology
from invrender.photometry.blend import POWER
from invrender.photometry.common import Settled, settled
from invrender.photometry.exposure import exposed, exposure_gains
from invrender.photometry.photos import Photos, smaller
from invrender.photometry.registration import Moved, seen_from, solved
from invrender.photometry.sampling import Samples, look_at_points
from invrender.photometry.tracking import Outlines, Subject, equations, outlines

Tensor = torch.Tensor

STEPS = 5  # at each size of the pictures
DAMPING = 1e-3
FARTHEST = 2.0  # pixels of the smaller pictures by which a step moves the object's rim at most
STILL = 0.03  # pixels of them that end the steps at one size
GRAZING = 0.25  # cosine: beyond it a sample holds the background, or much more of the surface than its point
SEEN = 0.05  # weight of the others from which on they tell a vertex's colour


def register_together(
    vertices: Tensor,
    faces: Tensor,
    photos: Photos,
    backend: Backend,
    optimize: Sequence[str] = ("pose",),
    levels: Sequence[int] = (2, 1),
    outline: float | None = None,
) -> Settled:
    """Corrections of N cameras under which their photographs agree on a surface.

    Args:
        vertices, faces: [V,3] float64, [F,3] int64 in the photographs' frame.
        photos: with the cameras to correct.
        backend: what draws.
        optimize: what is sought: pose; intrinsics, one factor on the focal lengths; exposure: photographs may differ
            by factors.
        levels: how many times smaller the pictures are, one after the other.
        outline: weight of coverage; None: for each photograph by how well masks and colours fit.
    """
    subject = Subject(vertices, faces, topology(faces))
    normals = torch.from_numpy(vertex_normals(vertices.numpy(), faces.numpy()))
    motions, bend = torch.eye(4, dtype=torch.float64).repeat(len(photos), 1, 1), 0.0
    damping = torch.full((len(photos),), DAMPING, dtype=torch.float64)
    for level in levels:
        small = smaller(photos, level)
        for number in range(STEPS):
            matrices = seen_from(small, motions, bend)
            seen = outlines(subject, matrices, small.size, backend)
            samples = _samples(subject, normals, seen, small, motions, matrices, backend)
            if "exposure" in optimize and not number:
                gains = exposure_gains(samples)
                small = exposed(small, gains)
                samples = _samples(subject, normals, seen, small, motions, matrices, backend)
            colours, known = without(samples)
            parts = equations(subject, seen, colours, known, small, motions, matrices, backend)
            step, bent = solved(parts.together(outline), damping, "intrinsics" in optimize, "pose" in optimize)
            size = step.norm(dim=1, keepdim=True) / small.pixel[:, None]
            step = step * (FARTHEST / size.clamp(min=FARTHEST))
            motions, bend = Moved(step).motions @ motions, bend + bent
            if float(size.mean()) < STILL and abs(bent) < STILL * float(small.pixel.mean()):
                break
    return replace(settled(motions, bend, photos.eye), share=float(parts.share.median()))


def _samples(
    subject: Subject, normals: Tensor, seen: Outlines, photos: Photos, motions: Tensor, matrices: Tensor,
    backend: Backend,
) -> Samples:  # fmt: skip
    """What the photographs show at the vertices once the object is moved before each of them."""
    along = ops.interpolate(backend, seen.clip.detach()[..., 3:].contiguous(), subject.faces, seen.face_id,
                            seen.clip.detach())[..., 0]  # fmt: skip
    depth = torch.where(seen.face_id >= 0, along, torch.inf).cpu()
    eye = ((photos.eye - motions[:, :3, 3])[:, None] @ motions[:, :3, :3])[:, 0]
    found = look_at_points(subject.vertices, normals, replace(photos, clip_from_object=matrices, eye=eye), depth)
    return replace(found, weight=torch.where(found.weight > GRAZING, found.weight, 0.0))


def without(samples: Samples) -> tuple[Tensor, Tensor]:
    """For each of N photographs colours [N,V,3] as the others show them, and where [N,V] they do, 1 or 0."""
    weight = samples.weight**POWER
    rest = weight.sum(0) - weight
    total = weight[..., None] * samples.colours
    mean = (total.sum(0) - total) / rest.clamp(min=1e-9)[..., None]
    return mean, (rest > SEEN).float()
