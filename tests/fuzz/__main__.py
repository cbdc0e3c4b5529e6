"""Try damaged files on the command line: `python tests/fuzz --cases 2000`, and `--only 1234 --keep DIR` for one again.

Ends in 0 if every case ended well, else in 1. A case is a pure function of the seed and its number.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cases import Case, all_seeds, make_case
from table import Result, groups, table
from verdict import judge
from workers import Worker

PROGRAM = "invrender.cli.app:main"
WARM_UP = ("glb", "npy", "npy-colour", "rgba", "transmittance-npy")
ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the cases that the arguments ask for, and print the table."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what is known by then is told
    worker = Worker(arguments.tree.resolve(), arguments.program)
    results = []
    try:
        for case in _warm_up() if arguments.program == PROGRAM else ():
            _run(case, worker, arguments)
        for case in _chosen(arguments):
            results.append(_run(case, worker, arguments))
            _tell(results[-1], arguments.verbose)
    except KeyboardInterrupt:
        print("stopped early", file=sys.stderr)
    finally:
        worker.close()
    print("\n".join(filter(None, [groups(results), table(results)])))
    return int(any(result.failed for result in results))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the damage")
    parser.add_argument("--cases", type=int, default=200, help="how many numbers, from --start on")
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="+", metavar="NUMBER", help="these cases alone")
    parser.add_argument("--kinds", nargs="+", metavar="KIND", help="numbers of other kinds are left out")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep each case's folder and printed text there")
    parser.add_argument("--tree", type=Path, default=ROOT, help="the checkout whose invrender is tried")
    parser.add_argument("--program", default=PROGRAM, help="module:function that is called")
    parser.add_argument("--patience", type=float, metavar="SECONDS", help="that a case may take, whatever it does")
    parser.add_argument("--memory", type=int, metavar="MIB", default=3072, help="that a case may take")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line a case")
    return parser.parse_args()


def _chosen(arguments: argparse.Namespace) -> Iterator[Case]:
    known = [seed.kind for seed in all_seeds()]
    unknown = set(arguments.kinds or ()) - set(known)
    if unknown:
        raise SystemExit(f"unknown kinds {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    for number in arguments.only or range(arguments.start, arguments.start + arguments.cases):
        if not arguments.kinds or known[number % len(known)] in arguments.kinds:
            case = make_case(arguments.seed, number)
            yield replace(case, patience=arguments.patience or case.patience)


def _warm_up() -> Iterator[Case]:
    """Valid inputs that bring kernels to be compiled, which takes a minute where none are cached; not judged."""
    for seed in all_seeds():
        if seed.kind in WARM_UP:
            yield from (Case(-1, seed.kind, seed.files, command, (), 900.0) for command in seed.commands)


def _run(case: Case, worker: Worker, arguments: argparse.Namespace) -> Result:
    with tempfile.TemporaryDirectory(prefix="fuzz") as temporary:
        place = Path(temporary)
        for name, content in case.files.items():
            path = place / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        ending = worker.run(case, place)
        faults = judge(case, ending, place / "in", arguments.memory)
        if arguments.keep is not None:
            shutil.copytree(place, arguments.keep / str(case.number), dirs_exist_ok=True, symlinks=True)
    return Result(case, ending, tuple(faults))


def _tell(result: Result, verbose: bool) -> None:
    case, ending = result.case, result.ending
    if verbose or result.failed:
        sorts = ", ".join(f"{fault.sort}: {fault.what}" for fault in result.faults)
        start = f"{case.number:5} {case.kind:18} exit {ending.code} {ending.seconds:5.1f} s"
        print(f"{start} {' '.join(case.command[:4])}  {sorts}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
