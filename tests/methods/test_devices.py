"""Every method on a GPU that is pretended: no tensor stays in main memory where the kernels' device has the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from invrender.backends import select
from invrender.methods.names import method_called
from invrender.run.execute import Destination, execute
from tests.methods.test_going_on import CASES, SOURCES, _small, inputs  # noqa: F401
from tests.pretended_gpu import DEVICE, pretended, pretending

FORWARD = ("lamp of a scene",)  # torch's forward mode does not go through tensors that pretend
TOLD = ("photographs in folds",)  # by those whose cameras are sought, too


def test_tensors_of_two_devices_do_not_mix() -> None:
    with pretending():
        there, here = torch.ones(3, device=DEVICE), torch.ones(3)
        with pytest.raises(RuntimeError, match="two devices"):
            _ = there + here
        assert (there.cpu() + here).tolist() == [2, 2, 2]


@pytest.mark.parametrize("case", [case for case in CASES if case not in (*FORWARD, *TOLD)])
def test_a_run_is_on_the_backend_s_device(case: str, inputs: Path, tmp_path: Path) -> None:  # noqa: F811
    name, settings, _ = CASES[case]
    method = method_called(name)
    files = {"known": inputs / settings["known"]} if "known" in settings else {}
    resolved: Any = method.settings(inputs / SOURCES.get(name, "ball.npz"), **{**settings, "gif_frames": 2, **files})
    backend = pretended(select("cpu", needs=method.needs))
    with pretending():
        execute(method, resolved, backend, Destination(tmp_path / "run"), quiet=True)
    assert list((tmp_path / "run").glob("*.gif"))
