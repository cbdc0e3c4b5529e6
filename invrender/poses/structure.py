"""Structure from motion by COLMAP (Schoenberger and Frahm 2016), through pycolmap: features, matches, cameras."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from invrender.poses.options import PoseOptions
from invrender.poses.pairs import MOST_EXHAUSTIVE, chosen_pairs
from invrender.poses.prepare import Prepared
from invrender.poses.video import needed

Say = Callable[[str], None]

FIRST_MODEL = "SIMPLE_RADIAL"
LEAST_MATCHES = 15
"""Matches that agree with one motion of the camera, below which two pictures are not believed to show the same."""

_LAX = {"abs_pose_min_num_inliers": 12, "abs_pose_min_inlier_ratio": 0.15, "max_reg_trials": 10}


@dataclass(frozen=True)
class Workshop:
    """Where COLMAP works: the folder, the pictures in the order of their names, and the options."""

    folder: Path
    prepared: Sequence[Prepared]
    options: PoseOptions

    @property
    def database(self) -> Path:
        """COLMAP's database of features and matches."""
        return self.folder / "database.db"

    @property
    def images(self) -> Path:
        """The folder of copies."""
        return self.folder / "images"

    @property
    def masks(self) -> Path:
        """The folder of masks."""
        return self.folder / "masks"


def load_colmap() -> Any:
    """pycolmap, told to be silent but for what ends it.

    Raises:
        BackendError: it is not installed.
    """
    known = "pycolmap" in sys.modules
    before = signal.getsignal(signal.SIGTERM)
    pycolmap = needed("pycolmap")
    if not known and before is not None:  # its glog takes SIGTERM over, prints a stack and ends the process
        with suppress(ValueError):  # not in the main thread, where only that one may
            signal.signal(signal.SIGTERM, before)
    pycolmap.logging.minloglevel = pycolmap.logging.Level.FATAL.value
    return pycolmap


def groups_of(prepared: Sequence[Prepared], sharing: str) -> list[list[Prepared]]:
    """The pictures that share a lens each."""
    groups: dict[Any, list[Prepared]] = {}
    for item in prepared:
        photo = item.photograph
        focal = None if photo.focal is None else round(photo.focal)
        key: Any = {
            "each": photo.name,
            "folder": (photo.name.rpartition("/")[0], photo.size),
            "one": photo.size,
            "auto": (photo.size, focal),
        }[sharing]
        groups.setdefault(key, []).append(item)
    return list(groups.values())


def extract(shop: Workshop) -> dict[str, int]:
    """Find features; returns how many each copy has. Pictures that share a lens get one camera in the database."""
    colmap = load_colmap()
    colmap.set_random_seed(shop.options.seed)
    settings = colmap.FeatureExtractionOptions()
    for group in groups_of(shop.prepared, shop.options.camera):
        reader = colmap.ImageReaderOptions()
        reader.camera_model = FIRST_MODEL
        if any(item.mask is not None for item in group):
            reader.mask_path = str(shop.masks)
            _unmask_others(shop, group)
        focal = shop.options.focal_of(group[0].photograph.size[1]) or group[0].photograph.focal
        if focal is not None:
            reader.camera_params = _first_guess(group[0], focal)
        colmap.extract_features(
            shop.database, shop.images, [item.file for item in group], colmap.CameraMode.SINGLE, reader, settings,
            colmap.Device.cpu,
        )  # fmt: skip
    with colmap.Database.open(shop.database) as database:
        return {im.name: database.num_keypoints_for_image(im.image_id) for im in database.read_all_images()}


def _unmask_others(shop: Workshop, group: Sequence[Prepared]) -> None:
    """Write a white mask for each copy that has none: COLMAP finds nothing in pictures whose mask is missing."""
    for item in group:
        if item.mask is None:
            with Image.open(shop.images / item.file) as image:
                Image.new("L", image.size, 255).save(shop.masks / f"{item.file}.png")


def _first_guess(item: Prepared, focal: float) -> str:
    height, width = item.photograph.size
    return ",".join(f"{value * item.scale:.8g}" for value in (focal, width / 2, height / 2)) + ",0"


