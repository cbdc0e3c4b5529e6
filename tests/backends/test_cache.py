"""Where compiled kernels are kept, and when they are compiled anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from invrender.jit import cache_folder, user_cache

ROOT = Path(__file__).parents[2]
BACKEND = """
import torch
from invrender.backends.cpu import load
backend = load(torch.device("cpu"))
backend.interpolate(torch.zeros(3, 1), torch.zeros(0, 3).long(), torch.full((1, 1, 1), -1), torch.zeros(1, 3, 4))
"""
GEOMETRY = """
import numpy as np
from invrender.geometry.intersections import self_intersections
self_intersections(np.eye(3), np.array([[0, 1, 2], [0, 2, 1]]))
from numba.core import config
assert not config.CACHE_DIR, config.CACHE_DIR
"""
COMPOSITE = """
import torch
from invrender.backends.cpu import load
from invrender.kernels.compositing import Rules, RaySamples
fog = torch.tensor([1.0, 1, 1, 1]).expand(2, 2, 9, 4)
steps = RaySamples(torch.tensor([[0.5, 0.5, 0.5]]), torch.tensor([[1.0, 0, 0]]), torch.ones(1), torch.tensor([7]).int())
result = load(torch.device("cpu")).composite(fog, steps, None, Rules("early-termination"))
print(f"{result[0, 3]:.3f}")
"""
CUDA = """
import sys
import invrender.backends.cuda
for name in ("composite", "rasterize"):
    kernels = vars(sys.modules[f"invrender.backends.cuda.{name}"]).values()
    print(*{kernel.stats.cache_path for kernel in kernels if hasattr(kernel, "stats")} - {None})  # None: a body
"""


def run(folder: Path, program: str = BACKEND, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "INVRENDER_CACHE_DIR": str(folder), "PYTHONPATH": str(root)}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=folder.parent, capture_output=True, text=True, check=True
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder with a copy of the package, to be changed."""
    junk = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "invrender", tmp_path / "copy" / "invrender", ignore=junk)
    return tmp_path / "copy"


def change(root: Path, file: str, old: str, new: str) -> None:
    """Replace the one occurrence of a text in a file of the package."""
    path = root / "invrender" / file
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("program", [BACKEND + GEOMETRY, GEOMETRY], ids=["backend", "geometry"])
def test_the_first_run_says_once_that_it_compiles_and_the_second_does_not(tmp_path: Path, program: str) -> None:
    first = run(tmp_path, program).stderr
    assert "compiling" in first
    assert len(first.splitlines()) == 1
    assert list(tmp_path.rglob("*.nbi"))
    assert run(tmp_path, program).stderr == ""


def test_a_folder_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written" in run(tmp_path / "file").stderr


KERNEL = """
import errno, os, sys
from invrender.jit import kernel
from numba.core import caching

def full(path, mode):
    if "w" in mode:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return open(path, mode)

def twice(number):
    return 2 * number

twice.__module__ = "invrender.jit"
if "full" in sys.argv:
    caching.open = full
print(kernel(twice)(4), kernel(twice)(4.5))
"""


def run_kernel(folder: Path, argument: str = "") -> subprocess.CompletedProcess[str]:
    """What the program prints; Numba keeps only functions from files."""
    (folder / "program.py").write_text(KERNEL)
    return run(folder / "cache", f"import runpy, sys; sys.argv[1:] = [{argument!r}]; runpy.run_path('program.py')")


def test_a_full_disk_is_no_obstacle(tmp_path: Path) -> None:
    done = run_kernel(tmp_path, "full")
    assert done.stdout == "8 9.0\n"
    assert done.stderr.count("No space left on device") == 1
    assert "INVRENDER_CACHE_DIR" in done.stderr


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_what_a_power_failure_left_is_compiled_anew(tmp_path: Path, suffix: str) -> None:
    run_kernel(tmp_path)
    for content in (b"", b"\0" * 4096, None):
        for path in tmp_path.rglob(f"*.{suffix}"):
            path.write_bytes(path.read_bytes()[:-9] if content is None else content)
        assert run_kernel(tmp_path).stdout == "8 9.0\n"
    assert run_kernel(tmp_path).stderr == ""


