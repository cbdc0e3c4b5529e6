"""Samples blended from simple solids: a mug, a blob and a figure with a ball."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from invrender.nouns import Material, Mesh
from invrender.samples.implicit import (
    Array,
    ball,
    capsule,
    cylinder,
    polygonise,
    smooth_difference,
    smooth_union,
)


def mug() -> Mesh:
    """A mug 10 cm high with a handle: one body of genus 1, in metres."""
    vertices, faces = polygonise(_mug, (-0.471, -0.053, -0.467), (0.857, 1.061, 0.471), 0.027, (0.018, 0.06))
    return replace(Mesh.from_numpy(0.101 * vertices, faces), material=Material((0.10, 0.32, 0.36), name="glaze"))


def _mug(points: Array) -> Array:
    """Solid mug of height 1 on the XZ plane, the handle towards +X."""
    outside = cylinder(points, 0.0, 1.0, 0.42, 0.06)
    cavity = cylinder(points, 0.09, 1.6, 0.34, 0.1)
    solid = smooth_union(outside, _handle(points), 0.07)
    return smooth_difference(solid, cavity, 0.078)  # last, so that the handle does not reach inside


def _handle(points: Array) -> Array:
    """A bar of oval section along a rounded rectangle in the XY plane, half of it within the cup."""
    corner = 0.24
    q = np.abs(points[:, :2] - (0.42, 0.52)) - (0.33 - corner, 0.31 - corner)
    path = np.hypot(np.maximum(q[:, 0], 0), np.maximum(q[:, 1], 0)) + np.minimum(q.max(axis=1), 0) - corner
    return np.asarray(np.hypot(path, 0.75 * points[:, 2]) - 0.058)


BLOBS = (
    ((0.0, 0.0, 0.0), 0.5),
    ((0.48, 0.26, 0.12), 0.33),
    ((-0.42, 0.36, 0.22), 0.3),
    ((0.12, -0.46, 0.24), 0.31),
    ((-0.3, -0.24, -0.4), 0.34),
    ((0.3, 0.34, -0.42), 0.27),
)


def blobby() -> Mesh:
    """A smooth blob of molten balls: one body of genus 0."""
    vertices, faces = polygonise(_blobs, (-0.97, -0.99, -0.96), (1.01, 0.99, 0.94), 0.045, (0.025, 0.05))
    height = (vertices[:, 1:2] - vertices[:, 1].min()) / np.ptp(vertices[:, 1])
    colours = (1 - height) * (0.35, 0.05, 0.25) + height * (0.95, 0.55, 0.15)
    return replace(Mesh.from_numpy(vertices, faces), colours=torch.from_numpy(colours))


def _blobs(points: Array) -> Array:
    value = ball(points, *BLOBS[0])
    for centre, radius in BLOBS[1:]:
        value = smooth_union(value, ball(points, centre, radius), 0.3)
    return value


def figure() -> Mesh:
    """A figure with raised arms beside a ball: two bodies of genus 0."""
    person, person_faces = polygonise(_person, (-0.757, -0.053, -0.257), (0.757, 2.0, 0.31), 0.027, (0.02, 0.05))
    toy, toy_faces = polygonise(_toy, (0.391, -0.051, 0.159), (0.83, 0.387, 0.61), 0.031, (0.02, 0.05))
    colours = np.concatenate(
        [np.tile((0.62, 0.38, 0.20), (len(person), 1)), np.tile((0.08, 0.20, 0.55), (len(toy), 1))]
    )
    # five digits keep the .obj in data/ small
    vertices, faces = np.concatenate([person, toy]).round(5), np.concatenate([person_faces, toy_faces + len(person)])
    return replace(Mesh.from_numpy(vertices, faces), colours=torch.from_numpy(colours))


def _toy(points: Array) -> Array:
    return ball(points, (0.61, 0.17, 0.38), 0.17)


def _person(points: Array) -> Array:
    """A standing figure 1.9 high, facing +Z."""
    value = capsule(points, (0, 0.98, 0), (0, 1.30, 0), (0.15, 0.185))
    value = smooth_union(value, capsule(points, (0, 1.40, 0), (0, 1.58, 0.01), (0.07, 0.065)), 0.06)
    value = smooth_union(value, ball(points, (0.0, 1.72, 0.015), 0.165), 0.05)
    mirrored = points.copy()
    mirrored[:, 0] = np.abs(points[:, 0])
    limbs = (
        ((0.10, 0.93, 0.0), (0.15, 0.50, 0.02), (0.115, 0.085), 0.06),
        ((0.15, 0.50, 0.02), (0.19, 0.09, -0.01), (0.085, 0.066), 0.03),
        ((0.19, 0.065, 0.0), (0.215, 0.06, 0.17), (0.066, 0.062), 0.05),
        ((0.17, 1.37, 0.0), (0.44, 1.22, 0.0), (0.085, 0.066), 0.06),
        ((0.44, 1.22, 0.0), (0.58, 1.52, 0.05), (0.066, 0.055), 0.04),
        ((0.58, 1.52, 0.05), (0.61, 1.62, 0.06), (0.07, 0.055), 0.04),
    )
    for start, end, radii, blend in limbs:
        value = smooth_union(value, capsule(mirrored, start, end, radii), blend)
    return value
