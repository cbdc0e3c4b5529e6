"""Mending what exports leave behind: faces without area, faces twice, strays, and faces that look the wrong way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from invrender.geometry.connectivity import components, signed_volume
from invrender.geometry.vectors import Bools, Floats, Ints, area_vectors, norm
from invrender.nouns import Mesh

FLAT = 1e-12  # of the squared extent: a face of less area has none
MERGE = 1e-9  # of the extent: corners this close are one


def cleaned(mesh: Mesh) -> tuple[Mesh, list[str]]:
    """A mesh without degenerate, repeated and inside-out faces, and what was done, for people.

    Positions, colours and texture coordinates of what stays are untouched. Faces are turned so that neighbours agree;
    all of them, where they then enclose a negative volume.
    """
    v, f = mesh.numpy()
    done = []
    extent = float(np.ptp(v[f].reshape(-1, 3), axis=0).max())
    position = _positions(mesh, MERGE * extent)
    flat = norm(area_vectors(v, f)) / 2 <= FLAT * extent**2
    first = np.zeros(len(f), bool)
    first[np.unique(np.sort(position[f], 1), axis=0, return_index=True)[1]] = True
    for name, gone in (("faces without area removed", flat), ("repeated faces removed", ~first & ~flat)):
        if gone.any():
            done.append(f"{int(gone.sum())} {name}")
    kept = first & ~flat
    faces = f[kept]
    turned = _turned(v[np.unique(position, return_index=True)[1]], _ranked(position)[faces])
    if turned.any():
        faces = np.where(turned[:, None], faces[:, ::-1], faces)
        done.append(f"{int(turned.sum())} faces turned around")
    result = without_strays(replace(mesh, faces=torch.from_numpy(np.ascontiguousarray(faces))))
    strays = len(v) - len(result.vertices)
    return result, [*done, f"{strays} vertices without faces removed"] if strays else done


def largest(mesh: Mesh) -> Mesh:
    """The component of the largest surface, by itself; components meet where corners are at one place."""
    v, f = mesh.numpy()
    extent = float(np.ptp(v[f].reshape(-1, 3), axis=0).max())
    part = components(_positions(mesh, MERGE * extent)[f])
    most = np.bincount(part, weights=norm(area_vectors(v, f))).argmax()
    return without_strays(replace(mesh, faces=torch.from_numpy(f[part == most])))


def without_strays(mesh: Mesh) -> Mesh:
    """The mesh without vertices that no face uses; the others keep their order and all they carry."""
    used, faces = torch.unique(mesh.faces, return_inverse=True)
    carried = {
        name: value[used]
        for name in ("vertices", "uv", "colours", "finish")
        if (value := getattr(mesh, name)) is not None
    }
    return replace(mesh, faces=faces.reshape(-1, 3), **carried)


def _positions(mesh: Mesh, tolerance: float) -> Ints:
    """[V] the number of each vertex's place: the same for those that lie within `tolerance`."""
    v, _ = mesh.numpy()
    grid = np.round(v / max(tolerance, 1e-300))
    return np.asarray(np.unique(grid + 0.0, axis=0, return_inverse=True)[1]).reshape(-1)


def _ranked(position: Ints) -> Ints:
    return np.unique(position, return_inverse=True)[1].reshape(-1)


def _turned(v: Floats, f: Ints) -> Bools:
    """Which of the faces [F,3] to turn so that all look outward."""
    import trimesh

    if not len(f):
        return np.zeros(0, bool)
    body = trimesh.Trimesh(v, f, process=False, validate=False)
    trimesh.repair.fix_winding(body)
    now = np.asarray(body.faces, np.int64)
    turned = ~_same_way(f, now)
    volume = signed_volume(v, now)
    return ~turned if volume < 0 else turned


def _same_way(f: Ints, now: Ints) -> Bools:
    """Whether faces [F,3] have their corners in the same cyclic order."""
    return np.asarray(np.any([(np.roll(f, k, axis=1) == now).all(1) for k in range(3)], axis=0))
