"""Colours for a finished shape, from the pictures whose masks it came from; its geometry stays as it is."""

from __future__ import annotations

import dataclasses

import torch

from invrender.colour import srgb_to_linear
from invrender.kernels import Backend
from invrender.methods.silhouette.schedule import Result
from invrender.nouns import Material, Views
from invrender.nouns.appearance import WHITE
from invrender.parameters.frame import Frame
from invrender.photometry.photos import EachPhoto
from invrender.photometry.view_dependent import fitted_colours


def painted(result: Result, pictures: Views | None, frame: Frame, backend: Backend) -> Result:
    """The result with colours at its vertices: those that make it look like the pictures which show each of them.

    Robust least squares over all pixels (`photometry.view_dependent`): a picture that disagrees with most is passed
    over, and what no picture shows takes the colours around it. They hold the light that fell on the object, so the
    material shows them as they are.

    Args:
        result: of the reconstruction.
        pictures: views with images; None: there are no colours.
        frame: in which the shape was found.
        backend: draws the shape.
    """
    if pictures is None:
        return result
    vertices, faces = result.mesh.numpy()
    inside = torch.from_numpy(frame.normalise(vertices))
    coded = fitted_colours(inside, torch.from_numpy(faces), EachPhoto(frame, pictures), 1, backend)[:, 0].clamp(0, 1)
    linear = torch.from_numpy(srgb_to_linear(coded.double().numpy())).float()
    material = Material(albedo=WHITE, name="photographs", unlit=True)
    return dataclasses.replace(result, mesh=dataclasses.replace(result.mesh, colours=linear, material=material))
