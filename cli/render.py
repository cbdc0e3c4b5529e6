"""`invrender render`: stills, turntables and datasets of a mesh or a volume."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from invrender.cli.camera_options import (
    SIZE,
    CameraOption,
    CameraOptions,
    ExtentOption,
    EyeOption,
    OrthoOption,
    PathOption,
    PlacedAzimuth,
    PlacedCameras,
    PlacedDistance,
    PlacedElevation,
    PlacedFov,
    PlacedViews,
    SaveCameraOption,
    SizeText,
    TargetOption,
    UpOption,
)
from invrender.cli.look_options import (
    BackgroundOption,
    DepthOption,
    GroundOption,
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
    BackendOption,
    DeviceOption,
    JsonOption,
    OverwriteOption,
    QuietOption,
    SeedOption,
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
from invrender.cli.render_outputs import DatasetOption, ModeOption, OutputOption, SamplesOption, ScaleBarOption
from invrender.cli.render_request import GRADIENT, Request, background_of, depth_colours, is_scene, mode_of
from invrender.cli.scan_options import (
    PHOTONS,
    DefectsOption,
    PhotonsOption,
    ScanOption,
    ScanRequest,
    record_scan,
    refuse_beside_scans,
    refuse_without_scan,
)
from invrender.cli.scene_options import (
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
    FramingOption,
    KeyOption,
    LightingOption,
    OpacityOption,
    QualityOption,
    SaveTransferOption,
    ShapeOption,
    StrengthOption,
    TransferOption,
    VolumeFile,
    VolumeLightOption,
    VolumeLookOption,
    WindowOption,
)
from invrender.cli.volume_style import StyleOptions

if TYPE_CHECKING:
    from invrender.run.pictures import Written

EXAMPLES = (
    "invrender render data/mug.glb -o mug.png --ground --azimuth 30",
    "invrender render data/mug.glb -o turn.gif --eye 0.2,0.13,0.2 --size 480,320",
)


def render(
    context: typer.Context,
    asset: Annotated[Path, typer.Argument(metavar="ASSET", help="A mesh, a scene.toml, or a volume (.npz .vti ...).")],
    output: OutputOption = None,
    dataset: DatasetOption = None,
    mode: ModeOption = None,
    samples: SamplesOption = None,
    scale_bar: ScaleBarOption = True,
    size: SizeText = str(SIZE),
    views: PlacedViews = None,
    cameras: PlacedCameras = "orbit",
    azimuth: PlacedAzimuth = 0.0,
    elevation: PlacedElevation = 10.0,
    distance: PlacedDistance = None,
    fov: PlacedFov = None,
    ortho: OrthoOption = False,
    extent: ExtentOption = None,
    eye: EyeOption = None,
    target: TargetOption = None,
    up: UpOption = None,
    path: PathOption = None,
    camera: CameraOption = None,
    save_camera: SaveCameraOption = None,
    light: LightOption = None,
    ground: GroundOption = False,
    background: BackgroundOption = None,
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
    exposure: ExposureOption = None,
    tonemap: TonemapOption = None,
    volume_look: VolumeLookOption = None,
    colormap: ColormapOption = None,
    opacity: OpacityOption = None,
    strength: StrengthOption = None,
    window: WindowOption = None,
    transfer: TransferOption = None,
    save_transfer: SaveTransferOption = None,
    lighting: LightingOption = None,
    volume_light: VolumeLightOption = None,
    framing: FramingOption = None,
    compositing: CompositingOption = "early-termination",
    quality: QualityOption = "standard",
    extinction: ExtinctionOption = "auto",
    estimator: EstimatorOption = None,
    floats: FloatsOption = False,
    albedo: AlbedoOption = None,
    phase_g: PhaseOption = None,
    environment: EnvironmentOption = None,
    sun: SunOption = None,
    scan: ScanOption = None,
    photons: PhotonsOption = PHOTONS,
    defects: DefectsOption = "all",
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
    if scan is not None:
        refuse_beside_scans(context)
        file = VolumeFile(asset, key, shape, dtype, frame)
        recording = ScanRequest(
            file, scan, output, mode, samples, extinction, photons, defects, seed, backend, device, overwrite
        )
        _report(iter([record_scan(recording)]), "transmittance", quiet, json)
        return
    refuse_without_scan(context)
    placing = given(context, "cameras", "azimuth", "elevation", "distance", "fov")
    seen = CameraOptions(
        size, views, cameras, azimuth, elevation, distance, fov, eye, target, up, path, camera, save_camera,
        placing, given(context, "size"), ortho, extent,
    )  # fmt: skip
    seen.check()
    drawn = mode_of(asset, mode)
    rays = RayOptions(depth, shadows, occlusion, occlusion_reach)
    look = LookOptions(light, turn, reflection, view_dependent, rays, ground)
    look.check(drawn, dataset)
    scenes = SceneOptions(spp, seed, noise_target, seen.name, exposure, tonemap)
    estimators = EstimatorOptions(estimator, spp, seed)
    estimators.check(drawn)
    scenes.check(drawn, is_scene(asset), output, estimators.by_chance)
    medium = MediumOptions(albedo, phase_g, environment, sun)
    medium.check(drawn)
    style = StyleOptions(
        volume_look, colormap, opacity, strength, window, transfer, save_transfer, lighting, volume_light, framing,
        compositing, quality,
    )  # fmt: skip
    if drawn.subject == "volume":
        style.check(overwrite)
    depths = depth_colours(drawn, colormap)
    from invrender.run.pictures import check_outputs

    behind = background_of(background or ("black" if drawn.name == "volume" else "white"))
    check_outputs(output, dataset, drawn, behind, overwrite)
    request = Request(
        drawn, behind, background is not None, output, dataset, seen.placement(), seen.placed,
        seen.shape() if seen.sized else None, backend, device, quiet, floats, background == GRADIENT, save_camera,
        depths, scale_bar, only,
    )  # fmt: skip
    if drawn.subject == "mesh":
        results = draw_mesh(asset, request, samples, look, scenes)
    else:
        file = VolumeFile(asset, key, shape, dtype, frame)
        options = VolumeOptions(style, extinction, estimators, floats, medium)
        results = draw_volume(file, request, options, look, scenes)
    _report(results, drawn.name, quiet, json)


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
