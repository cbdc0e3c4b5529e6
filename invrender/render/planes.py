"""Where planes meet and shadows fall, by homogeneous coordinates: nothing is divided, and singular, before the end.

With L = (position, 1) or (direction, 0) the light, e the eye, A the plane through L and an edge and B the plane of a
face that the edge's shadow falls on: the plane (B . e) A - (A . e) B contains the shadow's line and the eye, and takes
the screen's matrix to become the line of the picture. The point P of the edge has its shadow at (B . P) L - (B . L) P.
"""

from __future__ import annotations

import torch

Tensor = torch.Tensor


def edge_planes(positions: Tensor, light: Tensor, ends: Tensor) -> Tensor:
    """Homogeneous planes [K,4] through the light and edges with vertex ids [K,2]."""
    start, along = positions[ends[:, 0]], positions[ends[:, 1]] - positions[ends[:, 0]]
    normal = torch.linalg.cross(light[:3] - light[3] * start, along)
    return torch.cat([normal, -(normal * start).sum(1, keepdim=True)], 1)


def face_planes(positions: Tensor, faces: Tensor) -> Tensor:
    """Homogeneous planes [K,4] of faces [K,3]."""
    a, b, c = (positions[faces[:, k]] for k in range(3))
    normal = torch.linalg.cross(b - a, c - a)
    return torch.cat([normal, -(normal * a).sum(1, keepdim=True)], 1)


def shadow_points(
    screen: Tensor, light: Tensor, face: Tensor, at: Tensor, way: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Where points [K,3] of edges cast their shadows on planes [K,4], as cameras [K,4,4] see them.

    Returns:
        [K,2] in pixels; [K] by how many pixels a step of the length of `way` [K,3] along the edge moves it; and [K]
        whether it lies before the camera.
    """
    on_edge = (face[:, :3] * at).sum(1, keepdim=True) + face[:, 3:]
    to_light = (face * light).sum(1, keepdim=True)
    step = torch.cat([way, torch.zeros_like(on_edge)], 1)
    shadow = on_edge * light - to_light * torch.cat([at, torch.ones_like(on_edge)], 1)
    moved = (face * step).sum(1, keepdim=True) * light - to_light * step
    point, speed = ((screen @ each[:, :, None])[..., 0] for each in (shadow, moved))
    depth = torch.where(point[:, 3:] == 0, 1, point[:, 3:])
    place = point[:, :2] / depth
    velocity = (speed[:, :2] - place * speed[:, 3:]) / depth
    return place, velocity.norm(dim=1), (point[:, 3] * shadow[:, 3]) > 0


def lines_of_planes(from_screen: Tensor, edge: Tensor, face: Tensor) -> tuple[Tensor, Tensor]:
    """The lines [K,3] of pictures in which planes [K,4], such as those through the light, meet planes of faces [K,4].

    Args:
        from_screen: [K,4,4], inverses of what takes points to the screen, whose third columns are the eyes.
        edge, face: [K,4] planes, as `edge_planes` and `face_planes` have them.

    Returns:
        The lines; and [K] B . e: where it is positive, the line's + side in the picture is that of the edge's plane.
    """
    eye = from_screen[:, :, 2]
    side = (face * eye).sum(1)
    through_eye = side[:, None] * edge - (edge * eye).sum(1, keepdim=True) * face
    return (from_screen.transpose(1, 2) @ through_eye[:, :, None])[:, [0, 1, 3], 0], side
