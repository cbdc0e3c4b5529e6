"""Damaged files end in a refusal that says why, never in a traceback, a hang or NaN; INVRENDER_FUZZ=2000 tries more.

A case that fails is run again by its number: `python tests/fuzz --only NUMBER --keep FOLDER`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parent
CASES = int(os.environ.get("INVRENDER_FUZZ", "111"))  # read before the fixture that clears such variables

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the pipes to the worker cannot be polled there")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a part of a process's life")


def fuzz(*arguments: object, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """A run of the fuzzer."""
    command = [sys.executable, str(FUZZ), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


def test_damaged_files_are_refused_or_read():
    done = fuzz("--cases", CASES, timeout=1800 + 5 * CASES)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert re.search(rf"^all +{CASES} ", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("program", "sort"),
    [
        ("silent", "output: exit 0 without"),
        ("traceback", "traceback: KeyError at faulty.py"),
        ("hang", "hang: more than 2 s at faulty.py"),
        ("crash", r"signal: SIGSEGV at faulty.py:\d+ crash\n"),
        ("late_crash", r"signal: SIGSEGV at faulty.py:\d+ crash\n"),
        ("wordy", "message: more than 6 lines"),
        ("wordy", "message: no remedy"),
        ("raw_name", r"message: '\\x1b' in stderr"),
        pytest.param("greedy", "memory: more than 200 MiB", marks=linux),
        ("printed_nan", "not finite: printed"),
        ("lost_nan", "not finite: RuntimeWarning at faulty.py"),
        ("nan_array", "not finite: volume.npz: not finite: density"),
        ("nan_mesh", "not finite: mesh.glb: not finite: accessor 0"),
        ("nan_metrics", "not finite: metrics.json"),
        ("nan_losses", "not finite: losses.csv"),
        ("torn_picture", "output: progress.png: cannot be read"),
        ("temporary_file", r"output: temporary file left: \.mesh\.\*\.tmp\.glb"),
    ],
)
def test_the_fuzzer_sees_what_it_looks_for(program: str, sort: str):
    patience = ("--patience", 2) if program == "hang" else ()
    done = fuzz("--program", f"faulty:{program}", "--only", RENDERED, "--memory", 200, *patience)
    assert done.returncode == 1, done.stderr
    assert re.search(sort, done.stdout)


def test_a_proper_refusal_of_damaged_files_passes_and_of_valid_ones_does_not():
    assert fuzz("--program", "faulty:refuses", "--only", RENDERED).returncode == 0
    assert "a valid input ends in exit 3" in fuzz("--program", "faulty:refuses", "--only", 0).stdout


def test_a_number_stands_for_the_same_files_each_time(tmp_path):
    for name in ("one", "two"):
        fuzz("--program", "faulty:silent", "--start", 1000, "--cases", 34, "--keep", tmp_path / name)
    kept = [
        {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()} for root in tmp_path.iterdir()
    ]
    assert len(kept[0]) > 100
    assert kept[0] == kept[1]


RENDERED = 43
"""The number of a damaged case whose command writes a file."""
