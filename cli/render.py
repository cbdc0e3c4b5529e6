"""`invrender render`: stills, turntables and datasets of a mesh or a volume."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from invrender.cli.options import (
    BackendOption,
    CamerasOption,
    DeviceOption,
    DistanceFlag,
    ElevationOption,
    FovFlag,
    JsonOption,
    OverwriteOption,
    QuietOption,
    SizeOption,
    ViewsFlag,
    check_at_least,
    check_choice,
    console,
    print_json,
)
from invrender.cli.volume_options import DISTANCE as VOLUME_DISTANCE
from invrender.cli.volume_options import FOV as VOLUME_FOV
from invrender.cli.volume_options import (
    VOLUME_MODES,
    ColormapOption,
    CompositingOption,
    DtypeOption,
    ExtinctionOption,
    FloatsOption,
    KeyOption,
    LightingOption,
    OpacityOption,
    QualityOption,
    ShapeOption,
    StrengthOption,
    VolumeFile,
    VolumeShot,
    WindowOption,
)

if TYPE_CHECKING:
    from invrender.kernels import Backend
    from invrender.nouns import Cameras, Mesh, Views

MODES = ("shaded", "silhouette", "depth", "normal")
DISTANCE, FOV = 3.0, 45.0  # of meshes, in half-extents and degrees
STILL, TURNTABLE, DATASET = 1, 48, 12  # how many views where --views says nothing
BACKGROUNDS = {"white": (1.0, 1.0, 1.0), "black": (0.0, 0.0, 0.0)}


@dataclass(frozen=True)
class _Shot:
    """What to draw: the mode, the background (None: transparent), and how many samples on each side of a pixel."""

    mode: str
    background: tuple[float, float, float] | None
    supersample: int


def render(
    asset: Annotated[Path, typer.Argument(metavar="ASSET", help="A mesh, or a volume (.npz .vti .nrrd .nii.gz ...).")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="A .png for a still, or a sheet of --views; a .gif turns."),
    ] = None,
    dataset: Annotated[
        Path | None, typer.Option("--dataset", metavar="DIR", help="Write transforms.json and RGBA images there.")
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option("--mode", metavar="|".join(MODES + VOLUME_MODES), help="What the pictures show (shaded; volume)."),
    ] = None,
    size: SizeOption = 512,
    views: ViewsFlag = None,
    cameras: CamerasOption = "orbit",
    azimuth: Annotated[float, typer.Option("--azimuth", help="Turns the cameras about +Y, in degrees.")] = 0.0,
    elevation: ElevationOption = 10.0,
    distance: DistanceFlag = None,
    fov: FovFlag = None,
    background: Annotated[
        str, typer.Option("--background", metavar="white|black|transparent|#RRGGBB", help="Behind the object.")
    ] = "white",
    samples: Annotated[
        int, typer.Option("--samples", min=1, max=8, help="Samples on each side of a pixel (stills and turntables).")
    ] = 2,
    colormap: ColormapOption = "inferno",
    opacity: OpacityOption = "linear",
    strength: StrengthOption = 0.5,
    window: WindowOption = None,
    lighting: LightingOption = True,
    compositing: CompositingOption = "early-termination",
    quality: QualityOption = "standard",
    extinction: ExtinctionOption = "auto",
    floats: FloatsOption = False,
    key: KeyOption = "density",
    shape: ShapeOption = None,
    dtype: DtypeOption = None,
    backend: BackendOption = "auto",
    device: DeviceOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Render a mesh or a volume: a still, a turntable, or a dataset that reconstruct takes."""
    check_at_least("--size", size, 1)
    if _is_volume(asset, mode):
        look = VolumeShot(
            mode or "volume", colormap, opacity, strength, window, lighting, compositing, quality, extinction, floats,
            _background(background),
        )  # fmt: skip
        look.check()
        _check_outputs(output, dataset, _Shot(look.mode, look.background, 1), overwrite)
        stance = (distance or VOLUME_DISTANCE, fov or VOLUME_FOV, elevation, azimuth)
        facts = _render_volume(
            VolumeFile(asset, key, shape, dtype), output, dataset, look, (size, size), views, cameras, stance,
            (backend, device), quiet,
        )  # fmt: skip
        if json:
            print_json(facts)
        return
    mode, distance, fov = mode or "shaded", distance or DISTANCE, fov or FOV
    check_choice("--mode", mode, MODES)
    shot = _Shot(mode, _background(background), samples)
    _check_outputs(output, dataset, shot, overwrite)

    from invrender.backends import select
    from invrender.io.meshes.read import read_mesh

    chosen = select(backend, device)
    mesh = read_mesh(asset)
    facts = {"mode": mode, "files": []}

    def stand(count: int) -> Cameras:
        return _cameras(mesh, cameras, views or count, (size, size), (distance, fov, elevation, azimuth))

    if dataset is not None:
        written = _write_dataset(dataset, mesh, stand(DATASET), shot, chosen)
        facts["files"] += written
        _say(f"wrote {dataset} ({len(written) - 1} views of {size} x {size})", quiet)
    if output is not None:
        count = TURNTABLE if output.suffix.lower() == ".gif" else STILL
        note = _write_picture(output, mesh, stand(count), shot, chosen, facts)
        facts["files"].append(output)
        _say(f"wrote {output} ({note})", quiet)
    if json:
        print_json(facts)


