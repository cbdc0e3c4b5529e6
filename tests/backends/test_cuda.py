"""The cuda backend without a GPU: the same drivers in Numba's simulator, and every kernel through NVIDIA's compiler."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from invrender.backends import select

PROGRAMS = Path(__file__).parent / "programs"
KERNELS = 39

pytestmark = pytest.mark.skipif(
    not (find_spec("numba_cuda") and find_spec("cuda") and find_spec("cuda.bindings")),
    reason="numba-cuda is not installed",
)


def run(program: str, **environment: str) -> dict:
    """The JSON that a program beside the tests prints; in a process of its own, as both change Numba for good."""
    root = str(Path(__file__).parents[2])
    given = {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1", **environment}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", PROGRAMS / program],
        env=given, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU: the tests of every kernel on one were left out")
def test_there_is_a_gpu():
    assert select("cuda").device.type == "cuda"


def test_simulated_kernels_agree_with_the_reference():
    found = run("simulate_cuda.py", NUMBA_ENABLE_CUDASIM="1")
    assert "simulator" in found["description"]
    assert "in plain torch" not in found["description"]  # it has every kernel
    assert found["self_test"] == ""
    assert found["ids_equal"]
    assert max(found["errors"].values()) < 2e-6, found["errors"]


def test_simulated_volume_kernels_agree_with_the_reference():
    found = run("simulate_cuda_volume.py", NUMBA_ENABLE_CUDASIM="1")
    assert "simulator" in found["description"]
    assert found["self_test"] == ""
    assert found["same_rays"]
    assert min(found["missed"]) > 0
    assert found["nothing_to_do"] == [0, 0.0]
    assert found["exit_codes"] == [5, 75, None]  # the GPU's memory is full; the GPU was lost; a bug
    assert max(found["errors"].values()) < 2e-6, found["errors"]


@pytest.mark.skipif(not find_spec("nvidia"), reason="no CUDA compiler")
def test_compiled_kernels_are_kept_in_the_user_s_cache(tmp_path):
    first, second = (run("keep_cuda.py", INVRENDER_CACHE_DIR=str(tmp_path)) for _ in range(2))
    assert first == {"found": 0, "compiled": 3}
    assert second == {"found": 3, "compiled": 0}


@pytest.mark.skipif(not find_spec("nvidia"), reason="no CUDA compiler")
def test_every_kernel_compiles_for_two_generations_without_spills():
    found = run("compile_cuda.py")
    assert {architecture: len(kernels) for architecture, kernels in found.items()} == {"80": KERNELS, "90": KERNELS}
    spills = {name: log for kernels in found.values() for name, log in kernels.items() if log["spills"] != [0, 0]}
    assert not spills
    assert all(log["registers"] < 255 for kernels in found.values() for log in kernels.values())
