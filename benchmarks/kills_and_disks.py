"""What kills and full disks leave: signals at random moments and disks that are full, read-only or gone.

    python benchmarks/kills_and_disks.py [--kills 200] [--disks 60] [--seed 0] [--jobs silhouette,render]

Reconstructions by every method and datasets drawn by `render` take turns, every other one with --overwrite in a folder
that holds a finished result. Checked are: exit codes as documented, no crash; a whole result, old or new, wherever one
was before; no half-written file under a final name; and that the same command succeeds afterwards and leaves nothing
temporary. Small disks are tmpfs where this may be mounted (root), else limits on the size of files. Prints one line per
trial and a table; exit code 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

SMALL = "--views 6 --size 24 --set gif_frames=2"
JOBS = {
    "silhouette": f"reconstruct ball.ply {SMALL} --set smoothness=1 --iterations 9 --save-every 0.1 -q -o",
    "transmittance": f"reconstruct cloud.npz {SMALL} --iterations 30 --save-every 0.1 -q -o",
    "volume": f"reconstruct cloud.npz {SMALL} --method volume --iterations 20 --save-every 0.1 -q -o",
    "render": "render ball.ply --size 48 --views 8 -q --dataset",
}
CODES = {"SIGKILL": {-9}, "SIGTERM": {75}, "SIGINT": {130}}
EARLY = {"SIGTERM": -15, "SIGINT": -2}  # Python itself is still starting
STARTING = 1.5  # seconds, of a busy machine
CHECKS = ("crash", "exit code", "lost result", "broken file", "blocked folder", "left over")


@dataclass(frozen=True)
class Trial:
    """What one trial needs: the folder with the inputs, which job, where to, and the options beyond the job's."""

    folder: Path
    job: str
    output: str
    overwrite: bool

    @property
    def path(self) -> Path:
        """Where the output goes."""
        return self.folder / self.output

    def start(self, limit: int | None = None) -> subprocess.Popen[str]:
        """The command in the background; `limit`: bytes that a file of it may have."""
        words = [*JOBS[self.job].split(), self.output, *(["--overwrite"] if self.overwrite else [])]
        return command(self.folder, words, limit)

    def finish(self, limit: int | None = None) -> tuple[int, str]:
        """Run to the end: the exit code, and what was said."""
        process = self.start(limit)
        said = process.communicate()[1]
        return process.returncode, said


def command(folder: Path, words: list[str], limit: int | None = None) -> subprocess.Popen[str]:
    """`invrender WORDS...` in the background."""

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let background jobs ignore it
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.Popen(
        [sys.executable, "-m", "invrender.cli.app", *words], cwd=folder, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}, preexec_fn=prepare,  # noqa: PLW1509 - one thread
    )  # fmt: skip


def is_whole(path: Path) -> bool:
    """Whether a folder holds a complete result: a finished run with all its files, or a dataset with all its images."""
    if (path / "run.json").is_file():
        record = json.loads((path / "run.json").read_text())
        return record["status"] == "finished" and all((path / name).is_file() for name in record["files"])
    if not (path / "transforms.json").is_file():
        return False
    frames = json.loads((path / "transforms.json").read_text())["frames"]
    return all((path / frame["file_path"]).is_file() for frame in frames)


def broken_files(path: Path) -> list[str]:
    """Files under final names that cannot be read to their end."""
    broken = []
    for file in path.rglob("*"):
        if file.is_dir() or ".tmp" in file.name:
            continue
        try:
            if file.suffix == ".json":
                json.loads(file.read_text())
            elif file.suffix == ".npz":
                assert zipfile.ZipFile(file).testzip() is None
            elif file.suffix in (".gif", ".png"):
                with Image.open(file) as image:
                    image.seek(getattr(image, "n_frames", 1) - 1)
                    image.load()
            elif file.suffix in (".ply", ".glb", ".vti"):
                assert file.stat().st_size > 100
        except (OSError, ValueError, AssertionError, zipfile.BadZipFile):
            broken.append(str(file.relative_to(path)))
    return broken


def afterwards(trial: Trial, had_result: bool) -> list[str]:
    """What is wrong after a trial: with what lies there, and with the same command again."""
    wrong = ["broken file"] if trial.path.exists() and broken_files(trial.path) else []
    if had_result and not (is_whole(trial.path) or (trial.path / ".complete").is_dir()):
        wrong.append("lost result")
    if is_whole(trial.path) and not trial.overwrite:
        return wrong
    code, said = trial.finish()
    if code or not is_whole(trial.path):
        wrong.append("blocked folder")
        print(f"    {said.strip()}")
    if [file for file in trial.path.rglob(".*") if file.is_file() or file.is_dir()]:
        wrong.append("left over")
    return wrong


def kill(trial: Trial, name: str, moment: float) -> tuple[str, list[str]]:
    """Send a signal at a moment: what happened, and what was wrong."""
    process = trial.start()
    time.sleep(moment)
    process.send_signal(getattr(signal, name))
    sent = time.monotonic()
    said = process.communicate()[1]
    took, code = time.monotonic() - sent, process.returncode
    allowed = CODES[name] | {0} | ({EARLY[name]} if moment < STARTING and name in EARLY else set())
    wrong = ["crash"] if code in (-11, -6, -7, 139) else [] if code in allowed else ["exit code"]
    if wrong or ("Traceback" in said and code not in EARLY.values()):
        print(f"    {said.strip()}")
    return f"{name:8} after {moment:5.2f} s: {code:4} within {took:4.1f} s", wrong


