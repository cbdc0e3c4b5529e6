"""What is replaced in a run's folder, and when: whatever happens, a complete run is there, and nothing else is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from invrender.errors import InvrenderError, OutputExistsError, RetryError, UsageError
from invrender.run import place
from invrender.run.folder import RunFolder
from invrender.run.place import check_output, workplace
from invrender.run.record import read_record

OLD = {"mesh.ply": "old", "transfer.json": "old"}
NEW = {"mesh.ply": "new", "volume.npz": "new"}


def write_run(folder: Path, files: dict[str, str], **options: bool) -> None:
    with RunFolder.create(folder, command="test", **options) as run:  # type: ignore[arg-type]
        for name, text in files.items():
            run.file(name).write_text(text)
        run.checkpoint(1 if files == OLD else 2, {})


def found(folder: Path) -> dict[str, str]:
    """The results in a folder."""
    return {name: (folder / name).read_text() for name in {**OLD, **NEW} if (folder / name).exists()}


def status(folder: Path) -> str:
    record = read_record(folder / "run.json")
    assert record is not None
    return str(record["status"])


def test_a_finished_run_stays_until_its_successor_is_complete(tmp_path: Path) -> None:
    write_run(tmp_path, OLD)
    with pytest.raises(OutputExistsError, match="--overwrite"):
        write_run(tmp_path, NEW)
    with RunFolder.create(tmp_path, command="test", overwrite=True) as run:
        run.file("volume.npz").write_text("new")
        assert found(tmp_path) == OLD
        run.file("mesh.ply").write_text("new")
    assert found(tmp_path) == NEW
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml", "mesh.ply", "run.json", "volume.npz"]


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt(), RetryError("SIGTERM")])
def test_a_successor_that_fails_leaves_the_finished_run(tmp_path: Path, error: BaseException) -> None:
    write_run(tmp_path, OLD)
    with pytest.raises(type(error)), RunFolder.create(tmp_path, command="test", overwrite=True) as run:
        run.file("mesh.ply").write_text("new")
        raise error
    assert (found(tmp_path), status(tmp_path)) == (OLD, "finished")
    with pytest.raises(OutputExistsError, match="unfinished run that is to replace it"):
        check_output(tmp_path)
    assert workplace(tmp_path) == tmp_path / ".new"
    write_run(tmp_path, NEW, overwrite=True)
    assert found(tmp_path) == NEW


class Killed(BaseException):
    """What stands for SIGKILL: nothing of ours handles it."""


def killed_at(operation: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the n-th change of a folder, and all after it, not happen; the function returned takes that back."""
    names = ("rename", "replace", "unlink", "rmdir", "mkdir")
    whole = {name: getattr(Path, name) for name in names}
    count = iter(range(10**6))

    def counted(name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            if next(count) >= operation:
                raise Killed
            return whole[name](*given, **named)

        return call

    for name in names:
        monkeypatch.setattr(Path, name, counted(name))

    def restore() -> None:
        for name in names:
            monkeypatch.setattr(Path, name, whole[name])

    return restore


def every_kill(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Folders of runs that were killed while they replaced a finished one, at each operation once."""
    for operation in range(200):
        folder = tmp_path / str(operation)
        write_run(folder, OLD)
        restore = killed_at(operation, monkeypatch)
        try:
            write_run(folder, NEW, overwrite=True)
            return
        except Killed:
            pass
        finally:
            restore()
        yield folder


def test_a_kill_at_any_operation_leaves_the_old_run_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    for folder in every_kill(monkeypatch, tmp_path):
        place.settle(folder)
        assert status(folder) == "finished"
        assert found(folder) in (OLD, NEW)
        seen.append(found(folder) == NEW)
        write_run(folder, NEW, overwrite=True)
        assert found(folder) == NEW
        assert not list(folder.glob(".*"))
    assert len(seen) > 12
    assert seen == sorted(seen)  # once the new one counts, it does for good
    assert len(set(seen)) == 2


def test_only_what_invrender_wrote_is_replaced(tmp_path: Path) -> None:
    write_run(tmp_path / "run", OLD)
    (tmp_path / "run" / "notes.txt").write_text("mine")
    write_run(tmp_path / "run", NEW, overwrite=True)
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"
    (tmp_path / "run" / "transfer.json").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"transfer\.json, which its run did not write"):
        write_run(tmp_path / "run", NEW, overwrite=True)


def test_an_unfinished_run_does_not_excuse_it_either(tmp_path: Path) -> None:
    with pytest.raises(ValueError), RunFolder.create(tmp_path, command="test"):
        raise ValueError
    (tmp_path / "mesh.ply").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(OutputExistsError, match=r"mesh\.ply"):
            check_output(tmp_path, overwrite)


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A file outside of the run folder tmp_path/run, in a folder that has what run.json lists."""
    (tmp_path / "away" / "checkpoints").mkdir(parents=True)
    for name in ("precious", "mesh.ply", "step_000001.npz"):
        (tmp_path / "away" / name).write_text("mine")
    write_run(tmp_path / "run", OLD)
    return tmp_path / "away"


ODD = {
    "no list": "mesh.ply", "numbers": [1, None, {}], "above": ["../away/precious"], "nested": [[["mesh.ply"]]],
    "long": ["x" * 100_000], "null": ["a\0b"], "folder": ["sub", ".", "", "sub/deeper"], "by a link": ["link/precious"],
    "itself": ["run.json", "./run.json"],
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("stopped", [False, True])
def test_odd_lists_remove_nothing_elsewhere(precious: Path, kind: str, stopped: bool) -> None:
    run = precious.parent / "run"
    (run / "sub" / "deeper").mkdir(parents=True)
    (run / "link").symlink_to(precious)
    files = ODD[kind] if kind != "above" else [*ODD[kind], str(precious / "precious")]
    record = json.loads((run / "run.json").read_text())
    odd = {**record, "files": files, "timings": 3, "resumed": "no", "pid": "x"}
    (run / "run.json").write_text(json.dumps(odd | ({"status": "failed"} if stopped else {})))
    try:
        write_run(run, NEW, overwrite=True)
    except InvrenderError as error:
        assert error.exit_code in (2, 6)
    assert [path.read_text() for path in sorted(precious.glob("*.*")) if path.is_file()] == ["mine"] * 2
    assert (precious / "precious").read_text() == "mine"
    assert (run / "sub" / "deeper").is_dir()


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"invrender": 1, "status": 7}', "\xff", "9" * 10_000])
def test_a_record_that_is_none_makes_the_folder_somebody_elses(tmp_path: Path, text: str) -> None:
    write_run(tmp_path, OLD)
    (tmp_path / "run.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(OutputExistsError, match="no run folder"):
        check_output(tmp_path, overwrite=True)
    assert found(tmp_path) == OLD


def test_links_are_replaced_but_not_followed(precious: Path) -> None:
    run = precious.parent / "run"
    (run / "mesh.ply").unlink()
    (run / "mesh.ply").symlink_to(precious / "mesh.ply")
    write_run(run, NEW, overwrite=True)
    assert (precious / "mesh.ply").read_text() == "mine"
    assert found(run) == NEW
    assert not (run / "mesh.ply").is_symlink()
    (run / "checkpoints").rename(precious.parent / "checkpoints")
    for name in ("checkpoints", ".new"):
        (run / name).symlink_to(precious)
        with pytest.raises(OutputExistsError, match="is a link"):
            check_output(run, overwrite=True)
        (run / name).unlink()


def test_a_folder_that_is_in_the_way_of_a_result_is_named(tmp_path: Path) -> None:
    write_run(tmp_path, OLD)
    with pytest.raises(UsageError, match=r"mesh\.ply"), RunFolder.create(tmp_path, command="t", overwrite=True) as run:
        run.file("mesh.ply").write_text("new")
        (tmp_path / "mesh.ply").unlink()
        (tmp_path / "mesh.ply" / "mine").mkdir(parents=True)
    (tmp_path / "mesh.ply" / "mine").rmdir()
    (tmp_path / "mesh.ply").rmdir()
    place.settle(tmp_path)
    assert found(tmp_path) == {"mesh.ply": "new"}
