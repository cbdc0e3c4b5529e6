"""The misfit of views as a function of their geometry alone: for each geometry, the grid that explains them best.

    f(g) = min over x of  1/2 |A(g) x - b|^2_W + 1/2 lambda |D x|^2

Variable projection (Golub and Pereyra 1973): with x(g) put in, f has the gradient J' W (A x - b), where J = d(A x)/dg
with x held; and in the curvature what x can make up for is taken off, J' W (J - A Y), where Y explains J best (Kaufman
1975). That is what tells an axis that is off from an object that looks otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch

from invrender.kernels import Backend, RayBundle
from invrender.nouns import Cameras
from invrender.radiography.misalignment import Misalignment, moved

Tensor = torch.Tensor

STEP = 0.5  # coarse pixels, of central differences
SMOOTHNESS = 3e-3  # lambda, of the greatest curvature of the misfit
ENOUGH = 1e-5  # of the first preconditioned residual's square, at which a solution is good enough


@dataclass(frozen=True)
class Placed(Misalignment):
    """A misalignment, and where the object lies: what cannot be told from how the object looks.

    Attributes:
        lift: columns by which all cameras are moved along the axis.
        turn: degrees by which all cameras are turned about it.
    """

    lift: float = 0.0
    turn: float = 0.0


@dataclass(frozen=True)
class Coarse:
    """Views at a low resolution, and the grid that is to explain them.

    Attributes:
        cameras: N of them, as they are thought to be.
        depth, weight: [N,H,W] float32; 0 in `weight`: not known.
        factor: pixels of the detector along each column and row of these: (columns, rows).
        shape, bounds: of the grid.
        axis: [3] of rotation; pixel: world units of a column of the detector, at the axis.
        backend: what projects.
    """

    cameras: Cameras
    depth: Tensor
    weight: Tensor
    factor: tuple[int, int]
    shape: tuple[int, int, int]
    bounds: Tensor
    axis: Tensor
    pixel: float
    backend: Backend

    def at(self, by: Placed) -> Cameras:
        """The cameras, corrected; `by` is in pixels of the detector."""
        coarse = replace(by, u=by.u / self.factor[0], v=by.v / self.factor[1])
        cameras = moved(self.cameras, coarse, self.axis, self.pixel)
        motion = torch.eye(4, dtype=torch.float64)
        motion[:3, :3] = rotation(self.axis, by.turn)
        motion[:3, 3] = by.lift * self.pixel * self.axis
        return Cameras(cameras.world_to_camera @ torch.linalg.inv(motion), cameras.projection, cameras.size)

    def rays(self, by: Placed) -> Projection:
        """A."""
        device = self.backend.device
        rays = self.backend.joseph_rays(self.shape, self.bounds.to(device), self.at(by))
        return Projection(rays, self.depth.shape, device)

    @cached_property
    def smoothness(self) -> float:
        """lambda: the same for all geometries, so that their misfits can be compared."""
        return normal(self, Placed())[1]

    @cached_property
    def step(self) -> Placed:
        """By how much each number is changed for derivatives."""
        columns, rows = (STEP * each for each in self.factor)
        angle = math.degrees(STEP / (max(self.shape) / 2))
        return Placed(columns, columns, rows, angle, columns, angle)


@dataclass(frozen=True)
class Projection:
    """A as an operator to images [N,H,W]; rays that miss the grid read 0."""

    rays: RayBundle
    size: torch.Size
    device: torch.device

    @cached_property
    def index(self) -> Tensor:
        """[R] pixels."""
        return self.rays.pixels.cpu()

    def forward(self, grid: Tensor) -> Tensor:
        """A x: [D,H,W] to [N,H,W]."""
        out = torch.zeros(self.size.numel(), dtype=torch.float32)
        out[self.index] = self.rays.forward(grid.to(self.device)).cpu()
        return out.reshape(self.size)

    def adjoint(self, images: Tensor) -> Tensor:
        """A' y."""
        return self.rays.adjoint(images.reshape(-1)[self.index].to(self.device)).cpu()


