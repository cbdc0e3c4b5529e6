"""The three topological operations of remeshing, each done on many edges at once.

Split uses conforming templates, so that all long edges split together. Collapse and flip pick an independent set: an
edge goes when it ranks first among all candidates whose neighbourhood it touches, so that operations done together
cannot interfere, and each one's checks hold as if it were done alone. An operation that would fold the surface,
pinch it or change its topology is left out.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from invrender.geometry.connectivity import EdgeTable, collapsed, edge_table
from invrender.geometry.vectors import (
    Bools,
    Floats,
    Ints,
    area_vectors,
    cross,
    dot,
    norm,
    shape_quality,
    unit,
    vertex_normals,
)

SPLIT_ABOVE, COLLAPSE_BELOW = 4 / 3, 4 / 5  # times the target length (Botsch & Kobbelt 2004)
COLLAPSE_COSINE = 0.5  # no face may turn by more than 60 degrees
FLIP_COSINE = 0.75  # creases sharper than about 40 degrees keep their edges
COST_STEPS = 5  # relative lengths that differ by less than 1 / this rank as equals
SLIVER = 0.02  # below this shape quality a face's own normal is noise
LOWEST_QUALITY = 0.1  # no operation makes a face worse than this, unless it was
MOST_NEIGHBOURS = 10


def reference_normals(vertices: Floats, faces: Ints) -> Floats:
    """Unit normals [F,3]; slivers, whose own normal is noise, take the mean of their vertices' normals."""
    w = area_vectors(vertices, faces)
    sliver = np.flatnonzero(shape_quality(vertices, faces, w) < SLIVER)
    n = unit(w)
    if len(sliver):
        around = vertex_normals(vertices, faces, w)
        n[sliver] = unit(around[faces[sliver]].sum(1))
    return n


def split_long(vertices: Floats, lengths: Floats, faces: Ints, passes: int = 8) -> tuple[Floats, Floats, Ints]:
    """Split edges longer than 4/3 of the target at their midpoints until none is left (or `passes` are over).

    Args:
        vertices: [V,3].
        lengths: [V] target edge length at each vertex; an edge's target is the mean of its ends.
        faces: [F,3].
    """
    for _ in range(passes):
        table = edge_table(faces, len(vertices))
        a, b = table.vertices.T
        target = (lengths[a] + lengths[b]) / 2
        long = np.flatnonzero(norm(vertices[a] - vertices[b]) > SPLIT_ABOVE * target)
        if not len(long):
            break
        middle = np.full(faces.size, -1, np.int64)
        middle[table.half_edges[long].T] = len(vertices) + np.arange(len(long))
        vertices = np.concatenate([vertices, (vertices[a[long]] + vertices[b[long]]) / 2])
        lengths = np.concatenate([lengths, target[long]])
        faces = _subdivide(vertices, faces, middle.reshape(3, -1).T)
    return vertices, lengths, faces


def _subdivide(vertices: Floats, faces: Ints, middle: Ints) -> Ints:
    """Faces replaced by their pieces; `middle` [F,3] is the new vertex on edge corner -> corner + 1, or -1."""
    count = (middle >= 0).sum(1)
    first = np.where(count == 2, (np.argmin(middle, 1) + 1) % 3, np.argmax(middle >= 0, 1))
    turn = (first[:, None] + np.arange(3)) % 3  # so that one split edge comes first, two come first and second
    f, m = np.take_along_axis(faces, turn, 1), np.take_along_axis(middle, turn, 1)
    pieces = [faces[count == 0]]
    (a, b, c), (x, _, _) = f[count == 1].T, m[count == 1].T
    pieces += [np.stack(t, 1) for t in ((a, x, c), (x, b, c))]
    (a, b, c), (x, y, _) = f[count == 2].T, m[count == 2].T
    pieces.append(np.stack([x, b, y], 1))
    other = norm(vertices[a] - vertices[y]) > norm(vertices[x] - vertices[c])  # the shorter diagonal of a, x, y, c
    pieces.append(np.where(other[:, None], np.stack([a, x, c], 1), np.stack([a, x, y], 1)))
    pieces.append(np.where(other[:, None], np.stack([x, y, c], 1), np.stack([a, y, c], 1)))
    (a, b, c), (x, y, z) = f[count == 3].T, m[count == 3].T
    pieces += [np.stack(t, 1) for t in ((a, x, z), (x, b, y), (z, y, c), (x, y, z))]
    return np.concatenate(pieces)