def fill(trial: Trial, kind: str, size: int) -> tuple[str, list[str]]:
    """Run where the disk is full, read-only or taken away: what happened, and what was wrong."""
    if kind == "limit":
        code, said = trial.finish(size)
    elif kind == "read-only":
        mount(trial.path.parent, "remount,ro,size=16m")
        code, said = trial.finish()
        mount(trial.path.parent, "remount,rw,size=16m")
    elif kind == "vanished":
        process = trial.start()
        time.sleep(2 + size / 1e5)
        shutil.rmtree(trial.path, ignore_errors=True)
        said = process.communicate()[1]
        code = process.returncode
    else:
        used = sum(file.stat().st_blocks * 512 for file in trial.path.parent.rglob("*"))
        mount(trial.path.parent, f"remount,size={used + size}")
        code, said = trial.finish()
        mount(trial.path.parent, "remount,size=16m")
    wrong = [] if code in (0, 2) and "Traceback" not in said else ["crash" if code < 0 else "exit code"]
    if wrong:
        print(f"    {said.strip()}")
    return f"{kind:9} {size:8} bytes: {code:4}", wrong


def mount(folder: Path, options: str) -> None:
    """A tmpfs."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)


def unmount(folder: Path) -> None:
    """Take it away again."""
    subprocess.run(["umount", folder], check=True)


def can_mount(folder: Path) -> bool:
    """Whether disks can be made here."""
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False, capture_output=True
    ).returncode
    if not made:
        unmount(folder)
    return not made


def main() -> int:
    """Kill, fill, look and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--disks", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", default=",".join(JOBS), help="some of them, by name")
    options = parser.parse_args()
    for job in set(JOBS) - set(options.jobs.split(",")):
        del JOBS[job]
    rng = random.Random(options.seed)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        seconds = prepare(folder)
        for number in range(options.kills):
            trial = one(folder, number, "kill")
            had = begin(folder, trial)
            told, wrong = kill(trial, rng.choice(list(CODES)), rng.uniform(0.02, 1.05) * seconds[trial.job])
            counts += report(number, trial, told, wrong + afterwards(trial, had))
            shutil.rmtree(trial.path, ignore_errors=True)
        mountable = can_mount(folder / "try")
        for number in range(options.disks):
            counts += disk(folder, number, mountable, rng)
    print(f"\n{options.kills} kills, {options.disks} disks")
    for name in CHECKS:
        print(f"{name:16}{counts[name]:4}")
    return 1 if counts else 0


def prepare(folder: Path) -> dict[str, float]:
    """Inputs, kernels compiled, and a result of every job in NAME-old; the seconds each takes."""
    for words in ("sample sphere -o ball.ply -q", "sample cloud -o cloud.npz -q --resolution 16"):
        if command(folder, words.split()).wait():
            sys.exit("the inputs cannot be made")
    seconds = {}
    for job in JOBS:
        for output in (f"{job}-warm", f"{job}-old"):
            begin_at = time.monotonic()
            code, said = Trial(folder, job, output, False).finish()
            seconds[job] = time.monotonic() - begin_at
            if code:
                sys.exit(f"{job}: {said}")
    print("seconds undisturbed:", ", ".join(f"{job} {value:.1f}" for job, value in seconds.items()), flush=True)
    return seconds


def one(folder: Path, number: int, kind: str) -> Trial:
    """The trial of a number."""
    names = list(JOBS)
    return Trial(folder, names[number % len(names)], f"{kind}{number}/out", number // len(names) % 2 == 1)


def begin(folder: Path, trial: Trial) -> bool:
    """Put the old result there where the trial overwrites it; whether it does."""
    trial.path.parent.mkdir(exist_ok=True)
    if trial.overwrite:
        shutil.copytree(folder / f"{trial.job}-old", trial.path)
    return trial.overwrite


def disk(folder: Path, number: int, mountable: bool, rng: random.Random) -> Counter[str]:
    """One trial of a disk."""
    trial = one(folder, number, "disk")
    trial.path.parent.mkdir()
    if mountable:
        mount(trial.path.parent, "size=16m")
    had = begin(folder, trial)
    kind = rng.choice(["full", "full", "full", "read-only", "vanished"] if mountable else ["limit", "vanished"])
    told, wrong = fill(trial, kind, int(10 ** rng.uniform(3, 5.7)))
    wrong += afterwards(trial, had and kind != "vanished")
    if mountable:
        unmount(trial.path.parent)
    return report(number, trial, told, wrong)


def report(number: int, trial: Trial, told: str, wrong: list[str]) -> Counter[str]:
    """Print the line of a trial; what was wrong, counted."""
    name = f"{trial.job}{' --overwrite' if trial.overwrite else ''}"
    print(f"{number + 1:3} {'WRONG ' + ', '.join(wrong) if wrong else 'fine'}  {name}  {told}", flush=True)
    return Counter(wrong)


if __name__ == "__main__":
    sys.exit(main())
