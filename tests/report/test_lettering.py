"""Words beside pictures: pictures stay as they are, words stand outside them, and what is too long is shortened."""

from __future__ import annotations

import numpy as np
import pytest

from invrender.report.lettering import GAP, PAPER, Panel, fitting, font, framed, letters, line_height


def _panel(height: int, width: int, grey: int, label: str = "label") -> Panel:
    return Panel(np.full((height, width, 3), grey, np.uint8), label)


def test_pictures_stay_as_they_are_below_their_labels() -> None:
    frame = framed([_panel(100, 80, 40, "input view 3: a.jpg"), _panel(100, 60, 90, "estimate")], "refine", "IoU 0.9")
    top = line_height(letters(100))
    assert frame.shape == (top + 100 + line_height(letters(100) + 1), 80 + GAP + 60, 3)
    assert (frame[top : top + 100, :80] == 40).all()
    assert (frame[top : top + 100, 80 + GAP :] == 90).all()
    for strip in (frame[:top, :80], frame[:top, 80 + GAP :], frame[top + 100 :, :70], frame[top + 100 :, 70:]):
        assert (strip != 255).any()
        assert (strip == PAPER).mean() > 0.5


def test_panels_of_several_sizes_make_rows() -> None:
    frame = framed([_panel(50, 40, 10, ""), _panel(30, 40, 20, ""), _panel(20, 100, 30, "")], columns=2)
    assert frame.shape == (70, 100, 3)
    assert (frame[10:40, 40 + GAP : 80 + GAP] == 20).all()
    assert (frame[:10, 40 + GAP :] == 255).all()


@pytest.mark.parametrize(
    "text", ["input view 12: a_very_long_name_of_a_photograph_0012.jpg", "x" * 300, "\u0416\u65e5\u672c.jpg"]
)
def test_long_texts_are_shortened_in_their_middle(text: str) -> None:
    shown = fitting(text, 120, 12)
    assert 0 < font(12).getlength(shown) <= 120
    if len(text) > 20:
        assert "..." in shown
        assert shown[-4:] == text[-4:]


def test_no_room_for_words_is_no_error() -> None:
    assert framed([_panel(4, 3, 0, "label")], "caption", "quality").shape[1] == 3
