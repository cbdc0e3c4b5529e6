"""How good forecasts are: what a dry run says of memory and time, beside what the run then takes.

    python benchmarks/forecast.py FOLDER                # run all cases that FOLDER holds no result of, print a table
    python benchmarks/forecast.py FOLDER --only NAME ...
    python benchmarks/forecast.py FOLDER --fit              # fit the costs to the results, and write run/costs.py

Every case is run twice by the command line with one thread: as a dry run, whose forecast is kept, and in earnest. Time
is CPU seconds, memory the peak of the process's resident set. Costs are fitted by non-negative least squares in
relative error: seconds part by part, as run.json tells them (start, the steps, measure, the rest), bytes at once. The
held-out cases take no part in that.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from forecast_cases import CHANGED, FITTED, HELD_OUT, INPUTS, filled
from scipy.optimize import lsq_linear

HERE = Path(__file__).resolve().parent.parent
COSTS = HERE / "invrender" / "run" / "costs.py"
PARTS = {"start": "start", "measure": "measure", "write": "write", "pictures": "write", "checkpoints": "write"}
LIKE = {
    "scene": dict.fromkeys(
        ("solve.adjoints.scenes", "solve.tried.scenes", "solve.blurred.scenes", "solve.posterior.scenes"),
        "solve.columns.scenes",
    )
}
"""Kinds that cost about what another does, where no run was fitted to them."""
USUAL_BYTES = {
    "task": 1.0, "counted": 1.0, "pixels": 60.0, "rays": 120.0, "voxels": 60.0, "faces": 2000.0, "own": 1000.0,
    "cells": 30.0, "weights": 1.0, "values": 2.0, "taken": 40.0, "shots": 16.0, "inside": 20.0,
    "paths": 100.0, "columns": 16.0, "field": 1e8, "neural": 100.0, "asset": np.nan,
}  # fmt: skip
"""Bytes of one unit by what arrays there are; see `run.memory`."""
LEAST = 0.05  # of a run's seconds: parts that are shorter need not fit any better


def called(words: Sequence[str]) -> tuple[str, float, int, float]:
    """What a command of the program prints, its CPU seconds, its peak in bytes, and seconds by the clock."""
    own = os.environ | {"PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "invrender", *words], cwd=HERE, env=own, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(words)}: exit status {os.waitstatus_to_exitcode(status)}")
    return said, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, time.monotonic() - began


def make_inputs(folder: Path) -> None:
    """What cases read, as far as it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for command in INPUTS:
        words = filled(command, folder)
        if not any(Path(word).exists() for word in words[2:] if word.startswith(str(folder)) and word not in words[:2]):
            called(words)
    for name, (source, old, new) in CHANGED.items():
        (folder / name).write_text((folder / source).read_text().replace(old, new))


def measured(name: str, command: str, folder: Path) -> dict[str, Any]:
    """A case: what was forecast, and what it took."""
    words = [*filled(command, folder / "inputs"), "-o", str(folder / name), "--overwrite"]
    told = json.loads(called([*words, "--dry-run", "--json"])[0])
    _, seconds, memory, clock = called([*words, "-q"])
    timings = json.loads((folder / name / "run.json").read_text())["timings"]
    return {"name": name, "method": method_of(command), "told": told, "seconds": seconds, "memory": memory,
            "timings": timings, "busy": min(1.0, seconds / clock)}  # fmt: skip


def method_of(command: str) -> str:
    """The method's name in the table of costs."""
    words = command.split()
    return words[words.index("--method") + 1] if "--method" in words else "neural-renderer"


# --- fitting ----------------------------------------------------------------------------------------------------------


def parts_of(row: Mapping[str, Any]) -> dict[str, float]:
    """CPU seconds of a run by part; run.json's are by the clock, and what it does not tell is loading."""
    shares = dict.fromkeys(("load", "start", "solve", "measure", "write"), 0.0)
    for name, seconds in row["timings"].items():
        shares[PARTS.get(name, "solve")] += seconds * row["busy"]
    shares["load"] = max(row["seconds"] - sum(shares.values()), 0.0)
    return shares


