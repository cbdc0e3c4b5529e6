"""Networks by name: the original's sizes and shapes, every size that others take, and how far a voxel reaches."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from invrender.errors import UsageError
from invrender.networks.names import NETWORKS, Architecture, count_parameters, kind_called
from invrender.networks.staging import ground_share, placed, staged
from invrender.networks.trained import TrainedNetwork
from invrender.nouns import Volume
from invrender.nouns.stage import Stage


def built(network: str, voxels: Any, pictures: Any, width: float | None = None, device: str = "cpu") -> torch.nn.Module:
    with torch.device(device):
        return Architecture(network, width or NETWORKS[network].width, voxels, pictures).build()


def test_the_original_has_its_48_271_745_parameters() -> None:
    network = built("conv-deconv", (1, 256, 256, 256), (256, 256, 1), device="meta")
    assert count_parameters(network) == 48_271_745
    each = [sum(p.numel() for p in layer.parameters()) for layer in network.modules() if "Conv" in type(layer).__name__]
    layers = [4160, 4160, 524416, 16512, 4194816, 262656, 33555456, 1049600, 8389120, 262656, 8193]
    assert [count for count in each if count in layers] == layers


@pytest.mark.parametrize(("side", "deep", "flat"), [(256, 16, 64), (64, 4, 8), (16, 1, 1)])
def test_the_original_s_layers_have_the_shapes_of_its_summary(side: int, deep: int, flat: int) -> None:
    network: Any = built("conv-deconv", (1, side, side, side), (side, side, 1), device="meta")
    voxels = torch.empty(2, 1, side, side, side, device="meta")
    assert network.down(voxels).shape == (2, 1024, deep, deep, deep)
    assert network.up(torch.empty(2, 1024, flat, flat, device="meta")).shape == (2, 1, 4 * flat, 4 * flat)
    assert network(voxels).shape == (2, 1, side, side)


@pytest.mark.parametrize("voxels", [(1, 32, 32, 32), (1, 64, 64, 32)])
def test_the_original_refuses_what_it_cannot_read_as_a_picture(voxels: Any) -> None:
    with pytest.raises(UsageError, match="16, 64 or 256") as refused:
        built("conv-deconv", voxels, (32, 32, 1), device="meta")
    assert "conv-deconv-apart" in refused.value.remedy


@pytest.mark.parametrize("network", ["slices", "conv-deconv-apart"])
@pytest.mark.parametrize(
    ("voxels", "pictures"),
    [
        ((1, 8, 8, 8), (8, 8, 1)),
        ((1, 24, 40, 16), (40, 16, 1)),
        ((4, 40, 24, 56), (48, 112, 3)),
        ((1, 16, 32, 24), (50, 37, 1)),
        ((1, 72, 8, 24), (5, 9, 3)),
    ],
)
def test_any_size_divisible_by_8_is_taken(network: str, voxels: Any, pictures: Any) -> None:
    module = built(network, voxels, pictures, 4 if network == "slices" else 0.02)
    drawn = module(torch.rand(2, *voxels))
    assert drawn.shape == (2, pictures[2], *pictures[:2])
    assert bool(drawn.isfinite().all())


def test_other_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="divisible by 8"):
        built("slices", (1, 20, 16, 16), (16, 16, 1))


def test_an_unknown_network_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="slcies") as refused:
        kind_called("slcies")
    assert "did you mean slices?" in refused.value.remedy


def test_depth_apart_from_rows_sees_what_is_near_and_the_original_all() -> None:
    def reached(network: str) -> bool:
        voxels = (1, 64, 64, 64)
        module = built(network, voxels, (64, 64, 1), 0.02)
        given = torch.rand(1, *voxels, requires_grad=True)
        module(given)[0, 0, :2, :2].sum().backward()
        assert given.grad is not None
        return bool(given.grad[..., 60:, 60:].any())

    assert not reached("conv-deconv-apart")
    assert reached("conv-deconv")  # rows of deep slices stand where others' columns are


def test_weights_depend_on_the_seed_alone() -> None:
    plan = Architecture("slices", 4, (1, 16, 16, 16), (16, 16, 1))
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, same, other = (list(plan.build(seed).parameters()) for seed in (1, 1, 2))
    assert all(bool((a == b).all()) for a, b in zip(one, same, strict=True))
    assert not all(bool((a == b).all()) for a, b in zip(one, other, strict=True))
    assert bool((torch.get_rng_state() == before).all())


STAGE = Stage()
PLAN = Architecture("slices", 4, (1, 32, 32, 32), (32, 32, 1), stage=STAGE)


def ball(samples: int = 24) -> Volume:
    unit = torch.linspace(-1, 1, samples)
    z, y, x = torch.meshgrid(unit, unit, unit, indexing="ij")
    return Volume.from_numpy((x**2 + y**2 + z**2 < 0.8).float().numpy())


def test_a_volume_stands_on_the_ground_and_is_in_view_whichever_way_it_is_turned() -> None:
    there = placed(ball(), STAGE)
    rows = there.values[0].amax((0, 2)).nonzero()[:, 0]
    lowest = there.bounds[0, 1] + rows[0] * there.spacing[1]
    assert float(lowest) == pytest.approx(STAGE.ground)
    ground = ground_share(STAGE, (32, 32, 32))
    amounts = []
    for turn in (0.0, 30.0, 45.0, 90.0):
        found = staged(there, PLAN, turn)[0, 0] - ground
        amounts.append(float(found.sum()))
        for axis in range(3):
            for end in (0, -1):
                assert float(found.select(axis, end).abs().max()) == 0
    assert amounts == pytest.approx([amounts[0]] * 4, rel=0.02)


def test_turning_a_volume_takes_its_parts_around() -> None:
    values = torch.zeros(1, 9, 9, 9)
    values[0, 4, 4, 8], values[0, 4, 4, 0] = 1, 0.2  # most of it at +x
    there = placed(Volume.from_numpy(values[0].numpy()), Stage(ground=None))
    plan = Architecture("slices", 4, (1, 32, 32, 32), (32, 32, 1), stage=Stage(ground=None))

    def middle(turn: float) -> tuple[float, float]:
        found = staged(there, plan, turn)[0, 0]
        places = plan.stage.points((32, 32, 32)) if plan.stage else None
        assert places is not None
        pose = Stage().camera_to_world.float()
        amount = found * ((pose[:3, 3] - places) @ pose[:3, 2]) ** 2  # voxels widen with their depth
        at = (amount[..., None] * places).sum((0, 1, 2)) / amount.sum()
        return float(at[0]), float(at[2])

    reach = middle(0)[0]
    assert reach > 0.1
    assert middle(0) == pytest.approx((reach, 0), abs=0.02)
    assert middle(90) == pytest.approx((0, -reach), abs=0.02)  # anticlockwise from above: +x goes away


def test_gradients_reach_the_values_of_a_volume() -> None:
    random = torch.Generator().manual_seed(0)  # no two voxels are equally full: a maximum has kinks there
    values = (0.2 + 0.6 * torch.rand(1, 8, 8, 8, generator=random, dtype=torch.float64)).requires_grad_()
    network = TrainedNetwork(PLAN, PLAN.build().double())
    there = placed(Volume(values, ball(8).bounds), STAGE)
    direction = torch.rand(values.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 0.5

    def seen(step: float) -> torch.Tensor:
        return network.render(Volume(values + step * direction, there.bounds), [20.0]).square().sum()

    (gradient,) = torch.autograd.grad(seen(0), values)
    difference = (seen(1e-6) - seen(-1e-6)) / 2e-6
    assert float((gradient * direction).sum()) == pytest.approx(float(difference.detach()), rel=1e-5)
