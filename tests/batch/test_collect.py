"""The results of many runs in one table, whatever state their folders are in."""

from __future__ import annotations

import csv
import json
import random
import shutil
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from invrender.batch.collection.collect import collect
from invrender.batch.collection.results import read_results
from invrender.batch.folder import Standing, read_batch, read_job, write_batch, write_job
from invrender.cli import app
from invrender.errors import InputError, UsageError
from tests.batch.conftest import FAILED, HOSTILE, change, folder_of
from tests.conftest import RunCli


def table(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def test_the_table_has_a_row_for_each_job(batch: Path, run: Path) -> None:
    found = collect(batch)
    rows = table(found.csv)
    assert list(rows) == ["four", "eight", HOSTILE, "busy", "late"]
    assert [row["state"] for row in rows.values()] == ["done", "done", "failed", "running", "waiting"]
    measured = json.loads((run / "metrics.json").read_text())
    four = rows["four"]
    assert (float(four["iou"]), int(four["faces"])) == (measured["iou"], measured["faces"])
    assert (four["watertight"], four["exit_code"], four["seconds"], four["processor_seconds"]) == (
        "true",
        "0",
        "2.5",
        "2.25",
    )
    mean = np.mean(list(measured["views_iou_each"].values()))
    assert float(four["views_iou_each.mean"]) == pytest.approx(mean)
    assert [row["setting.views"] for row in rows.values()] == ["4", "8", "12", "16", "32"]
    assert "setting.size" not in four and "setting.input" not in four  # in which they do not differ
    assert (rows[HOSTILE]["cause"], rows[HOSTILE]["attempts"]) == (FAILED.cause, "2")
    assert rows["late"]["iou"] == rows["late"]["exit_code"] == ""
    assert found.counts == {"done": 2, "failed": 1, "running": 1, "waiting": 1} and found.troubles == ()


def test_the_best_comes_first_where_asked(batch: Path) -> None:
    assert list(table(collect(batch, sort="iou").csv))[:2] == ["eight", "four"]
    assert list(table(collect(batch, sort="chamfer").csv))[:2] == ["eight", "four"]
    change(folder_of(batch, "eight") / "metrics.json", chamfer=0.9)
    assert list(table(collect(batch, sort="chamfer").csv)) == ["four", "eight", HOSTILE, "busy", "late"]
    assert next(iter(table(collect(batch, sort="setting.views").csv))) == "four"
    with pytest.raises(UsageError, match="chamfre") as caught:
        collect(batch, sort="chamfre")
    assert "did you mean chamfer" in caught.value.remedy


def test_damaged_folders_are_told_of(batch: Path) -> None:
    four, eight = folder_of(batch, "four"), folder_of(batch, "eight")
    (four / "metrics.json").unlink()
    (four / "losses.csv").write_text("")
    for name in ("progress.gif", "turntable.gif"):
        film = (four / name).read_bytes()
        (four / name).write_bytes(film[: len(film) * 2 // 3])
    (eight / "run.json").write_text("{")
    (eight / "config.toml").write_bytes(b"\xff = [")
    (eight / "losses.csv").write_bytes(b"step,loss\n0,1.0\n1,nan\n2,\x00\n3")
    for film in ("progress.gif", "turntable.gif"):
        (eight / film).write_bytes(b"GIF89a")
    found = collect(batch)
    told = "\n".join(found.troubles)
    for name, words in (("four", "metrics.json is missing"), ("four", "losses.csv holds no steps"),
                        ("four", "progress.gif is damaged"), ("eight", "run.json is damaged"),
                        ("eight", "config.toml is damaged"), ("eight", "progress.gif is damaged")):  # fmt: skip
        assert f"{name}: {words}" in told
    rows = table(found.csv)
    assert rows["four"]["iou"] == "" and "metrics.json is missing" in rows["four"]["unreadable"]
    assert rows["eight"]["iou"] == "0.99"
    text = found.report.read_text(encoding="utf-8")
    assert "config.toml is damaged" in text
    assert text.count("data:image/jpeg") == 1  # what is left of a film


@pytest.mark.parametrize("seed", range(8))
def test_whatever_files_say_there_are_results(batch: Path, seed: int) -> None:
    """Values of any type in any place of job.json, run.json and metrics.json."""
    odd = (
        None,
        -1,
        10**400,
        1e308,
        float("inf"),
        True,
        "<i>",
        "2026",
        [],
        [1, "a"],
        {},
        {"a": {"b": [None]}},
        ["x"] * 99,
    )
    draw = random.Random(seed)

    def spoilt(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: spoilt(inner) for key, inner in value.items()}
        return draw.choice(odd) if draw.random() < 0.4 else value

    for path in sorted(batch.glob("*/*.json")):
        path.write_text(json.dumps(spoilt(json.loads(path.read_text()))))
    found = collect(batch)
    assert list(table(found.csv)) == ["four", "eight", HOSTILE, "busy", "late"]
    assert "<i>" not in found.report.read_text()
    (batch / "batch.json").unlink()
    assert len(collect(batch).rows) == 4


def test_a_damaged_job_is_told_of(batch: Path) -> None:
    (folder_of(batch, "four") / "job.json").write_text("[")
    assert any("four: job.json is damaged" in text for text in collect(batch).troubles)


def test_whoever_was_killed_is_at_work_no_more(batch: Path) -> None:
    busy = folder_of(batch, "busy")
    entry = read_job(busy)
    assert entry is not None
    write_job(busy, entry.job, Standing("running", attempts=1, host=socket.gethostname(), pid=2**22 + 1, began="1"))
    assert collect(batch).counts == {"done": 2, "failed": 1, "waiting": 2}


def test_settings_of_a_csv_are_numbers(batch: Path) -> None:
    """A file of jobs that is a table holds texts alone."""
    made = read_batch(batch)
    jobs = tuple(replace(job, settings={**job.settings, "views": str(job.settings["views"])}) for job in made.jobs)
    for job, old in zip(jobs[:2], made.jobs, strict=False):
        made.place(old).rename(made.place(job))
    write_batch(replace(made, jobs=jobs), [entry.standing for entry in made.entries()])
    assert [row.setting("views") for row in read_results(batch).rows] == [4, 8, 12, 16, 32]
    assert "iou by views" in collect(batch).report.read_text(encoding="utf-8")


def test_the_command_says_what_it_wrote(batch: Path, run_cli: RunCli) -> None:
    (folder_of(batch, "four") / "metrics.json").write_text("?")
    done = run_cli("batch", "collect", batch, "-o", "out", "--sort", "iou", "--json")
    assert done.code == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["csv"], told["pictures"], told["report"]) == (
        "out/results.csv",
        ["out/results.png"],
        "out/report.html",
    )
    assert told["jobs"][0]["name"] == "eight" and told["jobs"][0]["iou"] == 0.99 and told["counts"]["waiting"] == 1
    assert "warning: four: metrics.json is damaged" in done.stderr


def test_the_command_refuses_what_holds_no_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["batch", "collect", str(tmp_path)]) == 3
    assert "holds no batch" in capsys.readouterr().err


def test_folders_of_runs_need_no_batch(run: Path, tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    for name in ("a", "b", "dead"):
        shutil.copytree(run, loop / name)
    config = loop / "b" / "config.toml"
    config.write_text(config.read_text().replace("views = 4", "views = 9") + '\nof_its_method = "a"\n')
    change(loop / "dead" / "run.json", status="failed", error="DivergedError: it diverged")
    (loop / "broken").mkdir()
    (loop / "broken" / "run.json").write_text("no")
    (loop / "notes").mkdir()
    (loop / "a.json").write_text("{}")
    rows = table(collect(loop).csv)
    assert {name: row["state"] for name, row in rows.items()} == {
        "a": "done",
        "b": "done",
        "broken": "failed",
        "dead": "failed",
    }
    assert [rows[name]["setting.views"] for name in ("a", "b")] == ["4", "9"]
    assert "setting.of_its_method" not in rows["b"]  # others have no such setting, from which it could differ
    assert rows["dead"]["cause"] == "DivergedError: it diverged"
    assert float(rows["a"]["seconds"]) > 0


@pytest.mark.parametrize("what", ["nothing", "empty", "run", "damaged"])
def test_what_holds_no_batch_is_refused(what: str, run: Path, tmp_path: Path) -> None:
    folder = {"run": run}.get(what, tmp_path / what)
    if what in ("empty", "damaged"):
        folder.mkdir()
    if what == "damaged":
        (folder / "batch.json").write_text('{"jobs": 1}')
    with pytest.raises(InputError) as caught:
        collect(folder)
    assert caught.value.remedy and not (folder / "results.csv").exists()


def test_reading_changes_nothing(batch: Path) -> None:
    before = {path: path.read_bytes() for path in batch.rglob("*") if path.is_file()}
    read_results(batch)
    assert {path: path.read_bytes() for path in batch.rglob("*") if path.is_file()} == before
