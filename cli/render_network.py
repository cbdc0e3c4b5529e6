"""`invrender render ASSET --model RUN`: pictures by a network that `invrender train` has taught."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from invrender.cli.options import given
from invrender.cli.volume_options import VolumeFile

if TYPE_CHECKING:
    from torch import Tensor

    from invrender.networks.trained import TrainedNetwork
    from invrender.run.pictures import Written

PANEL = "Networks"
TAKEN = (
    "asset", "output", "views", "azimuth", "window", "key", "shape", "dtype", "frame", "device", "overwrite", "json",
    "quiet", "model", "camera_space",
)  # fmt: skip
"""The parameters of `render` that go with a network; its pictures are as it has learnt them."""

ModelOption = Annotated[
    Path | None,
    typer.Option("--model", metavar="RUN", help="Draw by the network of a finished train.", rich_help_panel=PANEL),
]
CameraSpaceOption = Annotated[
    bool,
    typer.Option(
        "--camera-space", help="The volume holds the network's own voxels; it is not placed.", rich_help_panel=PANEL
    ),
]


@dataclass(frozen=True)
class NetworkRequest:
    """What to draw by a network, and where it goes.

    Attributes:
        file: the volume or mesh.
        model: the run or file of the network.
        output: the picture; what lies there is replaced where `overwrite` says so.
        views, azimuth: how many pictures, and from where on around it, in degrees.
        window: "LOW,HIGH" of a volume's values.
        camera_space: whether the volume is in camera space already.
        device: of torch.
    """

    file: VolumeFile
    model: Path
    output: Path | None
    views: int | None
    azimuth: float
    window: str | None
    camera_space: bool
    device: str | None
    overwrite: bool


def refuse_others(context: typer.Context) -> None:
    """Refuse options of `render` that mean nothing to a network (UsageError)."""
    from invrender.errors import UsageError

    for name in context.params:
        if name not in TAKEN and given(context, name):
            raise UsageError(
                f"--{name.replace('_', '-')} does not go with --model: a network draws as it has learnt to",
                "leave it out",
            )


def draw_by_network(request: NetworkRequest) -> Written:
    """Draw and write what was asked for."""
    from invrender.errors import UsageError
    from invrender.io.network import read_network
    from invrender.render.modes import find_mode
    from invrender.run.pictures import check_outputs, views_for
    from invrender.stages.learned import turns, write_pictures

    check_outputs(request.output, None, find_mode("volume", "volume"), (1.0, 1.0, 1.0), request.overwrite)
    assert request.output is not None
    network = read_network(request.model, _device(request.device))
    if request.camera_space and (request.views or 1) > 1:
        raise UsageError("--views goes with what can be turned, and --camera-space cannot", "leave one of them out")
    views = request.views or (1 if request.camera_space else views_for(request.output))
    pictures = _pictures(network, request, turns(request.azimuth, views))
    return write_pictures(request.output, pictures, network.architecture.encoding, {"network": str(request.model)})


def _pictures(network: TrainedNetwork, request: NetworkRequest, angles: list[float]) -> Tensor:
    from invrender.cli.volume_style import window_of
    from invrender.errors import UsageError
    from invrender.io.assets import identify
    from invrender.io.meshes.read import read_mesh
    from invrender.stages.learned import mesh_pictures, occupancy, volume_pictures, voxel_pictures

    kind, path = identify(request.file.path)
    if kind == "volume":
        file = VolumeFile(path, request.file.key, request.file.shape, request.file.dtype, request.file.frame)
        volume, window = file.read(), window_of(request.window)
        if request.camera_space:
            whole = window is None and float(volume.values.max()) <= 1 and float(volume.values.min()) >= 0
            return voxel_pictures(network, volume.values if whole else occupancy(volume, window).values)
        return volume_pictures(network, occupancy(volume, window), angles)
    if kind != "mesh" or request.camera_space or request.window:
        raise UsageError(
            f"a network draws volumes and meshes, and --window and --camera-space go with volumes; {path} is no volume",
            "name a volume file",
        )
    return mesh_pictures(network, read_mesh(path), angles)


def _device(name: str | None) -> str:
    import torch

    return name or ("cuda" if torch.cuda.is_available() else "cpu")
