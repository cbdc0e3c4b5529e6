"""From bare photographs, or a video, to a dataset of posed images: the whole way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from invrender.errors import InputError, UsageError
from invrender.io.files.atomic import temporary_folder
from invrender.io.files.paths import is_folder, listing, shown
from invrender.poses.box import object_bounds
from invrender.poses.contradictions import contradicted
from invrender.poses.dataset import check_free, put_in_place, write_model
from invrender.poses.frame import centred, levelled, metres_per_unit
from invrender.poses.lenses import settle_lenses
from invrender.poses.model import Model, model_of
from invrender.poses.options import PoseOptions
from invrender.poses.photographs import FEWEST, Found, find_photographs, is_video
from invrender.poses.prepare import Prepared, prepare
from invrender.poses.structure import (
    Say,
    Workshop,
    extract,
    forget,
    load_colmap,
    match,
    reconstruct,
    separate,
    verified,
)
from invrender.poses.unplaced import Evidence, reasons
from invrender.poses.video import write_frames

_ROUNDS = 3  # of taking out pairs that masks contradict, and trying again
_REMEDY = (
    "take more pictures, 60 to 80 % of each also in the next, sharp and evenly lit, with a patterned ground under plain"
    " objects"
)


@dataclass(frozen=True)
class Poses:
    """What a search for cameras found.

    Attributes:
        folder: the dataset.
        placed: names of the pictures with a camera.
        unplaced: the other pictures, and why.
        skipped: files that are no pictures or cannot be read, and why.
        points: how many sparse points there are.
        reprojection_error: mean distance in pixels (of the copies that were searched, at most 1600 wide) between where
            points are seen and where they are projected.
        focal: focal length of the first lens, in pixels.
        unit: 'metre', or 'arbitrary'.
        bounds: the object's box, [[x0, y0, z0], [x1, y1, z1]].
        masked: how many placed pictures have a mask.
    """

    folder: Path
    placed: tuple[str, ...]
    unplaced: dict[str, str]
    skipped: dict[str, str]
    points: int
    reprojection_error: float
    focal: float
    unit: str
    bounds: list[list[float]]
    masked: int


def find_poses(
    source: str | Path,
    out: str | Path,
    options: PoseOptions | None = None,
    *,
    overwrite: bool = False,
    say: Say = lambda _: None,
) -> Poses:
    """Find the cameras of photographs, and write them as a dataset.

        find_poses("photos", "dataset")

    Args:
        source: a folder of pictures (with `masks/` beside them, or alpha, where there are any), or a video.
        out: the dataset's folder (images/, masks/, transforms.json, points.ply, poses.json); it appears when complete.
        options: how to search.
        overwrite: replace a dataset that an earlier search wrote there.
        say: is told how far the work is, a line at a time.

    Raises:
        BackendError: pycolmap, or cv2 for a video, is not installed.
        InputError: there are too few pictures, or they do not overlap.
        OutputExistsError: something lies at `out`.
        UsageError: an option is out of range, or the place cannot be written to.
    """
    start, target = Path(source), Path(out)
    chosen = options or PoseOptions()
    load_colmap()
    check_free(target, overwrite)
    if is_folder(start) and start.resolve().is_relative_to(target.resolve()):
        raise UsageError(f"{target} holds the photographs themselves", "choose another folder with -o")
    with temporary_folder(target) as place:
        found = _photographs(start, target, place, chosen, say)
        shop = _workshop(place, found, chosen, say)
        search = _search(shop, is_video(start), say)
        say("writing the dataset")
        result = _write(search, found, place / "new", target, chosen)
        put_in_place(place / "new", target, place / "old")
    return result


def _photographs(source: Path, target: Path, place: Path, options: PoseOptions, say: Say) -> Found:
    """The pictures to place, those of a video written first."""
    if is_video(source):
        say(f"choosing frames of {shown(source.name)}")
        (place / "frames").mkdir()
        if len(write_frames(source, place / "frames", options.frames)) < FEWEST:
            raise InputError(
                f"{shown(source)} shows fewer than {FEWEST} different pictures",
                "film while you walk around the object; a camera that stands still sees one side",
            )
        return find_photographs(place / "frames")
    found = find_photographs(source, target)
    if len(found.photographs) < FEWEST:
        skipped = f" ({listing((f'{n}: {why}' for n, why in found.skipped.items()), 2)})" if found.skipped else ""
        raise InputError(
            f"{shown(source)} holds {len(found.photographs)} usable pictures{skipped}, and cameras are found from at"
            f" least {FEWEST}",
            "add photographs from around the object: 20 to 60 are usual",
        )
    return found


def _workshop(place: Path, found: Found, options: PoseOptions, say: Say) -> Workshop:
    """Copies of the pictures; one whose pixels turn out to be damaged joins those that are skipped."""
    for folder in ("images", "masks", "models", "new"):
        (place / folder).mkdir()
    prepared: list[Prepared] = []
    for index, photo in enumerate(found.photographs):
        prepared.append(prepare(photo, index, place / "images", place / "masks"))
    masked = sum(item.mask is not None for item in prepared)
    say(f"{len(prepared)} pictures{f', {masked} with a mask' if masked else ''}; looking for features")
    return Workshop(place, prepared, options)


@dataclass(frozen=True)
class _Search:
    model: Model
    reconstruction: Any
    evidence: Evidence


def _search(shop: Workshop, ordered: bool, say: Say) -> _Search:
    features = extract(shop)
    say(f"{sum(features.values())} features; comparing pictures")
    matches = match(shop, ordered)
    if not matches:
        raise InputError(
            f"no two of the {len(shop.prepared)} pictures show the same surface, as far as their features tell", _REMEDY
        )
    say(f"{len(matches)} pairs of pictures overlap; finding the cameras")
    models, wrong = _agreeing(shop, say)
    groups = separate(models)
    groups = [groups[0] - wrong, *groups[1:]] if groups else []
    evidence = Evidence(shop.prepared, features, matches, groups, frozenset(wrong))
    if not groups or len(groups[0]) < FEWEST:
        _refuse(evidence)
    by_file = {item.file: item for item in shop.prepared}
    settled = settle_lenses(_without(models[0], wrong))
    settled.extract_colors_for_all_images(shop.images)
    return _Search(model_of(settled, by_file), settled, evidence)


def _agreeing(shop: Workshop, say: Say) -> tuple[list[Any], set[str]]:
    """Models, and the copies in the first one whose places contradict the masks.

    Pairs of pictures that contradict each other are forgotten, and the cameras found again.
    """
    by_file = {item.file: item for item in shop.prepared}
    models = reconstruct(shop)
    for rounds in range(_ROUNDS):
        if not models:
            return models, set()
        model = model_of(models[0], by_file)
        views, pairs = contradicted(model)
        files = [picture.file for picture in model.pictures]
        matched = verified(shop)
        doubtful = [pair for i, j in pairs if (pair := frozenset((files[i], files[j]))) in matched]
        if not views or not doubtful or rounds == _ROUNDS - 1:
            return models, {files[i] for i in views}
        say(f"{len(views)} cameras contradict the masks of other pictures; finding them again")
        forget(shop, doubtful)
        models = reconstruct(shop)
    return models, set()


def _without(reconstruction: Any, files: set[str]) -> Any:
    for image in list(reconstruction.images.values()):
        if image.name in files and image.has_pose:
            reconstruction.deregister_frame(image.frame_id)
    return reconstruction


def _refuse(evidence: Evidence) -> None:
    why = [f"{name}: {reason}" for name, reason in reasons(evidence).items()]
    most = max(evidence.matches.values(), default=0)
    raise InputError(
        f"no {FEWEST} of the {len(evidence.prepared)} pictures could be placed together (the best pair has {most}"
        f" matches): {listing(why, 3)}",
        _REMEDY,
    )


def _write(search: _Search, found: Found, folder: Path, target: Path, options: PoseOptions) -> Poses:
    model = levelled(search.model)
    model, bounds = centred(model, object_bounds(model))
    unit = "arbitrary"
    factor = options.scale or (metres_per_unit(model, options.scale_by) if options.scale_by else None)
    if factor is not None:
        unit = "metre"
        model, bounds = centred(model, bounds, factor)
    result = Poses(
        folder=target,
        placed=tuple(picture.photograph.name for picture in model.pictures),
        unplaced=reasons(search.evidence),
        skipped=found.skipped,
        points=len(model.points),
        reprojection_error=float(search.reconstruction.compute_mean_reprojection_error()),
        focal=model.lenses[0].fx,
        unit=unit,
        bounds=np.asarray(bounds).tolist(),
        masked=_masked(model.pictures),
    )
    report = {key: value for key, value in asdict(result).items() if key != "folder"}
    write_model(folder, model, bounds, unit, {**report, "options": asdict(options)})
    return result


def _masked(pictures: Sequence[Prepared]) -> int:
    return sum(picture.mask is not None for picture in pictures)
