"""Settings that no machine can work with are refused by their name and range, before any work."""

from __future__ import annotations

import dataclasses
import itertools
import typing
from pathlib import Path

import pytest

from invrender.cli.app import run
from invrender.errors import UsageError
from invrender.io.meshes.write import write_mesh
from invrender.io.volumes.write import write_volume
from invrender.methods.names import METHODS, settings_of
from invrender.methods.reconstruct import Layers, method_and_settings
from invrender.nouns import Mesh
from invrender.run.settings import Range, notes
from invrender.samples import SAMPLES, VOLUMES

EXTREMES = ("nan", "inf", "-inf", "1e300", "-1e300", "9" * 400)


def numbers(method: str) -> list[str]:
    """The settings of a method that are numbers."""
    kinds = {name: {kind, *typing.get_args(kind)} for name, kind in typing.get_type_hints(settings_of(method)).items()}
    return [field.name for field in dataclasses.fields(settings_of(method)) if {int, float} & kinds[field.name]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    ball = SAMPLES["sphere"]()
    write_mesh(tmp_path / "ball.ply", Mesh(ball.vertices, ball.faces))
    write_mesh(tmp_path / "far.ply", Mesh(ball.vertices + 1000, ball.faces))
    write_mesh(tmp_path / "beside.ply", Mesh(ball.vertices * 0.02 + 1.05 * ball.vertices.abs().max(), ball.faces))
    write_volume(tmp_path / "cloud.npz", VOLUMES["cloud"](12))
    return tmp_path


@pytest.mark.parametrize("method", METHODS)
def test_every_number_has_a_range(method: str) -> None:
    found = numbers(method)
    assert {"views", "size", "fov", "gif_frames"} <= set(found)
    assert {"iterations", "effort"} & set(found)
    for name in found:
        (allowed,) = [note for note in notes(settings_of(method), name) if isinstance(note, Range)]
        assert -1e20 < allowed.least < allowed.most < 1e20


@pytest.mark.parametrize("method", METHODS)
def test_numbers_beyond_all_bounds_are_refused(method: str) -> None:
    for name, value in itertools.product(numbers(method), EXTREMES):
        with pytest.raises(UsageError, match=name):
            method_and_settings(Layers({"input": "a.ply", "method": method}, [f"{name}={value}"]))


@pytest.mark.parametrize(
    "setting",
    ["rate=1e12", "edge_pixels=1e-3", "hull_resolution=100000", "diffusion=1e300", "views=1000000000", "size=1000000",
     "iterations=1000000000", "gif_frames=1000000", "bending=1e20", "smoothness=1e20"],
)  # fmt: skip
def test_what_explodes_is_refused_with_its_range(here: Path, setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reconstruct", "ball.ply", "-o", "out", "--set", setting]) == 2
    cause, remedy = capsys.readouterr().err.splitlines()
    assert setting.partition("=")[0] in cause
    assert " from " in remedy


def test_grids_and_boxes_are_bounded_number_by_number(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for flag, value in (("--grid", "8,8,100000"), ("--bounds", "0,0,0,1,1,nan"), ("--bounds", "0,0,0,1,1,1e300")):
        assert run(["reconstruct", "cloud.npz", "-o", "out", flag, value]) == 2
        assert flag in capsys.readouterr().err


@pytest.mark.parametrize(
    "option",
    ["--size 1000000", "--size nan", "--views 1000000000", "--distance 0", "--distance 1e30", "--distance nan",
     "--fov 0", "--fov 180", "--fov nan", "--elevation 91", "--elevation nan", "--azimuth inf", "--azimuth nan"],
)  # fmt: skip
def test_render_refuses_them_too(here: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render", "ball.ply", "-o", "a.png", *option.split()]) == 2
    assert option.split(maxsplit=1)[0] in capsys.readouterr().err
    assert not (here / "a.png").exists()


def test_pictures_that_do_not_fit_in_memory_are_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render", "ball.ply", "-o", "a.gif", "--size", "16384", "--views", "5000"]) == 5
    assert "--size" in capsys.readouterr().err
    assert run(["reconstruct", "ball.ply", "-o", "out", "--size", "16384", "--views", "5000"]) == 5
    assert "--size" in capsys.readouterr().err


@pytest.mark.parametrize(("mesh", "where"), [("far", "no view sees it"), ("beside", "covers no pixel of a mask")])
def test_a_first_mesh_that_lies_elsewhere_is_said(
    here: Path, mesh: str, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["reconstruct", "ball.ply", "-o", "out", "--init", f"{mesh}.ply", "--views", "3", "--size", "24"]
    assert run([*call, "--backend", "cpu"]) == 3
    assert where in capsys.readouterr().err
