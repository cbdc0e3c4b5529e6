"""From a shape to what users get: a texture, colours at the vertices, and pictures of them beside photographs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch

from invrender.colour import srgb_to_linear
from invrender.evaluate.pictures import Comparison, PictureScores, compared
from invrender.geometry.connectivity import orient_outward
from invrender.geometry.repair import repair
from invrender.geometry.vectors import vertex_normals
from invrender.kernels import Backend
from invrender.methods.photometric.posing import by_the_model
from invrender.methods.photometric.result import Result, Tried
from invrender.methods.photometric.settings import PhotometricSettings
from invrender.methods.silhouette.target import Shape
from invrender.nouns import Material, Mesh, Scene, Views
from invrender.parameters.frame import Frame
from invrender.photometry.baking import textured
from invrender.photometry.exposure import exposed, exposure_gains
from invrender.photometry.photos import Photos, photos_in
from invrender.photometry.sampling import Samples, depth_buffer, look_at_points
from invrender.photometry.view_dependent import fitted_colours, picture
from invrender.render.raster import layers

Tensor = torch.Tensor

SUPERSAMPLE = 2  # of pictures that are compared
FUNCTIONS = 9  # of direction, of colours that change with the view
RESOLUTION = 128  # cells of a repair that extracts the mesh anew


@dataclass(frozen=True)
class Model:
    """A coloured reconstruction.

    Attributes:
        shape: closed, in the normalised frame.
        tried: what became of each stage.
        views: that it was made from, with their cameras as they are known in the end.
        frame: of the shape.
        photos: the views in the frame, their exposures made equal where that was asked for.
        gains: [N,3] by which that was done, or None.
        settings: of the run.
        backend: what draws.
    """

    shape: Shape
    tried: tuple[Tried, ...]
    views: Views
    frame: Frame
    photos: Photos
    gains: Tensor | None
    settings: PhotometricSettings
    backend: Backend

    @cached_property
    def coefficients(self) -> Tensor:
        """Colours [V,K,3] of the vertices, sRGB-encoded, by functions of direction; K is 1 unless asked for more."""
        functions = FUNCTIONS if self.settings.appearance == "view-dependent" else 1
        vertices, faces = torch.from_numpy(self.shape.vertices), torch.from_numpy(self.shape.faces)
        return fitted_colours(vertices, faces, self.photos, functions, self.backend)

    @cached_property
    def surface(self) -> Mesh:
        """The closed mesh with colours at its vertices, in the world."""
        plain = self.coefficients[:, 0].clamp(0, 1)
        world = torch.from_numpy(self.frame.restore(self.shape.vertices))
        linear = torch.from_numpy(srgb_to_linear(plain.double().numpy())).float()
        material = Material(albedo=(1.0, 1.0, 1.0), name="photographs", unlit=True)
        return Mesh(world, torch.from_numpy(self.shape.faces), None, linear, material)

    @cached_property
    def mesh(self) -> Mesh:
        """With its texture, in the world; without one where it was not wanted."""
        if self.settings.texture == 0:
            return self.surface
        baked = textured(
            self.shape.vertices, self.shape.faces, self.photos, self.backend, self.settings.texture,
            self.coefficients[:, 0].clamp(0, 1),
        )  # fmt: skip
        world = torch.from_numpy(self.frame.restore(baked.vertices.numpy()))
        return dataclasses.replace(baked, vertices=world, material=dataclasses.replace(baked.material, unlit=True))

    def drawn(self, views: Views) -> Tensor:
        """Pictures [N,H,W,4] from views: premultiplied linear RGB and coverage."""
        flat = layers(Scene(self.mesh), views.cameras, "color", self.backend, SUPERSAMPLE)
        if self.settings.appearance != "view-dependent":
            return flat
        vertices, faces = torch.from_numpy(self.shape.vertices), torch.from_numpy(self.shape.faces)
        photos = photos_in(self.frame, views)
        pictures = [picture(vertices, faces, self.coefficients, photos, i, self.backend)[0] for i in range(len(views))]
        linear = torch.from_numpy(srgb_to_linear(torch.stack(pictures).double().numpy()))
        cover = flat[..., 3:].cpu().double().clamp(0, 1)
        return torch.cat([linear * cover, cover], -1)

    def compared(self, views: Views) -> Comparison:
        """Pictures of it beside photographs; where cameras are refined, theirs are first set right by the model."""
        assert views.images is not None
        images = views.images
        if "pose" in self.settings.optimize:
            views = by_the_model(self.shape, self.coefficients[:, 0].clamp(0, 1), views, self.frame, self.backend)
        return compared(self.drawn(views), images, views.masks, views.confidence)

    def result(self, unseen: Views | None, folds: tuple[PictureScores, ...]) -> Result:
        """All that the run reports."""
        assert self.views.images is not None
        own = self.views.images
        seen = compared(self.drawn(self.views), own, self.views.masks, self.views.confidence)
        return Result(
            mesh=self.mesh,
            surface=self.surface,
            stages=self.tried,
            seen=seen,
            unseen=None if unseen is None else self.compared(unseen),
            folds=folds,
            arrays=self._arrays(),
        )

    def _arrays(self) -> Mapping[str, Mapping[str, Tensor]]:
        stored: dict[str, Mapping[str, Tensor]] = {}
        if self.settings.appearance == "view-dependent":
            stored["view_dependent"] = {"coefficients": self.coefficients}
        if self.gains is not None:
            stored["exposures"] = {"gains": self.gains}
        if {"pose", "intrinsics"} & set(self.settings.optimize):
            cameras = self.views.cameras
            stored["cameras"] = {"world_to_camera": cameras.world_to_camera, "projection": cameras.projection}
        return stored


def coloured(
    shape: Shape, tried: tuple[Tried, ...], views: Views, frame: Frame, settings: PhotometricSettings, backend: Backend
) -> Model:
    """A shape, freed of what intersections are left, with its colours."""
    repaired = repair(shape.vertices, orient_outward(shape.vertices, shape.faces), resolution=RESOLUTION)
    sound = Shape(repaired.vertices, repaired.faces)
    photos, gains = photos_in(frame, views), None
    if "exposure" in settings.optimize:
        gains = exposure_gains(_seen_at_vertices(sound, photos, backend))
        photos = exposed(photos, gains)
    return Model(sound, tried, views, frame, photos, gains, settings, backend)


def _seen_at_vertices(shape: Shape, photos: Photos, backend: Backend) -> Samples:
    vertices, faces = torch.from_numpy(shape.vertices), torch.from_numpy(shape.faces)
    depth = depth_buffer(vertices, faces, photos.clip_from_object, photos.size, backend)
    normals = torch.from_numpy(vertex_normals(shape.vertices, shape.faces))
    return look_at_points(vertices, normals, photos, depth)
