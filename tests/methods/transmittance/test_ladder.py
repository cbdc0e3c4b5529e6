"""The search for the smoothing weight, from the misfits that trials leave."""

from __future__ import annotations

import pytest

from invrender.methods.transmittance.ladder import HELD_OUT_MISFIT, LADDER, WeightSearch, weight_search
from invrender.solve.phase import Finished


def search(noise: str, *misfits: float) -> WeightSearch:
    tried = [Finished("choose", 5, {}, {HELD_OUT_MISFIT: misfit}) for misfit in misfits]
    return weight_search(tried, LADDER[noise], 5, 1000)


def test_it_goes_down_while_weaker_weights_are_better() -> None:
    found = search("8bit", 1.0, 0.9, 0.8)
    assert not found.done
    assert found.source == 2
    assert found.weight == pytest.approx(1e-3 / 3)


@pytest.mark.parametrize(("before", "stays"), [(1.0, 0.9), (1.0, 0.5)])
def test_under_noise_a_weaker_weight_has_to_be_plainly_better(before: float, stays: float) -> None:
    assert search("8bit", before, stays, 0.99 * stays).weight == pytest.approx(1e-3)
    # the next trial of a pair is with another weight
    assert search("8bit", before, stays, 0.99 * stays, 0.99 * stays).weight == pytest.approx(3e-3)
    assert search("8bit", before, stays, 0.97 * stays, 0.97 * stays).weight == pytest.approx(1e-3 / 9)


def test_of_counted_photons_any_better_prediction_is_enough() -> None:
    assert search("poisson", 1.0, 0.9, 0.89).weight == pytest.approx(1e-3)
    assert search("poisson", 1.0, 0.9, 0.91).weight == pytest.approx(3e-3)


def test_exact_data_that_a_grid_explains_go_down_while_passes_are_missing() -> None:
    explained = [Finished("choose", 5, {}, {HELD_OUT_MISFIT: misfit}) for misfit in (1.0, 0.5, 0.51, 0.5)]
    assert weight_search(explained, LADDER["float"].explained, 5, 1000).weight == pytest.approx(1e-3 / 9)


def test_exact_data_of_sharp_edges_go_down_where_that_is_clearly_better() -> None:
    assert search("float", 1.0, 0.5, 0.49, 0.49).weight == pytest.approx(3e-3)
    assert search("float", 1.0, 0.5, 0.47, 0.47).weight == pytest.approx(1e-3 / 9)


def test_one_that_was_ahead_for_a_moment_alone_is_left_again() -> None:
    up = (1.0, 0.9, 1.0, 0.85, 0.75)  # no weaker one; a stronger one is better,
    found = search("8bit", *up, 0.95, 1.2)  # but not with more passes
    assert found.done
    assert found.weight == pytest.approx(1e-3)
    kept = search("8bit", *up, 0.74, 1.2)
    assert kept.done
    assert kept.weight == pytest.approx(3e-3)


def test_exact_data_may_need_stronger_weights_than_the_first() -> None:
    assert not search("float", 1.0, 0.9, 1.0).done
    assert search("float", 1.0, 0.9, 1.0, 0.85, 0.75, 0.74, 0.8).weight == pytest.approx(3e-3)
