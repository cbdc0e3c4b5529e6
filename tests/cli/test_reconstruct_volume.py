"""`invrender reconstruct --method transmittance` from the outside: assets, datasets, files and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.backends import select
from invrender.cameras.volume_rigs import volume_rig
from invrender.cli.app import run
from invrender.errors import MemoryLimitError
from invrender.io.datasets.transmittance import TransmittanceViews, write_transmittance
from invrender.io.volumes.field import read_field
from invrender.io.volumes.read import read_volume
from invrender.io.volumes.write import write_volume
from invrender.nouns import Volume
from invrender.render.absorption import optical_depth
from invrender.run.checkpoints import load_checkpoint
from invrender.run.memory import check_memory


@pytest.fixture
def asset(tmp_path: Path) -> Path:
    """A soft ball of 20 x 16 x 16 samples somewhere in the world, in a .vti."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (20, 16, 16)), indexing="ij")
    values = np.clip(1.0 - 1.4 * np.sqrt(x**2 + y**2 + z**2), 0, None).astype(np.float32)
    path = tmp_path / "ball.vti"
    write_volume(path, Volume.from_numpy(40 * values, np.array([[10.0, 0, -4], [13, 3, 0]])))
    return path


def render(*arguments: object) -> int:
    return run(["render", *map(str, arguments), "--size", "24", "--backend", "cpu", "-q"])


def reconstruct(*arguments: object) -> int:
    return run(["reconstruct", *map(str, arguments), "--backend", "cpu", "-q"])


