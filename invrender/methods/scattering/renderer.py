"""Views of a medium under its light: rays of pixels in the scene's frame, followed through it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.cameras.rays import pixel_rays
from invrender.kernels import Backend
from invrender.kernels.intersect import approached
from invrender.kernels.radiance import ENDLESS, SceneArrays, Transport
from invrender.nouns import Cameras, Scene
from invrender.ops.radiance import radiance
from invrender.render import scene_arrays

Tensor = torch.Tensor

TRANSPORT = Transport(ENDLESS, indirect=True)
AT_ONCE = 2**18  # rays
AROUND = 1.75  # radius of a sphere that holds the frame's cube
SEEDS = 2**31


@dataclass(frozen=True)
class Renderer:
    """What sees a medium from some cameras.

    Attributes:
        base: the scene for kernels, with the medium that it was made with.
        unit: world units of the frame's unit.
        origins, directions: [N,3,3] float64; see `pixel_rays`; origins in the frame.
        size: (H, W) of a picture.
        backend: that follows the light.
    """

    base: SceneArrays
    unit: float
    origins: Tensor
    directions: Tensor
    size: tuple[int, int]
    backend: Backend

    @staticmethod
    def of(scene: Scene, cameras: Cameras, backend: Backend) -> Renderer:
        """What sees a scene with a medium from N cameras."""
        prepared = scene_arrays.geometry(scene.meshes, backend.device, media=scene.media)
        arrays = scene_arrays.arrays(prepared, scene)
        origins, directions = (matrix.to(prepared.centre) for matrix in pixel_rays(cameras))
        # `local` is affine: it moves what belongs to 1 and scales the rest.
        at = prepared.local(origins[:, :, 2])
        origins = torch.cat([origins[:, :, :2] / prepared.unit, at[:, :, None]], 2)
        return Renderer(arrays, prepared.unit, origins, directions.to(at), cameras.size, backend)

    @property
    def pixels(self) -> int:
        """Of all views."""
        return len(self.origins) * self.size[0] * self.size[1]

    def rays(self, pixels: Tensor, spp: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Rays [P*spp,3] of the frame through random points of pixels [P], counted through views, rows and columns."""
        return self._rays(pixels.repeat_interleave(spp), torch.rand(len(pixels) * spp, 2, generator=random))

    def _rays(self, pixels: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        """Rays through points [P,2] in [0, 1) of pixels [P]."""
        height, width = self.size
        view, within = pixels // (height * width), pixels % (height * width)
        at = torch.stack([within % width, within // width], 1) + inside.to(self.origins)
        start, way = (
            (matrix[view][:, :, :2] * at[:, None]).sum(-1) + matrix[view][:, :, 2]
            for matrix in (self.origins, self.directions)
        )
        way = torch.nn.functional.normalize(way, dim=-1)
        like = self.base.vertices
        return approached(start, way, AROUND).to(like), way.to(like)

    def seen(self, arrays: SceneArrays, pixels: Tensor, spp: int, random: torch.Generator) -> Tensor:
        """Linear RGB [P,3] of pixels, each the mean of some rays; differentiable in the arrays."""
        return self.along(arrays, self.rays(pixels, spp, random), spp, random)[:, :3]

    def along(self, arrays: SceneArrays, rays: tuple[Tensor, Tensor], spp: int, random: torch.Generator) -> Tensor:
        """Linear RGB and alpha [P,4], means of so many of the rays [P*spp,3] one after the other."""
        seed = int(torch.randint(SEEDS, (), generator=random))
        found = radiance(self.backend, arrays, *rays, seed, TRANSPORT)
        return found.reshape(-1, spp, 4).mean(1)

    def middles(self) -> tuple[Tensor, Tensor]:
        """Rays [P,3] of the frame through the middles of all pixels."""
        return self._rays(self._numbers(), torch.full((self.pixels, 2), 0.5, dtype=torch.float64))

    def meeting(self, grid: Tensor) -> Tensor:
        """Which pixels [N,H,W] see through their centres where a grid [D,H,W] over the medium's box is above 0."""
        return torch.cat([self._meets(part, grid) for part in self._numbers().split(AT_ONCE)]).reshape(-1, *self.size)

    def _numbers(self) -> Tensor:
        return torch.arange(self.pixels, device=self.origins.device)

    def _meets(self, pixels: Tensor, grid: Tensor) -> Tensor:
        origin, way = self._rays(pixels, torch.full((len(pixels), 2), 0.5, dtype=torch.float64))
        box, on = self.base.box.double(), grid.to(origin)
        met: Tensor = (self.backend.line_integral(on, box, origin, way) > 0).cpu()
        return met

    def drawn(self, spp: int, seed: int) -> Tensor:
        """All views of the scene as it was given, [N,H,W,3] on the CPU."""
        return self.pictures(self.base, spp, seed)

    def pictures(self, arrays: SceneArrays, spp: int, seed: int) -> Tensor:
        """All views, [N,H,W,3] on the CPU."""
        return self.layers(arrays, spp, seed)[:, :3].reshape(-1, *self.size, 3).cpu()

    @torch.no_grad()
    def layers(self, arrays: SceneArrays, spp: int, seed: int) -> Tensor:
        """All pixels of all views with their alpha, [P,4]."""
        random = torch.Generator().manual_seed(seed)
        each = max(1, min(spp, AT_ONCE // 1024))
        count = max(1, AT_ONCE // each)
        drawn = []
        for part in self._numbers().split(count):
            total, left = torch.zeros(len(part), 4, device=part.device), spp
            while left:
                now = min(each, left)
                found = self.along(arrays, self.rays(part, now, random), now, random)
                total, left = total + now * found, left - now
            drawn.append(total / spp)
        return torch.cat(drawn)
