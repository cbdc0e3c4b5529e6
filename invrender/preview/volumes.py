"""Volumes in the preview: a cloud with the colours of `invrender render`, or one isosurface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from invrender.cameras.framing import volume_points
from invrender.cameras.occupied import occupied
from invrender.cameras.volume_rigs import volume_frame
from invrender.colour import linear_to_srgb
from invrender.nouns import Volume
from invrender.nouns.transfer import REFERENCE, TransferFunction
from invrender.render.looks import look_of, shown, shows_surfaces

if TYPE_CHECKING:
    import pyvista

AROUND = 0.3  # intensity of light from everywhere


@dataclass
class Cloud:
    """A volume that VTK draws, whose transfer function can be changed.

    Attributes:
        volume: what is drawn.
        transfer: as it is drawn now.
        actor: VTK's, with its property and mapper.
        fine: the distance between samples at rest, in world units.
    """

    volume: Volume
    transfer: TransferFunction
    actor: Any
    fine: float

    def show(self, transfer: TransferFunction) -> None:
        """Draw it with another transfer function."""
        self.transfer = transfer
        opacity, colours = self.actor.prop.GetScalarOpacity(), self.actor.prop.GetRGBTransferFunction()
        rows = len(transfer.opacity)
        values = np.linspace(transfer.low, transfer.high, rows)
        opacity.RemoveAllPoints()
        colours.RemoveAllPoints()
        encoded = linear_to_srgb(transfer.colours.detach().numpy()).clip(0, 1)
        for value, height, rgb in zip(values, transfer.opacity.tolist(), encoded.tolist(), strict=True):
            opacity.AddPoint(value, height)
            colours.AddRGBPoint(value, *rgb)

    def refine(self, step: int) -> None:
        """How finely it is drawn: 0 while the camera moves, then 1 and 2, up to all pixels and two samples a voxel."""
        mapper = self.actor.mapper
        mapper.SetImageSampleDistance((4.0, 2.0, 1.0)[step])
        mapper.SetSampleDistance(self.fine * (3.0, 1.5, 1.0)[step])


def add_cloud(plotter: pyvista.Plotter, volume: Volume, transfer: TransferFunction | None = None) -> Cloud:
    """Add a volume's first channel, drawn by VTK on the CPU (its GPU mapper needs more than software drivers have).

    Args:
        plotter: where.
        volume: what.
        transfer: its colours and opacity; None: those of look auto, as `invrender render` draws it.
    """
    import pyvista
    import vtk

    one = Volume(volume.values[:1], volume.bounds)
    look = look_of(one)
    surfaces = shows_surfaces(transfer or look.transfer)  # VTK shades mist as hard, and the inside of things black
    low, high = volume.bounds.double().numpy()
    counts = np.array(volume.shape[::-1])
    image = pyvista.ImageData(dimensions=counts, spacing=(high - low) / (counts - 1), origin=low)
    image.point_data["value"] = volume.values[0].detach().numpy().ravel()
    mapper = vtk.vtkFixedPointVolumeRayCastMapper()
    mapper.SetInputData(image)
    mapper.SetAutoAdjustSampleDistances(False)  # which are meant for voxels of size 1
    actor = pyvista.Volume()
    actor.mapper = mapper
    actor.prop = pyvista.VolumeProperty(
        interpolation_type="linear", opacity_unit_distance=REFERENCE * volume_frame(volume)[1],
        shade=surfaces, diffuse=1.0, specular=0.15, specular_power=20.0,
    )  # fmt: skip
    actor.prop.SetScalarOpacity(vtk.vtkPiecewiseFunction())
    actor.prop.SetColor(vtk.vtkColorTransferFunction())
    cloud = Cloud(volume, look.transfer, actor, float(min(image.spacing)) / 2)
    cloud.show(transfer or look.transfer)
    cloud.refine(2)
    plotter.add_actor(actor, reset_camera=False)
    _light_around(plotter)
    return cloud


def _light_around(plotter: pyvista.Plotter) -> None:
    """Lights along the six axes in place of an ambient one, which this mapper leaves out; in the active panel alone."""
    import pyvista

    for axis in np.concatenate([np.eye(3), -np.eye(3)]).tolist():
        light: Any = pyvista.Light(position=axis, focal_point=(0, 0, 0), light_type="scene light", intensity=AROUND)
        light.positional = False
        plotter.renderer.add_light(light)


def shown_points(volume: Volume) -> NDArray[np.float64]:
    """Points [K,3] whose hull holds what a volume shows in look auto."""
    weights = shown(volume, look_of(Volume(volume.values[:1], volume.bounds)).transfer)
    points: NDArray[np.float64] = volume_points(occupied(volume, weights)).numpy()
    return points