@dataclass(frozen=True)
class Fit:
    """The best grid for one geometry.

    Attributes:
        grid: [D,H,W].
        misfit: 1/2 |A x - b|^2_W + 1/2 lambda |D x|^2.
        residual: [N,H,W] b - A x.
    """

    grid: Tensor
    misfit: float
    residual: Tensor


@dataclass(frozen=True)
class Normal:
    """A' W A + lambda D' D for one geometry, with its diagonal preconditioner."""

    projection: Projection
    weight: Tensor
    smoothness: float
    diagonal: Tensor

    def __call__(self, grid: Tensor) -> Tensor:
        """The product with a grid."""
        data = self.projection.adjoint(self.weight * self.projection.forward(grid))
        return data + self.smoothness * laplacian(grid)

    def solve(self, right: Tensor, start: Tensor, steps: int, enough: float = ENOUGH) -> Tensor:
        """Conjugate gradients from a start, until the square of what is left is so small a share."""
        x, residual = start, right - self(start) if bool(start.any()) else right
        z = residual / self.diagonal
        direction, size = z, _dot(residual, z)
        least = enough * _dot(right, right / self.diagonal)
        for _ in range(steps):
            if size <= least:
                break
            product = self(direction)
            length = size / _dot(direction, product)
            x = x + length * direction
            residual = residual - length * product
            z = residual / self.diagonal
            before, size = size, _dot(residual, z)
            direction = z + (size / before) * direction
        return x


def normal(problem: Coarse, by: Placed, smoothness: float | None = None) -> tuple[Normal, float]:
    """The normal equations' matrix at a geometry, and lambda (which should stay the same for all geometries)."""
    projection = problem.rays(by)
    ones = torch.ones(problem.shape)
    data = projection.adjoint(problem.weight * projection.forward(ones))
    value = SMOOTHNESS * float(data.max()) if smoothness is None else smoothness
    # D'D has 6 on its diagonal; the data's part is the separable majoriser over a typical number of samples of a ray.
    diagonal = data / max(problem.shape) * 4 + 6 * value
    return Normal(projection, problem.weight, value, diagonal), value


def fit(problem: Coarse, matrix: Normal, start: Tensor | None, steps: int) -> Fit:
    """x(g)."""
    right = matrix.projection.adjoint(problem.weight * problem.depth)
    grid = matrix.solve(right, torch.zeros(problem.shape) if start is None else start, steps)
    residual = problem.depth - matrix.projection.forward(grid)
    misfit = 0.5 * _dot(residual, problem.weight * residual)
    return Fit(grid, misfit + 0.5 * matrix.smoothness * _dot(grid, laplacian(grid)), residual)


def derivatives(problem: Coarse, by: Placed, grid: Tensor, names: Sequence[str]) -> list[Tensor]:
    """J: [N,H,W] for each named number, by central differences."""
    found = []
    for name in names:
        step = getattr(problem.step, name)
        here = getattr(by, name)
        ahead, behind = (problem.rays(replace(by, **{name: here + sign * step})).forward(grid) for sign in (1.0, -1.0))
        found.append((ahead - behind) / (2 * step))
    return found


def rotation(axis: Tensor, degrees: float) -> Tensor:
    """[3,3] float64: Rodrigues's rotation about a unit vector."""
    x, y, z = axis.tolist()
    cross = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64)
    angle = math.radians(degrees)
    return torch.eye(3, dtype=torch.float64) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


def laplacian(grid: Tensor) -> Tensor:
    """D' D x, of the differences of neighbours; beyond the grid there is nothing."""
    out = 6 * grid
    for axis in range(3):
        n = grid.shape[axis]
        out.narrow(axis, 0, n - 1).sub_(grid.narrow(axis, 1, n - 1))
        out.narrow(axis, 1, n - 1).sub_(grid.narrow(axis, 0, n - 1))
    return out


def _dot(a: Tensor, b: Tensor) -> float:
    return float((a.double() * b.double()).sum())
