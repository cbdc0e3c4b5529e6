"""Files of jobs: what they may look like, the names that jobs get, and every way in which one can be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from invrender.batch.checked import check_jobs, resolved
from invrender.batch.read import read_jobs
from invrender.cli.app import run
from invrender.errors import InvrenderError
from invrender.methods.silhouette.settings import SilhouetteSettings

MUG = Path(__file__).parents[2] / "data" / "mug.glb"
JOBS = "jobs.jsonl"


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def lines(*tables: dict[str, Any]) -> str:
    return "\n".join(json.dumps(table) for table in tables)


def test_three_kinds_of_files_say_the_same(tmp_path: Path) -> None:
    files = [
        write(tmp_path, "a.jsonl", lines({"input": "a.glb", "views": 8}, {"input": "b.glb", "views": 8}) + "\n\n"),
        write(tmp_path, "b.csv", "\ufeffinput, views, seed\na.glb, 8,\nb.glb, 8,\n"),
        write(tmp_path, "c.toml", '[defaults]\nviews = 8\n[matrix]\ninput = ["a.glb", "b.glb"]\n'),
        write(tmp_path, "d.toml", '[[jobs]]\ninput = "a.glb"\nviews = 8\n[[jobs]]\ninput = "b.glb"\nviews = 8\n'),
    ]
    for name in "ab":
        (tmp_path / f"{name}.glb").write_bytes(MUG.read_bytes())
    for file in files:
        jobs = read_jobs(file)
        assert [job.name for job in jobs] == ["a", "b"]
        for job in jobs:
            method, settings = resolved(job)
            assert method == "silhouette" and isinstance(settings, SilhouetteSettings)
            assert settings.views == 8 and settings.input == tmp_path / f"{job.name}.glb"


def test_a_matrix_is_every_combination_and_patterns_are_files(tmp_path: Path) -> None:
    for name in ("b.glb", "a.glb", "other.obj"):
        (tmp_path / name).touch()
    text = '[matrix]\ninput = "*.glb"\nviews = [6, 12]\nseed = [1]\n[[jobs]]\ninput = "other.obj"\nname = "last"\n'
    jobs = read_jobs(write(tmp_path, "jobs.toml", text))
    assert [job.name for job in jobs] == ["a,views=6", "a,views=12", "b,views=6", "b,views=12", "last"]
    assert len({job.key for job in jobs}) == 5


def test_files_of_one_name_from_several_folders_are_told_apart(tmp_path: Path) -> None:
    jobs = read_jobs(write(tmp_path, JOBS, lines({"input": "x/mug.glb"}, {"input": "y/mug.glb"})))
    assert [job.name for job in jobs] == ["x/mug.glb", "y/mug.glb"]
    assert [job.key.rpartition("-")[0] for job in jobs] == ["x-mug.glb", "y-mug.glb"]


def test_a_folder_is_named_by_the_settings_and_not_by_the_gates(tmp_path: Path) -> None:
    def key(**more: Any) -> str:
        return read_jobs(write(tmp_path, JOBS, lines({"input": "mug.glb", "name": "a", **more})))[0].key

    assert key(views=6) == key(views=6, fail_if="iou<.5")
    assert key(views=6) != key(views=7)
    assert key(views=6) != key(views=6, command="train")


def test_paths_are_relative_to_the_file_and_words_are_no_paths(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "mug.glb").write_bytes(MUG.read_bytes())
    (tmp_path / "orbit").mkdir()  # what a word may be called, too
    table = {"input": "../mug.glb", "cameras": "orbit", "init": "../mug.glb", "masks": "auto"}
    job = read_jobs(write(tmp_path / "sub", JOBS, lines(table)))[0]
    _, settings = resolved(job)
    assert isinstance(settings, SilhouetteSettings)
    assert settings.cameras == "orbit" and Path(settings.init) == tmp_path / "sub" / "../mug.glb"
    assert settings.masks == Path("auto")


def test_a_config_file_lies_below_a_jobs_own_settings(tmp_path: Path) -> None:
    (tmp_path / "mug.glb").write_bytes(MUG.read_bytes())
    write(tmp_path, "base.toml", "views = 9\nsize = 99\n")
    job = read_jobs(write(tmp_path, JOBS, lines({"input": "mug.glb", "config": "base.toml", "size": 64})))[0]
    _, settings = resolved(job)
    assert isinstance(settings, SilhouetteSettings) and (settings.views, settings.size) == (9, 64)


@pytest.mark.parametrize(
    ("name", "text", "code", "said"),
    [
        (JOBS, "", 3, "holds no jobs"),
        ("jobs.csv", "input,views\n", 3, "holds no jobs"),
        ("jobs.toml", "", 3, "holds no jobs"),
        (JOBS, '{"input": "mug.glb", "vews": 8}', 2, "did you mean views?"),
        (JOBS, '{"input": "mug.glb", "views": "many"}', 2, "a whole number for views"),
        (JOBS, '{"input": "mug.glb", "views": 1}', 2, "one view does not fix a shape"),
        (JOBS, '{"input": "mug.glb"}\n{"input": "mug.glb"}', 2, "line 1 and line 2 are the same job"),
        (
            JOBS,
            '{"input": "mug.glb", "name": "a"}\n{"input": "mug.glb", "views": 6, "name": "a"}',
            2,
            "both called 'a'",
        ),
        (JOBS, '{"input": "mgu.glb"}', 3, "did you mean mug.glb?"),
        (JOBS, '{"views": 6}', 2, "there is no input"),
        (JOBS, '{"input": "mug.glb", "fail_if": "iou"}', 2, "--fail-if 'iou<.95'"),
        (JOBS, '{"input": "mug.glb", "fail_if": 3}', 3, "fail_if is 3"),
        (JOBS, '{"input": "mug.glb", "command": "render"}', 3, "use reconstruct or train"),
        (JOBS, '{"input": "mug.glb", "config": "none.toml"}', 3, "none.toml"),
        (JOBS, '{"input": "mug.glb", "method": "silhouete"}', 2, "did you mean silhouette?"),
        (JOBS, '{"input": "mug.glb", "bounds": [1, 2]}\n[1]', 3, "line 2 is no table"),
        (JOBS, '{"input": mug.glb}', 3, "line 1"),
        (JOBS, "\xff", 3, "line 1"),
        ("jobs.csv", 'input,views\n"mug.glb,6\n', 3, "no CSV"),
        ("jobs.csv", "input,views\nmug.glb\n", 3, "line 2 has not as many cells"),
        ("jobs.csv", "input,input\nmug.glb,6\n", 3, "two columns"),
        ("jobs.toml", '[matrx]\ninput = ["mug.glb"]', 3, "did you mean [matrix]?"),
        ("jobs.toml", '[matrix]\ninput = ["*.obj"]', 3, "nothing matches"),
        ("jobs.toml", "[matrix]\nviews = []", 3, "no value for views"),
        ("jobs.toml", 'jobs = ["mug.glb"]', 3, "[[jobs]]"),
        ("jobs.toml", "[matrix", 3, "not TOML"),
        ("jobs.txt", "mug.glb", 3, ".jsonl"),
        ("jobs.json", '{"input": "mug.glb"}', 3, ".jsonl"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, code: int, said: str
) -> None:
    (tmp_path / "mug.glb").write_bytes(MUG.read_bytes())
    path = write(tmp_path, name, text)
    assert run(["batch", str(path), "-o", str(tmp_path / "out")]) == code
    told = capsys.readouterr().err
    assert said in told.replace("\n", " ") and len(told.splitlines()) <= 6
    assert not (tmp_path / "out").exists()


def test_of_many_wrong_jobs_the_first_are_named_and_all_are_counted(tmp_path: Path) -> None:
    tables = [{"input": str(MUG), "views": 6, "seed": k, **({"siez": 9} if k % 2 else {})} for k in range(20)]
    jobs = read_jobs(write(tmp_path, JOBS, lines(*tables)))
    with pytest.raises(InvrenderError, match=r"10 of 20 jobs cannot start: line 2 .*siez.*; and 6 more"):
        check_jobs(jobs)


def test_ten_thousand_jobs_are_checked_once_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = read_jobs(write(tmp_path, JOBS, lines(*({"input": str(MUG), "seed": k} for k in range(10_000)))))
    assert len({job.key for job in jobs}) == 10_000 and jobs[77].name == "mug,seed=77"
    asked: list[str] = []
    monkeypatch.setattr("invrender.batch.checked.resolved", lambda job, known: asked.append(job.name))
    check_jobs(jobs)
    assert len(asked) == 10_000
