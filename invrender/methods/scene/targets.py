"""The pictures that a scene is to explain: read, decoded to linear values, and given to its cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from invrender.colour import linear_to_srgb
from invrender.errors import InputError, UsageError
from invrender.io.files.paths import entries, is_folder, listing, shown
from invrender.io.images import read_image
from invrender.io.pixels import IMAGE_EXTENSIONS
from invrender.nouns import Scene
from invrender.parameters.scene_places import distinct

Tensor = torch.Tensor

LINEAR = (".exr",)  # others are sRGB, which ends at white


@dataclass(frozen=True)
class Target:
    """One picture.

    Attributes:
        camera: the number of the scene's camera that took it; `name` of that camera.
        image: [H,W,3] float64, linear.
        weight: [H,W] float64 in [0, 1], how much each pixel counts.
        full: [H,W,3] bool, where a file of 8 or 16 bits ends: there may have been more light.
        step: between two stored values, of sRGB; 0 where 8 bits do not hold the picture.
        had_alpha: whether the file has an alpha channel that says something.
    """

    camera: int
    name: str
    image: Tensor
    weight: Tensor
    full: Tensor
    step: float
    had_alpha: bool

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.image.shape[0], self.image.shape[1]


def read_targets(names: Sequence[str], scene: Scene, alpha: str, size: int | None) -> tuple[Target, ...]:
    """The targets of a scene's cameras.

    Args:
        names: files and folders.
        scene: whose cameras have names and sizes, and whose background lies behind transparent pixels.
        alpha: over, weigh or ignore; see `SceneSettings`.
        size: the longer side to which they are scaled down; None: as they are.

    Raises:
        UsageError: no target is named.
        InputError: a file cannot be read; there are fewer or more than cameras; or one has other proportions than its
            camera's pictures.
    """
    if not names:
        raise UsageError("there is nothing to compare the scene with", "name its pictures with --target FILE or DIR")
    paths = [path for name in names for path in _pictures(Path(name))]
    placed = _placed(paths, distinct([camera.name for camera in scene.cameras]))
    targets = [_target(path, number, scene, alpha) for number, path in placed]
    return tuple(each if size is None else _smaller(each, size) for each in targets)


def _pictures(path: Path) -> list[Path]:
    """The pictures of a folder in the order of their names, or the one file."""
    if not is_folder(path):
        return [path]
    found = [path / name for name in sorted(entries(path)) if Path(name).suffix.lower() in IMAGE_EXTENSIONS]
    if not found:
        raise InputError(f"the folder {shown(path)} holds no pictures", "name the pictures of the scene")
    return found


def _placed(paths: Sequence[Path], cameras: Sequence[str]) -> list[tuple[int, Path]]:
    """Each picture with the number of its camera: by name where all are called so, else in order."""
    stems = [path.stem for path in paths]
    if set(stems) <= set(cameras) and len(set(stems)) == len(stems):
        return sorted((cameras.index(stem), path) for stem, path in zip(stems, paths, strict=True))
    if len(paths) != len(cameras):
        raise InputError(
            f"there are {len(paths)} targets ({listing(stems)}) for {len(cameras)} cameras ({listing(cameras)})",
            "give one for each camera in their order, or name the files after the cameras that took them",
        )
    return list(enumerate(paths))


def _target(path: Path, number: int, scene: Scene, alpha: str) -> Target:
    rgb, coverage = read_image(path)
    camera, name = scene.cameras[number], distinct([each.name for each in scene.cameras])[number]
    image = torch.from_numpy(rgb).double()
    height, width = image.shape[:2]
    if camera.size is not None and not _alike(camera.size, (height, width)):
        raise InputError(
            f"{shown(path)} is {width} x {height} pixels, and the camera {name} takes {camera.size[1]} x "
            f"{camera.size[0]}",
            "give a target of the same proportions, or change the camera's size in the scene",
        )
    linear = path.suffix.lower() in LINEAR
    full = torch.zeros_like(image, dtype=torch.bool) if linear else image >= 1
    step = 0.0 if linear else _step(image)
    target = Target(number, name, image, torch.ones(height, width, dtype=torch.float64), full, step, False)
    if coverage is None or bool((coverage >= 1).all()):
        return target
    target = replace(target, had_alpha=True)
    return _seen_through(target, torch.from_numpy(coverage).double(), scene, alpha)


def _step(image: Tensor) -> float:
    """The step between stored values of a picture [H,W,3] that was sRGB, if 8 bits held it; else 0."""
    stored = torch.from_numpy(linear_to_srgb(image.clamp(0, 1).numpy()) * 255)
    return 1 / 255 if float((stored - stored.round()).abs().max()) < 1e-2 else 0.0


def _alike(asked: tuple[int, int], given: tuple[int, int]) -> bool:
    """Whether two sizes have the same proportions, but for rounding to whole pixels."""
    return abs(asked[1] * given[0] - asked[0] * given[1]) <= max(*asked, *given)


def _seen_through(target: Target, coverage: Tensor, scene: Scene, alpha: str) -> Target:
    """A target with an alpha channel [H,W], as the settings take it."""
    if alpha == "ignore":
        return target
    if alpha == "weigh" or scene.background is None:
        return replace(target, weight=coverage)
    behind = torch.as_tensor(scene.background, dtype=torch.float64)
    share = coverage[..., None]
    return replace(target, image=share * target.image + (1 - share) * behind, full=target.full & (share >= 1))


def _smaller(target: Target, longest: int) -> Target:
    """The target scaled down until its longer side has so many pixels."""
    factor = longest / max(target.size)
    if factor >= 1:
        return target
    height, width = (max(1, round(side * factor)) for side in target.size)
    return resized(target, (height, width))


def resized(target: Target, size: tuple[int, int]) -> Target:
    """The target with fewer pixels (H, W), each the mean of what lies in it, by weight."""
    weight = _mean(target.weight[..., None], size)
    image = _mean(target.image * target.weight[..., None], size) / weight.clamp(min=1e-12)
    full = _mean(target.full.double(), size) > 0
    return replace(target, image=image, weight=weight[..., 0], full=full)


def _mean(values: Tensor, size: tuple[int, int]) -> Tensor:
    scaled = torch.nn.functional.interpolate(values.permute(2, 0, 1)[None], size, mode="area")
    return scaled[0].permute(1, 2, 0)
