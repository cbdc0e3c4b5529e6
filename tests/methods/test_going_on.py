"""Every method, stopped in every one of its phases and gone on with from a file, ends in the very same bits."""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.io.images import write_png
from invrender.io.meshes.write import write_ply
from invrender.io.volumes.write import write_volume
from invrender.kernels import Backend
from invrender.methods.names import METHODS, method_called
from invrender.methods.photometric import posing, stages
from invrender.methods.photometric.levels import ladder
from invrender.methods.silhouette import schedule as silhouette
from invrender.methods.transmittance import budget as transmittance
from invrender.methods.transmittance import neural
from invrender.run.method import Problem
from invrender.samples import SAMPLES, VOLUMES
from invrender.solve.loop import Loop, LoopState, Step
from invrender.solve.snapshot import pack, unpack

SMALL = {"views": 5, "size": 24, "gif_frames": 0}
MESH = {**SMALL, "iterations": 12, "hull_resolution": 16, "edge_pixels": 5.0}
GRID = {**SMALL, "views": 9, "size": 12, "iterations": 20}
ROUND = {**GRID, "cameras": "orbit", "elevation": 0.0}
PHOTOS = {**SMALL, "views": 6, "size": 32, "texture": 0, "effort": 0.1}
MURKY = {"views": 3, "size": 6, "spp": 1, "target_spp": 1, "albedo": (0.5,)}  # few collisions a path
CASES: Mapping[str, tuple[str, Mapping[str, Any], set[str]]] = {
    "trials and stages": ("silhouette", MESH, {"try", "refine"}),
    "from a sphere": ("silhouette", {**MESH, "init": "sphere", "smoothness": 1.0}, {"refine"}),
    "ladder": ("transmittance", GRID, {"choose", "solve"}),
    "ladder under noise": ("transmittance", {**GRID, "noise": "poisson:1000"}, {"start", "choose", "solve"}),
    "coarse grid": (
        "transmittance",
        {**GRID, "noise": "8bit", "iterations": 36},
        {"coarse/start", "coarse/choose", "coarse/solve", "start", "choose", "solve"},
    ),
    "grid short of memory": (
        "transmittance",
        {**GRID, "noise": "8bit", "iterations": 30},
        {"coarse/start", "coarse/choose", "coarse/solve", "solve"},
    ),
    "smoothing given": ("transmittance", {**GRID, "smoothing": 1e-3, "iterations": 4}, {"solve"}),
    "sirt": ("transmittance", {**GRID, "solver": "sirt", "iterations": 4}, {"solve"}),
    "cgls": ("transmittance", {**GRID, "solver": "cgls", "iterations": 4}, {"solve"}),
    "adam": ("transmittance", {**GRID, "solver": "adam", "iterations": 4}, {"solve"}),
    "fdk": ("transmittance", {**ROUND, "solver": "fdk"}, {"solve"}),
    "os-sart": ("transmittance", {**GRID, "solver": "os-sart", "iterations": 4}, {"solve"}),
    "asd-pocs": ("transmittance", {**GRID, "solver": "asd-pocs", "iterations": 4}, {"solve"}),
    "neural field": ("transmittance", {**GRID, "field": "neural", "iterations": 10}, {"train"}),
    "colour": (
        "volume",
        {**SMALL, "iterations": 12, "rays": 64},
        {"1/4 of the resolution", "1/2 of the resolution", "1/1 of the resolution"},
    ),
    "field of colour": (
        "volume",
        {**SMALL, "iterations": 8, "rays": 64, "field": "neural"},
        {"1/4 of the resolution", "1/2 of the resolution", "1/1 of the resolution"},
    ),
    "photographs in folds": ("photometric", {**PHOTOS, "folds": 2}, {"search", "outlines"}),
    "cameras": (
        "photometric",
        {**PHOTOS, "optimize": ("shape", "pose"), "effort": 0.2},
        {"cameras", "search", "outlines"},
    ),
    "lamp of a scene": (
        "scene",
        {"gif_frames": 0, "iterations": 4, "starts": 2, "spp": 1},
        {"start 0", "start 1", "end, spp 1"},
    ),
    "scattering": (
        "scattering",
        {
            **SMALL,
            **MURKY,
            "grid": (9,),
            "iterations": 8,
            "optimize": ("albedo", "g"),
        },
        {"glow", "5x5x5", "9x9x9"},
    ),
    "scattering network": (
        "scattering",
        {**SMALL, **MURKY, "grid": (9,), "iterations": 4, "field": "neural"},
        {"glow", "train"},
    ),
    "transfer function": ("volume", {**SMALL, "iterations": 6, "rays": 64, "known": "ball.npz"}, {"table"}),
}
SCENE = """
[[box]]
size = 1
rotate = [20, 30, 0]

[[light]]
type = "point"
position = [0, 3, 3]

[[camera]]
position = [0, 0, 5]
target = [0, 0, 0]
size = [24, 24]
"""
SLOW = (
    "scattering",
    "scattering network",
)  # in the reference
SOURCES = {"silhouette": "ball.ply", "photometric": "ball.ply", "scene": "scene.toml"}
STRIDES = {
    "trials and stages": 4,
    "coarse grid": 4,
    "grid short of memory": 4,
    "photographs in folds": 4,
}  # of the many phases, so many are passed from stop to stop


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(silhouette, "TRIAL_HULL", 16)
    monkeypatch.setattr(silhouette, "STRENGTHS", (1.0, 2.0))
    monkeypatch.setattr(silhouette, "COARSEST_EDGE", 0.2)
    monkeypatch.setattr(neural, "REPORTS", 4)
    monkeypatch.setattr(stages, "ladder", lambda photos: ladder(photos)[:2])
    monkeypatch.setattr(posing, "STEPS", (3, 2))
    if "coarse grid" in request.node.name:
        monkeypatch.setattr(transmittance, "COARSE_FROM", 12)
    if "short of memory" in request.node.name:
        monkeypatch.setattr(transmittance, "COARSE_FROM", 12)
        monkeypatch.setattr(transmittance, "LARGE", 1000)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a mesh, a volume, and a scene with a picture of it."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "scene.toml").write_text(SCENE)
    write_png(folder / "picture.png", torch.linspace(0, 1, 3 * 24**2).reshape(24, 24, 3))
    write_ply(folder / "ball.ply", SAMPLES["sphere"]())
    write_volume(folder / "ball.npz", VOLUMES["double-sphere"](12))
    return folder


