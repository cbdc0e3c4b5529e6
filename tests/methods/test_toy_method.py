"""A method is one folder and one line elsewhere: a toy runs through the real command line with all that it offers."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from invrender.cli.app import run
from invrender.methods.names import METHODS
from invrender.methods.reconstruct import reconstruct
from invrender.run.checkpoints import checkpoints, load_checkpoint

FOLDER = Path(__file__).parent / "toy_method"
NUMBERS = [3.0, 5.0, 4.0, 4.5, 3.5]


@pytest.fixture(autouse=True)
def _toy() -> Iterator[None]:
    """The line that makes the toy known; the command line is put together when it is imported."""
    command = importlib.import_module("invrender.cli.reconstruct")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER.parent)
        patch.setitem(METHODS, "toy", "toy_method")
        importlib.reload(command)
        yield
    importlib.reload(command)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "some.numbers"
    path.write_text(" ".join(map(str, NUMBERS)))
    return path


@pytest.fixture
def called(source: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """`invrender reconstruct INPUT ...` on the torch backend: exit code, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        code = run(["reconstruct", str(source), "--backend", "torch", *map(str, arguments)])
        return code, *capsys.readouterr()

    return call


def test_it_is_short() -> None:
    assert sum(len(path.read_text().splitlines()) for path in FOLDER.glob("*.py")) < 120
    assert sum(len(path.read_text().splitlines()) for path in FOLDER.glob("method.py")) < 100


def test_a_run_folder_with_everything(called, tmp_path: Path) -> None:
    code, out, err = called("-o", tmp_path / "run", "--method", "toy", "--seed", 3)
    assert code == 0, err
    assert out.split() == ["mean", f"{float((tmp_path / 'run' / 'mean.txt').read_text()):.3f}"]
    assert "5 numbers" in err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["off"] < 1.0
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["status"], record["seed"]) == ("finished", 3)
    assert len((tmp_path / "run" / "losses.csv").read_text().splitlines()) == 1 + 12
    assert called("-o", tmp_path / "run")[0] == 6


def test_what_looks_wrong_is_said_and_kept_and_an_error_where_strict(called, source: Path, tmp_path: Path) -> None:
    source.write_text("4 4 4")
    assert called("-o", tmp_path / "run", "-q") == (0, "", "warning: all numbers are the same; check the file\n")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["warnings"] == [
        "all numbers are the same; check the file"
    ]
    code, _, err = called("-o", tmp_path / "strict", "--strict")
    assert (code, "error: all numbers are the same\ntry: check the file" in err) == (3, True)
    assert not (tmp_path / "strict").exists()
    code, _, err = called("-o", tmp_path / "strict", "--strict", "--dry-run")
    assert code == 3


def test_a_doubtful_result_is_kept_where_strict(called, source: Path, tmp_path: Path) -> None:
    source.write_text("40 50")
    code, _, err = called("-o", tmp_path / "run", "--strict")
    assert (code, "error: the mean is" in err) == (8, True)
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["status"] == "failed"
    assert "give more --iterations" in record["warnings"][0]
    assert (tmp_path / "run" / "mean.txt").is_file()


def test_its_input_is_known_by_its_name(called, tmp_path: Path) -> None:
    assert called("-o", tmp_path / "run", "-q") == (0, "", "")
    assert 'method = "toy"' in (tmp_path / "run" / "config.toml").read_text()


def test_its_own_flag_and_every_layer_of_its_settings(
    called, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["reconstruct", "--help"]) == 0
    assert "--batch" in capsys.readouterr().out
    dry = ["--dry-run", "-o", tmp_path / "run"]
    assert "batch = 2\n" in called(*dry)[1]
    assert "iterations = 4\n" in called(*dry, "--preset", "draft")[1]
    (tmp_path / "toy.toml").write_text("batch = 3\n")
    assert "batch = 3\n" in called(*dry, "--config", tmp_path / "toy.toml")[1]
    monkeypatch.setenv("INVRENDER_BATCH", "4")
    assert "batch = 4\n" in called(*dry, "--config", tmp_path / "toy.toml")[1]
    assert "batch = 5\n" in called(*dry, "--batch", 5)[1]
    assert "batch = 6\n" in called(*dry, "--batch", 5, "--set", "batch=6")[1]
    assert not (tmp_path / "run").exists()


