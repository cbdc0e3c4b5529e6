"""Bodies that cut triangles at the near plane and the guard band; see `invrender.backends.torch.cut`."""

from __future__ import annotations

import math

from .raster import Floats, Keys, draw, snap_x, snap_y
from .target import device, product

GUARD_PIXELS = 2.0**19
PIECES = 32  # a triangle cut by five planes, each of which may double it


@device
def plane_distance(plane: int, x: float, y: float, z: float, w: float, right: float, top: float) -> float:
    """Signed distance of a clip position from the near plane (0) or a side of the guard band (1-4)."""
    if plane == 0:
        return z + w
    if plane == 1:
        return x + product(right, w)
    if plane == 2:
        return product(right, w) - x
    return y + product(top, w) if plane == 3 else product(top, w) - y


@device
def is_safe(x: float, y: float, z: float, w: float, right: float, top: float) -> bool:
    """Whether a clip position is finite, before the near plane and inside the guard band."""
    if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(z) and math.isfinite(w)):
        return False
    safe = True
    for plane in range(5):
        safe = safe and plane_distance(plane, x, y, z, w, right, top) > 0.0
    return safe


@device
def _corner_distance(work: Floats, side: int, piece: int, corner: int, plane: int, right: float, top: float) -> float:
    return plane_distance(
        plane, work[side, piece, corner, 0], work[side, piece, corner, 1], work[side, piece, corner, 2],
        work[side, piece, corner, 3], right, top,
    )  # fmt: skip


@device
def _split(work: Floats, side: int, piece: int, kept: int, plane: int, right: float, top: float) -> int:
    """Append the part of work[side, piece] inside a plane to the `kept` triangles of the other side; the new count."""
    d0 = _corner_distance(work, side, piece, 0, plane, right, top)
    d1 = _corner_distance(work, side, piece, 1, plane, right, top)
    d2 = _corner_distance(work, side, piece, 2, plane, right, top)
    inside = int(d0 > 0.0) + int(d1 > 0.0) + int(d2 > 0.0)
    if inside == 0:
        return kept
    # Rotate the corners so that the one alone on its side comes first; a rotation keeps the winding.
    odd = 0
    if inside < 3 and (d0 > 0.0) != (inside == 1):
        odd = 1 if (d1 > 0.0) == (inside == 1) else 2
    a, b, c = odd, (odd + 1) % 3, (odd + 2) % 3
    da = d0 if odd == 0 else (d1 if odd == 1 else d2)
    db = d1 if odd == 0 else (d2 if odd == 1 else d0)
    dc = d2 if odd == 0 else (d0 if odd == 1 else d1)
    # Cuts are always computed from the inner end of an edge, so that neighbours get the same point.
    to_b = da / (da - db) if inside == 1 else db / (db - da)
    to_c = da / (da - dc) if inside == 1 else dc / (dc - da)
    for axis in range(4):
        pa, pb, pc = work[side, piece, a, axis], work[side, piece, b, axis], work[side, piece, c, axis]
        if inside == 1:
            pb, pc = pa + product(to_b, pb - pa), pa + product(to_c, pc - pa)
        elif inside == 2:
            on_b, on_c = pb + product(to_b, pa - pb), pc + product(to_c, pa - pc)
            work[1 - side, kept + 1, 0, axis] = on_b
            work[1 - side, kept + 1, 1, axis] = pc
            work[1 - side, kept + 1, 2, axis] = on_c
            pa = on_b
        work[1 - side, kept, 0, axis] = pa
        work[1 - side, kept, 1, axis] = pb
        work[1 - side, kept, 2, axis] = pc
    return kept + (2 if inside == 2 else 1)


@device
def cut(work: Floats, height: int, width: int) -> int:
    """Cut the triangle work[0, 0] at all planes: the number of triangles that it leaves in work[1].

    Args:
        work: [2, PIECES, 3, 4] float64; overwritten.
        height, width: of the image.
    """
    for corner in range(3):
        for axis in range(4):
            if not math.isfinite(work[0, 0, corner, axis]):
                return 0
    right, top = 2 * GUARD_PIXELS / width, 2 * GUARD_PIXELS / height
    count = 1
    for plane in range(5):
        source = plane % 2
        kept = 0
        for piece in range(count):
            kept = _split(work, source, piece, kept, plane, right, top)
        count = kept
    return count


@device
def draw_cut(work: Floats, face: int, keys: Keys, height: int, width: int, first_row: int, last_row: int) -> None:
    """Draw what is left of the triangle work[0, 0] after cutting it.

    Args:
        work: [2, PIECES, 3, 4] float64; overwritten.
        face, keys, width, first_row, last_row: see `draw`.
        height: of the image.
    """
    count = cut(work, height, width)
    half_width, half_height = 0.5 * width, 0.5 * height
    for k in range(count):
        wa, wb, wc = work[1, k, 0, 3], work[1, k, 1, 3], work[1, k, 2, 3]
        if wa > 0.0 and wb > 0.0 and wc > 0.0:
            draw(
                snap_x(work[1, k, 0, 0], wa, half_width), snap_y(work[1, k, 0, 1], wa, half_height),
                work[1, k, 0, 2] / wa,
                snap_x(work[1, k, 1, 0], wb, half_width), snap_y(work[1, k, 1, 1], wb, half_height),
                work[1, k, 1, 2] / wb,
                snap_x(work[1, k, 2, 0], wc, half_width), snap_y(work[1, k, 2, 1], wc, half_height),
                work[1, k, 2, 2] / wc,
                face, keys, width, first_row, last_row,
            )  # fmt: skip
