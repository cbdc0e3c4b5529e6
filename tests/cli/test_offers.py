"""What messages offer exists: options, commands and environment variables that the program's own texts name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from invrender.cli import app
from invrender.methods.names import METHODS, settings_of
from invrender.methods.neural_renderer.settings import TrainSettings
from invrender.run.settings_table import records

ROOT = Path(__file__).parents[2]
OTHERS = {"--nproc-per-node", "--force-reinstall", "--nthreads"}  # of other programs, which messages name
FOREIGN = ("invrender/batch/emit.py", "invrender/batch/slurm", "invrender/batch/collection", "invrender/report")
VARIABLES = {"INVRENDER_CACHE_DIR", "INVRENDER_VULKAN", "INVRENDER_VULKAN_RAYS", "INVRENDER_METHOD"}


def texts() -> Iterator[tuple[str, str]]:
    """Every text of the program that is no docstring, with where it stands."""
    for folder in ("invrender", "cli", "backends"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
            spoken = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented)
                      and node.body and isinstance(node.body[0], ast.Expr)}  # fmt: skip
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in spoken:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


def every_option() -> set[str]:
    def options(command: Any) -> Iterator[str]:
        for param in command.params:
            yield from (*param.opts, *param.secondary_opts)
        for below in getattr(command, "commands", {}).values():
            yield from options(below)

    return {*options(typer.main.get_command(app.build())), "--help"}


def test_options_that_messages_name_exist() -> None:
    known = every_option() | OTHERS
    missing = {
        (where, option)
        for where, text in texts()
        for option in re.findall(r"(?<![\w/-])--[a-z][a-z-]*[a-z]", text)
        if option not in known and not where.startswith(FOREIGN)  # scripts of schedulers, style sheets
    }
    assert not missing


def test_commands_that_messages_name_exist() -> None:
    known = {name for names in app.COMMANDS.values() for name in names}
    missing = {
        (where, command)
        for where, text in texts()
        for command in re.findall(r"`invrender ([a-z]+)", text)
        if command not in known
    }
    assert not missing


def test_variables_that_messages_name_exist() -> None:
    keys = {r.name for name in METHODS for r in records(settings_of(name), {})} | {
        r.name for r in records(TrainSettings, {})
    }
    known = VARIABLES | {f"INVRENDER_{key.upper()}" for key in keys}
    missing = {
        (where, name)
        for where, text in texts()
        for name in re.findall(r"INVRENDER_[A-Z_]*[A-Z]", text)
        if name not in known and "_COMPLETE" not in name
    }
    assert not missing
