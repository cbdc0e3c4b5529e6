"""The nouns of the library: frozen dataclasses that every part speaks in, with shapes and units.

Conventions (also in the README): world coordinates are the user's own. Cameras follow OpenGL: +X right, +Y up, looking
down -Z. Pixel centres lie at (column + 0.5, row + 0.5); row 0 is the top. Images are linear floats.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Tensor = torch.Tensor


@dataclass(frozen=True)
class Material:
    """How a surface reflects light.

    Attributes:
        albedo: linear RGB in [0, 1].
        texture: [h,w,3] linear float RGB, or None; row 0 is the top (v = 1).
        name: as the file calls it.
    """

    albedo: tuple[float, float, float] = (0.8, 0.8, 0.8)
    texture: Tensor | None = None
    name: str = "default"


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh in world units.

    Attributes:
        vertices: [V,3] float (float64 as read from a file, so that large offsets survive; rendering casts to float32).
        faces: [F,3] int64, counter-clockwise seen from outside.
        uv: [V,2] float, or None.
        colours: [V,3] linear float RGB in [0, 1], or None.
        material: what the surface reflects.
    """

    vertices: Tensor
    faces: Tensor
    uv: Tensor | None = None
    colours: Tensor | None = None
    material: Material = field(default_factory=Material)

    @staticmethod
    def from_numpy(vertices: NDArray[np.floating], faces: NDArray[np.integer]) -> Mesh:
        """A mesh from [V,3] and [F,3] arrays; vertices become float64, faces int64."""
        return Mesh(torch.as_tensor(vertices, dtype=torch.float64), torch.as_tensor(faces, dtype=torch.int64))

    def numpy(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Vertices [V,3] float64 and faces [F,3] int64 as numpy arrays."""
        vertices: NDArray[np.float64] = self.vertices.detach().cpu().double().numpy()
        faces: NDArray[np.int64] = self.faces.cpu().numpy()
        return vertices, faces


@dataclass(frozen=True)
class Volume:
    """Samples on the vertices of a regular grid: trilinear between them, zero outside.

    Attributes:
        values: [C,D,H,W] float32 in the order z, y, x (x runs fastest on disk); C = 1 for a density.
        bounds: [2,3] float64, the positions (x, y, z) of the first and the last grid vertex in world units.
        name: as the file calls the field.
        units: of length, where the file says so.
    """

    values: Tensor
    bounds: Tensor
    name: str = "density"
    units: str | None = None

    @staticmethod
    def from_numpy(
        values: NDArray[np.floating],
        bounds: NDArray[np.floating] | None = None,
        name: str = "density",
        units: str | None = None,
    ) -> Volume:
        """A volume from a [D,H,W] or [C,D,H,W] array.

        Without bounds the voxels are cubes, the longest axis has length 1, and the box is centred on the origin.
        """
        grid = torch.as_tensor(values, dtype=torch.float32)
        grid = grid[None] if grid.ndim == 3 else grid
        if bounds is None:
            cells = torch.tensor([grid.shape[3] - 1, grid.shape[2] - 1, grid.shape[1] - 1], dtype=torch.float64)
            half = cells / cells.max().clamp(min=1) / 2
            return Volume(grid, torch.stack([-half, half]), name, units)
        return Volume(grid, torch.as_tensor(bounds, dtype=torch.float64), name, units)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(D, H, W): samples along z, y, x."""
        depth, height, width = self.values.shape[1:]
        return depth, height, width

    @property
    def spacing(self) -> Tensor:
        """[3] float64: the distance (x, y, z) between neighbouring samples in world units."""
        depth, height, width = self.shape
        cells = torch.tensor([width - 1, height - 1, depth - 1], dtype=torch.float64).clamp(min=1)
        return (self.bounds[1] - self.bounds[0]) / cells

    @property
    def frame(self) -> tuple[Tensor, float]:
        """The centre [3] float64 of the box and the length of its longest axis: the normalised frame in the world."""
        return self.bounds.mean(0), float((self.bounds[1] - self.bounds[0]).max())

    def numpy(self) -> NDArray[np.float32]:
        """The values [C,D,H,W] float32 as an array."""
        values: NDArray[np.float32] = self.values.detach().cpu().float().numpy()
        return values


@dataclass(frozen=True)
class Cameras:
    """N pinhole cameras of one image size.

    Attributes:
        world_to_camera: [N,4,4] float64, rigid; the camera looks down its -Z.
        projection: [N,4,4] float64, camera to clip space (OpenGL: visible where -w <= x, y, z <= w; w is the depth
            along the viewing axis).
        size: (H, W) in pixels.
    """

    world_to_camera: Tensor
    projection: Tensor
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.world_to_camera)

    @property
    def clip_from_world(self) -> Tensor:
        """[N,4,4] float64: world to clip space."""
        return self.projection @ self.world_to_camera

    @property
    def position(self) -> Tensor:
        """[N,3] float64: the eye points in the world."""
        position: Tensor = torch.linalg.inv(self.world_to_camera)[:, :3, 3]
        return position

    def __getitem__(self, index: slice | list[int] | Tensor) -> Cameras:
        """A subset of the cameras (a slice, list or index tensor; not a bare integer)."""
        return Cameras(self.world_to_camera[index], self.projection[index], self.size)


@dataclass(frozen=True)
class Rays:
    """R rays in the world.

    Attributes:
        origin: [R,3] float.
        direction: [R,3] float, unit length.
        t_min, t_max: the range of distances along the ray that counts.
    """

    origin: Tensor
    direction: Tensor
    t_min: float = 0.0
    t_max: float = float("inf")


@dataclass(frozen=True)
class Lights:
    """A directional light and an ambient term.

    Attributes:
        direction: unit vector towards the light, or None: it moves with the camera, over its left shoulder.
        intensity: radiance of a white Lambertian surface facing the light.
        ambient: added everywhere, relative to the albedo.
    """

    direction: tuple[float, float, float] | None = None
    intensity: float = 0.75
    ambient: float = 0.25


@dataclass(frozen=True)
class Scene:
    """What is rendered: a mesh, lights and a background (linear RGB)."""

    mesh: Mesh
    lights: Lights = field(default_factory=Lights)
    background: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Views:
    """Posed images.

    Attributes:
        cameras: N cameras.
        masks: [N,H,W] float32 coverage in [0, 1]; 1 is object.
        images: [N,H,W,3] float32 linear RGB, or None where only silhouettes are known.
        names: one per view, as the files are called.
    """

    cameras: Cameras
    masks: Tensor
    images: Tensor | None = None
    names: tuple[str, ...] = ()
