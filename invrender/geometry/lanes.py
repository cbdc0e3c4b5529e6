"""Eight boxes, or four triangles, at once, inside compiled kernels: what compilers do not find in a loop by themselves.

Written as vectors of LLVM's intermediate language, which become whatever the machine has: AVX, SSE, NEON. Rows of the
arrays hold boxes side by side: [.,6,W] lower and upper corners, W of each coordinate together. Answers are bits: lane k
of W is bit k. Indices are not checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

SLACK = 4e-6  # by which faces are larger than they are: rounding must not let rays through between two
ROUNDING = 1 + 2e-6  # of a distance, so that a face that its box just touches is not missed

Vector = Any
_F32, _I64 = ir.FloatType(), ir.IntType(64)


@intrinsic
def lowest(_context: Any, mask: Any) -> Any:
    """The number of the lowest bit of a mask that is not 0."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), code


def _operation(width: int, stride: int, scalars: int, write: Callable[..., tuple[Vector, Vector | None]]) -> Any:
    """An intrinsic of (array, row, scalars ..., [array to store in]) that gives a mask.

    `write` gets the builder, a function that loads `width` numbers from a column of the row, and the scalars spread
    over all lanes; it gives which lanes are meant, and what to store. A row has `stride` columns.
    """

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        kind = ir.VectorType(_F32, width)
        first = builder.mul(args[1], ir.Constant(_I64, stride * width))

        def column(number: int) -> Vector:
            at = builder.gep(array.data, [builder.add(first, ir.Constant(_I64, number * width))])
            return builder.load(builder.bitcast(at, kind.as_pointer()), align=4)

        lanes, stored = write(builder, column, [_spread(builder, value, width) for value in args[2 : 2 + scalars]])
        if stored is not None:
            out = context.make_array(signature.args[-1])(context, builder, args[-1])
            builder.store(stored, builder.bitcast(out.data, kind.as_pointer()), align=4)
        return builder.zext(builder.bitcast(lanes, ir.IntType(width)), _I64)

    def typed(_context: Any, *given: Any) -> Any:
        wanted = [given[0], types.int64, *[types.float32] * scalars, *given[2 + scalars :]]
        return types.int64(*wanted), code

    return typed


def _spread(builder: Any, value: Vector, width: int) -> Vector:
    """A number in all lanes."""
    undefined = ir.Constant(ir.VectorType(_F32, width), ir.Undefined)
    one = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
    return builder.shuffle_vector(one, undefined, zeros)


def _constant(number: float, like: Vector) -> Vector:
    return ir.Constant(like.type, [number] * like.type.count)


def _least(b: Any, x: Vector, y: Vector) -> Vector:
    return b.select(b.fcmp_ordered("<", x, y), x, y)


def _most(b: Any, x: Vector, y: Vector) -> Vector:
    return b.select(b.fcmp_ordered(">", x, y), x, y)


def _entered(b: Any, column: Callable[[int], Vector], given: list[Vector]) -> tuple[Vector, Vector]:
    origin, inverse, far = given[:3], given[3:6], given[6]
    enter, leave = _constant(0.0, far), far
    for axis in range(3):
        one = b.fmul(b.fsub(column(axis), origin[axis]), inverse[axis])
        other = b.fmul(b.fsub(column(3 + axis), origin[axis]), inverse[axis])
        enter, leave = _most(b, _least(b, one, other), enter), _least(b, _most(b, one, other), leave)
    return b.fcmp_ordered("<=", enter, b.fmul(leave, _constant(ROUNDING, far))), enter


def _met(b: Any, column: Callable[[int], Vector], given: list[Vector]) -> tuple[Vector, None]:
    o, d, far = given[:3], given[3:6], given[6]
    a, s, r = ([column(first + axis) for axis in range(3)] for first in (0, 3, 6))
    q = [b.fsub(o[axis], a[axis]) for axis in range(3)]
    p, c = _cross(b, d, r), _cross(b, q, s)
    inverse = b.fdiv(_constant(1.0, far), _dot(b, s, p))
    u, v, t = (b.fmul(x, inverse) for x in (_dot(b, q, p), _dot(b, d, c), _dot(b, r, c)))
    low, high = _constant(-SLACK, far), _constant(1 + SLACK, far)
    inside = b.and_(b.fcmp_ordered(">=", u, low), b.fcmp_ordered(">=", v, low))
    inside = b.and_(inside, b.fcmp_ordered("<=", b.fadd(u, v), high))
    ahead = b.and_(b.fcmp_ordered(">", t, _constant(0.0, far)), b.fcmp_ordered("<", t, far))
    return b.and_(inside, ahead), None  # comparisons with the NaN of a parallel ray fail