TOGETHER = """
import sys, time
from pathlib import Path
from invrender.geometry.intersections import self_intersections
from invrender.compiling import Whole
import numpy as np

count, steps = 0, Whole.define_pipelines

def counted(compiler):
    global count
    count += 1
    return steps(compiler)

Whole.define_pipelines = counted
here = Path(sys.argv[1])
here.touch()
while not all(map(Path.exists, (here.with_name("0"), here.with_name("1")))):
    time.sleep(0.01)
self_intersections(np.eye(3), np.array([[0, 1, 2], [0, 2, 1]]))
print(count)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_of_two_processes_that_begin_together_only_one_compiles_a_kernel(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as threads:
        counts = list(threads.map(partial(_together, tmp_path), "01"))
    assert sum(counts) == len(list(tmp_path.rglob("*.nbc"))) > 0


def _together(folder: Path, name: str) -> int:
    """How many kernels a process compiles that begins when the other does."""
    program = f"import sys; sys.argv[1:] = [{str(folder / name)!r}]{TOGETHER}"
    return int(run(folder / "cache", program).stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no password file")
@pytest.mark.parametrize("given", ["", "~nobody-of-that-name/kernels"])
def test_a_user_without_a_home_is_no_obstacle(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int | str) -> None:
        raise KeyError

    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INVRENDER_CACHE_DIR", given)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert user_cache() is None
    assert cache_folder.__wrapped__("invrender.jit") is None


def test_a_constant_from_elsewhere_that_changes_is_compiled_in_anew(tmp_path: Path, copied: Path) -> None:
    cache = tmp_path / "cache"
    first = run(cache, COMPOSITE, copied)
    assert "compiling" in first.stderr
    assert first.stdout == "0.001\n"  # exp(-7): all samples count
    change(copied, "cli/demo.py", "from __future__", "UNRELATED = 1\nfrom __future__")
    change(copied, "cameras/rigs.py", "from __future__", "UNRELATED = 1\nfrom __future__")
    assert run(cache, COMPOSITE, copied).stderr == ""
    moved = shutil.copytree(copied, tmp_path / "moved", copy_function=shutil.copy)
    assert run(cache, COMPOSITE, moved).stderr == "", "another installation of the same is compiled already"
    change(copied, "kernels/compositing.py", "OPAQUE = 1e-4", "OPAQUE = 0.1")
    changed = run(cache, COMPOSITE, copied)
    assert "compiling" in changed.stderr
    assert changed.stdout == "0.050\n"  # exp(-3): the ray is left there


@pytest.mark.skipif(not (find_spec("numba_cuda") and find_spec("cuda")), reason="numba-cuda is not installed")
def test_cuda_kernels_are_kept_by_all_that_they_are_made_of(tmp_path: Path, copied: Path) -> None:
    composite, rasterize = run(tmp_path, CUDA, copied).stdout.splitlines()
    for file, old, new, anew in (
        ("kernels/compositing.py", "OPAQUE = 1e-4", "OPAQUE = 0.1", (True, True)),  # drivers of meshes name types of it
        ("backends/bodies/light.py", "import math", "import math  # changed", (True, False)),  # a body of a body
        ("backends/bodies/clip.py", "import math", "import math  # changed", (False, True)),
        ("cli/demo.py", "from __future__", "UNRELATED = 1\nfrom __future__", (False, False)),
    ):
        change(copied, file, old, new)
        before, (composite, rasterize) = (composite, rasterize), run(tmp_path, CUDA, copied).stdout.splitlines()
        assert (composite != before[0], rasterize != before[1]) == anew, file
    assert len(composite.split()) == len(rasterize.split()) == 1
