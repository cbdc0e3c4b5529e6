"""The input's cameras in a page: as plain numbers for the viewer, and drawn from above."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.report.story import Posed

Floats = NDArray[np.float64]

DEPTH = 0.16  # how far a drawn camera reaches, of its distance from the object
MOST = 400  # cameras that are drawn


def camera_rows(posed: Posed, centre: Floats, scale: float) -> list[dict[str, Any]]:
    """Where each camera stands and looks, in the frame (x - centre) / scale; angles as the tangents of their halves.

    Parallel cameras are drawn as those that see as much of the centre from where they stand.
    """
    rows = []
    step = -(-len(posed.cameras) // MOST)
    world = np.linalg.inv(posed.cameras.world_to_camera.detach().cpu().double().numpy())[::step]
    projection = posed.cameras.projection.detach().cpu().double().numpy()[::step]
    flat = posed.cameras.parallel.numpy()[::step]
    for pose, lens, name, parallel in zip(world, projection, posed.names[::step], flat, strict=True):
        eye = (pose[:3, 3] - centre) / scale
        away = max(abs(float((pose[:3, 3] - centre) @ pose[:3, 2])), 1e-12) if parallel else 1.0
        rows.append(
            {
                "name": name, "eye": _round(eye), "right": _round(pose[:3, 0]), "up": _round(pose[:3, 1]),
                "back": _round(pose[:3, 2]),
                "halfx": float(1 / lens[0, 0] / away), "halfy": float(1 / abs(lens[1, 1]) / away),
                "depth": round(DEPTH * max(float(np.linalg.norm(eye)), 0.1), 5),
            }
        )  # fmt: skip
    return rows


def _round(values: Floats) -> list[float]:
    return [round(float(value), 6) for value in values]


def up_of(posed: Posed | None) -> Floats:
    """Which way is up [3]: the mean of the cameras' own; +Y without any."""
    if posed is None or not len(posed.cameras):
        return np.array([0.0, 1.0, 0.0])
    mean: Floats = posed.cameras.world_to_camera[:, 1, :3].detach().cpu().double().numpy().mean(0)
    length = float(np.linalg.norm(mean))
    return mean / length if length > 1e-3 else np.array([0.0, 1.0, 0.0])


def first_look(posed: Posed | None, centre: Floats) -> dict[str, list[float]]:
    """Axes of a level view from where the first camera stands: right, up, back."""
    up = up_of(posed)
    if posed is None or not len(posed.cameras):
        towards = np.array([0.55, 0.35, 1.0])
    else:
        towards = posed.cameras.position[0].detach().cpu().double().numpy() - centre
    back = towards / max(float(np.linalg.norm(towards)), 1e-12)
    right = np.cross(up, back)
    if np.linalg.norm(right) < 1e-3:  # from straight above or below
        right = np.cross(up, np.roll(up, 1) + np.array([0.1, 0.2, 0.3]))
        back = np.cross(right, up) * 0.1 + back
        back /= np.linalg.norm(back)
    right /= np.linalg.norm(right)
    return {"right": _round(right), "up": _round(np.cross(back, right)), "back": _round(back)}


def from_above(posed: Posed, low: Floats, high: Floats, size: int = 320) -> str:
    """The cameras around the object's box, seen from above, as SVG."""
    up = up_of(posed)
    across = np.eye(3)[int(np.abs(up).argmin())]
    x = across - (across @ up) * up
    x /= np.linalg.norm(x)
    axes = np.stack([x, np.cross(up, x)])  # [2,3]; seen from above, the second points down
    centre = (low + high) / 2
    rows = camera_rows(posed, centre, 1.0)
    eyes = np.array([row["eye"] for row in rows]) @ axes.T
    corners = np.array([[(low, high)[i][0], (low, high)[j][1], (low, high)[k][2]]
                        for i in (0, 1) for j in (0, 1) for k in (0, 1)])  # fmt: skip
    box = (corners - centre) @ axes.T
    reach = 1.12 * max(float(np.abs(eyes).max(initial=0)), float(np.abs(box).max()), 1e-12)
    half = size / 2
    scale = half / reach
    (left, top), (right, bottom) = (half + scale * box.min(0)), (half + scale * box.max(0))
    shape = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"'
    parts = [f'<rect class="box" {shape}/>']
    for row, eye in zip(rows, eyes, strict=True):
        forward = -(np.array(row["back"]) @ axes.T)
        side = np.array(row["right"]) @ axes.T * row["halfx"]
        ends = [eye + row["depth"] * (forward + sign * side) for sign in (-1, 1)]
        points = " ".join(f"{half + scale * x:.1f},{half + scale * y:.1f}" for x, y in (eye, *ends))
        parts.append(f'<polygon class="frustum" points="{points}"><title>{escape(row["name"])}</title></polygon>')
    told = f"{len(posed.cameras)} cameras around the object, seen from above"
    return (
        f'<svg class="above" viewBox="0 0 {size} {size}" width="{size}" height="{size}" role="img">'
        f"<title>{told}</title>{''.join(parts)}</svg>"
    )


def spread(posed: Posed) -> str:
    """How the cameras stand, in words."""
    backs = np.linalg.inv(posed.cameras.world_to_camera.detach().cpu().double().numpy())[:, :3, 2]
    lifts = (backs @ up_of(posed)).clip(-1, 1)
    low, high = math.degrees(math.asin(lifts.min())), math.degrees(math.asin(lifts.max()))
    height, width = posed.cameras.size
    tilt = f"{low:.0f}°" if high - low < 1 else f"{low:.0f}° to {high:.0f}°"
    return f"{len(posed.cameras)} cameras, pictures of {width} × {height} pixels, {tilt} above the horizon"
