"""What a dataset is good for: pictures in colour, or masks alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from invrender.cameras.rigs import evenly
from invrender.io.datasets.checks import check_files
from invrender.io.datasets.dataset import is_dataset
from invrender.io.datasets.sources import listed
from invrender.io.files.paths import is_file, is_folder
from invrender.io.images import read_image

ASKED = 3  # pictures that are looked at
PLAIN = 0.01  # spread of linear colours within the object, below which there are none to learn from


def shows_colours(source: Path) -> bool:
    """Whether a path names a dataset whose pictures show colours: more than one value within their alpha.

    Raises:
        InputError: its poses or pictures are missing or damaged, so that no method can use it.
    """
    if not is_dataset(source):
        return False
    named = [view.image for view in listed(source).views if view.image is not None]
    files = [path for path in named if is_file(path)]
    if named and not files:
        check_files(named, len(named), source if is_folder(source) else source.parent)
    return any(_has_colours(files[i]) for i in evenly(len(files), min(ASKED, len(files) or 1)) if files)


def _has_colours(path: Path) -> bool:
    if path.suffix.lower() == ".npy":
        return False
    rgb, alpha = read_image(path)
    inside = rgb if alpha is None else rgb[alpha > 0.99]
    return bool(inside.size) and float(np.std(inside.reshape(-1, 3), axis=0).max()) > PLAIN
