"""From a shape to what users get: a texture, colours at the vertices, and pictures of them beside photographs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import torch

from invrender.colour import srgb_to_linear
from invrender.evaluate.pictures import Comparison, PictureScores, compared
from invrender.geometry.connectivity import orient_outward
from invrender.geometry.decimate import decimated
from invrender.geometry.repair import repair
from invrender.geometry.vectors import vertex_normals
from invrender.kernels import Backend
from invrender.methods.photometric.appearance import Appearance, carried
from invrender.methods.photometric.change import change
from invrender.methods.photometric.normals import smooth_normals
from invrender.methods.photometric.posing import by_the_model, settled
from invrender.methods.photometric.result import Result, Tried
from invrender.methods.photometric.settings import PhotometricSettings
from invrender.methods.silhouette.target import Shape
from invrender.nouns import Cameras, Lights, Material, Mesh, Scene, Views
from invrender.parameters.frame import Frame
from invrender.photometry.baking import Lit, textured
from invrender.photometry.exposure import drawn_gains, exposed, exposed_views, exposure_gains, in_their_exposure
from invrender.photometry.highlights import surface_brightness
from invrender.photometry.photos import Photos, photos_in
from invrender.photometry.sampling import Samples, depth_buffer, look_at_points
from invrender.photometry.view_dependent import fitted_colours, pictures
from invrender.render.raster import layers

Tensor = torch.Tensor

SUPERSAMPLE = 2  # of pictures that are compared
FUNCTIONS = 4  # of direction, of colours that change with the view
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
        look: albedo and light of the vertices, where they were told apart.
        given: the cameras before they were refined, or None.
    """

    shape: Shape
    tried: tuple[Tried, ...]
    views: Views
    frame: Frame
    photos: Photos
    gains: Tensor | None
    settings: PhotometricSettings
    backend: Backend
    look: Appearance | None = None
    given: Cameras | None = None

    @cached_property
    def coefficients(self) -> Tensor:
        """Colours [V,K,3] of the vertices, sRGB-encoded, by functions of direction; K is 1 unless asked for more."""
        functions = FUNCTIONS if self.settings.appearance == "view-dependent" else 1
        vertices, faces = torch.from_numpy(self.shape.vertices), torch.from_numpy(self.shape.faces)
        return fitted_colours(vertices, faces, self.photos, functions, self.backend)

    @cached_property
    def surface(self) -> Mesh:
        """The closed mesh with colours at its vertices, in the world."""
        if self.look is not None:
            return self._with_colours(self.look.albedo.clamp(0, 1).float(), unlit=False)
        plain = self.coefficients[:, 0].clamp(0, 1)
        return self._with_colours(torch.from_numpy(srgb_to_linear(plain.double().numpy())).float(), unlit=True)

    def _with_colours(self, linear: Tensor, unlit: bool) -> Mesh:
        world = torch.from_numpy(self.frame.restore(self.shape.vertices))
        material = Material(albedo=(1.0, 1.0, 1.0), name="photographs", unlit=unlit)
        return Mesh(world, torch.from_numpy(self.shape.faces), None, linear, material)

    @cached_property
    def shade(self) -> Tensor | None:
        """What a white surface shows at the vertices [V,3], linear, or None where light was not told apart."""
        if self.look is None:
            return None
        normals = smooth_normals(torch.from_numpy(self.shape.vertices), torch.from_numpy(self.shape.faces))
        return replace(self.look, albedo=torch.ones_like(self.look.albedo)).colours(normals)

    @property
    def highlights(self) -> float:
        """The share of the surface that shows highlights."""
        return surface_brightness(self.shape.vertices, self.shape.faces, self.photos, self.backend).share

    @cached_property
    def mesh(self) -> Mesh:
        """With its texture, in the world; without one where it was not wanted."""
        if self.settings.texture == 0:
            return self.surface
        lit = None if self.look is None or self.shade is None else Lit(self.shade, self.look.albedo)
        baked = textured(
            self.shape.vertices, self.shape.faces, self.photos, self.backend, self.settings.texture,
            self.coefficients[:, 0].clamp(0, 1), lit,
        )  # fmt: skip
        world = torch.from_numpy(self.frame.restore(baked.vertices.numpy()))
        return replace(baked, vertices=world, material=replace(baked.material, unlit=self.look is None))

    def drawn(self, views: Views) -> Tensor:
        """Pictures [N,H,W,4] from views: premultiplied linear RGB and coverage."""
        if self.shade is not None and self.look is not None:
            lit = self._with_colours((self.look.albedo * self.shade).float(), unlit=True)
            return layers(Scene(lit), views.cameras, "color", self.backend, SUPERSAMPLE)
        if self.settings.appearance == "view-dependent":
            return pictures(self.surface, self.coefficients, views.cameras, self.backend, SUPERSAMPLE)
        return layers(Scene(self.mesh), views.cameras, "color", self.backend, SUPERSAMPLE)

    def compared(self, views: Views) -> Comparison:
        """Pictures of it beside photographs; where cameras are refined, theirs are first set right by the model."""
        return self._beside(self.placed(views))

    def placed(self, views: Views) -> Views:
        """Views that it was not made from, with their cameras set right by it where cameras are refined."""
        if self.given is None:
            return views
        projection = views.cameras.projection.clone()
        projection[:, :2, :2] *= self.focal
        views = replace(views, cameras=replace(views.cameras, projection=projection))
        if "pose" not in self.settings.optimize:
            return views
        bright = views
        if "exposure" in self.settings.optimize:  # or colours would move cameras that are brighter than the model
            bright = exposed_views(views, drawn_gains(self.drawn(views), views))
        colours = self.coefficients[:, 0].clamp(0, 1)
        return replace(views, cameras=by_the_model(self.shape, colours, bright, self.frame, self.backend).cameras)

    @property
    def focal(self) -> float:
        """By which factor focal lengths are longer than they were given."""
        assert self.given is not None
        return float((self.views.cameras.projection[:, 1, 1] / self.given.projection[:, 1, 1]).mean())

    def _beside(self, views: Views) -> Comparison:
        """Pictures of it beside photographs, as bright as these where exposures are sought."""
        assert views.images is not None
        drawn = self.drawn(views).cpu()
        if self.gains is not None:
            drawn = in_their_exposure(drawn, views.images, views.masks)
        return compared(drawn, views.images, views.masks, views.confidence)

    def result(self, unseen: Views | None, folds: tuple[PictureScores, ...]) -> Result:
        """All that the run reports."""
        seen = self._beside(self.views)
        return Result(
            mesh=self.mesh,
            surface=self.surface,
            stages=self.tried,
            seen=seen,
            unseen=None if unseen is None else self.compared(unseen),
            folds=folds,
            coefficients=self.coefficients if self.settings.appearance == "view-dependent" else None,
            lights=None if self.look is None else Lights.around(self.look.light.float()),
            change=None if self.given is None else change(self.given, self.views.cameras, self.frame.centre),
            refined=None if self.given is None else self.views,
            refined_unseen=None if self.given is None or unseen is None else self.placed(unseen),
            gains=self.gains,
            highlights=None if self.look is None else self.highlights,
            notes=self._notes,
        )

    @property
    def _notes(self) -> tuple[str, ...]:
        count = len(self.shape.faces)
        if self.settings.faces is None or count <= self.settings.faces + 1:
            return ()
        return (f"{count} triangles are the fewest without tearing or crossing the surface",)


