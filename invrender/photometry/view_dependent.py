"""Colours on the vertices of a mesh that reproduce photographs, the same from everywhere or a function of direction.

A pixel that sees the surface shows the mean of three vertices' colours by its barycentric coordinates; each vertex has
coefficients c_k for functions Y_k of the direction of view (real spherical harmonics up to a factor). That is linear in
the coefficients: they are the solution of a least-squares problem with all pixels of all photographs as its rows,

    sum_pixels w |sum_v b_v sum_k Y_k c_vk - colour|^2 + ridge sum_{k>0} |c_vk|^2 + smooth sum_edges |c_v - c_u|^2,

with weights w that pixels lose by deviating (Cauchy's), by conjugate gradients. Unlike a mean of what photographs show
at each vertex this sharpens what a pixel blends, and triangles may be smaller or larger than pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from invrender import ops
from invrender.cameras.parallel import far_pinholes
from invrender.cameras.rigs import mesh_frame
from invrender.colour import srgb_to_linear
from invrender.errors import InputError
from invrender.geometry.connectivity import unique_edges
from invrender.geometry.vectors import Floats
from invrender.kernels import Backend
from invrender.nouns import Cameras, Mesh, Scene
from invrender.photometry.normal_equations import NormalEquations, Pixels
from invrender.photometry.photos import Photos
from invrender.photometry.shares import shares
from invrender.render.images import average, enlarge
from invrender.render.raster import layers

Tensor = torch.Tensor

COVERED = 0.98  # of a pixel by the mask: others show the background too
OUTLIER = 0.1  # sRGB distance at which a pixel counts half
ROUNDS, STEPS = 3, 12  # of reweighting, and of conjugate gradients in each
SMOOTH = 0.05  # of a pixel's weight, on the difference along an edge
RIDGE = 2.0  # of a pixel's weight, on what depends on direction
GREY = 0.5  # where the solution starts from


@dataclass(frozen=True)
class Seen:
    """Pixels [P] that a mesh covers at their centres: number in the picture, face, barycentrics [P,3]."""

    pixel: Tensor
    face: Tensor
    share: Tensor


def directional(direction: Tensor, functions: int) -> Tensor:
    """[..., K] the first 1, 4 or 9 functions of unit directions [..., 3]: spherical harmonics without their factors."""
    x, y, z = direction.unbind(-1)
    every = [torch.ones_like(x), x, y, z, x * y, y * z, z * x, x * x - y * y, 3 * z * z - 1]
    return torch.stack(every[:functions], -1)


def seen_by(vertices: Tensor, faces: Tensor, matrix: Tensor, size: tuple[int, int], backend: Backend) -> Seen:
    """What a photograph's pixels see of a mesh.

    Args:
        vertices: [V,3] float64.
        faces: [F,3] int64.
        matrix: [4,4] float64, to clip space.
        size: (H, W).
        backend: what draws.
    """
    homogeneous = torch.cat([vertices, torch.ones_like(vertices[:, :1])], 1)
    clip = (homogeneous @ matrix.T).float()[None].to(backend.device)
    face_id, _ = ops.rasterize(backend, clip, faces.to(backend.device), size)
    flat = face_id.reshape(-1).cpu()
    pixel = torch.nonzero(flat >= 0)[:, 0]
    face = flat[pixel].long()
    share = shares(clip[0].cpu().double().numpy(), faces.cpu().numpy(), pixel.numpy(), face.numpy(), size)
    return Seen(pixel, face, torch.from_numpy(share))


def fitted_colours(
    vertices: Tensor, faces: Tensor, photos: Iterable[Photos], functions: int, backend: Backend,
    smooth: float = SMOOTH, ridge: float = RIDGE,
) -> Tensor:  # fmt: skip
    """Coefficients [V,K,3] float32 (sRGB-encoded) with which the mesh looks like the photographs.

    Args:
        vertices: [V,3] float64, in the photographs' frame.
        faces: [F,3] int64.
        photos: one after the other, asked for several times; nothing is kept of their pixels.
        functions: K: 1 for colours that are the same from everywhere, 4 or 9, see `directional`.
        backend: what draws.
        smooth: weight of the difference along an edge; it also decides colours that no photograph shows.
        ridge: weight of what depends on direction.

    Raises:
        InputError: no photograph shows the mesh.
    """
    from scipy import sparse

    edges = unique_edges(faces.numpy())
    count = len(vertices)
    both = np.concatenate([edges, edges[:, ::-1]])
    adjacent = sparse.csr_matrix((np.ones(len(both)), both.T), shape=(count, count))
    degree = np.asarray(adjacent.sum(1))
    damping = np.tile(np.array([1e-4] + [ridge] * (functions - 1)), count)[:, None]
    diagonal = damping + smooth * np.repeat(degree, functions, 0)

    def regular(x: Floats) -> Floats:
        blocks = x.reshape(count, -1)
        rough = smooth * (degree * blocks - adjacent @ blocks)
        return np.asarray(damping * x + rough.reshape(x.shape))

    def pixels() -> Iterator[Pixels]:
        return (_pixels(vertices, faces, photo, functions, backend) for photo in photos)

    start = np.zeros((count, functions, 3))
    start[:, 0] = GREY
    empty = partial(NormalEquations.empty, faces.numpy(), functions)
    solution = _reweighted(empty, pixels, start.reshape(-1, 3), regular, diagonal)
    return torch.from_numpy(solution.reshape(count, functions, 3)).float()


def colours_towards(coefficients: Tensor, directions: Tensor) -> Tensor:
    """Colours [P,3] of coefficients [P,K,3] seen along unit directions [P,3] (from the eye to the point)."""
    basis = directional(directions, coefficients.shape[1])
    return (coefficients * basis[..., None]).sum(1).clamp(0, 1)


def picture(
    vertices: Tensor, faces: Tensor, coefficients: Tensor, matrix: Tensor, eye: Tensor, size: tuple[int, int],
    backend: Backend,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """What a camera sees of the coloured mesh, sRGB-encoded [H,W,3] over black, and which pixels it covers [H,W].

    Args:
        vertices: [V,3] float64.
        faces: [F,3] int64.
        coefficients: [V,K,3], see `fitted_colours`.
        matrix: [4,4] float64, to clip space.
        eye: [3] float64, where the camera stands.
        size: (H, W).
        backend: what draws.
    """
    height, width = size
    seen = seen_by(vertices, faces, matrix, size, backend)
    at = faces[seen.face]
    mixed = (coefficients[at] * seen.share[:, :, None, None]).sum(1)
    image, cover = torch.zeros(height * width, 3), torch.zeros(height * width)
    image[seen.pixel] = colours_towards(mixed, _directions(vertices, at, seen.share, eye).float())
    cover[seen.pixel] = 1.0
    return image.reshape(height, width, 3), cover.reshape(height, width)


def pictures(mesh: Mesh, coefficients: Tensor, cameras: Cameras, backend: Backend, supersample: int = 1) -> Tensor:
    """Pictures [N,H,W,4] of a mesh in the world: premultiplied linear RGB and exact coverage, float64 on the CPU.

    Args:
        mesh: its own colours stand where it covers pixels beside their centres.
        coefficients: [V,K,3] of its vertices, see `fitted_colours`.
        cameras: N of them.
        backend: what draws.
        supersample: samples on each side of a pixel.

    Raises:
        InputError: there is not one row of coefficients per vertex.
    """
    if coefficients.ndim != 3 or len(coefficients) != len(mesh.vertices):
        raise InputError(
            f"the colours are those of {len(coefficients)} vertices, the mesh has {len(mesh.vertices)}",
            "take the mesh.ply and the view_dependent.npz of one run",
        )
    vertices, faces, large = mesh.vertices.cpu().double(), mesh.faces.cpu(), enlarge(cameras, supersample)
    centre, reach = mesh_frame(vertices, faces)
    eyes, drawn = far_pinholes(large, centre, reach).position, []
    for view in range(len(large)):
        matrix, eye = large.clip_from_world[view], eyes[view]
        coded, hit = picture(vertices, faces, coefficients, matrix, eye, large.size, backend)
        flat = layers(Scene(mesh), large[[view]], "color", backend)[0].cpu().double()
        cover = flat[..., 3:].clamp(0, 1)
        plain = flat[..., :3] / cover.clamp(min=1e-6)
        linear = torch.where(hit[..., None] > 0, torch.from_numpy(srgb_to_linear(coded.double().numpy())), plain)
        drawn.append(average(torch.cat([linear * cover, cover], -1)[None], supersample))
    return torch.cat(drawn)


def _directions(vertices: Tensor, corners: Tensor, share: Tensor, eye: Tensor) -> Tensor:
    """Unit directions [P,3] from the eye to points with barycentrics [P,3] on faces with corners [P,3]."""
    points = (vertices[corners] * share[..., None]).sum(1)
    return torch.nn.functional.normalize(points - eye, dim=1)


def _pixels(vertices: Tensor, faces: Tensor, photo: Photos, functions: int, backend: Backend) -> Pixels:
    """The pixels of one photograph that see the mesh, and nothing but the object."""
    seen = seen_by(vertices, faces, photo.clip_from_object[0], photo.size, backend)
    known = (photo.masks[0] > COVERED) & (photo.confidence[0] > COVERED)
    kept = known.reshape(-1)[seen.pixel]
    face, share = seen.face[kept], seen.share[kept]
    basis = torch.ones(len(face), 1)
    if functions > 1:
        basis = directional(_directions(vertices, faces[face], share, photo.eye[0]).float(), functions)
    wanted = photo.images[0].reshape(-1, 3)[seen.pixel[kept]]
    return Pixels(face.numpy(), share.numpy(), basis.numpy(), wanted.numpy())


def _reweighted(
    empty: Callable[[], NormalEquations], pixels: Callable[[], Iterator[Pixels]], x: Floats,
    regular: Callable[[Floats], Floats], diagonal: Floats,
) -> Floats:  # fmt: skip
    """Iteratively reweighted least squares, from x [VK,3]."""
    outlier = math.inf
    for _ in range(ROUNDS):
        equations = empty()
        if not sum([equations.add(part, x, outlier) for part in pixels()]):
            raise InputError("no photograph shows the surface", "check the camera poses and the masks")
        right, own = equations.sides(len(x))

        def normal(z: Floats, equations: NormalEquations = equations) -> Floats:
            return equations.times(z) + regular(z)

        x = _conjugate_gradients(normal, right - normal(x), x, 1 / (own + diagonal))
        outlier = OUTLIER
    return x


def _conjugate_gradients(normal: Callable[[Floats], Floats], residual: Floats, x: Floats, scale: Floats) -> Floats:
    """A few steps from x towards normal(x) = right side, column by column, preconditioned by `scale`."""
    toward = scaled = scale * residual
    power = (residual * scaled).sum(0)
    for _ in range(STEPS):
        moved = normal(toward)
        length = power / np.maximum((toward * moved).sum(0), 1e-20)
        x, residual = x + length * toward, residual - length * moved
        scaled = scale * residual
        before, power = power, (residual * scaled).sum(0)
        toward = scaled + power / np.maximum(before, 1e-20) * toward
    return x
