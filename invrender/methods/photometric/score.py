"""How well a shape predicts each photograph from the others: what decides which of several shapes is kept.

Every pixel that sees the shape takes its colour from the other photographs that see the same point. The picture is
compared with the photograph over black, so that a shape that is too large pays for what it covers, one that is too
small for what it misses, and one that is wrong inside for colours that do not meet. It needs no photograph to be set
aside, and does not depend on the size of triangles.
"""

from __future__ import annotations

import numpy as np
import torch

from invrender import ops
from invrender.cameras.rigs import evenly
from invrender.geometry.vectors import vertex_normals
from invrender.kernels import Backend
from invrender.methods.silhouette.target import Shape
from invrender.nouns.topology import topology
from invrender.photometry.blend import blended
from invrender.photometry.photos import Photos
from invrender.photometry.sampling import depth_buffer, look_at_points

Tensor = torch.Tensor

MOST_JUDGED, MOST_OTHERS = 16, 10  # photographs that are predicted, and from how many others at most
NOBODY = 0.5  # colour where no other photograph sees a point


def prediction_score(shape: Shape, photos: Photos, backend: Backend) -> float:
    """PSNR in dB of photographs predicted from the others by a shape, over black; the mean of the views."""
    vertices, faces = torch.from_numpy(shape.vertices), torch.from_numpy(shape.faces)
    normals = torch.from_numpy(vertex_normals(shape.vertices, shape.faces))
    depth = depth_buffer(vertices, faces, photos.clip_from_object, photos.size, backend)
    judged = evenly(len(photos), min(MOST_JUDGED, len(photos)))
    values = [_predicted(vertices, faces, normals, photos, depth, view, backend) for view in judged]
    return float(np.mean(values))


def _predicted(
    vertices: Tensor, faces: Tensor, normals: Tensor, photos: Photos, depth: Tensor, view: int, backend: Backend
) -> float:
    others = _nearest(photos, view)
    homogeneous = torch.cat([vertices, torch.ones_like(vertices[:, :1])], 1)
    clip = (homogeneous @ photos.clip_from_object[view].T).float()[None].to(backend.device)
    cover = ops.silhouette(backend, clip, faces, topology(faces), photos.size)[0].cpu()
    face_id, _ = ops.rasterize(backend, clip, faces, photos.size)
    attributes = torch.cat([vertices, normals], 1).float().to(backend.device)
    values = ops.interpolate(backend, attributes, faces, face_id, clip)[0].cpu().double()
    hit = face_id[0].cpu() >= 0
    points, facing = values[hit][:, :3], torch.nn.functional.normalize(values[hit][:, 3:], dim=1)
    samples = look_at_points(points, facing, photos[others], depth[others])
    seen = samples.weight.sum(0) > 0
    colours = torch.where(seen[:, None], blended(samples), NOBODY)
    drawn = torch.zeros(*photos.size, 3)
    drawn[hit] = colours * cover[hit][:, None].clamp(0, 1)
    target = photos.images[view] * photos.masks[view][..., None]
    known = photos.confidence[view] > 0
    error = float((drawn - target)[known].square().mean()) if bool(known.any()) else 1.0
    return -10 * float(np.log10(max(error, 1e-12)))


def _nearest(photos: Photos, view: int) -> list[int]:
    """The photographs taken from nearest by, but for the one itself."""
    direction = torch.nn.functional.normalize(photos.eye, dim=1)
    order = (direction @ direction[view]).argsort(descending=True).tolist()
    return [other for other in order if other != view][:MOST_OTHERS]
