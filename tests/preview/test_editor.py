"""Editing a transfer function by points, and where they lie in the chart; without a window."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invrender.nouns import Volume
from invrender.preview.chart import Chart, Hit
from invrender.preview.editor import COLORMAPS, FOUND, Editor
from invrender.render.looks import look_of
from invrender.render.transfer import transfer_function
from invrender.samples import VOLUMES


@pytest.fixture(scope="module")
def cloud() -> Volume:
    return VOLUMES["cloud"](24)


@pytest.fixture
def editor(cloud: Volume) -> Editor:
    return Editor.of(transfer_function(cloud, "gray", "0:0,0.25:0.1,0.5:0.4,1:0.2", window=(0.0, 1.0)), cloud)


def test_an_editor_starts_as_what_it_was_given(editor: Editor, cloud: Volume) -> None:
    assert [round(place, 2) for place, _ in editor.points] == [0, 0.25, 0.5, 1]
    assert (editor.low, editor.high, editor.least) == (0, 1, 0)
    assert editor.most == pytest.approx(float(cloud.values.max()))
    look = look_of(cloud).transfer
    opened = Editor.of(look, cloud)
    assert len(opened.points) < 12
    assert float((opened.transfer.opacity - look.opacity).abs().max()) < 0.05 * float(look.opacity.max())
    assert torch.equal(opened.transfer.colours, look.colours)


def test_points_stay_between_their_neighbours(editor: Editor) -> None:
    moved = editor.moved(1, 0.9, 0.7)
    assert moved.points[1] == (pytest.approx(moved.points[2][0], abs=2e-3), 0.7)
    assert moved.points[0] == editor.points[0]
    assert [place for place, _ in moved.points] == sorted(place for place, _ in moved.points)
    assert editor.moved(0, 0.4, 3.0).points[0] == (0, 1)
    assert editor.moved(3, 0.4, -1.0).points[3] == (1, 0)
    assert float(moved.transfer.opacity[127]) > float(editor.transfer.opacity[127])


def test_points_come_and_go(editor: Editor) -> None:
    more, number = editor.added(0.75, 0.9)
    assert (number, more.points[3]) == (3, (0.75, 0.9))
    assert more.removed(3) == editor
    assert editor.removed(0) == editor == editor.removed(3)
    same, number = editor.added(editor.points[1][0], 0.3)
    assert (number, len(same.points), same.points[1][1]) == (1, 4, 0.3)
    assert editor.added(-0.5, 0.2)[1] == 0


def test_the_window_stays_within_the_values(editor: Editor) -> None:
    assert editor.windowed(low=-5).low == 0
    assert editor.windowed(high=9).high == editor.most
    narrow = editor.windowed(low=0.999999)
    assert 0 < narrow.high - narrow.low < 0.01
    assert narrow.transfer.low == narrow.low
    assert editor.place(editor.value(0.3)) == pytest.approx(0.3)


def test_colormaps_go_round(editor: Editor) -> None:
    seen = [editor]
    for _ in COLORMAPS:
        seen.append(seen[-1].recoloured())
    assert [each.colormap for each in seen] == [*COLORMAPS, FOUND]
    assert not torch.equal(seen[1].transfer.colours, editor.transfer.colours)
    assert torch.equal(seen[-1].transfer.colours, editor.transfer.colours)


def test_the_chart_finds_what_it_draws(editor: Editor, cloud: Volume) -> None:
    chart = Chart.of(cloud, editor, (400, 300))
    picture = chart.draw(editor)
    assert picture.shape == (400, 300, 3)
    for number, (place, opacity) in enumerate(editor.points):
        x, y = chart.x(editor, editor.value(place)), chart.y(opacity)
        assert chart.hit(editor, x + 2, y - 2) == Hit("point", number)
        assert chart.value(editor, x) == pytest.approx(editor.value(place))
        assert chart.opacity(y) == pytest.approx(opacity, abs=1e-9)
        assert picture[round(y), round(x)].tolist() == [255, 180, 84]
    left, top, right, bottom = chart.box
    assert chart.hit(editor, chart.x(editor, editor.high), bottom + 8) == Hit("high")
    assert chart.hit(editor, chart.x(editor, editor.low), bottom + 12) == Hit("low")
    assert chart.hit(editor, (left + right) / 2, chart.bar[1] + 3) == Hit("bar")
    assert chart.hit(editor, right - 3, top + 3) == Hit("plot")
    assert chart.hit(editor, 1, 1) is None
    bar = picture[round(chart.bar[1]) + 4, round(left) + 2 : round(right) - 2].astype(int)
    assert (np.diff(bar[:, 0]) >= 0).all()  # the greys of this one rise
    assert bar[0, 0] < 30
    assert bar[-1, 0] > 200