def _is_volume(asset: Path, mode: str | None) -> bool:
    """Whether the asset is a volume; a mode of the other kind is refused."""
    from invrender.errors import UsageError
    from invrender.io.volumes.read import is_volume_path

    volume = is_volume_path(asset)
    if mode is not None and mode in (MODES if volume else VOLUME_MODES):
        kind, modes = ("a volume", VOLUME_MODES) if volume else ("no volume", MODES)
        raise UsageError(f"--mode {mode} does not fit {asset.name}, which is {kind}", f"use one of {', '.join(modes)}")
    return volume


def _render_volume(
    file: VolumeFile,
    output: Path | None,
    dataset: Path | None,
    shot: VolumeShot,
    size: tuple[int, int],
    views: int | None,
    kind: str,
    stance: tuple[float, float, float, float],
    backend: tuple[str, str | None],
    quiet: bool,
) -> dict[str, Any]:
    """Draw and write what is asked for of a volume; returns the facts for --json."""
    from invrender.backends.select_volume import select_volume
    from invrender.cameras.volume_rigs import volume_frame
    from invrender.cli.volume_options import volume_cameras, write_volume_dataset, write_volume_picture

    kernels = select_volume(*backend)
    volume = file.read()
    facts: dict[str, Any] = {"mode": shot.mode, "files": []}

    def stand(count: int) -> Cameras:
        around = volume_cameras(volume, kind, views or count, size, stance[:3])
        return _turned(around, volume_frame(volume)[0], stance[3]) if kind in ("orbit", "sphere") else around

    if dataset is not None:
        written = write_volume_dataset(dataset, volume, stand(DATASET), shot, kernels, facts)
        facts["files"] += written
        _say(f"wrote {dataset} ({len(written) - 1} views of {size[1]} x {size[0]})", quiet)
    if output is not None:
        cameras = stand(TURNTABLE if output.suffix.lower() == ".gif" else STILL)
        note = write_volume_picture(output, volume, cameras, shot, kernels, facts)
        facts["files"].append(output)
        _say(f"wrote {output} ({note})", quiet)
    return facts


def _say(text: str, quiet: bool) -> None:
    if not quiet:
        console.print(text, markup=False)


def _background(text: str) -> tuple[float, float, float] | None:
    """Linear RGB of --background; None for transparent."""
    from invrender.errors import UsageError

    if text == "transparent":
        return None
    if text in BACKGROUNDS:
        return BACKGROUNDS[text]
    digits = text.removeprefix("#")
    if text.startswith("#") and len(digits) == 6 and all(c in "0123456789abcdefABCDEF" for c in digits):
        import numpy as np

        from invrender.colour import srgb_to_linear

        red, green, blue = srgb_to_linear(np.array([int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]))
        return float(red), float(green), float(blue)
    raise UsageError(f"--background is {text!r}", "use white, black, transparent or a colour such as '#8090a0'")


def _check_outputs(output: Path | None, dataset: Path | None, shot: _Shot, overwrite: bool) -> None:
    from invrender.errors import OutputExistsError, UsageError

    if output is None and dataset is None:
        raise UsageError("there is nothing to write", "name a picture with -o picture.png, or a folder with --dataset")
    if output is not None:
        extension = output.suffix.lower()
        if extension not in (".png", ".gif"):
            raise UsageError(
                f"{output} is neither a .png nor a .gif", f"use -o {output.stem}.png for a still, .gif to turn"
            )
        if extension == ".gif" and shot.background is None:
            raise UsageError("a GIF cannot be transparent here", "use --background white, or write a .png")
        if output.exists() and not overwrite:
            raise OutputExistsError(f"{output} exists already", "pass --overwrite to replace it, or choose another -o")
    if dataset is not None:
        if shot.mode == "depth":
            raise UsageError("a dataset holds colours and masks, no depth", "use --mode shaded, silhouette or normal")
        if dataset.exists() and not dataset.is_dir():
            raise UsageError(f"{dataset} is a file, not a folder", "name a folder with --dataset")
        if dataset.is_dir() and any(dataset.iterdir()) and not overwrite:
            raise OutputExistsError(
                f"{dataset} is not empty", "pass --overwrite to replace its views, or choose another folder"
            )