def begun(case: str, inputs: Path, backend: Backend) -> Problem:
    """The problem of a case from its input on, as a new process would have it."""
    name, settings, _ = CASES[case]
    method = method_called(name)
    source = inputs / SOURCES.get(name, "ball.npz")
    files: dict[str, Any] = {"known": inputs / settings["known"]} if "known" in settings else {}
    if name == "scene":
        files = {"target": (str(inputs / "picture.png"),), "optimize": ("light.position", "light.intensity")}
    resolved: Any = method.settings(source, **{**settings, **files})
    return method.begin(method.load(resolved, backend), resolved, backend)


def through_a_file(state: LoopState, device: torch.device) -> LoopState:
    file = io.BytesIO()
    np.savez(file, **pack(state))
    file.seek(0)
    with np.load(file, allow_pickle=False) as data:
        return unpack(dict(data), device)


def raw(value: Any) -> Any:
    """All bytes of a result."""
    if isinstance(value, torch.Tensor):
        return value.cpu().numpy().tobytes()
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if is_dataclass(value):
        return [raw(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, tuple | list):
        return [raw(each) for each in value]
    if isinstance(value, Mapping):
        return {name: raw(each) for name, each in value.items()}
    return "" if callable(value) else repr(value)  # functions are told apart by where they lie in memory


def end(problem: Problem, state: LoopState | None = None) -> tuple[list[Step], Any]:
    loop = Loop(problem.schedule, state)
    steps = list(loop)
    everything = {name: array.tobytes() for name, array in pack(loop.state).items()}
    return steps, (everything, raw(problem.result(loop.state.finished)))


def stops(steps: list[Step], stride: int) -> list[Step]:
    """Steps of the first of the phases of a name, and of some of the others: midway, the last one, the first one."""
    phases = [list(phase) for _, phase in itertools.groupby(steps, lambda step: len(step.state.finished))]
    names = [phase[0].phase.name for phase in phases]
    chosen = [k for k, name in enumerate(names) if k % stride == 0 or name not in names[:k]]
    return [phases[k][(len(phases[k]) // 2, -1, 0)[k % 3]] for k in chosen]


def test_there_is_a_case_of_every_method() -> None:
    assert {name for name, _, _ in CASES.values()} == set(METHODS)


@pytest.mark.parametrize(
    ("case", "name"),
    [(case, name) for case in CASES for name in ("torch", "cpu") if not (case in SLOW and name == "torch")],
)
def test_a_stopped_run_ends_as_an_undisturbed_one(case: str, name: str, inputs: Path) -> None:
    backend = select(name, needs=method_called(CASES[case][0]).needs)
    steps, undisturbed = end(begun(case, inputs, backend))
    assert {step.phase.name for step in steps} == CASES[case][2]
    for step in stops(steps, STRIDES.get(case, 1)):
        later, again = end(begun(case, inputs, backend), through_a_file(step.state, backend.device))
        where = f"after a step of {step.phase.name}"
        assert len(later) == len(steps) - 1 - steps.index(step), where
        assert [one.terms for one in later] == [one.terms for one in steps[len(steps) - len(later) :]], where
        assert again == undisturbed, where
