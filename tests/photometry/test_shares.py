"""Barycentrics from face numbers are those with which the backend interpolates."""

from __future__ import annotations

import torch
import trimesh

from invrender import ops
from invrender.backends import select
from invrender.cameras.projection import look_at, perspective
from invrender.photometry.shares import shares


def test_points_mixed_by_shares_are_those_that_the_backend_interpolates():
    """Close to a camera, so that perspective counts."""
    mesh, size, backend = trimesh.creation.icosphere(1), (30, 44), select("torch")
    vertices, faces = torch.tensor(mesh.vertices), torch.tensor(mesh.faces, dtype=torch.int64)
    view = look_at(torch.tensor([[0.3, 0.5, 1.4]], dtype=torch.float64), (0.0, 0.0, 0.0))
    matrix = (perspective(70.0, size, 0.1, 9.0) @ view)[0]
    clip = (torch.cat([vertices, torch.ones_like(vertices[:, :1])], 1) @ matrix.T)[None]
    face_id, _ = ops.rasterize(backend, clip.float(), faces, size)
    expected = ops.interpolate(backend, vertices.float(), faces, face_id, clip.float()).reshape(-1, 3)
    flat = face_id.reshape(-1)
    pixel = torch.nonzero(flat >= 0)[:, 0]
    face = flat[pixel].long()
    share = torch.from_numpy(shares(clip[0].numpy(), faces.numpy(), pixel.numpy(), face.numpy(), size))
    assert len(pixel) > 200
    assert torch.allclose(share.sum(1), torch.ones(len(share)), atol=1e-6)
    assert float(((vertices[faces[face]] * share[..., None]).sum(1) - expected[pixel]).abs().max()) < 1e-5
