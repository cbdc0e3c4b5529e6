"""Progress: plain lines at their pace off a terminal, a live bar on one, silence when quiet."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.console import Console

from invrender.run.progress import Progress, describe


def ticking(step: float) -> Iterator[float]:
    now = 0.0
    while True:
        yield now
        now += step


def shown(terminal: bool = False, quiet: bool = False, step: float = 0.5, before: int = 0) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=terminal, width=120, soft_wrap=True, highlight=False, _environ={"TERM": "xterm"}
    )
    clock = ticking(step)
    with Progress(quiet, console, interval=2.0, clock=lambda: next(clock)) as progress:
        progress.say("hull [done]")
        progress.start("refine", 10, before)
        for index in range(before, 10):
            progress.step(index, {"loss": 0.123456}, iou=0.9)
    return stream.getvalue()


def test_plain_lines_come_every_few_seconds_and_at_the_end() -> None:
    lines = shown().splitlines()
    assert lines[0] == "hull [done]"
    assert lines[1].startswith("refine 4/10  loss 0.1235  iou 0.9  2.0 it/s  3 s left")
    assert [line.split()[1] for line in lines[1:]] == ["4/10", "8/10", "10/10"]
    assert "left" not in lines[-1]


def test_a_fast_phase_off_a_terminal_is_one_line() -> None:
    assert len(shown(step=0.01).splitlines()) == 2


def test_steps_of_an_earlier_process_make_this_one_no_faster() -> None:
    assert shown(before=6).splitlines()[1].startswith("refine 10/10  loss 0.1235  iou 0.9  2.0 it/s")


def test_a_terminal_shows_a_bar_with_terms_and_speed() -> None:
    text = shown(terminal=True)
    assert "\x1b[" in text
    for part in ("hull [done]", "refine", "loss 0.1235", "iou 0.9", "it/s"):
        assert part in text


def test_quiet_shows_nothing() -> None:
    assert shown(quiet=True) == shown(terminal=True, quiet=True) == ""


def test_numbers_keep_four_digits() -> None:
    assert describe({"loss": 1 / 3, "step": 1e-9, "n": 12}) == "loss 0.3333  step 1e-09  n 12"
