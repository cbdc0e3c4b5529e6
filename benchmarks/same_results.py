"""Whether two checkouts of invrender reconstruct the same to the last bit: the check behind every change of structure.

    python benchmarks/same_results.py OLD_CHECKOUT NEW_CHECKOUT [--only NAME ...] [--keep FOLDER]

Runs small jobs of every method, solver and start with both, and compares the meshes, volumes and transfer functions,
`metrics.json` and the rows of `losses.csv` byte by byte; GIFs too. One line per job and a summary; exit code 1 if
anything differs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FILES = ("mesh.ply", "mesh.glb", "volume.npz", "volume.vti", "transfer.json", "metrics.json", "losses.csv",
         "progress.gif", "turntable.gif")  # fmt: skip

VOLUME = "{inputs}/cloud.npz --size 24 --views 10 --set gif_frames=4"
JOBS = {
    "silhouette": "{inputs}/mug.glb --method silhouette --preset draft --size 64 --views 8",
    "silhouette-dataset": "{inputs}/masks --method silhouette --preset draft --iterations 60 --seed 3",
    "silhouette-sphere": "{inputs}/mug.glb --method silhouette --init sphere --iterations 40 --size 48 --views 6",
    "silhouette-torch": "{inputs}/mug.glb --method silhouette --backend torch --iterations 20 --size 32 --views 5",
    "silhouette-hull": "{inputs}/mug.glb --method silhouette --iterations 0 --size 48 --views 6 --set gif_frames=0",
    "fista": VOLUME + " --method transmittance",
    "fista-fixed": VOLUME + " --method transmittance --set smoothing=1e-4 --set carve=false",
    "fista-few": "{inputs}/cloud.npz --size 24 --views 6 --method transmittance --set gif_frames=4",
    "fista-8bit": VOLUME + " --method transmittance --noise 8bit",
    "fista-poisson": "{inputs}/cloud.npz --size 24 --views 16 --method transmittance --noise poisson:1000",
    "fista-poisson-few": "{inputs}/cloud.npz --size 24 --views 7 --method transmittance --noise poisson:1000",
    "fista-coarse": "{inputs}/long.npz --size 24 --views 8 --method transmittance --iterations 30",
    "fista-dataset": "{inputs}/shadows --method transmittance --iterations 20",
    "fista-torch": "{inputs}/cloud.npz --size 12 --views 8 --method transmittance --backend torch --iterations 12",
    "sirt": VOLUME + " --method transmittance --solver sirt",
    "cgls": VOLUME + " --method transmittance --solver cgls",
    "adam": VOLUME + " --method transmittance --solver adam",
    "neural": VOLUME + " --method transmittance --field neural --iterations 50",
    "colour": VOLUME + " --method volume --iterations 40",
    "colour-dataset": "{inputs}/colours --method volume --iterations 20 --grid 16",
    "colour-torch": "{inputs}/cloud.npz --size 12 --views 4 --method volume --backend torch --iterations 8 --grid 8",
    "transfer": VOLUME + " --method volume --iterations 40 --known {inputs}/cloud.npz",
}  # fmt: skip


def run(checkout: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Call the command line of a checkout."""
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    environment.setdefault("INVRENDER_CACHE_DIR", str(Path(tempfile.gettempdir()) / "invrender-same-results"))
    command = [sys.executable, "-m", "invrender.cli.app", *arguments]
    return subprocess.run(command, env=environment, cwd=checkout, capture_output=True, text=True, check=False)


def make_inputs(checkout: Path, folder: Path) -> None:
    """Samples and datasets, made by the old checkout."""
    small = """
import sys, numpy
values = numpy.load(sys.argv[1] + "/large.npz")["density"]
numpy.savez(sys.argv[1] + "/cloud.npz", density=values[tuple(slice(None, None, n // 20) for n in values.shape)])
numpy.savez(sys.argv[1] + "/long.npz", density=numpy.random.default_rng(0).random((8, 8, 200)))
"""
    for number, line in enumerate(
        (
            f"sample mug -o {folder}/mug.glb",
            f"sample cloud -o {folder}/large.npz",
            f"render {folder}/mug.glb --dataset {folder}/masks --views 7 --size 48",
            f"render {folder}/cloud.npz --mode transmittance --dataset {folder}/shadows --views 8 --size 20",
            f"render {folder}/cloud.npz --mode volume --dataset {folder}/colours --views 17 --size 24 --cameras sphere",
        )
    ):
        if number == 2:
            subprocess.run([sys.executable, "-c", small, str(folder)], check=True)
        done = run(checkout, line.split())
        if done.returncode:
            sys.exit(f"{line}: {done.stderr}")


def digests(checkout: Path, job: str, inputs: Path, folder: Path) -> dict[str, str]:
    """Run a job; the digest of each file that counts."""
    line = JOBS[job].format(inputs=inputs)
    done = run(checkout, ["reconstruct", *line.split(), "-o", str(folder), "-q", "--overwrite"])
    if done.returncode:
        return {"exit code": str(done.returncode), "message": done.stderr}
    paths = [folder / name for name in FILES]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}


def main() -> int:
    """Compare and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--only", nargs="*", default=list(JOBS), choices=list(JOBS), metavar="NAME")
    parser.add_argument("--keep", type=Path, help="inputs and the old results stay here and are used again")
    options = parser.parse_args()
    old, new = options.old.resolve(), options.new.resolve()
    differing = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary)).resolve()
        inputs = folder / "inputs"
        if not inputs.is_dir():
            inputs.mkdir(parents=True)
            make_inputs(old, inputs)
        for job in options.only:
            before = folder / "old" / job
            if not (before / "metrics.json").is_file():
                digests(old, job, inputs, before)
            paths = [before / name for name in FILES]
            expected = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in paths if p.is_file()}
            found = digests(new, job, inputs, folder / "new" / job)
            wrong = [name for name in expected | found if expected.get(name) != found.get(name)]
            differing += bool(wrong) or not expected
            print(f"{job:<20}{'DIFFERS: ' + ', '.join(wrong) if wrong else f'same ({len(found)} files)'}", flush=True)
            if "message" in found:
                print(found["message"][-2000:])
    print(f"{len(options.only) - differing} same, {differing} differing")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