def fitted(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Seconds of one unit by kind, of one method's runs."""
    found: dict[str, float] = {}
    kinds = sorted({kind for row in rows for kind, amount in row["told"]["work"]["amounts"].items() if amount})
    for part in sorted({kind.partition(".")[0] for kind in kinds}):
        own = [kind for kind in kinds if kind.startswith(f"{part}.")]
        table = np.array([[_scaled(row, kind) for kind in own] for row in rows])
        wanted = np.array([parts_of(row)[part] for row in rows])
        weight = 1 / np.maximum(wanted, LEAST * np.array([row["seconds"] for row in rows]))
        found |= dict(zip(own, _least(table * weight[:, None], wanted * weight), strict=True))
    return found


def _scaled(row: Mapping[str, Any], kind: str) -> float:
    """An amount, in units at the speed that the machine had."""
    part = {"meshes": "meshes", "volumes": "volumes", "scenes": "scenes", "network": "torch"}
    rates = row["told"]["speeds"]["rates"]
    return float(row["told"]["work"]["amounts"].get(kind, 0.0)) / rates[part.get(kind.rpartition(".")[2], "python")]


def _least(table: np.ndarray, wanted: np.ndarray, usual: Sequence[float] = (), ridge: float = 0.1) -> list[float]:
    """Non-negative least squares, of columns that are scaled first; what rows leave open is as usual.

    Args:
        table: a row for each run, a column for each kind.
        wanted: by run.
        usual: by kind; none of them: 0.
        ridge: how much that weighs.
    """
    size = np.maximum(np.linalg.norm(table, axis=0), 1e-30)
    known = np.array(usual) if usual else np.zeros(len(size))
    hold = ridge * (~np.isnan(known)).astype(float) + 1e-4
    whole = np.concatenate([table / size, np.diag(hold)])
    aims = np.concatenate([wanted, hold * np.nan_to_num(known) * size])
    return list(lsq_linear(whole, aims, (0, np.inf)).x / size)


def fitted_bytes(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Bytes of one unit by kind, of one method's runs; small runs tell little of them, and leave them as usual."""
    kinds = sorted({kind for row in rows for kind, amount in row["told"]["work"]["held"].items() if amount})
    table = np.array([[1.0, *(row["told"]["work"]["held"].get(kind, 0.0) for kind in kinds)] for row in rows])
    wanted = np.array([row["memory"] - row["told"]["speeds"]["process"] for row in rows], dtype=float)
    weight = 1 / np.array([row["memory"] for row in rows], dtype=float)
    usual = [np.nan, *(USUAL_BYTES[kind] for kind in kinds)]
    found = _least(table * weight[:, None], wanted * weight, usual, ridge=0.5)
    return dict(zip(["process", *kinds], found, strict=True))


def write_costs(rows: Sequence[Mapping[str, Any]]) -> None:
    """Put the fitted table in its place."""
    methods = sorted({row["method"] for row in rows})
    seconds = {name: fitted([row for row in rows if row["method"] == name]) for name in methods}
    for name, likes in LIKE.items():
        seconds.get(name, {}).update({k: seconds[name][like] for k, like in likes.items() if k not in seconds[name]})
    held = {name: fitted_bytes([row for row in rows if row["method"] == name]) for name in methods}
    head = COSTS.read_text().partition("MEASURED = ")[0]
    text = [
        head + f'MEASURED = "{date.today()}"\n',
        *_table("SECONDS", seconds),
        '"""Seconds of one unit at speed 1."""\n',
    ]
    text += [
        *_table("BYTES", held),
        '"""Bytes of one unit; `process`: what the method imports later than it is told."""',
    ]
    COSTS.write_text("\n".join(text) + "\n")


def _table(name: str, costs: Mapping[str, Mapping[str, float]]) -> list[str]:
    lines = [f"{name}: Mapping[str, Mapping[str, float]] = {{"]
    for method, kinds in costs.items():
        lines += [f'    "{method}": {{', *(f'        "{k}": {v:.3g},' for k, v in kinds.items()), "    },"]
    return [*lines, "}"]


# --- the table --------------------------------------------------------------------------------------------------------


def forecast_of(row: Mapping[str, Any]) -> tuple[float, float]:
    """Seconds and bytes by the table as it is now, for the machine as it was then."""
    from invrender.run.costs import BYTES, SECONDS

    costs, bytes_ = SECONDS.get(row["method"], {}), BYTES.get(row["method"], {})
    seconds = sum(_scaled(row, kind) * costs.get(kind, 0.0) for kind in row["told"]["work"]["amounts"])
    held = {"process": 1.0, **row["told"]["work"]["held"]}
    return seconds, row["told"]["speeds"]["process"] + sum(n * bytes_.get(kind, 0.0) for kind, n in held.items())


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the table."""
    print("| case | MiB forecast | MiB taken | | s forecast | CPU-s taken | |\n|---|---|---|---|---|---|---|")
    for row in sorted(rows, key=lambda row: (row["name"] in HELD_OUT, row["method"])):
        seconds, memory = forecast_of(row)
        name = f"**{row['name']}**" if row["name"] in HELD_OUT else row["name"]
        print(f"| {name} | {memory / 2**20:.0f} | {row['memory'] / 2**20:.0f} | {memory / row['memory'] - 1:+.0%} |"
              f" {seconds:.1f} | {row['seconds']:.1f} | x {seconds / row['seconds']:.2f} |")  # fmt: skip


def main() -> None:
    """Measure, fit or show."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("folder", type=Path)
    given.add_argument("--only", nargs="+", default=[])
    given.add_argument("--fit", action="store_true")
    options = given.parse_args()
    folder = options.folder.absolute()
    make_inputs(folder / "inputs")
    kept = folder / "results.jsonl"
    lines = kept.read_text().splitlines() if kept.exists() else []
    rows = list({row["name"]: row for row in map(json.loads, lines)}.values())  # the last of each
    cases = {**FITTED, **HELD_OUT}
    done = {row["name"] for row in rows}
    chosen = [] if options.fit else [name for name in options.only or cases if name not in done]
    for name in chosen:
        rows.append(measured(name, cases[name], folder))
        with kept.open("a") as file:
            file.write(json.dumps(rows[-1]) + "\n")
    if options.fit:
        write_costs([row for row in rows if row["name"] in FITTED])
    show(rows)


if __name__ == "__main__":
    main()
