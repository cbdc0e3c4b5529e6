"""The front door: help, version, exit codes, signals, and what goes to which stream."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from invrender import __version__, errors
from invrender.cli import app
from invrender.cli.options import check_at_least, check_choice, check_views, print_json

HEAVY = ("torch", "numba", "numpy", "scipy", "trimesh", "pyvista", "vtk", "skimage", "matplotlib", "PIL")


def test_help_lists_every_command_without_importing_anything_heavy() -> None:
    code = (
        "import sys; from invrender.cli import app; assert app.run(['--help']) == 0;"
        f"print('heavy:', [name for name in {HEAVY} if name in sys.modules])"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": root}, check=True
    )
    for names in app.COMMANDS.values():
        for name in names:
            assert f" {name} " in done.stdout
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_every_command_answers_help(run_cli: Callable[..., Any]) -> None:
    for names in app.COMMANDS.values():
        for name in names:
            assert app.run([name, "--help"]) == 0
    outcome = run_cli("--version")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, f"invrender {__version__}\n", "")


def test_no_arguments_show_the_help(run_cli: Callable[..., Any]) -> None:
    outcome = run_cli()
    assert outcome.code == 0
    assert "Usage" in outcome.stdout


@pytest.mark.parametrize(
    ("arguments", "cause", "remedy"),
    [
        (["doctr"], "doctr", "doctor"),
        (["doctor", "--jsn"], "--jsn", "--json"),
        (["preview"], "RUN_OR_FILE", "invrender preview --help"),
        (["preview", "x.ply", "--size", "0"], "--size", "invrender preview --help"),
    ],
)
def test_a_mistyped_command_line_exits_2_with_a_hint(
    run_cli: Callable[..., Any], arguments: list[str], cause: str, remedy: str
) -> None:
    outcome = run_cli(*arguments)
    assert outcome.code == 2
    assert outcome.stdout == ""
    assert cause in outcome.stderr.splitlines()[0]
    assert remedy in outcome.stderr
    assert len(outcome.stderr.splitlines()) <= 6
    assert "Traceback" not in outcome.stderr


def run_raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of a command that ends with `error`."""

    def fail() -> None:
        raise error

    real = app.build

    def build() -> typer.Typer:
        application = real()
        application.command("fail")(fail)
        return application

    monkeypatch.setattr(app, "build", build)
    return app.run(["fail"])


TREE = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.InvrenderError)]


@pytest.mark.parametrize("kind", TREE)
def test_our_errors_show_cause_and_remedy_and_exit_with_their_code(
    kind: type[errors.InvrenderError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_raising(kind("the [red]cup[/red] is empty", "fill it"), monkeypatch) == kind.exit_code
    assert capsys.readouterr() == ("", "error: the [red]cup[/red] is empty\ntry: fill it\n")


def test_exit_codes_are_those_of_the_documentation() -> None:
    found = {kind.__name__: kind.exit_code for kind in TREE}
    assert found == {
        "InvrenderError": 1,
        "UsageError": 2,
        "InputError": 3,
        "BackendError": 4,
        "MemoryLimitError": 5,
        "OutputExistsError": 6,
        "CheckpointError": 7,
        "DivergedError": 8,
        "BatchError": 9,
        "RetryError": 75,
        "StoppedError": 130,
    }


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        (MemoryError(), 5, "--size"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), 5, "--size"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ValueError("odd"), 1, "report"),
        (RuntimeError("odd"), 1, "report"),
    ],
)
def test_other_failures_get_their_code_too(
    error: BaseException,
    code: int,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_raising(error, monkeypatch) == code
    shown = capsys.readouterr().err
    assert word in shown
    assert ("Traceback" in shown) == (code == 1)


WAITING = """
import sys, time
from invrender.cli import app
from invrender.run.folder import RunFolder

def wait() -> None:
    with RunFolder.create("run", command="wait"):
        print("ready", flush=True)
        while True:
            time.sleep(0.05)  # short: a signal just before one long sleep would be seen only after it

real = app.build
def build():
    application = real()
    application.command("wait")(wait)
    return application

app.build = build
sys.argv = ["invrender", "wait"]
app.main()
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are sent differently there")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 75)])
def test_a_signal_marks_the_run_interrupted(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        _, shown = process.communicate(timeout=300)
    assert process.returncode == code
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "interrupted"
    assert shown.startswith("error: ")
    assert len(shown.splitlines()) == 2


def test_a_reader_that_leaves_is_no_error() -> None:
    command = f"{sys.executable} -m invrender.cli.app --help | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


def test_json_understands_our_values_and_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    from invrender.nouns import Lights

    print_json({"p": Path("a"), "t": torch.tensor([1.0, float("nan")]), "l": Lights(), "s": (1, True, None)})
    found = json.loads(capsys.readouterr().out)
    assert found["t"] == [1.0, None]
    assert found["l"]["intensity"] == 0.75
    assert (found["p"], found["s"]) == ("a", [1, True, None])


@pytest.mark.parametrize("bad", [0, -3, float("nan")])
def test_numbers_out_of_range_are_refused(bad: float) -> None:
    check_at_least("--size", 1, 1)
    with pytest.raises(errors.UsageError, match="--size"):
        check_at_least("--size", bad, 1)


def test_one_view_is_not_enough() -> None:
    check_views(2)
    with pytest.raises(errors.UsageError, match="--views"):
        check_views(1)


def test_choices_suggest_the_nearest() -> None:
    assert check_choice("--preset", "fine", ["draft", "fine"]) == "fine"
    with pytest.raises(errors.UsageError, match="did you mean draft"):
        check_choice("--preset", "draf", ["draft", "fine"])
