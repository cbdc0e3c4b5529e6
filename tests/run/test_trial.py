"""The small scene that shows how fast a backend is."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from invrender.backends import select
from invrender.run import trial


def test_milliseconds_are_the_best_round_s_per_view(monkeypatch):
    """By a clock that only the kernels move: the rounds take 9, 2 and 4 seconds, the adjoint half of each."""
    now, seconds = [0.0], [9.0, 2.0, 4.0]

    def silhouette_taped(clip, faces, topology, size):
        assert len(clip) == trial.VIEWS
        now[0] += seconds[0] / 2
        return "coverage", "tape"

    def silhouette_adjoint(grad, tape):
        assert (grad, tape) == ("coverage", "tape")
        now[0] += seconds.pop(0) / 2

    backend = replace(select("torch"), silhouette_taped=silhouette_taped, silhouette_adjoint=silhouette_adjoint)
    monkeypatch.setattr(trial, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    assert trial.milliseconds(backend, rounds=2) == pytest.approx(2000 / trial.VIEWS)
    assert seconds == []
