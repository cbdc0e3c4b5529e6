"""Constants of light transport as numbers of one type: Numba compiles a body anew for each literal that it is given."""

from __future__ import annotations

import numpy as np

from invrender.kernels import paths, radiance

I = np.int64  # noqa: E741
NONE_OF, FIRST_OF, SECOND_OF, EDGE, OTHER = I(0), I(1), I(2), I(3), I(6)
"""Rows 0 to 2; and columns of `corners` [F,9] at which the edges begin."""

KD, KS, NS, MIRROR, EMISSION = (
    I(k) for k in (radiance.KD, radiance.KS, radiance.NS, radiance.MIRROR, radiance.EMISSION)
)
TRANSMISSION, IOR, ROUGHNESS = (I(k) for k in (radiance.TRANSMISSION, radiance.IOR, radiance.ROUGHNESS))
METALLIC, OPACITY, MATERIAL_COLUMNS = (I(k) for k in (radiance.METALLIC, radiance.OPACITY, radiance.MATERIAL_COLUMNS))
KIND, TEXTURE, GLOSS = (I(k) for k in (radiance.KIND, radiance.TEXTURE, radiance.GLOSS))
CLASSIC, GLOSSY, DIELECTRIC, UNLIT = (
    I(k) for k in (radiance.CLASSIC, radiance.GLOSSY, radiance.DIELECTRIC, radiance.UNLIT)
)
POSITION, DIRECTION, INTENSITY = (I(k) for k in (radiance.POSITION, radiance.DIRECTION, radiance.INTENSITY))
COS_INNER, COS_OUTER, LIGHT_COLUMNS = (I(k) for k in (radiance.COS_INNER, radiance.COS_OUTER, radiance.LIGHT_COLUMNS))
DIRECTIONAL, SPOT = I(radiance.DIRECTIONAL), I(radiance.SPOT)
LOBE, ANGLE, AROUND, DIES, LAYER = (I(k) for k in (paths.LOBE, paths.ANGLE, paths.TURN, paths.ROULETTE, paths.LAYER))
BLOCKS, FACE, ALONG, ACROSS = (I(k) for k in (paths.BLOCKS, paths.FACE, paths.ALONG, paths.ACROSS))
FLIGHT, THROUGH, AGAIN = (I(k) for k in (paths.FLIGHT, paths.THROUGH, paths.AGAIN))
ROW, COLUMN, EAST, NORTH = (I(k) for k in (paths.ROW, paths.COLUMN, paths.EAST, paths.NORTH))
DEPTH, ROULETTE, INDIRECT, SHADOWS, SOLID, HEIGHT, WIDTH, BEHIND = (I(k) for k in range(8))
"""Places in `Scene.settings`: the transport's, whether all is opaque, and the size of the environment's picture."""
ENDS, MIRRORED, SCATTERED, REFLECTED, REFRACTED = (I(k) for k in range(5))
"""How a path goes on; the last two from dielectrics."""
EXTINCTION, ALBEDO, ASYMMETRY, GLOW, CELLS, WIDTHS, LOW, HIGH = (I(k) for k in range(8))
"""Rows of `Medium.scales`, and the first of `sizes`: of the grids and of the cells of majorants; the cells' widths, the
box's first corner, and its size."""
SIZE, STEP = I(0), I(3)
"""Columns of `Medium.sizes` at which the numbers of vertices along x, y, z begin, and how far the next ones are."""
COLOURED, SKY, ESTIMATOR = (I(k) for k in range(3))
"""Places in `Medium.choices`: whether extinction has a colour, whether to look for the environment, and of these:"""
DIFFERENTIAL, ANALOG, NULL, SINGULAR = (I(k) for k in range(4))
