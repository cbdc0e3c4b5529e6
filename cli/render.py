"""`invrender render`: stills, turntables and datasets of a mesh or a volume."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from invrender.cli.look_options import (
    DepthOption,
    LightOption,
    LookOptions,
    OcclusionOption,
    RayOptions,
    ReachOption,
    ReflectionOption,
    ShadowsOption,
    TurnOption,
    ViewDependentOption,
)
from invrender.cli.medium_options import AlbedoOption, EnvironmentOption, MediumOptions, PhaseOption, SunOption
from invrender.cli.mesh import ObjectOption
from invrender.cli.options import (
    AzimuthOption,
    BackendOption,
    CamerasOption,
    DeviceOption,
    DistanceFlag,
    ElevationOption,
    FovFlag,
    JsonOption,
    OverwriteOption,
    QuietOption,
    SeedOption,
    SizeOption,
    ViewsFlag,
    check_at_least,
    check_choice,
    console,
    given,
    output,
    print_json,
)
from invrender.cli.render_assets import VolumeOptions, draw_mesh, draw_volume
from invrender.cli.render_network import (
    CameraSpaceOption,
    ModelOption,
    NetworkRequest,
    draw_by_network,
    refuse_others,
)
from invrender.cli.render_request import Request
from invrender.cli.scene_options import (
    CameraOption,
    ExposureOption,
    NoiseOption,
    SceneOptions,
    SppOption,
    TonemapOption,
)
from invrender.cli.volume_options import (
    ColormapOption,
    CompositingOption,
    DtypeOption,
    EstimatorOption,
    EstimatorOptions,
    ExtinctionOption,
    FloatsOption,
    FrameOption,
    KeyOption,
    LightingOption,
    OpacityOption,
    QualityOption,
    ShapeOption,
    StrengthOption,
    StyleOptions,
    VolumeFile,
    WindowOption,
)
from invrender.render.modes import Mode, Subject, find_mode, mode_names

if TYPE_CHECKING:
    from invrender.run.pictures import Written

BACKGROUNDS = {"white": (1.0, 1.0, 1.0), "black": (0.0, 0.0, 0.0)}


OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="A .png for a still, or a sheet of --views; a .gif turns; by rays also a linear .exr.",
    ),
]
DatasetOption = Annotated[
    Path | None, typer.Option("--dataset", metavar="DIR", help="Write transforms.json and RGBA images there.")
]
ModeOption = Annotated[
    str | None,
    typer.Option(
        "--mode", metavar="|".join(mode_names()), help="What the pictures show (shaded; scene.toml: raytraced; volume)."
    ),
]
BackgroundOption = Annotated[
    str | None,
    typer.Option(
        "--background", metavar="white|black|transparent|#RRGGBB", help="Behind the object (white; a scene's own)."
    ),
]
SamplesOption = Annotated[
    int | None,
    typer.Option("--samples", min=1, max=8, help="Samples on each side of a pixel (2), but of scenes by rays: --spp."),
]


def render(
    context: typer.Context,
    asset: Annotated[Path, typer.Argument(metavar="ASSET", help="A mesh, a scene.toml, or a volume (.npz .vti ...).")],
    output: OutputOption = None,
    dataset: DatasetOption = None,
    mode: ModeOption = None,
    size: SizeOption = 512,
    views: ViewsFlag = None,
    cameras: CamerasOption = "orbit",
    azimuth: AzimuthOption = 0.0,
    elevation: ElevationOption = 10.0,
    distance: DistanceFlag = None,
    fov: FovFlag = None,
    background: BackgroundOption = None,
    samples: SamplesOption = None,
    light: LightOption = None,
    turn: TurnOption = None,
    reflection: ReflectionOption = None,
    depth: DepthOption = None,
    shadows: ShadowsOption = None,
    occlusion: OcclusionOption = None,
    occlusion_reach: ReachOption = None,
    view_dependent: ViewDependentOption = None,
    spp: SppOption = None,
    seed: SeedOption = 0,
    noise_target: NoiseOption = None,
    camera: CameraOption = None,
    exposure: ExposureOption = None,
    tonemap: TonemapOption = None,
    colormap: ColormapOption = "inferno",
    opacity: OpacityOption = "linear",
    strength: StrengthOption = 0.5,
    window: WindowOption = None,
    lighting: LightingOption = True,
    compositing: CompositingOption = "early-termination",
    quality: QualityOption = "standard",
    extinction: ExtinctionOption = "auto",
    estimator: EstimatorOption = None,
    floats: FloatsOption = False,
    albedo: AlbedoOption = None,
    phase_g: PhaseOption = None,
    environment: EnvironmentOption = None,
    sun: SunOption = None,
    model: ModelOption = None,
    camera_space: CameraSpaceOption = False,
    key: KeyOption = "density",
    shape: ShapeOption = None,
    dtype: DtypeOption = None,
    frame: FrameOption = None,
    only: ObjectOption = None,
    backend: BackendOption = "auto",
    device: DeviceOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Render a mesh, a scene or a volume: a still, a turntable, or a dataset that reconstruct takes."""
    if model is not None:
        refuse_others(context)
        file = VolumeFile(asset, key, shape, dtype, frame)
        request_of = NetworkRequest(file, model, output, views, azimuth, window, camera_space, device, overwrite)
        _report(iter([draw_by_network(request_of)]), "network", quiet, json)
        return
    check_at_least("--size", size, 1)
    drawn = _mode(asset, mode)
    look = LookOptions(light, turn, reflection, view_dependent, RayOptions(depth, shadows, occlusion, occlusion_reach))
    look.check(drawn, dataset)
    scenes = SceneOptions(spp, seed, noise_target, camera, exposure, tonemap)
    estimators = EstimatorOptions(estimator, spp, seed)
    estimators.check(drawn)
    scenes.check(drawn, _is_scene(asset), output, estimators.by_chance)
    medium = MediumOptions(albedo, phase_g, environment, sun)
    medium.check(drawn)
    style = StyleOptions(colormap, opacity, strength, window, lighting, compositing, quality)
    if drawn.subject == "volume":
        style.check()
    from invrender.run.pictures import CameraPlacement, check_outputs

    behind = _background(background or "white")
    check_outputs(output, dataset, drawn, behind, overwrite)
    placement = CameraPlacement(cameras, views, (size, size), distance, fov, elevation, azimuth)
    placed, sized = _placed(context), given(context, "size")
    side = size if sized else None
    stated = background is not None
    request = Request(
        drawn, behind, stated, output, dataset, placement, placed, side, backend, device, quiet, floats, only
    )
    if drawn.subject == "mesh":
        results = draw_mesh(asset, request, samples, look, scenes)
    else:
        file = VolumeFile(asset, key, shape, dtype, frame)
        options = VolumeOptions(style, extinction, estimators, floats, medium)
        results = draw_volume(file, request, options, look, scenes)
    _report(results, drawn.name, quiet, json)


