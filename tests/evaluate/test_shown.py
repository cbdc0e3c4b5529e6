"""Volumes in colours are compared by what they look like."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

import invrender
from invrender.backends import select
from invrender.cli.app import run
from invrender.errors import InputError
from invrender.evaluate.run_look import Look
from invrender.evaluate.shown import Shown, shown_metrics
from invrender.io.volumes.write import write_volume
from invrender.nouns import Volume
from invrender.render.transfer import transfer_function
from invrender.samples import VOLUMES

KERNELS = select("torch", needs=("volumes",))
LOOK = Look("viridis", "linear", 0.6)
QUICK = {"backend": "torch", "views": 2, "size": 24}


@pytest.fixture(scope="module")
def cloud() -> Volume:
    return VOLUMES["double-sphere"](16)


def in_colours(volume: Volume, look: Look) -> Volume:
    """The same picture as a volume that brings its colours."""
    transfer = look.of(volume)
    table = transfer.table(float((volume.bounds[1] - volume.bounds[0]).max()))
    place = (volume.values[0] - transfer.low) / (transfer.high - transfer.low)
    rows = table[(place.clamp(0, 1) * (len(table) - 1)).round().long()]
    return Volume(torch.cat([rows[None, ..., 3], rows[..., :3].permute(3, 0, 1, 2)]).float(), volume.bounds)


@pytest.fixture
def folder(cloud: Volume, tmp_path: Path) -> Path:
    """What a run from colours leaves, as far as it is read."""
    (tmp_path / "run").mkdir()
    write_volume(tmp_path / "cloud.npz", cloud)
    write_volume(tmp_path / "run" / "volume.npz", in_colours(cloud, LOOK))
    config = ['method = "volume"', f'input = "{(tmp_path / "cloud.npz").as_posix()}"', 'colormap = "viridis"']
    config += ['opacity = "linear"', "strength = 0.6", 'known = "none"']
    (tmp_path / "run" / "config.toml").write_text("\n".join(config))
    return tmp_path


def test_the_same_picture_by_a_transfer_function_and_by_colours_is_alike(cloud: Volume) -> None:
    own, shown = Shown(in_colours(cloud, LOOK)), Shown(cloud, LOOK.of(cloud))
    m = shown_metrics(own, shown, KERNELS, 2, 24)
    assert m.heldout_psnr > 30
    assert m.heldout_psnr_worst <= m.heldout_psnr
    assert m.heldout_ssim is not None
    assert m.heldout_ssim > 0.9
    other = Shown(cloud, Look("inferno", "linear", 0.2).of(cloud))
    assert shown_metrics(own, other, KERNELS, 2, 24).heldout_psnr < m.heldout_psnr - 8
    assert shown_metrics(own, own, KERNELS, 2, 24).heldout_psnr == math.inf


def test_a_run_knows_how_its_asset_was_shown(folder: Path) -> None:
    m = invrender.evaluate(folder / "run", folder / "cloud.npz", **QUICK)
    assert m.heldout_psnr > 30
    wrong = invrender.evaluate(folder / "run", folder / "cloud.npz", look=Look(strength=0.05), **QUICK)
    assert wrong.heldout_psnr < m.heldout_psnr - 8


def test_a_bare_file_in_colours_beside_plain_values_is_refused_until_the_look_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = [str(folder / "run" / "volume.npz"), str(folder / "cloud.npz"), "--views", "2", "--size", "24"]
    bare += ["--backend", "torch"]
    assert run(["evaluate", *bare]) == 3
    said = capsys.readouterr().err
    assert "by which transfer function" in said
    assert "--strength" in said
    assert run(["evaluate", *bare, "--colormap", "viridis", "--strength", "0.6", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["heldout_psnr"] > 30
    assert "viridis" in told["comparison"]
    assert "psnr" not in told  # of samples, which say nothing here


def test_a_transfer_function_that_was_found_is_compared_with_the_one_that_was_shown(
    folder: Path, cloud: Volume
) -> None:
    found = folder / "found"
    found.mkdir()
    config = (folder / "run" / "config.toml").read_text()
    known = f'known = "{(folder / "cloud.npz").as_posix()}"'
    (found / "config.toml").write_text(config.replace('known = "none"', known))
    window = transfer_function(cloud)
    table = {"window": f"{window.low:g},{window.high:g}", "colormap": "viridis", "opacity": "0:0,1:0.6"}
    (found / "transfer.json").write_text(json.dumps(table))
    assert invrender.evaluate(found, folder / "cloud.npz", **QUICK).heldout_psnr > 40
    (found / "transfer.json").write_text("{}")
    with pytest.raises(InputError, match="is no transfer function"):
        invrender.evaluate(found, folder / "cloud.npz", **QUICK)


def test_volumes_that_hardly_overlap_and_channels_that_are_no_colours(cloud: Volume) -> None:
    own = in_colours(cloud, LOOK)
    with pytest.raises(InputError, match="different places"):
        shown_metrics(Shown(Volume(own.values, own.bounds + 0.8)), Shown(own), KERNELS, 2, 16)
    with pytest.raises(InputError, match="not extinction and linear RGB"):
        shown_metrics(Shown(Volume(own.values - 1, own.bounds)), Shown(own), KERNELS, 2, 16)
    two = Volume.from_numpy(np.ones((2, 4, 4, 4)), cloud.bounds.numpy())
    with pytest.raises(InputError, match="2 channels"):
        invrender.evaluate(own, two, **QUICK)
