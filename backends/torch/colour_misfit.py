"""Coloured vertices compared with pictures, for backends without a kernel that does all of it at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from invrender.kernels import (
    ColourMisfit,
    Compared,
    Interpolate,
    InterpolateAdjoint,
    MakeColourMisfit,
    Rasterize,
)

Tensor = torch.Tensor


def colour_misfit_by(
    rasterize: Rasterize, interpolate: Interpolate, interpolate_adjoint: InterpolateAdjoint
) -> MakeColourMisfit:
    """The comparison made of a backend's own kernels, on the device and in the dtype of the pictures.

    The curvature is that of the parabolas which touch the loss from above, lumped: as the weights of a pixel's corners
    are positive and add up to 1, the square of a pixel's colour is at most the weighted sum of its corners' squares.
    """

    def prepare(faces: Tensor, count: int, images: Tensor, weight: Tensor, softness: float) -> ColourMisfit:
        del count
        faces = faces.to(images.device)

        def compare(vertices: Tensor, colours: Tensor, clip_from_object: Tensor, views: Sequence[int]) -> Compared:
            chosen = list(views)
            matrix, moved = clip_from_object[chosen].to(images), vertices.to(images)
            clip = torch.einsum("nij,vj->nvi", matrix[:, :, :3], moved) + matrix[:, None, :, 3]
            face_id = rasterize(clip, faces, (images.shape[1], images.shape[2]))[0]
            drawn = interpolate(colours.to(images), faces, face_id, clip)
            share = (weight[chosen].to(images) * (face_id >= 0))[..., None]
            difference = drawn - images[chosen]
            root = (difference.square() + softness**2).sqrt()
            given = (colours.to(images), faces, face_id, clip)
            d_colours, d_clip = interpolate_adjoint(share * difference / root, *given)
            curvature, _ = interpolate_adjoint(share / root, *given, (True, False))
            assert d_colours is not None and d_clip is not None and curvature is not None
            d_vertices = torch.einsum("nij,nvi->vj", matrix[:, :, :3].double(), d_clip.double())
            misfit = float((share * (root - softness)).double().sum())
            return Compared(misfit, d_vertices.to(vertices), d_colours.to(vertices), curvature.to(vertices))

        return compare

    return prepare
