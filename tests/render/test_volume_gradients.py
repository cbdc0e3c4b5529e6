"""Gradients of pictures of volumes, as things that happen: a fog thickens, a camera moves, a colour changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invrender.backends import select
from invrender.cameras.around import around
from invrender.cameras.projection import look_at, perspective
from invrender.errors import BackendError
from invrender.nouns import Cameras, TransferFunction, Volume
from invrender.render.absorption import transmittance
from invrender.render.emission import VolumeStyle, render_volume
from invrender.shading.density_gradient import Lighting
from tests.render.slopes import agree, shifted, slope, weight

Tensor = torch.Tensor

KERNELS, CPU_KERNELS = select("torch", needs=("volumes",)), select("cpu", needs=("volumes",))


@pytest.fixture(scope="module")
def fog() -> Volume:
    grid = torch.rand(1, 5, 6, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.2
    return Volume(grid, torch.tensor([[-0.5, -0.4, -0.3], [0.5, 0.4, 0.3]], dtype=torch.float64))


def light(volume: Volume, cameras: Cameras, extinction: Tensor | float = 1.0, kernels=KERNELS) -> Tensor:
    return transmittance(volume, cameras, kernels, extinction)[0]


def test_a_fog_gets_thicker(fog: Volume) -> None:
    cameras = around(fog, "sphere", 2, 12)
    weights = weight(cameras, 1)[..., 0]
    agree(lambda values: (light(replace(fog, values=values), cameras, 1.5) * weights).sum(), fog.values)
    agree(lambda factor: (light(fog, cameras, factor) * weights).sum(), torch.tensor(1.5, dtype=torch.float64))


def test_a_camera_moves_before_a_fog(fog: Volume) -> None:
    cameras = around(fog, "sphere", 2, 12, distance=1.5)
    weights = weight(cameras, 1)[..., 0]
    still = torch.zeros(3, dtype=torch.float64)
    agree(lambda by: (light(fog, shifted(cameras, by), 1.5) * weights).sum(), still, step=1e-6, rel=1e-5)


def test_a_lens_before_a_fog_zooms_in(fog: Volume) -> None:
    cameras = around(fog, "orbit", 1, 12, distance=1.5)
    weights = weight(cameras, 1)[..., 0]

    def value(lens: Tensor) -> Tensor:
        return (light(fog, Cameras(cameras.world_to_camera, lens, cameras.size), 1.5) * weights).sum()

    given = cameras.projection.clone().requires_grad_()
    value(given).backward()
    wider = torch.zeros(1, 4, 4, dtype=torch.float64)
    wider[0, 0, 0] = wider[0, 1, 1] = 1
    assert float((given.grad * wider).sum()) == pytest.approx(slope(value, cameras.projection, wider, 1e-6), rel=1e-5)


def test_a_fog_has_the_same_gradient_on_cpu_which_refuses_cameras(fog: Volume) -> None:
    cameras = around(fog, "orbit", 2, 12)
    found = []
    for kernels in (KERNELS, CPU_KERNELS):
        values = fog.values.float().requires_grad_()
        (light(replace(fog, values=values), cameras, 2.0, kernels) * weight(cameras, 1)[..., 0]).sum().backward()
        found.append(values.grad)
    assert torch.allclose(*found, rtol=1e-4, atol=1e-6)
    by = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    with pytest.raises(BackendError, match="cpu backend has no gradient of line integrals with the rays"):
        light(replace(fog, values=fog.values.float()), shifted(cameras, by), 2.0, CPU_KERNELS).sum().backward()


def transfer(colours: Tensor, opacity: Tensor) -> TransferFunction:
    return TransferFunction(colours, opacity, 0.0, 1.5)


@pytest.mark.parametrize("lighting", [None, Lighting(soft=0.3)])
def test_a_transfer_function_changes_its_colours_and_opacity(fog: Volume, lighting: Lighting | None) -> None:
    cameras = around(fog, "orbit", 1, 10)
    weights = weight(cameras, 4)
    table = 0.1 + 0.5 * torch.rand(5, 4, generator=torch.Generator().manual_seed(4), dtype=torch.float64)

    def value(table: Tensor, values: Tensor = fog.values) -> Tensor:
        style = VolumeStyle(transfer(table[:, :3], table[:, 3]), lighting, "sequential")
        return (render_volume(replace(fog, values=values), cameras, style, KERNELS) * weights).sum()

    agree(value, table)
    if lighting is None:  # whose scale follows the values, and counts as constant
        agree(lambda values: value(table, values), fog.values, step=1e-6, rel=1e-5)


def test_a_transfer_function_has_the_same_gradient_on_cpu(fog: Volume) -> None:
    cameras = around(fog, "orbit", 1, 16)
    found = []
    for kernels in (KERNELS, CPU_KERNELS):
        table = torch.linspace(0.1, 0.6, 24).reshape(6, 4).requires_grad_()
        style = VolumeStyle(transfer(table[:, :3], table[:, 3]))
        volume = replace(fog, values=fog.values.float())
        (render_volume(volume, cameras, style, kernels) * weight(cameras, 4)).sum().backward()
        found.append(table.grad)
    assert torch.allclose(*found, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("kernels", [KERNELS, CPU_KERNELS], ids=["torch", "cpu"])
def test_composited_colours_refuse_a_gradient_of_cameras(fog: Volume, kernels) -> None:
    volume = replace(fog, values=fog.values.float())
    eye = torch.tensor([[0.0, 0.2, 2.0]], dtype=torch.float64, requires_grad=True)
    lens = perspective(40.0, (8, 8), 0.1, 9.0)[None]
    cameras = Cameras(look_at(eye, (0.0, 0.0, 0.0)), lens, (8, 8))
    style = VolumeStyle(transfer(torch.ones(2, 3), torch.tensor([0.0, 0.5])))
    with pytest.raises(BackendError, match="detach the cameras"):
        render_volume(volume, cameras, style, kernels)
    with torch.no_grad():
        assert render_volume(volume, cameras, style, kernels).shape == (1, 8, 8, 4)
