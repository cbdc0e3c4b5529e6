"""What every method shows of itself: a film in labelled panels, the views that its result explains worst, a current
picture while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from invrender.backends import select
from invrender.methods.names import METHODS, method_called
from invrender.methods.scattering import compared as scattering
from invrender.methods.scattering import film as scattering_film
from invrender.methods.scattering import report as scattering_report
from invrender.report.compared import Compared
from invrender.run.execute import Destination, execute
from invrender.run.film import Film, Moment, Reel
from invrender.run.method import Method
from tests.methods.test_going_on import CASES, SOURCES, _small, inputs  # noqa: F401

SIDE = 64
SHOWN = ("smoothing given", "from a sphere", "colour", "transfer function", "photographs in folds", "lamp of a scene",
         "scattering")  # fmt: skip
UNSEEN = ("colour", "transfer function", "scattering")  # they draw views of an asset to measure by


@pytest.fixture(autouse=True)
def few_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of a medium by few paths of light."""
    for module, names in ((scattering, ["SPP"]), (scattering_film, ["TURNING_SPP"]),
                          (scattering_report, ["SPP", "REFERENCE_SPP"])):  # fmt: skip
        for name in names:
            monkeypatch.setattr(module, name, 1)


def seen(method: Method, result: list[Any]) -> Method:
    """The method, and what it measures."""

    def measure(task: Any, found: Any, backend: Any) -> dict[str, Any]:
        result.extend([task, found])
        return method.measure(task, found, backend)

    return replace(method, measure=measure)


def frames(path: Path) -> Sequence[np.ndarray]:
    with Image.open(path) as film:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)]


@pytest.mark.parametrize("case", SHOWN)
def test_a_film_and_the_worst_views(
    case: str,
    inputs: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, settings, _ = CASES[case]
    known: list[Any] = []
    method = seen(method_called(name), known)
    files: dict[str, Any] = {"known": inputs / settings["known"]} if "known" in settings else {}
    if name == "scene":
        files = {"target": (str(inputs / "picture.png"),), "optimize": ("light.position", "light.intensity")}
    shown = (
        {"gif_frames": 4, "gif_size": SIDE, "folds": 0}
        if name == "photometric"
        else {"gif_frames": 4, "gif_size": SIDE}
    )
    resolved: Any = method.settings(inputs / SOURCES.get(name, "ball.npz"), **{**settings, **shown, **files})
    backend = select("cpu", needs=method.needs)
    taken = _taken(monkeypatch)
    execute(method, resolved, backend, Destination(tmp_path / "run"), quiet=True)
    assert taken and all(aside and _values(estimate) == held for aside, estimate, held in taken)
    film = frames(tmp_path / "run" / "progress.gif")
    assert film[0].shape[1] == 3 * SIDE + 2 * 4
    for frame in film:
        rows = frame[20 : 20 + SIDE]
        assert all(rows[:, at : at + SIDE].std() > 0 for at in (0, SIDE + 4))
    assert not (tmp_path / "run" / "current.png").exists()
    found = method.compared(*known, backend, 2)
    assert 1 <= len(found) <= 2
    check(found)
    assert any(each.unseen for each in method.compared(*known, backend, 1000)) == (
        name == "photometric" or case in UNSEEN
    )


def _taken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, Any, list[bytes]]]:
    """Filled with the estimates that are handed to the thread that draws, and what they held then."""
    taken: list[tuple[bool, Any, list[bytes]]] = []
    plain = Reel._take

    def take(reel: Reel, film: Film, estimate: Any, now: Moment) -> None:
        taken.append((film.aside, estimate, _values(estimate)))
        plain(reel, film, estimate, now)

    monkeypatch.setattr(Reel, "_take", take)
    return taken


def _values(estimate: Any) -> list[bytes]:
    """All arrays in an estimate."""
    if isinstance(estimate, torch.Tensor):
        return [estimate.detach().cpu().numpy().tobytes()]
    if isinstance(estimate, np.ndarray):
        return [estimate.tobytes()]
    if isinstance(estimate, Mapping):
        return [each for value in estimate.values() for each in _values(value)]
    return [each for value in vars(estimate).values() for each in _values(value)] if is_dataclass(estimate) else []


def check(found: Sequence[Compared]) -> None:
    """Pictures of one size, the worst first."""
    for each in found:
        assert each.target.shape == each.estimate.shape == each.difference.shape
        assert each.target.dtype == each.estimate.dtype == each.difference.dtype == np.uint8
        assert each.name and each.measure
    assert [each.score for each in found] == sorted(each.score for each in found)


def test_every_method_compares_its_views() -> None:
    plain = Method.__dataclass_fields__["compared"].default
    assert all(method_called(name).compared is not plain for name in METHODS)


def test_a_caption_tells_the_phase_and_the_step() -> None:
    assert Moment(3, "refine", 40, 150, {}).caption == "refine: step 40 of 150"
    assert Moment().caption == "at the start"
