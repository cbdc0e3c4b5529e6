"""Bodies for rays through a scene in float32: traversal of a hierarchy whose leaves hold triangles in their order.

Rows of `corners` [F,9] are a corner and two edges; a face is named by its row. `first_face` of `bvh` is for exact
questions.
"""

# mypy: disable-error-code="no-untyped-def, operator"

from __future__ import annotations

import numpy as np

from .numbers import NONE_OF, OPACITY, SOLID, I
from .target import called, contracted
from .vectors import INF, ONE, TINY, ZERO, uniform_of

SLACK = np.float32(4e-6)
"""By which faces are larger than they are, of their edges: rounding must not let light through between two."""


@contracted
def entry(b, k, ox, oy, oz, ix, iy, iz):
    """Where a ray with inverse direction (ix, iy, iz) enters a box, at least 0; inf where it misses it."""
    x0, x1 = (b[k, 0] - ox) * ix, (b[k, 3] - ox) * ix
    y0, y1 = (b[k, 1] - oy) * iy, (b[k, 4] - oy) * iy
    z0, z1 = (b[k, 2] - oz) * iz, (b[k, 5] - oz) * iz
    enter = max(min(x0, x1), min(y0, y1), min(z0, z1), ZERO)
    leave = min(max(x0, x1), max(y0, y1), max(z0, z1))
    return enter if enter <= leave else INF


@contracted
def hit(scene, o, d, far, own, bits, any_hit, stack):
    """The first face before `far` besides its own, or any: its row (-1: none), t, u and v.

    `bits` decide which faces of some opacity are there.
    """
    solid = scene.settings[SOLID] != 0
    tree = (scene.corners, scene.order, scene.boxes, scene.links, scene.rows, scene.materials)
    return traversed(tree, solid, o, d, far, own, bits, any_hit, stack)


@called
def traversed(tree, solid, o, d, far, own, bits, any_hit, stack):
    """See `hit`; with those parts of the scene alone that take part, since they are handed over for each ray."""
    corners, order, boxes, links, rows, materials = tree
    ox, oy, oz, dx, dy, dz = o[0], o[1], o[2], d[0], d[1], d[2]
    ix = ONE / (dx if dx != ZERO else TINY)
    iy = ONE / (dy if dy != ZERO else TINY)
    iz = ONE / (dz if dz != ZERO else TINY)
    best, node, waiting, u, v = I(-1), NONE_OF, 0, ZERO, ZERO
    if len(order) == 0 or not entry(boxes, NONE_OF, ox, oy, oz, ix, iy, iz) < far:
        return best, far, u, v
    while True:
        first, count = I(links[node, 0]), links[node, 1]
        if count == 0:
            left, right = entry(boxes, first, ox, oy, oz, ix, iy, iz), entry(boxes, first + 1, ox, oy, oz, ix, iy, iz)
            if left < far or right < far:
                node = first if left <= right else first + 1
                if left < far and right < far:
                    stack[waiting] = first + 1 if left <= right else first
                    waiting += 1
                continue
        else:
            for k in range(first, first + count):
                t, a, b = meets(corners, k, ox, oy, oz, dx, dy, dz)
                if t < far and k != own and (solid or there(order, rows, materials, k, bits)):
                    far, best, u, v = t, I(k), a, b
                    if any_hit:
                        return best, far, u, v
        node = I(-1)
        while waiting > 0 and node < 0:
            waiting -= 1
            if entry(boxes, I(stack[waiting]), ox, oy, oz, ix, iy, iz) < far:
                node = I(stack[waiting])
        if node < 0:
            return best, far, u, v


@contracted
def meets(c, k, ox, oy, oz, dx, dy, dz):
    """t > 0 (inf: miss), u and v of a ray and a triangle (Moeller and Trumbore 1997)."""
    sx, sy, sz, rx, ry, rz = c[k, 3], c[k, 4], c[k, 5], c[k, 6], c[k, 7], c[k, 8]
    px, py, pz = dy * rz - dz * ry, dz * rx - dx * rz, dx * ry - dy * rx
    inverse = ONE / (sx * px + sy * py + sz * pz)
    ax, ay, az = ox - c[k, 0], oy - c[k, 1], oz - c[k, 2]
    u = (ax * px + ay * py + az * pz) * inverse
    if not (u >= -SLACK and u <= ONE + SLACK):
        return INF, ZERO, ZERO
    gx, gy, gz = ay * sz - az * sy, az * sx - ax * sz, ax * sy - ay * sx
    v = (dx * gx + dy * gy + dz * gz) * inverse
    t = (rx * gx + ry * gy + rz * gz) * inverse
    if v >= -SLACK and u + v <= ONE + SLACK and t > ZERO:
        return t, u, v
    return INF, ZERO, ZERO


@contracted
def there(order, rows, materials, k, bits):
    """Whether a face of some opacity is there for a ray."""
    return uniform_of(bits, order[k]) < materials[rows[k], OPACITY]
