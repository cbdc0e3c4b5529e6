"""A batch of 40 draft jobs whose runner is killed three times: does every job finish, exactly once, and at what cost?

    python benchmarks/batch.py [--jobs 40] [--size 256] [--kills 3]

Prints how many jobs are done, how often each was begun and finished, the share of the cores' time that went into the
jobs' own runs (imports, waiting, and what was lost by the kills are the rest), and what a warm worker needs to begin.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data"
INPUTS = ("mug.glb", "torus_knot.glb", "blobby.ply", "figure.obj")


def jobs_file(folder: Path, count: int, size: int) -> Path:
    """A file of so many draft jobs."""
    path = folder / "jobs.jsonl"
    rows = [
        {"input": str(DATA / INPUTS[k % len(INPUTS)]), "preset": "draft", "size": size, "views": 8, "seed": k}
        for k in range(count)
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def begin(file: Path, folder: Path) -> subprocess.Popen[bytes]:
    """A runner in a session of its own, so that it alone is killed."""
    command = [sys.executable, "-m", "invrender", "batch", str(file), "-o", str(folder), "-q"]
    return subprocess.Popen(command, start_new_session=True)


def rows(folder: Path) -> list[dict[str, Any]]:
    """What batch.json says of each job."""
    return json.loads((folder / "batch.json").read_text())["jobs"]


def told(folder: Path, row: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Events of one kind that a job's runs told."""
    path = folder / row["folder"] / "events.jsonl"
    events = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [event for event in events if event["event"] == kind]


def run(file: Path, folder: Path, count: int, kills: int) -> float:
    """Run to the end, through so many kills, evenly spread over the jobs; seconds by the clock."""
    first, killed = time.monotonic(), 0
    process = begin(file, folder)
    while process.poll() is None:
        time.sleep(0.2)
        if killed < kills and (folder / "batch.json").exists():
            done = sum(row["state"] == "done" for row in rows(folder))
            if done >= (killed + 1) * count // (kills + 1):
                killed += 1
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                process = begin(file, folder)
    return time.monotonic() - first


def main() -> None:
    """Run the batch and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=40)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--kills", type=int, default=3)
    given = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as temporary:
        file, folder = jobs_file(Path(temporary), given.jobs, given.size), Path(temporary) / "batch"
        seconds = run(file, folder, given.jobs, given.kills)
        found = rows(folder)
        ends = [len([e for e in told(folder, row, "finished") if e["exit_code"] == 0]) for row in found]
        begun = sum(row["attempts"] for row in found)
        spent = sum(row["processor"] for row in found)
        print(f"{given.jobs} jobs, runner killed {given.kills} times, {cores} cores, {seconds:.0f} s by the clock")
        print(f"  done                     {sum(row['state'] == 'done' for row in found)}")
        print(f"  finished exactly once    {sum(end == 1 for end in ends)}")
        print(f"  goes                     {begun}")
        print(f"  CPU-seconds of the runs  {spent:.0f}, {100 * spent / (cores * seconds):.1f} % of the cores' time")


if __name__ == "__main__":
    main()