def test_an_asset_comes_back_in_its_own_units_and_frame(
    asset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    flags = ("--views", 16, "--size", 24, "--iterations", 40, "--set", "gif_frames=3", "--save-every", 0, "--json")
    assert reconstruct(asset, "--method", "transmittance", "-o", folder, *flags) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["psnr"] > 30
    assert metrics["ssim"] > 0.95
    assert metrics["heldout_psnr"] > 40
    assert json.loads((folder / "metrics.json").read_text())["psnr"] == metrics["psnr"]
    truth = read_volume(asset)
    for name in ("volume.npz", "volume.vti"):
        found = read_volume(folder / name)
        assert torch.allclose(found.bounds, truth.bounds)
        assert float((found.values - truth.values).abs().max()) < 0.15 * float(truth.values.max())
    assert np.load(folder / "volume.npz")["density"].shape == (20, 16, 16)
    assert (folder / "progress.gif").stat().st_size > 1000
    record = json.loads((folder / "run.json").read_text())
    assert record["extinction"] == metrics["extinction"]
    assert record["status"] == "finished"
    assert {"start", "solve", "pictures", "checkpoints", "measure", "write"} <= set(record["timings"])
    assert len((folder / "losses.csv").read_text().splitlines()) == 41
    states = [load_checkpoint(path) for path in sorted((folder / "checkpoints").iterdir())]
    assert [step for step, _ in states] == [39, 40]
    assert float(np.abs(states[-1][1]["density"] - truth.values[0].numpy()).max()) < 0.3 * float(truth.values.max())


def test_the_input_decides_where_no_method_is_named(asset: Path, tmp_path: Path) -> None:
    flags = ("--views", 8, "--size", 16, "--iterations", 5, "--set", "gif_frames=0")
    assert reconstruct(asset, "-o", tmp_path / "run", *flags) == 0
    assert not (tmp_path / "run" / "progress.gif").exists()
    assert reconstruct("--config", tmp_path / "run" / "config.toml", "-o", tmp_path / "again") == 0
    first, again = (np.load(tmp_path / name / "volume.npz")["density"] for name in ("run", "again"))
    assert np.array_equal(first, again)


@pytest.mark.parametrize("kind", ["transmittance", "line-integral"])
def test_a_dataset_with_its_box_in_the_file(asset: Path, tmp_path: Path, kind: str) -> None:
    truth = read_volume(asset)
    cameras = volume_rig(truth, "sphere", 16, (24, 24))
    depth = 0.03 * optical_depth(truth, cameras, select("cpu", needs=("volumes",)))
    images = torch.exp(-depth) if kind == "transmittance" else depth
    views = TransmittanceViews(cameras, images, kind, truth.bounds, truth.shape, 0.03)  # type: ignore[arg-type]
    write_transmittance(tmp_path / "data", views)
    flags = ("--iterations", 40, "--set", "gif_frames=2")
    assert reconstruct(tmp_path / "data", "-o", tmp_path / "run", *flags) == 0
    found = read_volume(tmp_path / "run" / "volume.vti").values
    assert float((found - truth.values).square().mean().sqrt()) < 0.05 * float(truth.values.max())


def test_a_neural_field(asset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--field", "neural", "--views", 8, "--size", 16, "--iterations", 40, "--set", "gif_frames=2", "--json")
    assert reconstruct(asset, "-o", tmp_path / "run", *flags) == 0
    assert json.loads(capsys.readouterr().out)["psnr"] > 15
    assert "train" in (tmp_path / "run" / "losses.csv").read_text()
    field, volume = read_field(tmp_path / "run"), read_volume(tmp_path / "run" / "volume.npz")
    assert torch.allclose(field.volume().values, volume.values, rtol=1e-4, atol=1e-6 * float(volume.values.max()))
    pictures = ("field", "volume")
    for name in pictures:
        assert render(tmp_path / "run" / f"{name}.npz", "-o", tmp_path / f"{name}.png", "--mode", "transmittance") == 0
    drawn = [np.asarray(Image.open(tmp_path / f"{name}.png")).astype(int) for name in pictures]
    assert np.abs(drawn[0] - drawn[1]).max() <= 1


def test_a_dataset_without_a_box_asks_for_one(asset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = read_volume(asset)
    cameras = volume_rig(truth, "sphere", 8, (16, 16))
    depth = 0.03 * optical_depth(truth, cameras, select("cpu", needs=("volumes",)))
    write_transmittance(tmp_path / "data", TransmittanceViews(cameras, torch.exp(-depth), extinction=0.03))
    assert reconstruct(tmp_path / "data", "-o", tmp_path / "run") == 3
    assert "--bounds" in capsys.readouterr().err
    flags = ("--bounds", "10,0,-4,13,3,0", "--grid", "9,8,8", "--iterations", 4, "--set", "gif_frames=0")
    assert reconstruct(tmp_path / "data", "-o", tmp_path / "run", *flags) == 0
    assert np.load(tmp_path / "run" / "volume.npz")["density"].shape == (9, 8, 8)


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (("--noise", "loud"), 2, "poisson"),
        (("--solver", "fist"), 2, "fista"),
        (("--bounds", "0,0,0,1,1,1"), 2, "dataset"),
        (("--masks", "x"), 2, "silhouette"),
        (("--extinction", "-1"), 2, "auto"),
        (("--views", "1"), 2, "views"),
    ],
)
def test_flags_that_make_no_sense(
    asset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], code: int, words: str
) -> None:
    assert reconstruct(asset, "-o", tmp_path / "run", *flags) == code
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_negative_densities_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "bad.npz", density=np.linspace(-1, 1, 64, dtype=np.float32).reshape(4, 4, 4))
    assert reconstruct(tmp_path / "bad.npz", "-o", tmp_path / "run") == 3
    assert "negative" in capsys.readouterr().err


def test_volume_flags_do_not_go_with_meshes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reconstruct("mug.glb", "--noise", "8bit", "-o", tmp_path / "run") == 2
    assert "transmittance" in capsys.readouterr().err


def test_a_job_that_does_not_fit_names_the_largest_grid_that_does() -> None:
    check_memory((64, 64, 64), 1000, available=2**30)
    with pytest.raises(MemoryLimitError, match="largest that fits is 2"):
        check_memory((2048, 2048, 2048), 1000, available=2**30)
    with pytest.raises(MemoryLimitError, match="images"):
        check_memory((64, 64, 64), 10**9, available=2**30)
