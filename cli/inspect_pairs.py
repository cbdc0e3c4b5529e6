"""The part of `invrender inspect` that is about voxels with pictures, from which networks learn to render."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from invrender.cli.inspect_rows import Rows, show

if TYPE_CHECKING:
    from invrender.io.pairs.facts import PairsFacts, Range


def inspect_pairs(folder: Path, picture: Path | None, as_json: bool) -> bool:
    """Show a data set of voxels and pictures, or files that `dataset import` makes one of.

    Returns:
        Whether the folder is one of both.
    """
    from invrender.io.datasets.dataset import is_dataset
    from invrender.io.pairs.meta import is_pairs
    from invrender.io.pairs.open_source import is_foreign_pairs

    if is_pairs(folder):
        _data_set(folder, picture, as_json)
        return True
    if is_dataset(folder) or not is_foreign_pairs(folder):
        return False
    _foreign(folder, picture, as_json)
    return True


def _data_set(folder: Path, picture: Path | None, as_json: bool) -> None:
    from invrender.io.pairs.dataset import read_pairs
    from invrender.io.pairs.facts import pairs_facts

    _check_picture(picture)
    pairs = read_pairs(folder)
    facts = pairs_facts(pairs)
    drawn = None
    if picture is not None:
        from PIL import Image

        from invrender.evaluate.pairs_sheet import pairs_sheet
        from invrender.io.files.atomic import atomic_path

        sheet = pairs_sheet(pairs)
        with atomic_path(picture) as temporary:
            Image.fromarray(sheet).save(temporary, format="PNG")
        drawn = str(picture)
    show({"kind": "voxels and pictures", "path": str(folder), **asdict(facts), "picture": drawn}, _rows(facts), as_json)
    if drawn and not as_json:
        typer.echo(f"drawn: {drawn}")


def _check_picture(picture: Path | None) -> None:
    from invrender.errors import UsageError

    if picture is not None and picture.suffix.lower() != ".png":
        raise UsageError(f"--picture is {picture}", "name a .png file")


def _foreign(folder: Path, picture: Path | None, as_json: bool) -> None:
    from invrender.errors import UsageError
    from invrender.io.pairs.open_source import open_source

    if picture is not None:
        raise UsageError(
            f"--picture goes with a data set, and {folder} has to become one",
            f"bring it in with `invrender dataset import {folder} -o DIR`, and inspect DIR",
        )
    source = open_source(folder)
    parts = {part.name: part.count for part in source.parts}
    table = {
        "kind": "voxels and pictures to import", "path": str(folder), "what": source.what, "samples": source.count,
        "parts": parts, "voxels": source.voxels, "voxel_type": str(source.voxel_type), "pictures": source.pictures,
        "picture_type": str(source.picture_type),
    }  # fmt: skip
    rows = [
        ("what", source.what),
        ("samples", f"{source.count} in {len(parts)} parts"),
        ("voxels", f"{_size(source.voxels[1:])}, {source.voxels[0]} channels, {source.voxel_type}"),
        ("pictures", f"{_size(source.pictures[:2])}, {source.pictures[2]} channels, {source.picture_type}"),
    ]
    show(table, rows, as_json)
    if not as_json:
        typer.echo(f"bring it in: invrender dataset import {folder} -o DIR")


def _rows(facts: PairsFacts) -> Rows:
    stage = facts.stage
    camera = "unknown" if stage is None else (
        f"field of view {stage.fov:g} degrees, depths {stage.near:g} to {stage.far:g}, {stage.elevation:g} degrees "
        f"above the horizon; ground {'none' if stage.ground is None else f'at {stage.ground:g}'}; light from "
        f"({', '.join(f'{n:g}' for n in stage.light)})"
    )  # fmt: skip
    split = [f"{count} {name} of {facts.objects[name]} objects" for name, count in facts.samples.items()]
    return [
        ("samples", f"{sum(facts.samples.values())}: {', '.join(split)}"),
        ("voxels", f"{_size(facts.voxels[1:])}, {facts.voxels[0]} channels, {facts.voxel_type}"),
        (
            "pictures",
            f"{_size(facts.pictures[:2])}, {facts.pictures[2]} channels, {facts.picture_type}, {facts.encoding}",
        ),
        ("voxel values", "; ".join(map(_range, facts.voxel_range)) + f" (of {facts.looked_at} samples)"),
        ("picture values", f"{_range(facts.picture_range)} (of {facts.looked_at} samples)"),
        ("filled", f"{facts.filled:.2%} of the voxels, from {facts.least_filled:.2%} to {facts.most_filled:.2%}"),
        ("on disk", f"{facts.bytes / 2**20:.4g} MiB"),
        ("stage", camera),
        ("made", "; ".join(f"{name}: {_plain(value)}" for name, value in facts.made.items()) or "nothing is said"),
    ]


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(_plain, value)) if isinstance(value, list) else str(value)


def _range(values: Range) -> str:
    return f"{values.least:.4g} to {values.greatest:.4g}, mean {values.mean:.4g}"


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