def match(shop: Workshop, ordered: bool) -> dict[frozenset[str], int]:
    """Compare pictures; returns how many matches the pairs of copies have that agree with one motion.

    Args:
        shop: with features in its database.
        ordered: whether the order of the pictures is that in which they were taken, as a video's is.
    """
    colmap = load_colmap()
    verification = colmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = shop.options.seed
    verification.min_num_inliers = LEAST_MATCHES
    matching = shop.options.matching
    if matching == "auto":
        matching = "exhaustive" if len(shop.prepared) <= MOST_EXHAUSTIVE else "sequential" if ordered else "similar"
    if matching == "exhaustive":
        colmap.match_exhaustive(shop.database, verification_options=verification, device=colmap.Device.cpu)
    else:
        _match_chosen(colmap, shop, matching, verification)
    return verified(shop)


def _match_chosen(colmap: Any, shop: Workshop, matching: str, verification: Any) -> None:
    with colmap.Database.open(shop.database) as database:
        images = sorted(database.read_all_images(), key=lambda im: im.name)
        features = [np.asarray(database.read_descriptors(im.image_id).data) for im in images]
    pairs = chosen_pairs(matching, features, shop.options.seed)
    names = [(images[i].name, images[j].name) for i, j in sorted(pairs)]
    listed = shop.folder / "pairs.txt"
    listed.write_text("".join(f"{a} {b}\n" for a, b in names), encoding="utf-8")
    pairing = colmap.ImportedPairingOptions()
    pairing.match_list_path = str(listed)
    colmap.match_image_pairs(
        shop.database, pairing_options=pairing, verification_options=verification, device=colmap.Device.cpu
    )


def verified(shop: Workshop) -> dict[frozenset[str], int]:
    """How many matches the pairs of copies have that agree with one motion; pairs without any are left out."""
    colmap = load_colmap()
    with colmap.Database.open(shop.database) as database:
        names = {im.image_id: im.name for im in database.read_all_images()}
        numbers, counts = database.read_two_view_geometry_num_inliers()
    pairs = (colmap.pair_id_to_image_pair(number) for number in numbers)
    return {frozenset((names[a], names[b])): n for (a, b), n in zip(pairs, counts, strict=True) if n > 0}


def forget(shop: Workshop, pairs: Sequence[frozenset[str]]) -> None:
    """Take pairs of copies for ones that do not match."""
    colmap = load_colmap()
    with colmap.Database.open(shop.database) as database:
        numbers = {im.name: im.image_id for im in database.read_all_images()}
        for first, second in (sorted(pair) for pair in pairs):
            if database.exists_two_view_geometry(numbers[first], numbers[second]):
                database.delete_two_view_geometry(numbers[first], numbers[second])


def reconstruct(shop: Workshop) -> list[Any]:
    """The models (pycolmap.Reconstruction) that could be made, the largest first.

    First with COLMAP's own thresholds; where pictures are left, once more with lower ones, from the largest model on.
    """
    found = _mapped(shop, {}, None)
    if found and found[0].num_reg_images() == len(shop.prepared):
        return found
    begun = None
    if found:
        begun = shop.folder / "begun"
        begun.mkdir(exist_ok=True)
        found[0].write(begun)
    more = _mapped(shop, _LAX, begun)
    return sorted([*more[:1], *found], key=lambda model: -int(model.num_reg_images()))


def _mapped(shop: Workshop, thresholds: Mapping[str, float], begun: Path | None) -> list[Any]:
    colmap = load_colmap()
    colmap.set_random_seed(shop.options.seed)
    pipeline = colmap.IncrementalPipelineOptions()
    pipeline.num_threads = pipeline.mapper.num_threads = 1  # sums in another order would be another result
    for part in (pipeline, pipeline.mapper, pipeline.triangulation):
        part.random_seed = shop.options.seed
    pipeline.min_model_size = 3
    pipeline.multiple_models = begun is None
    for name, value in thresholds.items():
        setattr(pipeline.mapper, name, value)
    with suppress(ValueError):  # what COLMAP raises where its own checks of a degenerate scene fail: no model
        models = colmap.incremental_mapping(
            shop.database, shop.images, shop.folder / "models", pipeline, str(begun) if begun else ""
        )
        return sorted(models.values(), key=lambda model: -int(model.num_reg_images()))
    return []


def separate(models: Sequence[Any]) -> list[set[str]]:
    """The copies in each model."""
    return [{im.name for im in model.images.values() if im.has_pose} for model in models]
