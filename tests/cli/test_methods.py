"""Which method a call means, whatever layer says so, and which flags go with it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from invrender.cli.app import run
from invrender.io.meshes.write import write_mesh
from invrender.io.volumes.write import write_volume
from invrender.nouns import Mesh
from invrender.samples import SAMPLES, VOLUMES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

QUICK = ("--views", "4", "--size", "12", "--dry-run")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """tmp_path as the working folder, with a ball and a cloud in it."""
    monkeypatch.chdir(tmp_path)
    write_mesh(tmp_path / "ball.ply", Mesh(SAMPLES["sphere"]().vertices, SAMPLES["sphere"]().faces))
    write_volume(tmp_path / "cloud.npz", VOLUMES["cloud"](10))
    return tmp_path


def settings(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    """What a dry run resolves."""
    capsys.readouterr()
    assert run(["reconstruct", *arguments, *QUICK]) == 0
    return tomllib.loads(capsys.readouterr().out)


def test_the_input_tells_the_method(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert settings(capsys, "ball.ply")["method"] == "silhouette"
    assert settings(capsys, "cloud.npz")["method"] == "transmittance"
    assert settings(capsys, "cloud.npz", "--method", "auto")["method"] == "transmittance"


def test_every_layer_can_name_the_method(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "mine.toml").write_text('# a comment\nmethod="volume"   # another\ninput = "cloud.npz"\nrays = 7\n')
    assert settings(capsys, "--config", "mine.toml")["rays"] == 7
    monkeypatch.setenv("INVRENDER_METHOD", "volume")
    assert settings(capsys, "cloud.npz")["method"] == "volume"
    assert settings(capsys, "cloud.npz", "--method", "transmittance")["solver"] == "fista"
    monkeypatch.setenv("INVRENDER_METHOD", "transmittance")
    found = settings(capsys, "cloud.npz", "--method", "transmittance", "--set", "method=volume", "--set", "rays=9")
    assert (found["method"], found["rays"]) == ("volume", 9)


def test_the_environment_may_hold_settings_of_other_methods(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVRENDER_SOLVER", "cgls")
    assert settings(capsys, "cloud.npz")["solver"] == "cgls"
    assert "solver" not in settings(capsys, "ball.ply")
    monkeypatch.setenv("INVRENDER_SOLVE", "cgls")
    assert run(["reconstruct", "ball.ply", *QUICK]) == 2
    assert "INVRENDER_SOLVER" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ball.ply", "--solver", "cgls"), ["--solver does not go with --method silhouette", "transmittance"]),
        (("ball.ply", "--grid", "8"), ["--grid does not go with", "transmittance or volume"]),
        (("cloud.npz", "--init", "sphere"), ["--init does not go with --method transmittance", "silhouette"]),
        (("cloud.npz", "--method", "volum"), ["did you mean volume?"]),
        (
            ("cloud.npz", "--set", "method=colour"),
            ["choose one of auto, silhouette, photometric, transmittance, volume"],
        ),
        (("cloud.npz", "--set", "solver=cgl"), ["did you mean cgls?"]),
        (("cloud.npz", "--grid", "a,b"), ["grid", "a list such as"]),
        (("cloud.npz", "--fov", "200"), ["--fov is 200", "from 1 to 170"]),
        (("cloud.npz", "--set", "iterations=0"), ["--iterations is 0", "from 1 to 1000000"]),
        (("--method", "volume"), ["there is no INPUT", "images with alpha"]),
    ],
)
def test_what_makes_no_sense_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: list[str]
) -> None:
    assert run(["reconstruct", *arguments, "--dry-run"]) == 2
    shown = capsys.readouterr().err
    for word in words:
        assert word in shown


@pytest.mark.parametrize("line", ["method = 3", 'method = ["volume"]', "input = 2026-01-01"])
def test_a_file_whose_method_or_input_is_no_text_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    (here / "mine.toml").write_text(line + "\n")
    given = [] if line.startswith("input") else ["cloud.npz"]
    assert run(["reconstruct", *given, "--config", "mine.toml", "--dry-run"]) == 2
    cause, remedy = capsys.readouterr().err.splitlines()
    assert f"mine.toml sets {line.partition(' ')[0]} to " in cause
    assert "a text" in remedy
