"""What a run on a scattering medium works on: views, what is known of their scene, and where a medium can be.

A scene's or volume's own views are drawn first and its medium is set aside: from then on it serves the metrics and
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from invrender.cameras.framing import common_box
from invrender.cameras.rigs import evenly
from invrender.errors import InputError, UsageError
from invrender.evaluate.view_findings import view_findings
from invrender.evaluate.volume import heldout_cameras
from invrender.findings import Finding
from invrender.io.datasets.dataset import is_dataset, read_dataset
from invrender.io.scenes.read import is_scene_path
from invrender.io.volumes.paths import is_volume_path
from invrender.kernels import Backend
from invrender.methods.inputs import grid_box, grid_shape, own_cameras
from invrender.methods.scattering.brightest import brightest
from invrender.methods.scattering.light import (
    Known,
    check_free,
    emptied,
    free_of,
    guessed,
    scene_of_dataset,
    scene_of_file,
    scene_of_volume,
)
from invrender.methods.scattering.renderer import Renderer
from invrender.methods.scattering.settings import ScatteringSettings
from invrender.methods.scattering.support import covered, everywhere, support
from invrender.nouns import Cameras, Scene, Views
from invrender.parameters.medium_values import ENVIRONMENT, G
from invrender.run.memory import check_memory

Tensor = torch.Tensor

ASSET_VIEWS, UNSEEN_VIEWS = 24, 8
LONGEST = 64  # samples of the grid's longest axis, unless given
LEAST_SIZE, MOST_SIZE = 24, 128  # of pictures, unless given
UNSEEN_EVERY, ENOUGH = 8, 16  # of a dataset without a split of its own, views left out to measure by
BARE_SPP = 16  # rays a pixel of the picture without the medium
WHITE = 0.999  # where files of 8 bits end
TARGET_SEED, UNSEEN_SEED, BARE_SEED = 1, 2, 3  # added to the run's


@dataclass(frozen=True)
class Task:
    """What a run works on.

    Attributes:
        cameras: of the views.
        images: [N,H,W,3] linear RGB, with the environment behind the medium.
        weight: [N,H,W] how much each pixel counts.
        unseen, unseen_images: views to measure by alone; None where there are too few to spare some.
        scene: what the run begins with; its medium is empty, in the box that is searched.
        shape: of the grid to find.
        support: [D,H,W] float, 0 where nothing can be.
        free: what is sought besides extinction.
        reference: the scene with the medium that the views are of, or None; `factor` on its volume file's values.
        said: what a user should know beforehand.
    """

    cameras: Cameras
    images: Tensor
    weight: Tensor
    unseen: Cameras | None
    unseen_images: Tensor | None
    scene: Scene
    shape: tuple[int, int, int]
    support: Tensor
    free: tuple[str, ...]
    reference: Scene | None
    factor: float
    said: tuple[str, ...]

    @property
    def bounds(self) -> Tensor:
        """[2,3] of the grid."""
        return self.scene.media[0].extinction.bounds.double()


def load(settings: ScatteringSettings, backend: Backend) -> Task:
    """Read the input and check it before any work starts.

    Raises:
        UsageError: settings that make no sense.
        InputError: an input that cannot be used.
        MemoryLimitError: the job would not fit.
    """
    check_free(settings)
    if is_scene_path(settings.input):
        return _own(scene_of_file(settings), settings, backend)
    if is_volume_path(settings.input):
        return _own(scene_of_volume(settings), settings, backend)
    if not is_dataset(settings.input):
        raise InputError(
            f"{settings.input} is no scene with a medium, volume file or dataset of pictures",
            "name one of them (see `invrender render SCENE --mode scattering --dataset DIR`)",
        )
    return _dataset(settings, backend)


def _own(known: Known, settings: ScatteringSettings, backend: Backend) -> Task:
    if settings.bounds is not None:
        raise UsageError("--bounds goes with a dataset, and a scene tells the medium's box", "leave it out")
    medium = known.scene.media[0]
    shape = _shape(settings.grid, medium.extinction.bounds.double(), medium.extinction.shape)
    size = settings.size or min(max(*shape, LEAST_SIZE), MOST_SIZE)
    cameras = own_cameras(medium.extinction, settings, settings.views or ASSET_VIEWS, size)
    unseen = heldout_cameras(medium.extinction, UNSEEN_VIEWS, size)
    check_memory(shape, len(cameras) * size * size)
    drawn = [
        Renderer.of(known.scene, each, backend).drawn(settings.target_spp, settings.seed + seed)
        for each, seed in ((cameras, TARGET_SEED), (unseen, UNSEEN_SEED))
    ]
    typical = drawn[0].reshape(-1, 3).mean(0)
    scene = guessed(known.scene, settings, True, typical)
    weight = torch.ones(drawn[0].shape[:3])
    found = _where(scene, cameras, drawn[0], None, shape, settings, backend)
    return Task(
        cameras,
        drawn[0],
        weight,
        unseen,
        drawn[1],
        scene,
        shape,
        found,
        free_of(settings),
        known.scene,
        known.factor,
        (),
    )


def _dataset(settings: ScatteringSettings, backend: Backend) -> Task:
    views = read_dataset(settings.input, size=settings.size, unmasked=True, skip_missing=settings.skip_missing)
    if views.images is None:
        raise InputError(f"{settings.input} holds no colours", "use pictures of the medium")
    views = views[evenly(len(views.cameras), settings.views)]
    pictures = views.images
    assert pictures is not None
    box = grid_box(settings.bounds) if settings.bounds is not None else views.bounds
    known = scene_of_dataset(settings, common_box(views.cameras) if box is None else box)
    scene = guessed(known, settings, False, pictures.reshape(-1, 3).mean(0))
    if settings.bounds is not None:
        scene = replace(scene, media=(replace(scene.media[0], extinction=emptied(grid_box(settings.bounds))),))
    bounds = scene.media[0].extinction.bounds
    shape = _shape(settings.grid, bounds, None, min(views.cameras.size))
    check_memory(shape, views.masks.numel())
    images = _behind(views, scene, free_of(settings), backend)
    masks = None if views.confidence is not None and not bool(views.confidence.any()) else views.masks > 0
    found = _where(scene, views.cameras, images, masks, shape, settings, backend)
    full = (pictures >= WHITE).any(-1) & (pictures.max() <= 1)
    weight = (~full).float()
    spare = list(views.held_out)
    if not spare and len(views.cameras) >= ENOUGH:
        spare = list(range(UNSEEN_EVERY // 2, len(views.cameras), UNSEEN_EVERY))
    kept = [i for i in range(len(views.cameras)) if i not in spare]
    said = [f"{int(full.sum())} pixels that are white, where files of 8 bits end, are left out"] if full.any() else []
    return Task(
        views.cameras[kept], images[kept], weight[kept], views.cameras[spare] if spare else None,
        images[spare] if spare else None, scene, shape, found, free_of(settings), None, 1.0, tuple(said),
    )  # fmt: skip


def _behind(views: Views, scene: Scene, free: tuple[str, ...], backend: Backend) -> Tensor:
    """The pictures with the environment where they are transparent."""
    assert views.images is not None
    through = views.masks < 1 if views.confidence is None else (views.masks < 1) & (views.confidence > 0)
    if not bool(through.any()):
        return views.images
    if ENVIRONMENT in free:
        raise InputError(
            "the pictures are transparent where the environment would be seen, and it is to be found",
            "use pictures with their background, or leave environment out of --optimize",
        )
    alpha = torch.where(through, views.masks, 1.0)[..., None]
    bare = Renderer.of(scene, views.cameras, backend).drawn(BARE_SPP, BARE_SEED)
    behind: Tensor = views.images * alpha + (1 - alpha) * bare
    return behind


def _where(
    scene: Scene, cameras: Cameras, images: Tensor, masks: Tensor | None, shape: tuple[int, int, int],
    settings: ScatteringSettings, backend: Backend,
) -> Tensor:  # fmt: skip
    """Where a medium can be, by masks or by what differs from the environment; all of the grid where neither is known.

    Raises:
        InputError: nowhere.
    """
    bounds = scene.media[0].extinction.bounds.double()
    if not settings.carve or (masks is None and ENVIRONMENT in free_of(settings)):
        return everywhere(shape)
    if masks is not None:
        return support(masks, cameras, bounds, shape, 0)
    renderer = Renderer.of(scene, cameras, backend)
    bare = renderer.drawn(BARE_SPP, settings.seed + BARE_SEED)
    seen = covered((images - bare).abs().mean(-1), ~renderer.meeting(torch.ones(2, 2, 2)))
    if not bool(seen.any()):
        raise InputError(
            "the pictures show nothing but the environment",
            "check the light (--lighting, --environment), or whether the medium is in the pictures",
        )
    return support(seen, cameras, bounds, shape, 1 if len(cameras) > 2 else 0)


def _shape(
    grid: tuple[int, ...] | None, bounds: Tensor, own: tuple[int, int, int] | None, pixels: int = LONGEST
) -> tuple[int, int, int]:
    if grid is not None:
        return grid_shape(grid)
    sides = (bounds[1] - bounds[0]).flip(0)
    most = min(LONGEST, pixels)
    enough = own is not None and max(own) > 2  # a medium that is the same everywhere says nothing of a grid
    counts = torch.tensor(own).double() if enough else sides / sides.max() * (most - 1) + 1
    depth, height, width = (int(n) for n in (counts * min(1.0, most / float(counts.max()))).round().clamp(min=2))
    return depth, height, width


def describe(task: Task) -> str:
    """The task in a few words."""
    depth, height, width = task.shape
    size = task.cameras.size
    besides = f", and {', '.join(task.free)}" if task.free else ""
    return f"{len(task.cameras)} views of {size[1]} x {size[0]}, extinction on {width} x {height} x {depth}{besides}"


def notices(task: Task) -> list[str]:
    """What a user should know beforehand."""
    said = list(task.said)
    if G in task.free:
        said.append(
            "extinction and g are both sought: pictures hardly tell a medium from a denser one that scatters more "
            "ahead, with the same extinction times (1 - g)"
        )
    if ENVIRONMENT in task.free:
        said.append("the environment is sought: nothing can be carved, and its brightness goes with the albedo")
    return said


def check(task: Task, backend: Backend) -> list[Finding]:
    """Cameras inside the medium's box, pictures brighter than the light allows, and a dataset's single views."""
    del backend
    own = task.reference is not None
    views = Views(task.cameras, torch.ones(task.images.shape[:3]), task.images)
    return [*_within(task), *_too_bright(task), *([] if own else view_findings(views))]


def _within(task: Task) -> Iterator[Finding]:
    low, high = task.bounds
    eyes = task.cameras.position
    inside = ((eyes > low) & (eyes < high)).all(1)
    if bool(inside.any()):
        yield Finding(
            f"{int(inside.sum())} of {len(eyes)} cameras stand inside the medium's box, and see little of it",
            "check the poses and the box (--bounds)",
        )


def _too_bright(task: Task) -> Iterator[Finding]:
    most = brightest(task.scene)
    over = float((task.images.amax(-1) > most).double().mean())
    if over > 0.01 and ENVIRONMENT not in task.free and "light.intensity" not in task.free:
        yield Finding(
            f"{over:.0%} of the pixels are brighter than the light lets any medium be ({most:.3g})",
            "check the light (--lighting, --environment), or add light.intensity to --optimize",
        )
