"""Pictures and datasets of scenes by rays and paths, written: what `invrender render` does with a scene."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from invrender.cameras.lens import cameras_of
from invrender.errors import RetryError, UsageError
from invrender.io.datasets.dataset import write_dataset
from invrender.io.datasets.lighting import check_lighting_place, write_lighting
from invrender.io.exr import write_exr
from invrender.io.scenes.join import joined
from invrender.kernels import Backend
from invrender.nouns import Camera, Cameras, Views
from invrender.nouns.appearance import BLACK
from invrender.nouns.scene import Scene
from invrender.render import scene_arrays
from invrender.render.images import contact_sheet, straight
from invrender.render.modes import Mode
from invrender.render.raster import render_views
from invrender.render.scene_checks import check_scene, findings
from invrender.render.scenes import Estimate, Shot, estimate, view
from invrender.render.tone_mapping import Tone, overexposed
from invrender.run import stop
from invrender.run.pictures import SPEED, Written, dataset_written, write_picture
from invrender.run.progress import Progress
from invrender.run.render_mesh import up_to_contours
from invrender.run.scene_cameras import solids
from invrender.run.staged import write_staged

Tensor = torch.Tensor

FEWEST = 8  # passes before a noise target may end a picture: fewer tell little about the noise
MOST = 4096  # rays a pixel, of a noise target without any other end
_GLARE = 0.01  # share of clipped pixels from which it is said


@dataclass(frozen=True)
class SceneShot:
    """What to draw of a scene.

    Attributes:
        mode: of `render.modes`.
        shot: what is followed, and how many rays a pixel at most.
        transparent: without a background.
        noise: the noise (`scenes.Estimate`) at which a picture is done; None: after all its rays.
        tone: of pictures with 8 bits.
    """

    mode: Mode
    shot: Shot
    transparent: bool = False
    noise: float | None = None
    tone: Tone = field(default_factory=Tone)


@dataclass(frozen=True)
class Drawn:
    """Pictures that were drawn.

    Attributes:
        images: [N,H,W,3] linear RGB, or [N,H,W,4] premultiplied where they are transparent; float32, on the CPU.
        spp: rays a pixel of the picture that took most.
        noise: of the noisiest; NaN where it is not known.
        missed: whether a noise target was not reached.
        stopped: why there is less than was asked for (`run.stop`), or None.
    """

    images: Tensor
    spp: int
    noise: float
    missed: bool
    stopped: BaseException | None = None


def draw_scene(
    scene: Scene,
    cameras: Sequence[Camera],
    size: tuple[int, int],
    what: SceneShot,
    backend: Backend,
    progress: Progress,
) -> Drawn:
    """Pictures of a scene by each of some cameras; where a stop is asked for, those that there are until then.

    Raises:
        InputError: the scene cannot be drawn; see `scene_checks.check_scene`.
    """
    check_scene(scene)
    for finding in findings(scene, list(cameras)):
        progress.warn(str(finding))
    if what.transparent:
        scene = replace(scene, background=BLACK)
    prepared = scene_arrays.geometry(scene.meshes, backend.device, media=scene.media)
    done: list[Estimate] = []
    stopped: BaseException | None = None
    with stop.patient():
        for number, camera in enumerate(cameras):
            which = what.mode.name if len(cameras) == 1 else f"{what.mode.name} {number + 1}/{len(cameras)}"
            ready = view(scene, camera, size, backend, what.shot, geometry=prepared)
            progress.start(which, what.shot.spp)
            for so_far in estimate(ready, what.tone.exposure):
                progress.expect(_passes(so_far, what))
                progress.step(so_far.passes - 1, noise=so_far.noise)
                stopped = _asked_to_stop()
                if stopped is not None or _quiet_enough(so_far, what):
                    break
            done.append(replace(so_far, image=so_far.image.float().cpu()))
            if stopped is not None:
                break
    images = torch.stack([each.image if what.transparent else each.image[..., :3] for each in done])
    noise = max(each.noise for each in done)
    missed = what.noise is not None and noise > what.noise
    return Drawn(images, max(each.passes for each in done), noise, missed, stopped)


def _asked_to_stop() -> BaseException | None:
    """The stop request, if there is one."""
    try:
        stop.check()
    except (KeyboardInterrupt, RetryError) as error:
        return error
    return None


def _quiet_enough(so_far: Estimate, what: SceneShot) -> bool:
    return what.noise is not None and so_far.passes >= FEWEST and so_far.noise <= what.noise


def _passes(so_far: Estimate, what: SceneShot) -> int:
    """How many passes there will be: noise falls with the root of their number."""
    if what.noise is None or so_far.passes < FEWEST:
        return what.shot.spp
    needed = so_far.passes * (so_far.noise / what.noise) ** 2
    return max(so_far.passes, min(what.shot.spp, math.ceil(needed)))


def write_scene_picture(
    path: Path,
    scene: Scene,
    cameras: Sequence[Camera],
    size: tuple[int, int],
    what: SceneShot,
    backend: Backend,
    progress: Progress,
    speed: float = SPEED,
) -> Written:
    """Draw a scene and write a still or a sheet (.png or, linear, .exr), or a turning picture (.gif, .mp4).

    `speed`: of moving pictures, in pictures a second.
    """
    drawn = draw_scene(scene, cameras, size, what, backend, progress)
    if path.suffix.lower() == ".exr":
        write_exr(path, contact_sheet(drawn.images).numpy())
        height, width = size
        count = f", {len(drawn.images)} views" if len(drawn.images) > 1 else ""
        return _told(Written(path, [path], f"{width} x {height}{count}, linear floats"), drawn, what)
    written = write_picture(path, _as_shown(drawn.images, what.tone), what.mode, speed=speed)
    share = overexposed(drawn.images, what.tone)
    if share > _GLARE:
        hint = f"--exposure {what.tone.stops - 1:g} or --tonemap filmic shows more of them"
        written = replace(
            written, note=f"{written.note}; {100 * share:.0f} % of the pixels are clipped to white: {hint}"
        )
    return _told(written, drawn, what)


def write_scene_dataset(
    folder: Path,
    scene: Scene,
    cameras: Sequence[Camera],
    size: tuple[int, int],
    what: SceneShot,
    backend: Backend,
    progress: Progress,
    floats: bool = False,
) -> Written:
    """Write pictures of a scene as a dataset that `invrender reconstruct` takes, with exact coverage as masks.

    Where there is a medium, a scene file beside the pictures tells the light, but not how dense the medium is, and
    masks are the share of the rays that meet something. `floats`: linear .exr in place of .png, which end at white.

    Raises:
        UsageError: a camera is orthographic, which a dataset knows nothing of; or another scene file is in the folder.
        KeyboardInterrupt, RetryError: a stop was asked for, and nothing is written.
    """
    if any(camera.extent is not None for camera in cameras):
        raise UsageError("a dataset has no orthographic cameras", "choose a perspective one with --camera")
    if scene.media:
        check_lighting_place(folder)
    drawn = draw_scene(scene, cameras, size, replace(what, transparent=True), backend, progress)
    if drawn.stopped is not None:
        raise drawn.stopped
    posed = as_matrices(scene, cameras, size)
    views = _views(scene, posed, drawn.images, backend, floats)

    def write(place: Path) -> list[Path]:
        return [*(write_lighting(place, scene) if scene.media else []), *write_dataset(place, views, floats)]

    return _told(dataset_written(folder, write_staged(folder, write), posed), drawn, what)


def _views(scene: Scene, cameras: Cameras, drawn: Tensor, backend: Backend, floats: bool) -> Views:
    """Straight colours with exact coverage; of media with the share of rays that meet something."""
    if scene.media:
        colour, alpha = straight(drawn)
        return Views(cameras, alpha, colour if floats else colour.clamp(0, 1))
    views = render_views(joined(scene), cameras, backend)
    colours = up_to_contours(drawn.to(views.masks.device))
    return replace(views, images=(colours if floats else colours.clamp(0, 1)).to(views.masks))


def as_matrices(scene: Scene, cameras: Sequence[Camera], size: tuple[int, int]) -> Cameras:
    """The cameras for the rasterizer, which clips at distances: far enough for all of the scene."""
    corners = torch.cat([mesh.vertices.detach().double() for mesh in solids(scene) if len(mesh.vertices)])
    low, high = corners.amin(0), corners.amax(0)
    eyes = torch.stack([camera.pose.detach()[:3, 3] for camera in cameras])
    far = float(torch.maximum((eyes - low).norm(dim=1), (eyes - high).norm(dim=1)).max() + (high - low).norm())
    return cameras_of(cameras, size, 1e-3 * far, far)


def _as_shown(images: Tensor, tone: Tone) -> Tensor:
    """What a file of 8 bits holds: linear RGB in [0, 1], with straight alpha where there is one."""
    if images.shape[-1] == 3:
        return tone.shown(images)
    colour, alpha = straight(images)
    return torch.cat([tone.shown(colour), alpha[..., None]], -1)


def _told(written: Written, drawn: Drawn, what: SceneShot) -> Written:
    """The same, with how many rays it took and how noisy it is."""
    note, facts = written.note, {**written.facts, "spp": drawn.spp, "noise": drawn.noise}
    if drawn.stopped is not None:
        note += f"; stopped after {drawn.spp} rays a pixel"
    elif drawn.missed:
        note += f"; the noise is not yet {100 * (what.noise or 0):.2g} %: use more --spp"
    return replace(written, note=note, facts=facts, stopped=drawn.stopped)
