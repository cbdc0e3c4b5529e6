"""Which pictures are compared: all pairs where there are few, else neighbours and those that look alike.

What looks alike is told by VLAD (Jegou et al. 2010): the sums of how a picture's features differ from the nearest of a
few words, which are the clusters of all features. No vocabulary has to be downloaded.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MOST_EXHAUSTIVE = 120
"""Pictures of which all pairs are compared unless told otherwise: 7140 pairs."""

_NEIGHBOURS = 10  # in the order of names
_ALIKE = 20
_ALIKE_FAR = 5  # beside the neighbours
_WORDS = 64
_SAMPLES = 20_000


def neighbours(count: int) -> set[tuple[int, int]]:
    """Pairs of pictures that follow each other closely, and at distances that double up to 256."""
    steps = {*range(1, _NEIGHBOURS + 1), *(2**k for k in range(4, 9))}
    return {(i, i + step) for i in range(count) for step in steps if i + step < count}


def alike(descriptors: Sequence[NDArray[np.uint8]], seed: int, most: int = _ALIKE) -> set[tuple[int, int]]:
    """Pairs of each picture with the `most` that look most like it, by their features [K,128] each."""
    vectors = _vlad([d.astype(np.float32) for d in descriptors], np.random.default_rng(seed))
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, : min(most, len(vectors) - 1)]
    return {(min(i, int(j)), max(i, int(j))) for i, row in enumerate(nearest) for j in row}


def chosen_pairs(matching: str, descriptors: Sequence[NDArray[np.uint8]], seed: int) -> set[tuple[int, int]]:
    """The pairs for the matching 'sequential' (neighbours and some that look alike) or 'similar' (these alone)."""
    if matching == "similar":
        return alike(descriptors, seed)
    return neighbours(len(descriptors)) | alike(descriptors, seed, _ALIKE_FAR)


def _vlad(descriptors: list[Floats], random: np.random.Generator) -> Floats:
    """[N, words * 128] of length 1, each component's square root taken with its sign."""
    from scipy.cluster.vq import kmeans2, vq

    every = np.concatenate(descriptors)
    sample = every[random.permutation(len(every))[:_SAMPLES]]
    words = min(_WORDS, max(1, len(sample) // 8))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a cluster may end empty: a word that no feature is near to
        centres = kmeans2(sample, sample[:words], iter=10, minit="matrix")[0].astype(np.float32)
    vectors = np.zeros((len(descriptors), words, every.shape[1]), np.float32)
    for vector, features in zip(vectors, descriptors, strict=True):
        if len(features):
            word = vq(features, centres, check_finite=False)[0]
            np.add.at(vector, word, features - centres[word])
    flat = vectors.reshape(len(vectors), -1)
    flat = np.sign(flat) * np.sqrt(np.abs(flat))
    result: Floats = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    return result
