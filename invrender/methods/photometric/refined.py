"""A dataset with refined cameras: the pictures as they were worked on, with masks as alpha, and a transforms.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import torch

from invrender.cameras.projection import intrinsics
from invrender.evaluate.posed_views import view_names
from invrender.io.datasets.posed import Lens
from invrender.io.datasets.write_poses import WRITERS, Written
from invrender.io.images import write_png
from invrender.nouns import Views
from invrender.run.folder import RunFolder

FOLDER = "refined"


def write_refined(run: RunFolder, views: Views, unseen: Views | None) -> None:
    """Write views, and those that were set aside as the test split, into the run's folder `refined`."""
    written = _written(run, views, "train" if unseen is not None else None)
    if unseen is not None:
        written += _written(run, unseen, "test")
    run.file(f"{FOLDER}/transforms.json")
    WRITERS["transforms"](run.path / FOLDER, written, views.bounds)


def _written(run: RunFolder, views: Views, split: str | None) -> list[Written]:
    assert views.images is not None
    files = _files(view_names(views), split)
    for file, image, mask in zip(files, views.images, views.masks, strict=True):
        write_png(run.file(f"{FOLDER}/images/{file}"), torch.cat([image, mask[..., None]], 2))
    return [
        Written(file, None, _lens(views, i), views.cameras.world_to_camera[i].numpy(), split)
        for i, file in enumerate(files)
    ]


def _files(names: Sequence[str], split: str | None) -> list[str]:
    """Names of files: those of the views without their folders where that keeps them apart."""
    short = [PurePosixPath(name).name for name in names]
    plain = short if len(set(short)) == len(short) else [name.replace("/", "_") for name in names]
    return [f"{split or 'train'}/{name}.png" for name in plain]


def _lens(views: Views, i: int) -> Lens:
    height, width = views.cameras.size
    fx, fy, cx, cy = (float(values) for values in torch.stack(intrinsics(views.cameras[[i]]))[:, 0])
    return Lens(fx, fy, cx, cy, width, height, parallel=bool(views.cameras.parallel[i]))
