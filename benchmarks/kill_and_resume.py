"""Whether runs survive being killed: SIGKILL at random moments, the same command again, and every byte compared.

    python benchmarks/kill_and_resume.py [--kills 60] [--seed 0]

All methods, solvers and kinds of data take turns. After a kill every file that is there must be whole; after the second
run results are the same as undisturbed and no temporary file is left. Prints one line per kill and a summary; exit
code 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from PIL import Image

RESULTS = ("mesh.ply", "mesh.glb", "volume.npz", "volume.vti", "transfer.json", "metrics.json", "losses.csv",
           "progress.gif", "turntable.gif")  # fmt: skip
VOLUME = "cloud.npz --views 12 --size 24 --set gif_frames=6 --iterations"
JOBS = (
    "mug.glb --method silhouette --size 64 --views 8 --iterations 150 --set gif_frames=8",
    f"{VOLUME} 150",
    f"{VOLUME} 120 --noise poisson:1000",
    f"{VOLUME} 60 --solver cgls",
    f"{VOLUME} 60 --solver sirt",
    f"{VOLUME} 60 --solver adam",
    f"{VOLUME} 120 --field neural",
    f"{VOLUME} 150 --method volume",
    f"{VOLUME} 150 --method volume --known cloud.npz",
    f"{VOLUME} 12 --backend torch",
    "mug.glb --method silhouette --size 32 --views 5 --iterations 30 --set gif_frames=3 --backend torch",
)


def start(folder: Path, job: str, output: str) -> subprocess.Popen[str]:
    """The command in the background, with a checkpoint every twentieth of a second."""
    command = [sys.executable, "-m", "invrender.cli.app", "reconstruct", *job.split(), "-o", output, "-q"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen(
        [*command, "--save-every", "0.05"], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    )


def finish(folder: Path, job: str, output: str) -> float:
    """Run to the end; the seconds that it took."""
    begin = time.perf_counter()
    process = start(folder, job, output)
    _, said = process.communicate()
    if process.returncode:
        sys.exit(f"{job}: {said}")
    return time.perf_counter() - begin


def broken_files(run: Path) -> list[str]:
    """Files that cannot be read to their end; temporary ones, which nobody takes for a result, aside."""
    broken = []
    for path in run.rglob("*"):
        if path.is_dir() or ".tmp" in path.name:
            continue
        try:
            if path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".npz":
                with zipfile.ZipFile(path) as archive:
                    assert archive.testzip() is None
            elif path.suffix == ".gif":
                with Image.open(path) as image:
                    image.seek(image.n_frames - 1)
                    image.load()
            elif path.suffix in (".ply", ".glb", ".vti"):
                assert path.stat().st_size > 100
        except (OSError, ValueError, AssertionError, zipfile.BadZipFile) as error:
            broken.append(f"{path.relative_to(run)}: {error}")
    return broken


def contents(run: Path) -> dict[str, bytes]:
    """The results, byte by byte."""
    return {name: (run / name).read_bytes() for name in RESULTS if (run / name).exists()}


def kill_once(folder: Path, number: int, job: str, seconds: float) -> tuple[str, list[str]]:
    """Kill a run at a random moment and go on with it: what happened, and what was wrong."""
    run, moment = folder / f"kill{number}", random.uniform(0.05, 1.0) * seconds
    process = start(folder, job, run.name)
    time.sleep(moment)
    process.kill()
    process.communicate()
    wrong = broken_files(run) if run.exists() else []
    states = len(list(run.glob("checkpoints/step_*.npz")))
    left = len(list(run.rglob("*.tmp*")))
    record = json.loads((run / "run.json").read_text()) if (run / "run.json").exists() else {}
    if record.get("status") != "finished":
        finish(folder, job, run.name)
    wrong += [f"{path.name} is left" for path in run.rglob("*.tmp*")]
    reference = contents(folder / f"whole{JOBS.index(job)}")
    wrong += [name for name, data in reference.items() if contents(run).get(name) != data]
    resumed = len(json.loads((run / "run.json").read_text())["resumed"])
    return f"after {moment:5.2f} s, {states} checkpoints, {left} temporary files, gone on {resumed} times", wrong


def main() -> int:
    """Kill, go on, compare and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random.seed(options.seed)
    bad = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, file in (("mug", "mug.glb"), ("cloud", "large.npz")):
            command = [sys.executable, "-m", "invrender.cli.app", "sample", name, "-o", file, "-q"]
            subprocess.run(
                command, cwd=folder, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}, check=True
            )
        shrink = (
            "import numpy; v = numpy.load('large.npz')['density']; numpy.savez('cloud.npz', density=v[::5, ::5, ::5])"
        )
        subprocess.run([sys.executable, "-c", shrink], cwd=folder, check=True)
        seconds = []
        for index, job in enumerate(JOBS):
            finish(folder, job, f"warm{index}")
            seconds.append(finish(folder, job, f"whole{index}"))
        for number in range(options.kills):
            index = number % len(JOBS)
            told, wrong = kill_once(folder, number, JOBS[index], seconds[index])
            bad += bool(wrong)
            print(
                f"{number + 1:3} {'WRONG ' + ', '.join(wrong) if wrong else 'same'}  {told}  {JOBS[index]}", flush=True
            )
    print(f"{options.kills} kills, {bad} with something wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
