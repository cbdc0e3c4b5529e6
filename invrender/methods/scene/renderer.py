"""A scene's pictures as often as a solver asks for them: everything that does not change is prepared once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import torch

from invrender.cameras.lens import has_lens, lens_rays
from invrender.kernels import Backend
from invrender.nouns import Camera, Mesh, Scene
from invrender.parameters.scene_places import Measures, distinct
from invrender.render.pixel_samples import mixed, places
from invrender.render.scene_arrays import Geometry, geometry
from invrender.render.scene_edges import SceneEdges, scene_edges
from invrender.render.scene_view import Shot, view
from invrender.render.scenes import RAYS_AT_ONCE, picture

Tensor = torch.Tensor

FINER = 3  # rays on each side of a pixel that look whether it can show anything
PROBE = 24  # rays on each side of a picture that look how far a camera sees


@dataclass(frozen=True)
class Renderer:
    """What draws the pictures of a scene whose meshes stay.

    Attributes:
        meshes: of the scene.
        backend: whose kernels follow the light; its reference twin where derivatives are of forward mode.
        shot: what is followed.
    """

    meshes: tuple[Mesh, ...]
    backend: Backend
    shot: Shot

    @cached_property
    def fast(self) -> Geometry:
        """For the kernels, float32."""
        return geometry(self.meshes, self.backend.device)

    @cached_property
    def exact(self) -> Geometry:
        """For the reference twin, float64."""
        return geometry(self.meshes, self.backend.device, torch.float64)

    def finer(self, spp: int) -> Renderer:
        """The same with so many rays a pixel."""
        if spp == self.shot.spp:
            return self
        made = replace(self, shot=replace(self.shot, spp=spp))
        vars(made).update(fast=self.fast, exact=self.exact)  # cached: they do not depend on the shot
        return made

    def picture(
        self,
        scene: Scene,
        camera: int,
        size: tuple[int, int],
        pixels: Tensor | None = None,
        *,
        in_torch: bool = False,
        seed: int | None = None,
        edges: SceneEdges | None = None,
    ) -> Tensor:
        """Linear RGB [H,W,3] or [P,3] float64 of a camera, by its number, in main memory; see `render.scenes`."""
        if not (in_torch or torch.is_grad_enabled()) and self._is_plain(scene.cameras[camera], size):
            return self._still(scene, camera, size, pixels, self.shot.seed if seed is None else seed)
        shot = self.shot if seed is None else replace(self.shot, seed=seed)
        found = picture(
            scene, scene.cameras[camera], size, self.backend, shot,
            in_torch=in_torch, geometry=self.exact if in_torch else self.fast, pixels=pixels,
            edges=edges,
        )  # fmt: skip
        return found.double().cpu()

    def _is_plain(self, camera: Camera, size: tuple[int, int]) -> bool:
        """Whether all rays of a picture come from one point and can be followed at once."""
        few = self.shot.spp * size[0] * size[1] <= RAYS_AT_ONCE
        return self.shot.mode == "raytraced" and few and not has_lens(camera)

    def _still(self, scene: Scene, camera: int, size: tuple[int, int], pixels: Tensor | None, seed: int) -> Tensor:
        """`picture` without gradients, all passes at once; the rays of a camera that has not moved are made once."""
        of = scene.cameras[camera]
        ready = view(scene, of, size, self.backend, self.shot, geometry=self.fast)
        known = self._started.get((camera, size))
        if known is None or known[0] is not of or known[1] is not pixels:
            origin, direction = self._rays(of, size, pixels)
            known = (of, pixels, *ready.started(origin.to(self.backend.device), direction.to(self.backend.device)))
            self._started[camera, size] = known
        found = ready.followed(known[2], known[3], mixed(seed, 2, 0, 0))[:, :3]
        mean = found.reshape(self.shot.spp, -1, 3).mean(0).double().cpu()
        return mean.reshape(*size, 3) if pixels is None else mean

    def _rays(self, camera: Camera, size: tuple[int, int], pixels: Tensor | None) -> tuple[Tensor, Tensor]:
        """Origins and directions of the rays of all passes, one pass after the other."""
        spp, seed = self.shot.spp, mixed(self.shot.seed, 0)
        every = torch.arange(size[0] * size[1]) if pixels is None else pixels
        passes = [lens_rays(camera, size, every, None if spp == 1 else places(every, k, seed)) for k in range(spp)]
        return torch.cat([rays.origin for rays in passes]), torch.cat([rays.direction for rays in passes])

    @cached_property
    def _started(self) -> dict[tuple[int, tuple[int, int]], tuple[Camera, Tensor | None, Tensor, Tensor]]:
        """The last rays by camera and size of picture: the camera, the pixels, and the rays for kernels."""
        return {}

    def edges(self, scene: Scene, camera: int, size: tuple[int, int]) -> SceneEdges | None:
        """Points on edges for derivatives of `picture` in forward mode; None where edges have none."""
        if self.shot.edges is None or has_lens(scene.cameras[camera]):
            return None
        return scene_edges(view(
            scene, scene.cameras[camera], size, self.backend, self.shot, in_torch=True, geometry=self.exact,
        ))  # fmt: skip

    def filled(self, camera: Camera, size: tuple[int, int]) -> Tensor:
        """Numbers [P] int64 of the pixels whose rays may meet something."""
        height, width = size
        _, face, _ = self._met(camera, (FINER * height, FINER * width))
        hits = (face >= 0).reshape(1, 1, FINER * height, FINER * width).double()
        seen = torch.nn.functional.max_pool2d(hits, FINER)
        wide = torch.nn.functional.max_pool2d(seen, 3, 1, 1)  # of edges that pass between the rays
        return wide.reshape(-1).nonzero()[:, 0]

    def measures(self, scene: Scene) -> Measures:
        """The scene's size, and how far its cameras see."""
        names = distinct([camera.name for camera in scene.cameras])
        low, high = self._box()
        size = float((high - low).norm()) / 2
        seen = {name: self._distance(camera) for name, camera in zip(names, scene.cameras, strict=True)}
        return Measures((low + high) / 2, size, {name: away for name, away in seen.items() if away > 0})

    def _box(self) -> tuple[Tensor, Tensor]:
        """Corners of the box of all meshes, but for those that hold all others and reach far beyond (grounds)."""
        corners = [(mesh.vertices.double().amin(0).cpu(), mesh.vertices.double().amax(0).cpu()) for mesh in self.meshes]
        lengths = torch.tensor([float((high - low).norm()) for low, high in corners])
        small = [pair for pair, length in zip(corners, lengths.tolist(), strict=True) if length <= 10 * lengths.min()]
        return torch.stack([low for low, _ in small]).amin(0), torch.stack([high for _, high in small]).amax(0)

    def _distance(self, camera: Camera) -> float:
        """Along the viewing axis to what fills the middle of the picture; 0 where nothing is seen."""
        away, face, axis = self._met(camera, (PROBE, PROBE))
        found = (away * axis)[face >= 0]
        return float(found.median()) if len(found) else 0.0

    def _met(self, camera: Camera, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
        """How far in the world the rays of a camera go, the faces that they meet, and their cosines with the axis."""
        rays, ground = lens_rays(camera, size), self.exact
        origin = ground.local(rays.origin.to(self.backend.device))
        face, t, _, _ = self.backend.trace(
            ground.vertices.detach(), ground.faces, origin, rays.direction.to(self.backend.device)
        )
        cosine = -(rays.direction @ camera.pose[:3, 2].double())
        return t.cpu() * ground.unit, face.cpu(), cosine