def _placed(context: typer.Context) -> bool:
    """Whether cameras are to be placed, in place of a scene's own."""
    return given(context, "cameras", "azimuth", "elevation", "distance", "fov")


def _report(results: Iterator[Written], drawn: str, quiet: bool, json: bool) -> None:
    """Say what is written as it appears, and print the facts as JSON where that was asked for."""
    facts: dict[str, object] = {}
    files: list[Path] = []
    for written in results:
        files += written.files
        facts |= {"files": files, **written.facts}
        if not quiet:
            console.print(f"wrote {written.path} ({written.note})", markup=False)
        if "noise" in written.facts and not json:
            output.print(f"{written.path}: {_noise(written)}", markup=False, soft_wrap=True)
    if json:
        print_json({"mode": drawn, **facts})


def _noise(written: Written) -> str:
    """The error estimate of pictures by rays and paths; see `render.scenes.Estimate`."""
    spp, noise = written.facts["spp"], written.facts["noise"]
    if spp < 2:
        return "1 ray a pixel, which tells nothing about the noise"
    return f"{spp} rays a pixel, standard error {100 * noise:.2g} % of the mean luminance"


def _mode(asset: Path, name: str | None) -> Mode:
    """The mode of that name for the asset, or its default; a mode of the other kind is refused."""
    from invrender.errors import UsageError
    from invrender.io.volumes.read import is_volume_path

    if name is None and _is_scene(asset):
        from invrender.io.scenes.read import holds_medium

        name = "scattering" if holds_medium(asset) else "raytraced"
    subject: Subject = "volume" if is_volume_path(asset) else "mesh"
    fitting = mode_names(subject)
    if name in mode_names() and name not in fitting:
        kind = "a volume" if subject == "volume" else "no volume"
        raise UsageError(
            f"--mode {name} does not fit {asset.name}, which is {kind}", f"use one of {', '.join(fitting)}"
        )
    return find_mode(name if name is None else check_choice("--mode", name, fitting), subject)


def _is_scene(asset: Path) -> bool:
    """Whether a file is called as a scene is."""
    from invrender.io.scenes.read import is_scene_path

    return is_scene_path(asset)


def _background(text: str) -> tuple[float, float, float] | None:
    """Linear RGB of --background; None for transparent."""
    from invrender.colour import parse_colour
    from invrender.errors import UsageError

    if text == "transparent":
        return None
    colour = BACKGROUNDS.get(text) or parse_colour(text)
    if colour is None:
        raise UsageError(f"--background is {text!r}", "use white, black, transparent or a colour such as '#8090a0'")
    return colour