def _lowest_rank(index: Ints, rank: Ints, size: int) -> Ints:
    """The lowest rank that names each index; `index` [K,m], `rank` [K] -> [size] (a large number where none does)."""
    lowest = np.full(size, np.iinfo(np.int64).max)
    np.minimum.at(lowest, index.ravel(), np.repeat(rank, index.shape[1]))
    return lowest


def _ranks(cost: Floats) -> Ints:
    """Ranks by cost; equal costs in random (but repeatable) order.

    Without it the ties of a regular mesh rank like a staircase, and an independent set finds only its first step.
    """
    rank = np.empty(len(cost), np.int64)
    rank[np.lexsort((np.random.default_rng(0).random(len(cost)), cost))] = np.arange(len(cost))
    return rank


def _common_neighbours(pairs: Ints, edges: Ints, n_vertices: int) -> Ints:
    """How many vertices are neighbours of both ends of each pair, [K]."""
    a, b = edges.T
    ones = np.ones(2 * len(a), np.int16)
    adjacency = csr_matrix((ones, (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(n_vertices, n_vertices))
    both = adjacency[pairs[:, 0]].multiply(adjacency[pairs[:, 1]])
    return np.asarray(both.sum(1), np.int64).ravel()


def collapse_short(vertices: Floats, lengths: Floats, faces: Ints, passes: int = 10) -> tuple[Floats, Ints]:
    """Collapse edges shorter than 4/5 of the target into their midpoints where that is safe.

    Vertices that go stay in the array, unused. Returns (vertices, faces).
    """
    vertices = vertices.copy()
    rejected = np.zeros(0, np.int64)
    for _ in range(passes):
        table = edge_table(faces, len(vertices))
        a, b = table.vertices.T
        relative = 2 * norm(vertices[a] - vertices[b]) / (lengths[a] + lengths[b])
        candidate = np.flatnonzero(relative < COLLAPSE_BELOW)
        if len(rejected):
            key = a[candidate] * len(vertices) + b[candidate]
            candidate = candidate[~np.isin(key, rejected)]
        candidate = candidate[_link_condition(table, candidate, len(vertices))]
        if not len(candidate):
            break
        chosen = candidate[_first_in_neighbourhood(table, candidate, relative[candidate], len(vertices))]
        good = _collapse_keeps_shape(vertices, lengths, faces, table, chosen)
        rejected = np.concatenate([rejected, a[chosen[~good]] * len(vertices) + b[chosen[~good]]])
        done = chosen[good]
        vertices[a[done]] = (vertices[a[done]] + vertices[b[done]]) / 2
        target = np.arange(len(vertices))
        target[b[done]] = a[done]
        faces = target[faces]
        faces = faces[~collapsed(faces)]
    return vertices, faces


def _link_condition(table: EdgeTable, candidate: Ints, n_vertices: int) -> Bools:
    """Whether collapsing each candidate keeps the topology (Dey et al. 1999): the ends share two neighbours only."""
    valence = np.bincount(table.vertices.ravel(), minlength=n_vertices)
    ok = (valence[table.opposite[candidate]] >= 4).all(1)
    ok &= valence[table.vertices[candidate]].sum(1) - 4 <= MOST_NEIGHBOURS
    shared = _common_neighbours(table.vertices[candidate[ok]], table.vertices, n_vertices)
    ok[ok] = shared == 2
    return np.asarray(ok)


def _first_in_neighbourhood(table: EdgeTable, candidate: Ints, cost: Floats, n_vertices: int) -> Bools:
    """Candidates of lowest cost among all that have an end equal or adjacent to one of their ends."""
    rank, pairs = _ranks(np.round(cost * COST_STEPS)), table.vertices[candidate]
    near = _lowest_rank(pairs, rank, n_vertices)
    wide = near.copy()
    a, b = table.vertices.T
    np.minimum.at(wide, a, near[b])
    np.minimum.at(wide, b, near[a])
    return np.asarray(wide[pairs].min(1) == rank)


def _stars(faces: Ints, vertices: Ints, n_vertices: int) -> tuple[Ints, Ints]:
    """Faces around each of the given vertices: (position in `vertices` [K], face [K])."""
    corner = faces.T.ravel()
    bits = len(corner).bit_length()
    packed = (corner << bits) | np.arange(len(corner))
    packed.sort()
    face = (packed & ((1 << bits) - 1)) % len(faces)
    end = np.cumsum(np.bincount(corner, minlength=n_vertices))
    start = end - np.bincount(corner, minlength=n_vertices)
    count = (end - start)[vertices]
    owner = np.repeat(np.arange(len(vertices)), count)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    return owner, face[start[vertices][owner] + within]


def _collapse_keeps_shape(vertices: Floats, lengths: Floats, faces: Ints, table: EdgeTable, chosen: Ints) -> Bools:
    """Whether the faces around each chosen edge stay unfolded, well shaped and of fitting size after its collapse."""
    a, b = table.vertices[chosen].T
    owner, face = _stars(faces, np.concatenate([a, b]), len(vertices))
    owner %= len(chosen)
    keep = (face != table.faces[chosen, 0][owner]) & (face != table.faces[chosen, 1][owner])
    owner, face = owner[keep], face[keep]
    corner = faces[face]
    moved = (corner == a[owner, None]) | (corner == b[owner, None])
    middle = (vertices[a] + vertices[b]) / 2
    before = vertices[corner]
    after = np.where(moved[:, :, None], middle[owner, None, :], before)
    x, y, z = after[:, 0], after[:, 1], after[:, 2]
    w = cross(y - x, z - x)
    edges = np.stack([dot(y - x, y - x), dot(z - y, z - y), dot(x - z, x - z)], 1)
    quality = 2 * np.sqrt(3) * norm(w) / np.maximum(edges.sum(1), 1e-300)
    old_quality = shape_quality(vertices, corner)
    normal = reference_normals(vertices, faces)[face]
    bad = dot(normal, w) < COLLAPSE_COSINE * norm(w)
    bad |= quality < np.minimum(LOWEST_QUALITY, old_quality)
    target = (lengths[a] + lengths[b]) / 2
    spoke = np.stack([moved[:, 0] | moved[:, 1], moved[:, 1] | moved[:, 2], moved[:, 2] | moved[:, 0]], 1)
    bad |= np.where(spoke, edges, 0).max(1) > (SPLIT_ABOVE * target[owner]) ** 2
    good = np.ones(len(chosen), bool)
    good[owner[bad]] = False
    return good


def flip_edges(vertices: Floats, faces: Ints, passes: int = 12) -> Ints:
    """Flip edges where that brings valences closer to 6 and the surface is smooth enough there."""
    faces = faces.copy()
    for _ in range(passes):
        table = edge_table(faces, len(vertices))
        (a, b), (c, d) = table.vertices.T, table.opposite.T
        valence = np.bincount(table.vertices.ravel(), minlength=len(vertices))
        gain = 2 * (valence[a] + valence[b] - valence[c] - valence[d]) - 4  # drop of the sum of (valence - 6)^2
        k = np.flatnonzero((gain > 0) & (np.minimum(valence[a], valence[b]) > 3))
        k = k[~_are_edges(c[k], d[k], table.vertices, len(vertices))]
        k = k[_flip_keeps_shape(vertices, faces, table, k)]
        if not len(k):
            break
        rank = _ranks(-gain[k].astype(np.float64))
        quad = np.stack([a[k], b[k], c[k], d[k]], 1)
        k = k[_lowest_rank(quad, rank, len(vertices))[quad].min(1) == rank]
        faces[table.faces[k, 0]] = np.stack([a[k], d[k], c[k]], 1)
        faces[table.faces[k, 1]] = np.stack([d[k], b[k], c[k]], 1)
    return faces


def _are_edges(a: Ints, b: Ints, edges: Ints, n_vertices: int) -> Bools:
    """Whether (a, b) is among the edges (which are in ascending order), [K]."""
    known = edges[:, 0] * n_vertices + edges[:, 1]
    key = np.minimum(a, b) * n_vertices + np.maximum(a, b)
    place = np.minimum(np.searchsorted(known, key), len(known) - 1)
    return np.asarray(known[place] == key)


def _flip_keeps_shape(vertices: Floats, faces: Ints, table: EdgeTable, k: Ints) -> Bools:
    """Whether edge k can flip: nearly flat there, no fold afterwards, no bad triangle."""
    (a, b), (c, d) = table.vertices[k].T, table.opposite[k].T
    normal = reference_normals(vertices, faces)
    n0, n1 = normal[table.faces[k, 0]], normal[table.faces[k, 1]]
    ok = dot(n0, n1) > FLIP_COSINE
    worst = np.full(len(k), np.inf)
    for new in (np.stack([a, d, c], 1), np.stack([d, b, c], 1)):
        w = area_vectors(vertices, new)
        ok &= np.minimum(dot(w, n0), dot(w, n1)) > FLIP_COSINE * norm(w)
        worst = np.minimum(worst, shape_quality(vertices, new, w))
    old = np.minimum(*(shape_quality(vertices, faces[table.faces[k, side]]) for side in (0, 1)))
    return np.asarray(ok & (worst >= np.minimum(old, 4 * LOWEST_QUALITY)))