def _cross(b: Any, x: list[Vector], y: list[Vector]) -> list[Vector]:
    return [b.fsub(b.fmul(x[i], y[j]), b.fmul(x[j], y[i])) for i, j in ((1, 2), (2, 0), (0, 1))]


def _dot(b: Any, x: list[Vector], y: list[Vector]) -> Vector:
    return b.fadd(b.fadd(b.fmul(x[0], y[0]), b.fmul(x[1], y[1])), b.fmul(x[2], y[2]))


def _within(b: Any, column: Callable[[int], Vector], given: list[Vector]) -> tuple[Vector, Vector]:
    zero = _constant(0.0, given[3])
    away = [
        _most(b, _most(b, b.fsub(column(axis), given[axis]), b.fsub(given[axis], column(3 + axis))), zero)
        for axis in range(3)
    ]
    squared = _dot(b, away, away)
    return b.fcmp_ordered("<=", squared, given[3]), squared


def _overlapping(b: Any, column: Callable[[int], Vector], given: list[Vector]) -> tuple[Vector, None]:
    both = [b.fcmp_ordered("<=", column(axis), given[3 + axis]) for axis in range(3)]
    both += [b.fcmp_ordered("<=", given[axis], column(3 + axis)) for axis in range(3)]
    found = both[0]
    for each in both[1:]:
        found = b.and_(found, each)
    return found, None


@intrinsic
def entered(
    context: Any, boxes: Any, row: Any, ox: Any, oy: Any, oz: Any, ix: Any, iy: Any, iz: Any, far: Any, at: Any
) -> Any:
    """Which of eight boxes a ray with inverse direction (ix, iy, iz) enters before `far`; where goes to `at` [8]."""
    return _operation(8, 6, 7, _entered)(context, boxes, row, ox, oy, oz, ix, iy, iz, far, at)


@intrinsic
def met(context: Any, triangles: Any, row: Any, ox: Any, oy: Any, oz: Any, dx: Any, dy: Any, dz: Any, far: Any) -> Any:
    """Which of four triangles (a corner and two edges: [.,9,4]) the ray from o along d meets before `far`, either side.

    By Moeller and Trumbore 1997.
    """
    return _operation(4, 9, 7, _met)(context, triangles, row, ox, oy, oz, dx, dy, dz, far)


@intrinsic
def within(context: Any, boxes: Any, row: Any, x: Any, y: Any, z: Any, limit: Any, at: Any) -> Any:
    """Which of eight boxes lie at most so far from a point; `limit` and what goes to `at` [8] are squared."""
    return _operation(8, 6, 4, _within)(context, boxes, row, x, y, z, limit, at)


@intrinsic
def faces_within(context: Any, boxes: Any, row: Any, x: Any, y: Any, z: Any, limit: Any, at: Any) -> Any:
    """The same of four boxes."""
    return _operation(4, 6, 4, _within)(context, boxes, row, x, y, z, limit, at)


@intrinsic
def overlapping(context: Any, boxes: Any, row: Any, x0: Any, y0: Any, z0: Any, x1: Any, y1: Any, z1: Any) -> Any:
    """Which of eight boxes meet the box from (x0, y0, z0) to (x1, y1, z1)."""
    return _operation(8, 6, 6, _overlapping)(context, boxes, row, x0, y0, z0, x1, y1, z1)


@intrinsic
def faces_overlapping(context: Any, boxes: Any, row: Any, x0: Any, y0: Any, z0: Any, x1: Any, y1: Any, z1: Any) -> Any:
    """The same of four boxes."""
    return _operation(4, 6, 6, _overlapping)(context, boxes, row, x0, y0, z0, x1, y1, z1)