def _cameras(
    mesh: Mesh, kind: str, count: int, size: tuple[int, int], stance: tuple[float, float, float, float]
) -> Cameras:
    """The cameras of --cameras: a rig around the mesh, turned by --azimuth, or those of a file."""
    from invrender.cameras.rigs import mesh_frame, rig
    from invrender.io.datasets.dataset import read_cameras

    distance, fov, elevation, azimuth = stance
    if kind not in ("orbit", "sphere"):
        return read_cameras(kind, size)[:count]
    centre, scale = mesh_frame(mesh.vertices, mesh.faces)
    around = rig("orbit" if kind == "orbit" else "sphere", count, centre, scale, size, distance, fov, elevation)
    return _turned(around, centre, azimuth)


def _turned(cameras: Cameras, centre: Any, degrees: float) -> Cameras:
    """Cameras walked around a vertical axis through `centre`, from +Z towards +X."""
    import math

    import torch

    from invrender.nouns import Cameras

    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    back = torch.eye(4, dtype=torch.float64)  # turning the world back is walking on
    back[0, 0], back[0, 2], back[2, 0], back[2, 2] = cosine, -sine, sine, cosine
    back[:3, 3] = centre - back[:3, :3] @ centre
    return Cameras(cameras.world_to_camera @ back, cameras.projection, cameras.size)


def _write_dataset(folder: Path, mesh: Mesh, cameras: Cameras, shot: _Shot, backend: Backend) -> list[Path]:
    from dataclasses import replace

    from invrender.io.datasets.dataset import write_dataset
    from invrender.nouns import Scene
    from invrender.render.images import stored_as_is, straight
    from invrender.render.raster import layers, render_views

    views: Views = render_views(mesh, cameras, backend)
    if shot.mode == "silhouette":
        views = replace(views, images=None)
    elif shot.mode == "normal":
        views = replace(views, images=stored_as_is(straight(layers(Scene(mesh), cameras, "normal", backend))[0]))
    return write_dataset(folder, views)


def _write_picture(
    path: Path, mesh: Mesh, cameras: Cameras, shot: _Shot, backend: Backend, facts: dict[str, Any]
) -> str:
    """Draw and write a still, a sheet of stills or a turntable; return what to say about it."""
    from invrender.io.images import write_gif, write_png
    from invrender.render.images import contact_sheet, to_bytes

    pictures = _pictures(mesh, cameras, shot, backend, facts)
    height, width = cameras.size
    note = f"{width} x {height}"
    if path.suffix.lower() == ".gif":
        colours = pictures if shot.mode == "shaded" else _as_linear(pictures)
        write_gif(path, list(to_bytes(colours.expand(-1, -1, -1, 3))))
        note += f", {len(pictures)} frames"
    else:
        sheet = contact_sheet(pictures)
        write_png(
            path, sheet[..., 0] if sheet.shape[-1] == 1 else sheet if shot.mode == "shaded" else _as_linear(sheet)
        )
        note += f", {len(pictures)} views" if len(pictures) > 1 else ""
    if "depth_range" in facts:
        near, far = facts["depth_range"]
        note += f", depth {near:.4g} (white) to {far:.4g} (dark)"
    return note


def _as_linear(image: Any) -> Any:
    """Values that are no colours, so that they come out of an sRGB writer as they are; alpha is left alone."""
    import torch

    from invrender.render.images import stored_as_is

    return torch.cat([stored_as_is(image[..., :3]), image[..., 3:].double()], -1)


def _pictures(mesh: Mesh, cameras: Cameras, shot: _Shot, backend: Backend, facts: dict[str, Any]) -> Any:
    """[N,H,W,C]: grey for silhouette and depth, else colours, with straight alpha for a transparent background."""
    import torch

    from invrender.nouns import Scene
    from invrender.render.images import depth_picture, straight
    from invrender.render.raster import layers, render

    scene = Scene(mesh, background=shot.background or BACKGROUNDS["white"])
    if shot.background is None and shot.mode in ("shaded", "normal"):
        colour, alpha = straight(layers(scene, cameras, shot.mode, backend, shot.supersample))
        return torch.cat([colour, alpha[..., None]], -1).cpu()
    pictures = render(scene, cameras, shot.mode, backend, shot.supersample).cpu()
    if shot.mode == "depth":
        pictures, near, far = depth_picture(pictures)
        facts["depth_range"] = [near, far]
    return pictures
