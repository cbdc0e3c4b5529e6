"""`invrender render` of scenes: by rays and paths, or rasterized as one mesh."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from invrender.cli.look_options import BY_RAYS, LookOptions
from invrender.cli.options import console
from invrender.cli.render_request import Request
from invrender.cli.scene_options import SceneOptions, check_look, dressed, is_for_rays
from invrender.errors import RetryError, StoppedError, UsageError

if TYPE_CHECKING:
    from invrender.kernels import Backend
    from invrender.nouns import Camera
    from invrender.nouns.scene import Scene
    from invrender.run.pictures import Written
    from invrender.run.render_mesh import MeshShot

INDIRECT = ("path", "scattering")  # modes that follow light through a medium
_PLAIN = (".ply", ".stl")  # files that hold neither lights nor cameras nor materials


def as_scene(asset: Path, request: Request, look: LookOptions, options: SceneOptions) -> Scene | None:
    """The file as a scene; None where it is drawn as a mesh: not by paths, and nothing in it or asked of it needs more.

    Ambient occlusion, lights that turn and samples in a grid belong to meshes.
    """
    from invrender.io.scenes.read import is_scene_path, read_scene

    mode = request.mode.name
    if is_scene_path(asset) or mode in INDIRECT:
        scene = read_scene(asset)
        _check_medium(scene, asset, request)
        return scene
    if mode != "raytraced":
        return None
    floats = request.output is not None and request.output.suffix.lower() == ".exr"
    if options.given or floats:
        return read_scene(asset)
    if look.turn is not None or look.rays.occlusion is not None or asset.suffix.lower() in _PLAIN or asset.is_dir():
        return None
    scene = read_scene(asset)
    return scene if is_for_rays(scene) else None


def _check_medium(scene: Scene, asset: Path, request: Request) -> None:
    """Refuse modes that do not show what there is (UsageError), and say where they show a part."""
    mode = request.mode.name
    if mode == "scattering" and not scene.media:
        raise UsageError(f"{asset.name} holds no medium", "use --mode path, or add [medium] to a scene.toml")
    if not scene.media or mode in INDIRECT:
        return
    if mode == "raytraced" or not scene.meshes:
        raise UsageError(f"mode {mode} does not show the medium of {asset.name}", "use --mode scattering")
    console.print(f"warning: mode {mode} leaves the medium out; --mode scattering shows it", markup=False)


def draw_scene(
    scene: Scene, request: Request, look: LookOptions, options: SceneOptions, samples: int | None, whole: bool
) -> Iterator[Written]:
    """Draw a scene and write what was asked for; `whole`: placed cameras look at all of it."""
    from invrender.backends import select
    from invrender.run.pictures import DATASET, views_for

    backend = select(request.backend, request.device, ("meshes",))
    scene = dressed(scene, look, request.background if request.behind else None)
    by_rays = request.mode.name in BY_RAYS
    if by_rays:
        check_look(look, samples)
    for target, default in ((request.dataset, DATASET), (request.output, None)):
        if target is None:
            continue
        cameras, size = _cameras(scene, request, options, views_for(target) if default is None else default, whole)
        if request.save is not None:
            _save(request.save, scene, cameras, size)
        if by_rays:
            written = _by_rays(target, scene, cameras, size, request, look, options, backend)
            yield written
            _end_if_stopped(written)
        else:
            yield _rasterized(target, scene, cameras, size, request, look, samples or 2, backend)


def _end_if_stopped(written: Written) -> None:
    """Raise the stop request (StoppedError, RetryError) that ended a picture before its time."""
    if written.stopped is None:
        return
    held = f"interrupted: {written.path} holds {written.facts['spp']} rays a pixel"
    remedy = "pass --overwrite to draw it anew"
    raise RetryError(held, remedy) if isinstance(written.stopped, RetryError) else StoppedError(held, remedy)


def _cameras(
    scene: Scene, request: Request, options: SceneOptions, default: int, whole: bool
) -> tuple[list[Camera], tuple[int, int]]:
    from invrender.run.scene_cameras import cameras_for

    if request.placed and options.camera is not None:
        raise UsageError("--camera and options that place cameras exclude each other", "leave one of them out")
    if request.placed or not scene.cameras:
        return cameras_for(scene, request.placement, options.camera, request.size, default, whole)
    return cameras_for(scene, None, options.camera, request.size, request.placement.views or default, whole)


def _save(path: Path, scene: Scene, cameras: list[Camera], size: tuple[int, int]) -> None:
    from invrender.cli.render_request import save_first
    from invrender.render.scene_arrays import middle_of
    from invrender.run.render_scene import as_matrices
    from invrender.run.scene_cameras import solids

    save_first(path, as_matrices(scene, cameras[:1], size), middle_of(solids(scene)))


def pictured(shot: MeshShot, request: Request) -> MeshShot:
    """What to draw, as pictures for people want it."""
    studio = shot.studio and replace(shot.studio, up=request.placement.up)
    return replace(
        shot, studio=studio, gradient=request.gradient, depth=request.depth, scale=request.scale, speed=request.speed
    )


def _by_rays(
    target: Path,
    scene: Scene,
    cameras: list[Camera],
    size: tuple[int, int],
    request: Request,
    look: LookOptions,
    options: SceneOptions,
    backend: Backend,
) -> Written:
    from invrender.run.progress import Progress
    from invrender.run.render_scene import write_scene_dataset, write_scene_picture

    what = options.shot(request.mode, look, request.behind and request.background is None)
    with Progress(request.quiet) as progress:
        if target == request.dataset:
            return write_scene_dataset(target, scene, cameras, size, what, backend, progress, request.floats)
        return write_scene_picture(target, scene, cameras, size, what, backend, progress, request.speed)


def _rasterized(
    target: Path,
    scene: Scene,
    cameras: list[Camera],
    size: tuple[int, int],
    request: Request,
    look: LookOptions,
    samples: int,
    backend: Backend,
) -> Written:
    """All meshes as one, under the scene's plain lights; its other lights are of rays alone."""
    from invrender.io.scenes.join import joined
    from invrender.nouns import Lights
    from invrender.run.relight import Relight
    from invrender.run.render_mesh import write_mesh_dataset, write_mesh_picture
    from invrender.run.render_scene import as_matrices

    shot = pictured(look.shot(request.mode, request.background, samples, target == request.dataset), request)
    if not request.behind and scene.background is not None:
        red, green, blue = (float(value) for value in scene.background)
        shot = replace(shot, background=(red, green, blue))
    if look.light is None:
        moves = not isinstance(scene.lights, Lights) or scene.lights.direction is None
        shot = replace(shot, light=Relight(scene.look, shot.light.turn), studio=shot.studio if moves else None)
    posed = as_matrices(scene, cameras, size)
    write = write_mesh_dataset if target == request.dataset else write_mesh_picture
    return write(target, joined(scene), posed, shot, backend)