def test_every_layer_can_ask_for_it(source: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    other = source.rename(source.with_name("some.txt"))  # nothing that a method is meant for
    config = source.with_name("toy.toml")
    config.write_text(f'method = "toy"\ninput = "{other}"\n')

    def dry(*arguments: object) -> tuple[int, str]:
        code = run(["reconstruct", "--dry-run", "--backend", "torch", "-o", "run", *map(str, arguments)])
        return code, capsys.readouterr().out

    assert dry(other)[0] == 3
    for arguments in ([other, "--method", "toy"], [other, "--set", "method=toy"], ["--config", config]):
        code, out = dry(*arguments)
        assert (code, 'method = "toy"' in out) == (0, True)
    monkeypatch.setenv("INVRENDER_METHOD", "toy")
    monkeypatch.setenv("INVRENDER_INPUT", str(other))
    assert dry()[0] == 0


def test_a_dry_run_says_what_it_would_do(called, tmp_path: Path) -> None:
    code, out, _ = called("--dry-run", "-o", tmp_path / "run")
    assert code == 0
    assert out.splitlines()[0].split() == ["#", "read", "5", "numbers"]
    assert f"# would write {tmp_path / 'run'}: config.toml" in out and "unknown" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--init", "sphere"], ["--init does not go with --method toy", "use --method silhouette"]),
        (["--solver", "sirt"], ["--solver does not go with --method toy", "use --method transmittance"]),
        (["--method", "silhouette", "--batch", "2"], ["--batch does not go with --method silhouette", "toy"]),
        (["--set", "bacth=2"], ["'bacth'", "did you mean batch?"]),
        (["--batch", "0"], ["--batch is 0", "1 or more"]),
        (["--method", "tyo"], ["'tyo'", "did you mean toy?"]),
    ],
)
def test_what_it_does_not_have_is_refused(called, tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    code, _, err = called("-o", tmp_path / "run", *arguments)
    assert code == 2
    assert all(word in err for word in words), err
    assert not (tmp_path / "run").exists()


def test_a_missing_input_is_its_own_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["reconstruct", str(tmp_path / "none.numbers"), "-o", str(tmp_path / "run"), "--backend", "torch"]
    assert run(arguments) == 3
    assert "there is no file" in capsys.readouterr().err


@pytest.fixture
def interrupted(called, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run until Ctrl-C in some step."""

    def start(step: int, *arguments: object) -> None:
        distance = importlib.import_module("toy_method.method").Distance
        calls, whole = [], distance.value_and_grad

        def stopped(self, params, random):
            calls.append(1)
            if len(calls) > step:
                raise KeyboardInterrupt
            return whole(self, params, random)

        with monkeypatch.context() as patch:
            patch.setattr(distance, "value_and_grad", stopped)
            assert called(*arguments)[0] == 130

    return start


@pytest.mark.parametrize("step", [1, 6, 7, 11])
def test_an_interrupted_run_goes_on_and_ends_in_the_same_bits(called, interrupted, tmp_path: Path, step: int) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    assert called("-o", whole)[0] == 0
    interrupted(step, "-o", part)
    assert json.loads((part / "run.json").read_text())["status"] == "interrupted"
    number, arrays = load_checkpoint(checkpoints(part / "checkpoints")[0])
    assert number == step
    assert arrays["mean"].shape == (1,)
    code, _, err = called("-o", part)
    assert code == 0
    assert f"going on after step {step}" in err
    for name in ("mean.txt", "metrics.json", "losses.csv", "config.toml"):
        assert (part / name).read_bytes() == (whole / name).read_bytes(), name


def test_other_settings_do_not_go_on_unless_afresh(called, interrupted, tmp_path: Path) -> None:
    interrupted(5, "-o", tmp_path / "run")
    code, _, err = called("-o", tmp_path / "run", "--batch", 3)
    assert code == 7
    assert "batch 2 -> 3" in err
    assert called("-o", tmp_path / "run", "--batch", 3, "--fresh")[0] == 0
    assert called("-o", tmp_path / "other", "--batch", 3)[0] == 0
    assert (tmp_path / "run" / "mean.txt").read_text() == (tmp_path / "other" / "mean.txt").read_text()


def test_python_users_have_it_too(source: Path) -> None:
    outcome = reconstruct(source, batch=5, iterations=40, backend="torch")
    assert outcome.asset == outcome.metrics["mean"]
    assert outcome.metrics["off"] < 0.5
