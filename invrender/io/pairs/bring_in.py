"""Bringing a data set of voxels and pictures in: looked at first, then written sample by sample, in one piece."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError, UsageError
from invrender.io.files.atomic import temporary_folder
from invrender.io.pairs.axes import checked_axes, to_ours
from invrender.io.pairs.meta import META, MOST, Encoding, Layout, Meta, stage_of, write_meta
from invrender.io.pairs.orientation import SIDE, Fit, best_axes, resized
from invrender.io.pairs.place import checked_target, put_in_place
from invrender.io.pairs.plan import SHARES, Shares, planned
from invrender.io.pairs.source import ABOUT, Sample, Source
from invrender.io.pairs.values import Broken, Rule, converted, next_fit, picture_rules, voxel_rules
from invrender.io.pairs.writer import sample_sizes, writer
from invrender.nouns.stage import Stage

Array = NDArray[Any]
VoxelType = Literal["auto", "uint8", "float16"]

LOOKED_AT = 16  # samples from which axes and types are told


@dataclass(frozen=True)
class Request:
    """What the user may say of what is brought in.

    Attributes:
        axes: of the arrays, see `axes.checked_axes`; auto finds them out.
        shares: of training, validation and test, unless the source tells.
        seed: of who is in which.
        objects: that many consecutive samples are views of one object.
        voxel_type: on disk; auto: uint8 where all values lie in 0 to 1.
        scale: what voxels are multiplied by.
        encoding: of pictures; auto: numbers of 8 and 16 bits are for screens, floats linear.
        grey: whether the first channel of pictures is taken alone.
        overwrite: whether a data set that is there is replaced.
    """

    axes: str = "auto"
    shares: Shares = SHARES
    seed: int = 0
    objects: int = 1
    voxel_type: VoxelType = "auto"
    scale: float = 1.0
    encoding: Encoding | Literal["auto"] = "auto"
    grey: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class BroughtIn:
    """What has been brought in.

    Attributes:
        meta: of the new data set.
        axes: that the arrays had; `fit`: how well they fitted, where they had to be found out.
        voxels, pictures: how their numbers were read, for people.
    """

    meta: Meta
    axes: str
    fit: Fit | None
    voxels: str
    pictures: str


@dataclass(frozen=True)
class _Seen:
    """What the first samples tell: the rules that they follow, and the axes."""

    voxels: tuple[Rule, ...]
    pictures: tuple[Rule, ...]
    axes: str
    fit: Fit | None


class _BrokenVoxels(Broken):
    """The voxels are what does not follow its rule."""


def bring_in(
    source: Source, target: Path, request: Request, on_sample: Callable[[int, int], None] | None = None
) -> BroughtIn:
    """Write a data set from a source.

    Args:
        source: of samples.
        target: the new folder; it appears when it is whole.
        request: what is known of them.
        on_sample: told how many samples of how many are done; it begins again where a late sample changes the type.

    Raises:
        InputError: a sample is damaged or holds NaN, values do not fit the type that was asked for, or it is open
            which way the axes go.
        UsageError: the target cannot be written to, or has no room.
        OutputExistsError: it holds something, and not to be replaced.
    """
    checked_target(target, source.path, META if request.overwrite else None)
    seen = _look(source, request)
    while True:
        try:
            return _write(source, target, request, seen, on_sample)
        except _BrokenVoxels as error:
            seen = _Seen(_later(seen.voxels, "voxels", error), seen.pictures, seen.axes, seen.fit)
        except Broken as error:
            seen = _Seen(seen.voxels, _later(seen.pictures, "pictures", error), seen.axes, seen.fit)


def _later(rules: Sequence[Rule], what: str, error: Broken) -> tuple[Rule, ...]:
    if len(rules) == 1:
        raise InputError(
            f"there are {what} with {error}",
            "values of uint8 are 0 to 1: say --voxel-type float16, or bring them there by --scale",
        )
    return tuple(rules[1:])


def _look(source: Source, request: Request) -> _Seen:
    """Read the first samples."""
    voxel_kinds, picture_kinds = voxel_rules(source.voxel_type, request.voxel_type), picture_rules(source.picture_type)
    volumes, pictures = [], []
    at_voxels = at_pictures = 0
    for number, sample in enumerate(source.read()):
        if number == LOOKED_AT:
            break
        try:
            at_voxels = next_fit(voxel_kinds, at_voxels, _scaled(sample.voxels, request.scale))
        except Broken as error:
            _later(voxel_kinds[-1:], "voxels", error)
        except InputError as error:
            raise _of_sample(source, sample, error) from error
        at_pictures = _next_picture(source, sample, request, picture_kinds, at_pictures)
        volumes.append(resized(sample.voxels[0], (SIDE,) * 3))
        pictures.append(resized(sample.picture.mean(-1, dtype=np.float32), (SIDE, SIDE)))
    asked = request.axes if request.axes.strip().lower() != "auto" else str(source.about.get("axes", "auto"))
    fit = None
    if asked == "auto":
        fit = best_axes(volumes, pictures)
        if not fit.clear:
            raise InputError(_unclear(fit), "look at some samples, and say which way the axes go: --axes +x+y+z or so")
    axes = fit.axes if fit is not None else checked_axes(asked)
    return _Seen(voxel_kinds[at_voxels:], picture_kinds[at_pictures:], axes, fit)


def _next_picture(source: Source, sample: Sample, request: Request, rules: Sequence[Rule], at: int) -> int:
    try:
        return next_fit(rules, at, _picked(sample.picture, request.grey))
    except InputError as error:
        raise _of_sample(source, sample, error) from error


def _unclear(fit: Fit) -> str:
    return (
        f"it cannot be told which way the axes of the voxels go: {fit.axes} explains {fit.explained:.0%} of the "
        f"pictures, and {fit.second} {fit.second_explained:.0%}"
    )


def _of_sample(source: Source, sample: Sample, error: InputError) -> InputError:
    return InputError(
        f"{source.path}: {sample.name} holds {error.cause}", "repair it in the program that made it, or leave it out"
    )


def _scaled(voxels: Array, scale: float) -> Array:
    return voxels if scale == 1 else voxels.astype(np.float32) * np.float32(scale)


def _picked(picture: Array, grey: bool) -> Array:
    return picture[..., :1] if grey else picture


def _write(
    source: Source, target: Path, request: Request, seen: _Seen, on_sample: Callable[[int, int], None] | None
) -> BroughtIn:
    layout = _layout(source, request, seen)
    plan = planned(source, layout, request.shares, request.seed, request.objects)
    meta = Meta(layout, plan.shards, _stage(source), _made(source, request, seen))
    with temporary_folder(target) as folder:
        _check_space(folder, target, source.count, layout)
        with writer(folder, layout, plan, target) as shards:
            for number, sample in enumerate(source.read()):
                shards.add(*_ours(source, sample, request, seen))
                if on_sample is not None:
                    on_sample(number + 1, source.count)
        write_meta(folder, meta)
        put_in_place(folder, target)
    return BroughtIn(meta, seen.axes, seen.fit, seen.voxels[0].words, seen.pictures[0].words)


def _ours(source: Source, sample: Sample, request: Request, seen: _Seen) -> tuple[Array, Array]:
    """The voxels and the picture of a sample as shards hold them."""
    try:
        picture = converted(_picked(sample.picture, request.grey), seen.pictures[0])
        try:
            voxels = converted(_scaled(sample.voxels, request.scale), seen.voxels[0])
        except Broken as error:
            raise _BrokenVoxels(*error.args) from error
    except InputError as error:
        raise _of_sample(source, sample, error) from error
    return to_ours(voxels, seen.axes), picture


def _layout(source: Source, request: Request, seen: _Seen) -> Layout:
    shape = to_ours(np.broadcast_to(np.uint8(0), source.voxels), seen.axes).shape  # takes no memory
    pictures = (*source.pictures[:2], 1 if request.grey else source.pictures[2])
    if max(*shape, *pictures) > MOST:
        raise InputError(f"{source.path}: samples are larger than {MOST} along a side", "reduce them")
    noted = source.about.get("encoding")
    own = noted if noted in get_args(Encoding) else seen.pictures[0].encoding
    encoding = cast(Encoding, own if request.encoding == "auto" else request.encoding)
    return Layout(
        cast(tuple[int, int, int, int], shape), cast(tuple[int, int, int], pictures), seen.voxels[0].kind,
        seen.pictures[0].kind, encoding,
    )  # fmt: skip


def _stage(source: Source) -> Stage | None:
    try:
        return stage_of(source.about["stage"]) if source.about.get("stage") else None
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{source.path}: {ABOUT} has a stage that is none", f"remove {ABOUT}") from error


def _made(source: Source, request: Request, seen: _Seen) -> dict[str, Any]:
    return {
        **(source.about.get("made") or {}),
        "by": "invrender dataset import",
        "from": source.what,
        "axes": seen.axes,
        "voxels": seen.voxels[0].words,
        "scale": request.scale,
        "pictures": seen.pictures[0].words,
    }


def _check_space(folder: Path, target: Path, count: int, layout: Layout) -> None:
    needed, free = count * sum(sample_sizes(layout).values()), shutil.disk_usage(folder).free
    if needed > free:
        raise UsageError(
            f"{target} would take {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} are free there",
            "free some space, or choose an output on another disk",
        )
