"""Quality and cost of `invrender reconstruct` on any meshes, as a table.

    python benchmarks/reconstruction.py MESH [MESH ...] [--rig orbit:12 --rig sphere:24] [-- --preset fine ...]

Each run is the real command in a process of its own; CPU seconds are that process's, start-up and pictures included.
`rays` is that time in multiples of what Embree takes, in the same minute, for the primary rays of 12 views of 256 x 256
of 20k triangles, where `embreex` is installed: it means more from machine to machine than seconds do. `measuring` is
the share of the run by the clock that went into measuring the result. Everything after `--` is handed to the command.
Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

COLUMNS = "model rig IoU worst Chamfer visible F@1% F@.5% tight genus pierced hull-IoU wall CPU rays measuring"


def run(mesh: Path, rig: str, more: list[str], folder: Path) -> dict[str, Any]:
    """Metrics of one reconstruction, with `wall` and `cpu` seconds, and `measuring`, a share of the run."""
    kind, views = rig.split(":")
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "invrender.cli.app", "reconstruct", str(mesh), "--method", "silhouette"]
    command += ["--views", views, "--cameras", kind, "-o", str(folder), "--json", "-q", *more]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    metrics: dict[str, Any] = json.loads(finished.stdout)
    wall = time.perf_counter() - start
    measuring = json.loads((folder / "run.json").read_text())["timings"]["measure"] / wall
    return {**metrics, "wall": wall, "cpu": cpu, "measuring": measuring}


def embree_rays() -> float | None:
    """CPU seconds that Embree takes for the rays of the module's text; None where it is not installed."""
    from rasterizer import embree, scene

    trace = embree(scene(5))
    if trace is None:
        return None
    taken = []
    for _ in range(7):
        begun = time.process_time()
        trace()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def row(mesh: Path, rig: str, m: dict[str, Any], unit: float | None) -> str:
    """One line of the table."""
    genus = "-" if m["genus"] is None else f"{m['genus']:g}"
    cells = [mesh.stem, rig, f"{m['iou']:.4f}", f"{m['iou_min']:.4f}", f"{100 * m['chamfer']:.3f}"]
    cells += [f"{100 * m['chamfer_visible']:.3f}", f"{m['f1']:.4f}", f"{m['f05']:.4f}"]
    cells += ["yes" if m["watertight"] else "NO", genus, str(m["self_intersections"])]
    cells += ["-" if m["held_out_iou_of_hull"] is None else f"{m['held_out_iou_of_hull']:.4f}"]
    cells += [f"{m['wall']:.1f}", f"{m['cpu']:.1f}", "-" if unit is None else f"{m['cpu'] / unit:.0f}"]
    cells += [f"{100 * m['measuring']:.0f} %"]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Parse the command line, run, print."""
    arguments = sys.argv[1:]
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("meshes", nargs="+", type=Path)
    parser.add_argument("--rig", action="append", help="orbit:N or sphere:N; may be repeated")
    options = parser.parse_args(arguments[:cut])
    print("| " + " | ".join(COLUMNS.split()) + " |")
    print("|" + "---|" * len(COLUMNS.split()))
    for mesh in options.meshes:
        for rig in options.rig or ["orbit:12", "sphere:24"]:
            with tempfile.TemporaryDirectory() as folder:
                metrics = run(mesh, rig, arguments[cut + 1 :], Path(folder) / "run")
            print(row(mesh, rig, metrics, embree_rays()), flush=True)


if __name__ == "__main__":
    main()
