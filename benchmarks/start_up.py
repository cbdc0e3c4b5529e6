"""What a command costs before its first iteration, in CPU seconds of a process whose kernels are compiled already.

    python benchmarks/start_up.py [--runs N] [--tree OTHER] [-- reconstruct INPUT ...]

Each line is a process of its own, the median of N: `import torch`; then all other modules that are loaded by the first
iteration, imported one by one in the order in which the command imports them, which leaves out all work; then the
backend's choice with its self-test, which loads kernels; and the whole command up to its first iteration. `--tree`
measures another checkout in between, since a machine's speed changes from minute to minute.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEFAULT = ["reconstruct", str(ROOT / "data" / "mug.glb"), "--views", "12"]

# Ends the process as the loop of `invrender.solve.loop` is about to take its first step.
TO_THE_LOOP = """
import json, os, sys, time
from importlib.machinery import PathFinder

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "invrender.solve.loop":
            return None
        spec = PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module
        def changed(module):
            execute(module)
            module._stepped = end
        spec.loader.exec_module = changed
        return spec

def end(*_):
    told = {"first": time.process_time(), "modules": [name for name in sys.modules if name != "__main__"]}
    print("told:" + json.dumps(told), flush=True)
    os._exit(0)

sys.meta_path.insert(0, Finder)
from invrender.cli.app import main
main()
"""

IMPORTS = """
import importlib, json, sys, time
before = set(sys.modules)
import torch
torch_alone = time.process_time()
for name in json.load(sys.stdin):
    if name not in sys.modules:
        try:
            importlib.import_module(name)
        except Exception:
            pass  # a module that another one makes up
imported = time.process_time()
from invrender.backends import select
select("auto", None, ("meshes",))
kernels = time.process_time() - imported
print("told:" + json.dumps({"torch": torch_alone, "imports": imported - torch_alone, "kernels": kernels}))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tree", type=Path, help="another checkout to compare with")
    parser.add_argument("command", nargs="*", default=DEFAULT, help="behind --: a command, without its --output")
    given = parser.parse_args()
    trees = [ROOT, *([given.tree.resolve()] if given.tree else [])]
    for tree in trees:
        measured(tree, given.command)  # compiles what is not compiled yet
    found = {tree: [] for tree in trees}
    for _ in range(given.runs):
        for tree in trees:
            found[tree].append(measured(tree, given.command))
    for tree in trees:
        print(f"{tree}:")
        for name, text in LINES.items():
            print(f"  {statistics.median(one[name] for one in found[tree]):6.2f}  {text}")


LINES = {
    "torch": "import torch",
    "imports": "other imports, up to the first iteration",
    "kernels": "the backend's self-test, with the kernels that it loads",
    "beyond": "up to the first iteration, beyond importing torch",
}


def measured(tree: Path, command: list[str]) -> dict[str, float]:
    """CPU seconds by part, of processes that import a checkout's package."""
    with tempfile.TemporaryDirectory() as folder:
        whole = told(tree, TO_THE_LOOP, [*command, "-q", "--output", f"{folder}/run"])
    parts = told(tree, IMPORTS, [], json.dumps(whole["modules"]))
    return {**parts, "beyond": whole["first"] - parts["torch"]}


def told(tree: Path, program: str, arguments: list[str], given: str = "") -> dict:
    """What a program prints behind `told:`."""
    env = {**os.environ, "PYTHONPATH": str(tree)}
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=tempfile.gettempdir(), env=env, input=given, text=True,
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    return json.loads(ran.stdout.rpartition("told:")[2])


if __name__ == "__main__":
    main()
