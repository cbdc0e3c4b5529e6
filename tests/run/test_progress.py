"""Progress: plain lines at their pace off a terminal, a live bar on one, silence when quiet."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from invrender.run.pace import Pace, Trend, for_people
from invrender.run.progress import Progress, describe


def ticking(step: float) -> Iterator[float]:
    now = 0.0
    while True:
        yield now
        now += step


def shown(
    terminal: bool = False,
    quiet: bool = False,
    step: float = 0.5,
    before: int = 0,
    encoding: str = "utf-8",
    verbose: bool = False,
    ending: float | None = 0.0,
) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(
        file=stream, force_terminal=terminal, width=120, soft_wrap=True, highlight=False, _environ={"TERM": "xterm"}
    )
    clock = ticking(step)
    with Progress(quiet, console, interval=2.0, clock=lambda: next(clock), verbose=verbose) as progress:
        progress.say("hull [done]")
        progress.start("refine", 20, before, ending)
        for index in range(before, 20):
            progress.step(index, {"loss": 1.0 / (index + 1)}, iou=0.5 + index / 100)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]


def test_plain_lines_come_every_few_seconds_and_at_the_end() -> None:
    lines = shown().splitlines()
    assert lines[0] == "hull [done]"
    assert lines[1] == "refine 4/20  IoU 0.53 ↑  8 s left"
    assert [line.split()[1] for line in lines[1:]] == ["4/20", "8/20", "12/20", "16/20", "20/20"]
    assert "left" not in lines[-1]


def test_where_arrows_cannot_be_written_words_tell_the_trend() -> None:
    assert shown(encoding="ascii").splitlines()[1] == "refine 4/20  IoU 0.53 rising  8 s left"


def test_a_phase_that_others_follow_says_so() -> None:
    assert shown(ending=None).splitlines()[1].endswith("8 s left in this phase")


def test_what_follows_the_last_step_is_in_the_time_left() -> None:
    assert shown(ending=2.0).splitlines()[1].endswith(" 30 s left")  # 8 s of steps, and twice the 10 s of all steps


def test_details_come_on_request() -> None:
    assert shown(verbose=True).splitlines()[1] == "refine 4/20  IoU 0.53 ↑  8 s left  loss 0.25  iou 0.53  2 steps/s"
    assert "loss" not in shown()


def test_a_fast_phase_off_a_terminal_is_one_line() -> None:
    assert len(shown(step=0.01).splitlines()) == 2


def test_steps_of_an_earlier_process_make_this_one_no_faster() -> None:
    assert shown(before=6).splitlines()[1] == "refine 10/20  IoU 0.59 ↑  5 s left"


def test_a_terminal_shows_a_bar_with_the_same() -> None:
    text = shown(terminal=True)
    assert "\x1b[" in text
    for part in ("hull [done]", "refine", "20/20", "IoU 0.69 ↑"):
        assert part in text


def test_quiet_shows_nothing() -> None:
    assert shown(quiet=True) == shown(terminal=True, quiet=True) == ""


def test_phases_begin_where_a_stopped_run_was() -> None:
    stream = io.StringIO()
    clock = ticking(1.0)
    console = Console(file=stream, width=120, _environ={})
    with Progress(console=console, interval=2.0, clock=lambda: next(clock)) as progress:
        progress.expect_last("refine", 0.0)
        for index in range(3):
            progress.at("try smoothness 1", 3, index, {"loss": 2.0})
        for index in range(90, 100):
            progress.at("refine", 100, index, {"loss": 1.0})
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("try smoothness 1 2/3  loss 2")
    assert any(line.startswith("refine 9") and line.endswith(" s left") for line in lines)


def test_the_first_step_in_which_kernels_are_compiled_counts_for_nothing() -> None:
    pace = Pace(100, 0, 0.0)
    assert pace.left is None
    pace.step(1, 60.0)
    assert pace.left is None
    for done in range(2, 12):
        pace.step(done, 59.5 + done * 0.5)
    assert pace.left == pytest.approx(0.5 * 89)


def test_no_time_is_told_before_enough_steps_and_the_last_ones_count_most() -> None:
    pace = Pace(1000, 0, 0.0)
    for done in range(1, 20):
        pace.step(done, done * 1.0)
    assert pace.left is None  # less than 2 % of the steps
    for done in range(20, 200):
        pace.step(done, 19.0 + (done - 19) * 0.25)
    assert pace.left == pytest.approx(0.25 * 801)


def test_a_trend_is_told_where_there_is_one() -> None:
    rising, steady, noisy = Trend(100), Trend(100), Trend(100)
    assert [rising.step(value / 10) for value in range(20)][-1] == 1
    assert [steady.step(5.0) for _ in range(20)][-1] == 0
    assert [noisy.step(2.0 - value / 50 + (value % 2) / 50) for value in range(60)][-1] == -1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (8.4, "8 s"), (43, "45 s"), (200, "3 min"), (5000, "83 min"), (8000, "2 h 10 min")],
)
def test_times_are_as_rough_as_they_are_known(seconds: float, text: str) -> None:
    assert for_people(seconds) == text


def test_numbers_keep_four_digits() -> None:
    assert describe({"loss": 1 / 3, "step": 1e-9, "n": 12}) == "loss 0.3333  step 1e-09  n 12"
