"""progress.gif of training: pictures of validation samples beside what the network makes of their voxels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb
from invrender.io.pairs.dataset import Split, decoded
from invrender.run.film import Film, Picture, Shot
from invrender.solve.protocol import Params

Tensor = torch.Tensor
Bytes = NDArray[np.uint8]

SAMPLES = 4
SPEED = 6.0
LINE, GREY = 2, 160  # width and grey of the lines between pictures
LEAST = 128  # pixels that the smaller side of a picture is shown with


def film(judges: Split, drawn: Callable[[Params, Tensor], Tensor], frames: int, encoding: str) -> Film | None:
    """The film of a run.

    Args:
        judges: whose first samples are shown.
        drawn: weights and voxels to pictures [B,C,H,W].
        frames: how many; 0 for no film.
        encoding: of the pictures' values.
    """
    if not frames:
        return None
    shown = judges.read(range(min(SAMPLES, len(judges))))
    given = [shown_bytes(picture, encoding) for picture in decoded(shown.pictures).permute(0, 3, 1, 2)]

    @torch.no_grad()
    def shoot(params: Params) -> Shot:
        device = next(iter(params.values())).device
        pictures = drawn(params, decoded(shown.voxels.to(device))).cpu()
        return {"pictures": np.stack([shown_bytes(picture, encoding) for picture in pictures])}

    def cut(shots: Sequence[Shot], result: Any) -> Mapping[str, Sequence[Picture]]:
        del result
        return {"progress.gif": [sheet([given, list(shot["pictures"])]) for shot in shots]} if shots else {}

    return Film(frames, shoot, cut, SPEED)


def shown_bytes(picture: Tensor, encoding: str) -> Bytes:
    """A picture [C,H,W], grey or RGB, as bytes [H,W,3] for a screen."""
    values = picture.float().clamp(0, 1).numpy()
    values = linear_to_srgb(values) if encoding == "linear" else values
    stored = (values * 255 + 0.5).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(stored, (3, *stored.shape[1:])).transpose(1, 2, 0))


def sheet(columns: Sequence[Sequence[Bytes]]) -> Bytes:
    """Columns of pictures of one size, with lines between, enlarged where they are small."""
    height, width = columns[0][0].shape[:2]
    times = max(1, -(-LEAST // min(height, width)))
    rows = []
    for row in zip(*columns, strict=True):
        parts: list[Bytes] = []
        for picture in row:
            large = picture.repeat(times, 0).repeat(times, 1)
            parts += [np.full((large.shape[0], LINE, 3), GREY, np.uint8), large]
        line = np.concatenate(parts[1:], 1)
        rows += [np.full((LINE, line.shape[1], 3), GREY, np.uint8), line]
    return np.concatenate(rows[1:])
