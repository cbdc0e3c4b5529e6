"""One run over two processes beside one process alone: seconds, processor seconds, peak memory, and whether they agree.

    python benchmarks/ranks.py [--rounds 3] [--views 48] [--size 512] [NAME...]

Every process has one thread; runs take turns, and medians are shown. Speed-ups by the clock need as many free cores as
there are processes. On a machine that others use, the busiest process's processor seconds tell what it would be.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
JOBS = {
    "silhouette": "{inputs}/mug.glb --method silhouette",
    "transmittance": "{inputs}/cloud.npz --method transmittance",
    "slabs": "{inputs}/cloud.npz --method transmittance --set split=slabs",
    "volume": "{inputs}/cloud.npz --method volume",
}
WATCHED = """
import atexit, resource, sys
def tell():
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"USED {used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024}", file=sys.stderr)
from invrender.cli.app import main
atexit.register(tell)
main()
"""


@dataclass(frozen=True)
class Cost:
    """What a run cost: seconds by the clock; of each process, processor seconds and peak memory in MiB."""

    seconds: float
    processor: tuple[float, ...]
    memory: tuple[float, ...]


def run(job: str, output: Path, count: int) -> Cost:
    """One run over so many processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    if count > 1:
        shared |= {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    command = [sys.executable, "-c", WATCHED, "reconstruct", *job.split(), "-o", str(output), "-q", "--overwrite"]
    begin = time.perf_counter()
    ranks = [
        subprocess.Popen(command, env=shared | {"RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
        for rank in range(count)
    ]
    said = [rank.communicate()[1] for rank in ranks]
    seconds = time.perf_counter() - begin
    used = [re.search(r"USED (\S+) (\S+)", text) for text in said]
    if any(rank.returncode for rank in ranks) or not all(used):
        sys.exit(f"{job}: {said}")
    numbers = [(float(found[1]), float(found[2])) for found in used if found]
    return Cost(seconds, *(tuple(column) for column in zip(*numbers, strict=True)))


def difference(one: Path, other: Path) -> float:
    """The greatest one between two results, as a share of the object's size or of the greatest density."""
    if (one / "mesh.ply").exists():
        import trimesh

        a, b = (np.asarray(trimesh.load(place / "mesh.ply", process=False).vertices) for place in (one, other))
        return float(np.abs(a - b).max() / np.ptp(a, 0).max()) if a.shape == b.shape else float("inf")
    a, b = (np.load(place / "volume.npz")["density"] for place in (one, other))
    return float(np.abs(a - b).max() / np.abs(a).max())


def make_inputs(folder: Path, grid: int) -> None:
    """A mesh and a cloud, of so many samples along each side."""
    (folder / "mug.glb").write_bytes((ROOT / "data" / "mug.glb").read_bytes())
    axis = np.linspace(-1, 1, grid, dtype=np.float32)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    cloud = np.clip(1 - x**2 - 1.5 * y**2 - z**2 + 0.3 * np.sin(9 * x) * np.sin(8 * y) * np.sin(7 * z), 0, None)
    np.savez(folder / "cloud.npz", density=cloud)


def main() -> None:
    """Run the jobs in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(JOBS))
    for name, value in (("rounds", 3), ("views", 48), ("size", 512), ("grid", 128), ("processes", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--more", default="", help="further options of every run")
    given = parser.parse_args()
    print("| job | alone | together | speed-up | CPU alone | busiest | speed-up | MiB alone | of each | difference |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_inputs(folder, given.grid)
        for name in given.names:
            job = f"{JOBS[name].format(inputs=folder)} --views {given.views} --size {given.size} {given.more}"
            places = folder / "one", folder / "several"
            pairs = [(run(job, places[0], 1), run(job, places[1], given.processes)) for _ in range(given.rounds)]
            print(row(name, pairs, difference(*places)), flush=True)


def row(name: str, pairs: list[tuple[Cost, Cost]], off: float) -> str:
    """A line of the table, of medians."""
    alone, together = (statistics.median(pair[k].seconds for pair in pairs) for k in (0, 1))
    one, busiest = (statistics.median(max(pair[k].processor) for pair in pairs) for k in (0, 1))
    memory = ", ".join(f"{value:.0f}" for value in pairs[-1][1].memory)
    return (
        f"| {name} | {alone:.1f} s | {together:.1f} s | {alone / together:.2f} | {one:.1f} s | {busiest:.1f} s "
        f"| {one / busiest:.2f} | {pairs[-1][0].memory[0]:.0f} | {memory} | {off:.1e} |"
    )


if __name__ == "__main__":
    main()