def coloured(
    shape: Shape, tried: tuple[Tried, ...], views: Views, frame: Frame, settings: PhotometricSettings,
    backend: Backend, look: Appearance | None = None,
) -> Model:  # fmt: skip
    """A shape, freed of what intersections are left, with its colours."""
    repaired = repair(shape.vertices, orient_outward(shape.vertices, shape.faces), resolution=RESOLUTION)
    sound = Shape(repaired.vertices, repaired.faces)
    if settings.faces is not None:  # before anything is painted on it
        fewer = decimated(sound.vertices, sound.faces, settings.faces)
        sound = Shape(fewer.vertices, fewer.faces)
    if {"pose", "intrinsics"} & set(settings.optimize):
        sound, views = settled(sound, views, frame, settings.optimize, backend)
    photos, gains = photos_in(frame, views), None
    if "exposure" in settings.optimize:
        gains = exposure_gains(_seen_at_vertices(sound, photos, backend))
        photos = exposed(photos, gains)
    if look is not None and len(look.albedo) != len(sound.vertices):
        look = carried(look, shape, sound)
    return Model(sound, tried, views, frame, photos, gains, settings, backend, look)


def _seen_at_vertices(shape: Shape, photos: Photos, backend: Backend) -> Samples:
    vertices, faces = torch.from_numpy(shape.vertices), torch.from_numpy(shape.faces)
    depth = depth_buffer(vertices, faces, photos.clip_from_object, photos.size, backend)
    normals = torch.from_numpy(vertex_normals(shape.vertices, shape.faces))
    return look_at_points(vertices, normals, photos, depth)
