"""Every command line that a page or a help text shows runs, from top to bottom, as a reader would run it."""

from __future__ import annotations

import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from invrender.cli.app import run
from tests.docs.commands import PAGES, ROOT, elsewhere, examples, files_of, lines_of, small

WITH_COMMANDS = [page for page in PAGES if any(not elsewhere(line) for line in lines_of(page))]


def follow(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run one line."""
    if line.startswith("sed "):
        subprocess.run(line, shell=True, check=True)
        return
    words = small(line)
    if ">" in words:
        words = words[: words.index(">")]
    if words[0] == "invrender":
        with monkeypatch.context() as patch:
            if "--model" in words:  # a network draws in the size that it has learnt
                patch.delenv("INVRENDER_SIZE")
            if words[1] == "demo":
                patch.setenv("INVRENDER_VIEWS", "6")
            assert run(words[1:]) == 0, line
        return
    assert words[0] == "python", f"{line!r}: neither run here, nor among what is left out"
    monkeypatch.setattr(sys, "argv", words[1:])
    runpy.run_path(words[1], run_name="__main__")


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page(page: Path, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in files_of(page).items():
        (desk / name).write_text(text, encoding="utf-8")
    for line in lines_of(page):
        if not elsewhere(line):
            follow(line, monkeypatch)


@pytest.mark.parametrize("name", sorted(examples()))
def test_the_examples_of_a_command(name: str, desk: Path, outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(outputs, desk / "outputs")
    for line in examples()[name]:
        _clear(line)
    lines = examples()[name]
    assert len(lines) == 2
    for line in lines:
        assert line.startswith("invrender ")
        follow(line, monkeypatch)


def _clear(line: str) -> None:
    """Make room for what an example writes, as a reader has it who did not run the others."""
    words = shlex.split(line)
    if "-o" in words and Path(words[words.index("-o") + 1]).is_dir():
        shutil.rmtree(words[words.index("-o") + 1])


def test_most_pages_show_commands() -> None:
    assert len(WITH_COMMANDS) > 10
