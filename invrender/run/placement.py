"""Which cameras see an asset: on a rig, from a viewpoint, along a path, or those of a file."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from invrender.cameras import rigs, volume_rigs
from invrender.cameras.around import around
from invrender.cameras.framing import mesh_points
from invrender.cameras.path import CameraPath
from invrender.cameras.rigs import mesh_frame, onto
from invrender.cameras.viewpoint import (
    UP,
    Triple,
    Viewpoint,
    cameras_at,
    parallel_viewpoint,
    turned_about,
    viewpoint_of,
)
from invrender.cameras.volume_rigs import volume_frame
from invrender.errors import UsageError
from invrender.io.datasets.dataset import read_cameras
from invrender.nouns import Cameras, Mesh, Volume
from invrender.run.memory import check_pictures

Tensor = torch.Tensor

TURNTABLE = 48  # views of a turning picture, unless given


@dataclass(frozen=True)
class Standpoint:
    """Where a camera stands, as far as it is said; see `cameras.viewpoint.Viewpoint`.

    Attributes:
        eye: None: where the rig's first camera stands.
        target: None: the middle of the asset.
        up: about which a turntable turns.
    """

    eye: Triple | None = None
    target: Triple | None = None
    up: Triple = UP


@dataclass(frozen=True)
class CameraPlacement:
    """Where cameras are placed.

    Attributes:
        kind: 'orbit', 'sphere', or a file or folder with poses.
        views: how many; None: as many as what is written needs.
        size: (H, W) in pixels.
        distance, fov: None: as `cameras.around` has them.
        elevation, azimuth: in degrees.
        stands: the first camera, whose turntable the others are; None: by the numbers above. A viewpoint has its fov.
        path: on which cameras go; None: on none.
        parallel: whether rays are parallel, whatever the above say; `extent`: see `cameras.around`.
    """

    kind: str = "orbit"
    views: int | None = None
    size: tuple[int, int] = (512, 512)
    distance: float | None = None
    fov: float | None = None
    elevation: float = 10.0
    azimuth: float = 0.0
    stands: Standpoint | Viewpoint | None = None
    path: CameraPath | None = None
    parallel: bool = False
    extent: float | None = None

    @property
    def up(self) -> Triple:
        """What is upwards in the first picture."""
        if self.path is not None:
            return self.path.keys[0].up
        return UP if self.stands is None else self.stands.up

    def count(self, default: int) -> int:
        """How many cameras there are where a kind of output has `default` of them."""
        if self.views is None and self.path is not None and default == TURNTABLE:
            return self.path.frames
        return self.views or default

    def cameras(self, asset: Mesh | Volume, default: int) -> Cameras:
        """The cameras around an asset, or those of the file; `default` of them unless their number is given."""
        count = self.count(default)
        check_pictures(count, self.size)
        if self.path is not None:
            return cameras_at(self._rays(self.path.viewpoints(count)), self.size, _corners(asset))
        if self.stands is not None:
            view = self.stands if isinstance(self.stands, Viewpoint) else self._viewpoint(self.stands, asset)
            return cameras_at(self._rays(turned_about(view, count)), self.size, _corners(asset))
        if self.kind not in ("orbit", "sphere"):
            if self.parallel:
                raise UsageError(
                    f"--ortho does not go with the cameras of {self.kind}, which are what they are",
                    "leave it out, or place cameras with --eye, --path or --azimuth",
                )
            return read_cameras(self.kind, self.size)[:count]
        return self._around(asset, count)

    def _around(self, asset: Mesh | Volume, count: int) -> Cameras:
        return around(
            asset, "orbit" if self.kind == "orbit" else "sphere", count, self.size,
            distance=self.distance, fov=self.fov, elevation=self.elevation, azimuth=self.azimuth,
            parallel=self.parallel, extent=self.extent,
        )  # fmt: skip

    def _rays(self, viewpoints: list[Viewpoint]) -> list[Viewpoint]:
        """The viewpoints with parallel rays where they are asked for."""
        return [parallel_viewpoint(view, self.extent) for view in viewpoints] if self.parallel else viewpoints

    def _viewpoint(self, stands: Standpoint, asset: Mesh | Volume) -> Viewpoint:
        """What is said of the first camera, and for the rest the orbit's first one, turned so that `up` is up."""
        middle = middle_of(asset)
        fov = self.fov or (volume_rigs.FOV if isinstance(asset, Volume) else rigs.FOV)
        target = stands.target or _triple(middle)
        if stands.eye is not None:
            return Viewpoint(stands.eye, target, stands.up, fov)
        turn = onto(stands.up)
        upright = asset if isinstance(asset, Volume) else replace(asset, vertices=asset.vertices.double() @ turn)
        seen = viewpoint_of(replace(self, kind="orbit")._around(upright, 1), 0, middle_of(upright))
        offset = turn @ (torch.tensor(seen.eye, dtype=torch.float64) - middle_of(upright))
        return Viewpoint(_triple(torch.tensor(target).to(offset) + offset), target, stands.up, fov, seen.extent)


def middle_of(asset: Mesh | Volume) -> Tensor:
    """[3] float64, where cameras look."""
    if isinstance(asset, Volume):
        return volume_frame(asset)[0].double().cpu()
    return mesh_frame(asset.vertices, asset.faces)[0]


def _corners(asset: Mesh | Volume) -> Tensor:
    """The corners [8,3] float64 of an asset's box."""
    if isinstance(asset, Volume):
        box = asset.bounds.detach().double().cpu()
    else:
        points = mesh_points(asset.vertices, asset.faces)
        box = torch.stack([points.amin(0), points.amax(0)])
    return torch.cartesian_prod(*box.T)


def _triple(values: Tensor) -> Triple:
    x, y, z = (float(value) for value in values.tolist())
    return x, y, z
