"""The help of every command: it fits 80 columns, breaks no word, and tells every default."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from invrender.cli import app
from invrender.cli.help import entries_of, example
from invrender.methods.names import METHODS, presets_of, settings_of
from invrender.run.settings_table import records

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "numba", "numpy", "scipy", "trimesh", "pyvista", "vtk", "skimage", "matplotlib", "PIL")


def commands() -> Iterator[tuple[str, ...]]:
    """The words of every command and group."""
    root: Any = typer.main.get_command(app.build())
    yield ()
    for name, command in root.commands.items():
        yield (name,)
        for below in getattr(command, "commands", {}):
            yield (name, below)


COMMANDS = list(commands())


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert app.run([*words, "--help"]) == 0
    return capsys.readouterr().out


def command_called(words: tuple[str, ...]) -> Any:
    found: Any = typer.main.get_command(app.build())
    for word in words:
        found = found.commands[word]
    return found


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_fits_80_columns_and_tells_every_choice_and_default(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(capsys, *words)
    assert text.splitlines()[0].startswith("Usage: invrender")
    assert max(map(len, text.splitlines())) <= 80
    together = " ".join(text.split())
    spoken = set(re.split(r"[\s,.;:()\[\]]+", text))
    command = command_called(words)
    context = command.make_context("invrender", [], resilient_parsing=True)
    for entry in command.entries(context) if hasattr(command, "entries") else entries_of(command, context):
        assert entry.spelling in text
        for choice in entry.choices:
            assert choice in together and (not choice.isalnum() or choice in spoken)
        assert entry.default in together


@pytest.mark.parametrize("method", METHODS)
def test_help_of_a_method_shows_what_it_takes_and_nothing_else(method: str, capsys: pytest.CaptureFixture[str]) -> None:
    first = shown(capsys, "reconstruct", "--method", method)
    assert app.run(["reconstruct", "--help", f"--method={method}"]) == 0
    assert capsys.readouterr().out == first
    own = {r.name: r for r in records(settings_of(method), presets_of(method)) if r.flag}
    options = re.findall(r"^  (?:-\w, )?(--[a-z0-9-]+)", first, re.MULTILINE)
    others = {r.flag for name in METHODS for r in records(settings_of(name), presets_of(name)) if r.flag}
    assert set(options) & others == {record.flag for record in own.values()}
    together = " ".join(first.split())
    for record in own.values():
        if record.placeholder:
            assert record.default in together
        assert all(f"{preset} {value}" in together for preset, value in record.presets.items())
    assert max(map(len, first.splitlines())) <= 80


def test_help_of_a_method_that_is_none_suggests_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["reconstruct", "--method", "silhouete", "--help"]) == 2
    assert "did you mean silhouette" in capsys.readouterr().err


@pytest.mark.parametrize("words", [(), ("reconstruct",), ("render",), ("settings",), ("batch", "start")], ids=" ".join)
def test_help_imports_nothing_heavy_and_has_no_colours_in_a_pipe(words: tuple[str, ...]) -> None:
    code = (
        f"import sys; from invrender.cli import app; assert app.run({[*words, '--help']}) == 0;"
        f"print('heavy:', [name for name in {HEAVY} if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.splitlines()[-1] == "heavy: []"
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("words", [words for words in COMMANDS if words], ids=" ".join)
def test_examples_are_two_lines_that_name_existing_options(words: tuple[str, ...]) -> None:
    command = command_called(words)
    if hasattr(command, "commands"):
        return
    lines = (command.epilog or "").splitlines()
    if not lines:
        pytest.skip("has none yet")
    assert len(lines) == 2
    known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
    for line in lines:
        assert line.startswith(f"invrender {' '.join(words)}") or words == ("batch", "start")
        assert {word.partition("=")[0] for word in line.split() if re.match(r"--?[a-z]", word)} <= known


def test_a_long_example_is_broken_before_an_option() -> None:
    line = "invrender reconstruct data/a-long-name-of-a-mesh.glb --method silhouette --views 24 -o outputs/some-name"
    lines = example(line)
    assert [text.strip().endswith("\\") for text in lines] == [True, False]
    assert " ".join(text.strip().rstrip("\\").strip() for text in lines) == line
    assert lines[1].strip().startswith("-")


@pytest.mark.parametrize("method", [*METHODS, "train"])
def test_every_setting_has_a_meaning_a_type_and_a_default(method: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["settings", method, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"input", "seed", "gif_frames"} <= {record["name"] for record in found}
    for record in found:
        assert record["meaning"].endswith(".") and record["type"], record["name"]
        assert record["default"] or record["name"] == "input", record["name"]
    assert app.run(["settings", method]) == 0
    text = capsys.readouterr().out
    assert all(f"  {record['name']} " in text for record in found)
    assert max(map(len, text.splitlines())) <= 80
    assert app.run(["settings", method, "--markdown"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(found) + 2


def test_settings_lists_methods_and_suggests_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["settings"]) == 0
    listed = capsys.readouterr().out
    assert all(f"  {name} " in listed for name in [*METHODS, "train"])
    assert app.run(["settings", "scatering"]) == 2
    assert "did you mean scattering?" in capsys.readouterr().err
