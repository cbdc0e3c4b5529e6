"""`invrender render` of mesh files and of volume files: what is drawn, and where it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from invrender.cli.look_options import LookOptions
from invrender.cli.medium_options import MediumOptions
from invrender.cli.options import console
from invrender.cli.render_request import Request
from invrender.cli.render_scenes import as_scene, draw_scene, pictured
from invrender.cli.scene_options import SceneOptions
from invrender.cli.volume_options import EstimatorOptions, VolumeFile
from invrender.cli.volume_style import StyleOptions, save_transfer

if TYPE_CHECKING:
    from invrender.run.pictures import Written


@dataclass(frozen=True)
class VolumeOptions:
    """What the command line says of a volume: its style, factor and estimator, datasets, and as a medium."""

    style: StyleOptions
    extinction: str
    estimator: EstimatorOptions
    floats: bool
    medium: MediumOptions


def draw_mesh(
    asset: Path, request: Request, samples: int | None, look: LookOptions, scenes: SceneOptions
) -> Iterator[Written]:
    """Draw a mesh file or a scene and write what was asked for."""
    from invrender.backends import select
    from invrender.errors import UsageError
    from invrender.io.assets import identify
    from invrender.io.meshes.objects import read_chosen
    from invrender.io.scenes.read import is_scene_path
    from invrender.run.pictures import DATASET, views_for
    from invrender.run.render_mesh import write_mesh_dataset, write_mesh_picture

    if asset.is_dir():
        identify(asset)  # tells what to do with slices of a volume
    scene = as_scene(asset, request, look, scenes)
    if scene is not None:
        if request.only is not None:
            raise UsageError(
                f"--object does not go with mode {request.mode.name}, which draws whole scenes",
                f"take it out first: invrender mesh {asset} --object '{request.only}' -o FILE",
            )
        yield from draw_scene(scene, request, look, scenes, samples, not is_scene_path(asset))
        return
    backend = select(request.backend, request.device, ("meshes",))
    mesh = look.reflecting(read_chosen(asset, request.only))
    if request.dataset is not None:
        shot = look.shot(request.mode, request.background, samples or 2, dataset=True)
        cameras = request.cameras(mesh, DATASET)
        yield write_mesh_dataset(request.dataset, mesh, cameras, shot, backend)
    if request.output is not None:
        shot = pictured(look.shot(request.mode, request.background, samples or 2), request)
        cameras = request.cameras(mesh, views_for(request.output))
        yield write_mesh_picture(request.output, mesh, cameras, shot, backend)


def draw_volume(
    file: VolumeFile, request: Request, options: VolumeOptions, look: LookOptions, scenes: SceneOptions
) -> Iterator[Written]:
    """Draw a volume file and write what was asked for."""
    from invrender.backends import select
    from invrender.render.absorption import check_extinction
    from invrender.run.pictures import DATASET, Written, views_for
    from invrender.run.render_volume import VolumeShot, write_volume_dataset, write_volume_picture

    if request.mode.renderer == "paths":
        yield from _draw_medium(file, request, options, look, scenes)
        return
    backend = select(request.backend, request.device, ("volumes",))
    volume, style = file.read(), options.style
    if request.mode.colour:
        shot = VolumeShot(request.mode, style.for_picture(volume), request.background)
        posed = replace(shot, style=style.for_dataset(volume))
    else:
        extinction, how = check_extinction(options.extinction), options.estimator.estimation()
        shot = VolumeShot(request.mode, None, request.background, extinction, options.floats, how, file.learned())
        posed = shot
    if request.dataset is not None:
        cameras = request.cameras(volume, DATASET)
        yield write_volume_dataset(request.dataset, volume, cameras, posed, backend)
    if request.output is not None:
        part, placement = volume, request.placement
        if shot.style is not None:
            part, placement = style.placement(volume, shot.style, placement)
        cameras = request.cameras(part, views_for(request.output), placement)
        yield write_volume_picture(request.output, volume, cameras, shot, backend, request.speed)
    if style.save is not None and shot.style is not None and shot.style.transfer is not None:
        save_transfer(style.save, shot.style.transfer, volume)
        yield Written(style.save, [style.save], "the transfer function")


def _draw_medium(
    file: VolumeFile, request: Request, options: VolumeOptions, look: LookOptions, scenes: SceneOptions
) -> Iterator[Written]:
    """Draw a volume as a medium under a sky."""
    from invrender.render.absorption import check_extinction
    from invrender.render.volume_scene import CLOUDY

    scene, factor = options.medium.scene(file.read(), check_extinction(options.extinction))
    if options.extinction == "auto" and not request.quiet:
        console.print(
            f"extinction {factor:.4g} times the values: the greatest optical depth along the axes is {CLOUDY:g}",
            markup=False,
        )
    yield from draw_scene(scene, request, look, scenes, None, True)
