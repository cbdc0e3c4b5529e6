"""Media from pictures: where one can be, how values are written, and the real command line."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.cameras.volume_rigs import volume_rig
from invrender.cli.app import run
from invrender.errors import InputError, UsageError
from invrender.io.volumes.read import read_volume
from invrender.io.volumes.write import write_volume
from invrender.methods.scattering import task
from invrender.methods.scattering.brightest import brightest
from invrender.methods.scattering.objective import total_variation
from invrender.methods.scattering.renderer import Renderer
from invrender.methods.scattering.settings import ScatteringSettings, suits
from invrender.methods.scattering.support import coarse, covered, support
from invrender.nouns import DirectionalLight, Environment, Medium, Scene, Volume
from invrender.parameters.medium_values import (
    ALBEDO,
    ENVIRONMENT,
    EXTINCTION,
    LIGHTS,
    G,
    MediumValues,
    encodings,
    values_of,
)

N = 9


def ball(n: int = N, radius: float = 0.3, extinction: float = 6.0) -> Volume:
    """A ball in a box of size 1, whose edge is two cells wide."""
    at = np.linspace(-0.5, 0.5, n)
    z, y, x = np.meshgrid(at, at, at, indexing="ij")
    inside = np.clip((radius - np.sqrt(x * x + y * y + z * z)) * n / 2 + 0.5, 0, 1)
    return Volume.from_numpy((extinction * inside).astype(np.float32))


def lit(volume: Volume) -> Scene:
    """A volume under a sun and a grey sky."""
    medium = Medium(volume, (0.9, 0.8, 0.7), 0.3)
    return Scene((), [DirectionalLight((0, 1, 0), 2.0)], None, Environment((0.5, 0.5, 0.5)), media=medium)


def test_what_two_views_see_through_is_empty_and_one_may_err() -> None:
    volume = ball(radius=0.12)
    cameras = volume_rig(volume, "sphere", 24, (32, 32))
    renderer = Renderer.of(lit(volume), cameras, select("cpu", needs=("scenes", "volumes")))
    seen = renderer.meeting(volume.values[0])
    found = support(seen, cameras, volume.bounds, volume.shape, 1)
    assert bool((found[volume.values[0] > 0] == 1).all())
    assert float(found.mean()) < 0.5
    seen[0] = False  # one view errs
    assert bool((support(seen, cameras, volume.bounds, volume.shape, 1)[volume.values[0] > 0] == 1).all())
    seen[1] = False
    with pytest.raises(InputError, match="contradict"):
        support(seen, cameras, volume.bounds, volume.shape, 1)


def test_a_hole_in_what_differs_from_the_sky_is_filled() -> None:
    difference = torch.zeros(1, 12, 12)
    difference[0, 3:9, 3:9] = 1.0
    difference[0, 5:7, 5:7] = 0.0  # looks like the sky
    seen = covered(difference, torch.zeros(1, 12, 12, dtype=torch.bool))
    assert bool(seen[0, 5, 5]) and not bool(seen[0, 0, 0])


def test_a_coarse_support_loses_nothing() -> None:
    fine = torch.zeros(17, 17, 17)
    fine[7, 8, 10] = 1.0
    small = coarse(fine, (5, 5, 5))
    back = torch.nn.functional.interpolate(small[None, None], (17, 17, 17), mode="trilinear", align_corners=True)
    assert float(back[0, 0, 7, 8, 10]) == 1.0 and float(small.mean()) < 0.3


def test_total_variation_of_a_ramp_is_its_slope() -> None:
    ramp = torch.arange(8.0).expand(8, 8, 8) * 5.0
    expected = 5.0 * 7 / 8  # the last vertex along the axis has no forward difference
    assert float(total_variation(ramp, torch.ones(8, 8, 8))) == pytest.approx(expected, rel=1e-2)
    assert float(total_variation(torch.ones(4, 4, 4), torch.ones(4, 4, 4))) == pytest.approx(0.0, abs=1e-6)


def test_free_values_come_back_and_reach_the_scene() -> None:
    scene = replace(lit(ball()), environment=Environment(picture=torch.rand(4, 8, 3) + 0.1))
    backend = select("cpu", needs=("scenes",))
    base = Renderer.of(scene, volume_rig(ball(), "sphere", 2, (8, 8)), backend).base
    free = (ALBEDO, G, ENVIRONMENT, LIGHTS)
    values = MediumValues(base, torch.ones(N, N, N), encodings(base, free))
    start = values_of(base)
    params = values.initial(torch.full((N, N, N), 2.0), start)
    arrays, told = values.arrays(params), values.readable(params)
    for name in free:
        torch.testing.assert_close(told[name].double(), start[name], rtol=1e-4, atol=1e-4)
    assert float(arrays.extinction.mean()) * values.longest == pytest.approx(2.0)
    torch.testing.assert_close(arrays.environment, base.environment, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(arrays.lights, base.lights, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(arrays.albedo[0, 0, 0].double(), start[ALBEDO], rtol=1e-4, atol=1e-4)
    assert EXTINCTION in told


def test_no_medium_under_a_sky_is_brighter_than_that() -> None:
    dim = replace(lit(ball()), lights=())
    drawn = Renderer.of(dim, volume_rig(ball(), "sphere", 2, (12, 12)), select("cpu", needs=("scenes",))).drawn(8, 0)
    assert float(drawn.max()) <= 0.5 + 1e-6 < brightest(dim)
    assert math.isfinite(brightest(lit(ball())))


@pytest.fixture(scope="module")
def volume_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("media") / "ball.npz"
    write_volume(path, ball())
    return path


SMALL = ["--views", "8", "--size", "12", "--target-spp", "16", "--iterations", "40", "--set", "gif_frames=2"]


def test_the_command_line_finds_a_ball(volume_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    args = ["reconstruct", str(volume_file), "-o", str(out), "--method", "scattering", "--json", "--backend", "cpu"]
    assert run([*args, *SMALL, "--optimize", "albedo,g"]) == 0
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["density_psnr"] > 12 and metrics["novel_psnr"] > 18
    assert "(1 - g)" in metrics["ambiguous"] and len(metrics["albedo"]) == 3
    assert {"volume.npz", "volume.vti", "scene.toml", "progress.gif", "turntable.gif"} <= {
        p.name for p in out.iterdir()
    }
    found = read_volume(out / "volume.npz").values[0]
    assert float(found[4, 4, 4]) > 0.3 * float(found.max()) and float(found[0, 0, 0]) == 0
    assert "(1 - g)" in capsys.readouterr().err  # told beforehand
    assert suits(out / "scene.toml")
    picture = tmp_path / "again.png"
    shown = ["render", str(out / "scene.toml"), "--mode", "scattering", "-o", str(picture), "--spp", "2", "--size", "8"]
    assert run([*shown, "--backend", "cpu", "-q"]) == 0 and picture.exists()


def test_a_dataset_needs_a_light(volume_file: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = ["render", str(volume_file), "--mode", "scattering", "--dataset", str(data), "--views", "4", "--size", "12"]
    assert run([*made, "--spp", "4", "--backend", "cpu", "-q"]) == 0
    assert suits(data)
    backend = select("cpu", needs=("scenes", "volumes"))
    given = task.load(ScatteringSettings(data), backend)
    assert given.reference is None and float(given.support.mean()) < 0.8
    assert float(given.scene.media[0].extinction.values.max()) == 0
    (data / "scene.toml").unlink()
    with pytest.raises(InputError, match="light") as error:
        task.load(ScatteringSettings(data), backend)
    assert "--environment" in error.value.remedy
    task.load(ScatteringSettings(data, environment="grey"), backend)


def test_what_cannot_be_is_refused(volume_file: Path, tmp_path: Path) -> None:
    backend = select("cpu", needs=("scenes", "volumes"))
    with pytest.raises(UsageError, match="colour"):
        task.load(ScatteringSettings(volume_file, optimize=("colour",)), backend)
    write_volume(tmp_path / "none.npz", Volume(torch.zeros(1, 4, 4, 4), ball().bounds))
    with pytest.raises(InputError):
        task.load(ScatteringSettings(tmp_path / "none.npz"), backend)
    with pytest.raises(UsageError, match="--bounds"):
        task.load(ScatteringSettings(volume_file, bounds=(0, 0, 0, 1, 1, 1)), backend)
