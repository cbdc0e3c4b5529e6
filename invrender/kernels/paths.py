"""What all implementations of `Radiance` agree on besides the laws: random numbers, and how rays leave a surface.

Random numbers come from a counter, not from a state: a hash of the seed, the ray's number and the dimension, in integer
arithmetic of 32 bits, whose upper 24 bits are the fraction. Each decision has a dimension of its own on every bounce,
so that none shifts another. Whether a surface of some opacity is there for a ray is a hash of the face besides: it does
not depend on the order in which a tree hands out faces.

A ray that leaves a surface starts `LIFT` above its face and never meets that face itself. Where it grazes the facet of
a smooth surface it starts from the surface that the normals at the corners describe (Hanika 2021, "Hacking the shadow
terminator"), by the share 1 - cosine / GRAZING, as `render.rays` has it.
"""

from __future__ import annotations

# Dimensions of one bounce. For what blocks light, the stream is xored with the source's number: lights from 1, then
# faces that emit, then the environment.
LOBE, ANGLE, TURN, ROULETTE, LAYER, BLOCKS = 0, 1, 2, 3, 4, 5
FACE, ALONG, ACROSS, ROW, COLUMN, EAST, NORTH, STRIDE = 6, 7, 8, 9, 10, 11, 12, 16

# Of media: FLIGHT gives the bits of a stretch's tracking, whose k-th number is that of item k, in the order in which
# they are needed; THROUGH those of what gets through to a source, xored with its number like BLOCKS; AGAIN those of the
# adjoint alone (points of the medium at random, and which of them is kept). Angles of scattering: ANGLE and TURN. The
# nested path of differential ratio tracking has the path's key xored with NESTED, hashed again, and goes on counting.
# KEEPS is xored with the path's key for the choice of the point that is kept: item 0 between stretches, item 2k + 2
# between the k-th tentative collision and those before it, FURTHER where the stretch is sampled alike everywhere.
FLIGHT, THROUGH, AGAIN, NESTED = 13, 14, 15, 0xC2B2AE35
KEEPS, FURTHER = 0x51ED270B, 2**20

# The hash: Wellons 2018, "Prospecting for hash functions" (lowbias32), and odd constants that spread counters.
MASK, FIRST, SECOND = 0xFFFFFFFF, 0x7FEB352D, 0x846CA68B
SPREAD, ITEM = 0x9E3779B9, 0x85EBCA6B
BITS, FRACTION = 8, 2.0**-24

LIFT = 4e-6  # of the frame, by which rays start above their face
GRAZING = 0.1  # cosine with the face below which rays start from the smooth surface instead of its facets
FLAT = 1e-3  # sine of the angle up to which a facet and the normals at its corners count as flat
ABOVE = 1e-3  # cosine with the face to which mirrored rays are bent that would enter it, and refracted ones likewise
REACH = 1 - 1e-4  # of the way to a light, on which things block it
NEAREST = 1e-12  # squared distance to a light below which it does not get brighter
LEAST = 1e-6  # stands in for a cosine of 0, whose logarithm is needed
FACING = 1e-3  # cosine with the eye to which the normals of glossy surfaces are bent that face away from it
HEAD_ON = 0.04  # what a dielectric layer of refractive index 1.5 reflects head-on
SURVIVAL = 0.05  # a path goes on at least this often
WEAK = 0.1  # what gets through a medium at which shadow rays end at random
PIECE = 2  # voxels of a way through a medium for which the adjoint looks at extinction once, at a random point


def first_key(seed: int) -> int:
    """The hash of a seed of any size, 32 bits."""
    key, rest = hashed(seed & MASK), seed >> 32
    while rest not in (0, -1):
        key, rest = hashed(key ^ (rest & MASK)), rest >> 32
    return key


def hashed(value: int) -> int:
    """A bijection of 32 bits."""
    value ^= value >> 16
    value = value * FIRST & MASK
    value ^= value >> 15
    value = value * SECOND & MASK
    return value ^ value >> 16
