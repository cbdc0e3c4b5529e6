"""report.png: a run in one picture of 1200 x 630 pixels, as chats and mails show it."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

from invrender.nouns import Volume
from invrender.report.compared import Compared, Picture
from invrender.report.course import Course, read_course
from invrender.report.glossary import entries, meaning
from invrender.report.html import LOSSES, PICTURES, result_of
from invrender.report.lettering import fitting, font
from invrender.report.measures import is_number
from invrender.report.media import fitted, last_frame
from invrender.report.parts import PROGRESS, TURNTABLE, scored
from invrender.report.story import Story
from invrender.report.tables import duration, first_keys
from invrender.report.verdict import told, verdict

WIDTH, HEIGHT, MARGIN = 1200, 630, 40
SIDE = HEIGHT - 2 * MARGIN  # of the result's picture
LEFT = MARGIN + SIDE + 40  # where the words begin
ROOM = WIDTH - LEFT - MARGIN
PAPER, STAGE, INK, GREY = (251, 251, 252), (238, 240, 244), (27, 35, 48), (98, 107, 122)
GRADES = ((46, 139, 87), (183, 121, 31), (198, 47, 62))
LINE = (42, 111, 219)
GAP = 10
PACKING = 4  # of zlib: a fifth of the time of the best, and a few per cent larger
MOST_LINES = 3  # of the verdict; a longer one has smaller letters


def report_card(story: Story) -> bytes:
    """The picture as PNG."""
    sheet = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.rounded_rectangle((MARGIN, MARGIN, MARGIN + SIDE, MARGIN + SIDE), 14, STAGE)
    main = _main_picture(story)
    if main is not None:
        _paste(sheet, main, (MARGIN, MARGIN, SIDE, SIDE))
    else:
        _text(pen, (MARGIN + SIDE // 2, MARGIN + SIDE // 2), "no picture of the result", 20, GREY, anchor="mm")
    down = _words(pen, story)
    down = _views(sheet, pen, story, down)
    _numbers(pen, story, down)
    held = io.BytesIO()
    sheet.save(held, format="PNG", compress_level=PACKING)
    return held.getvalue()


def _main_picture(story: Story) -> Picture | None:
    """The result itself, or what shows most of it."""
    if story.still is not None:
        return story.still
    names = (TURNTABLE, *(name for name, _ in PICTURES[:1]), PROGRESS)
    found = next((each for name in names if (each := last_frame(story.folder / name)) is not None), None)
    if found is not None:
        return found
    if story.compared:
        return story.compared[-1].estimate
    return _middle(story.asset) if isinstance(story.asset, Volume) else None


def _middle(volume: Volume) -> Picture:
    """The middle slice across z, brightest at its greatest value."""
    values = np.nan_to_num(volume.numpy()[0])
    cut = values[len(values) // 2, ::-1]
    low, high = float(cut.min()), float(cut.max())
    grey = ((cut - low) / max(high - low, 1e-30) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, 2)


def _paste(sheet: Image.Image, picture: Picture, place: tuple[int, int, int, int]) -> None:
    """A picture in the middle of a place (left, top, width, height), as large as it fits, its corners rounded."""
    left, top, width, height = place
    share = min(width / picture.shape[1], height / picture.shape[0])
    size = max(1, round(share * picture.shape[1])), max(1, round(share * picture.shape[0]))
    way = Image.Resampling.LANCZOS if share < 3 else Image.Resampling.BICUBIC
    scaled = Image.fromarray(np.ascontiguousarray(picture)).resize(size, way)
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), 10, 255)
    sheet.paste(scaled, (left + (width - size[0]) // 2, top + (height - size[1]) // 2), mask)


def _text(
    pen: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, ink: tuple[int, int, int] = INK,
    room: int = ROOM, anchor: str = "la",
) -> None:  # fmt: skip
    pen.text(at, fitting(text.replace("×", "x").replace("\xa0", " "), room, size), ink, font(size), anchor=anchor)


def _words(pen: ImageDraw.ImageDraw, story: Story) -> int:
    """The title, the verdict and warnings; where they end."""
    found = verdict(story.metrics, story.method, len(story.warnings))
    _text(pen, (LEFT, MARGIN - 4), f"invrender · {story.method}", 17, GREY)
    _text(pen, (LEFT, MARGIN + 22), story.title, 40)
    down = MARGIN + 82
    size = next((size for size in (20, 17) if len(_wrapped(found.sentence, size, ROOM - 26)) <= MOST_LINES), 14)
    ink = GREY if found.grade is None else GRADES[found.grade]
    pen.ellipse((LEFT, down + 6, LEFT + 12, down + 18), ink)
    for line in _wrapped(found.sentence, size, ROOM - 26):
        _text(pen, (LEFT + 24, down), line, size)
        down += round(1.4 * size)
    if story.warnings:
        count = "a warning" if len(story.warnings) == 1 else f"{len(story.warnings)} warnings"
        _text(pen, (LEFT + 24, down), f"{count}: {story.warnings[0].partition('; ')[0]}", 16, GRADES[1], ROOM - 24)
        down += 26
    spent = "" if story.seconds is None else f", made in {duration(story.seconds)}"
    views = "" if story.cameras is None else f" from {_views_of(len(story.cameras.cameras))}"
    _text(pen, (LEFT, down + 4), f"{result_of(story)}{views}{spent}", 16, GREY)
    return down + 40


def _wrapped(text: str, size: int, room: int) -> list[str]:
    """A text in lines that fit."""
    lines, line = [], ""
    for word in text.replace(" %", "\xa0%").replace(" dB", "\xa0dB").split(" "):
        longer = f"{line} {word}".strip()
        if font(size).getlength(longer) > room and line:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


def _views(sheet: Image.Image, pen: ImageDraw.ImageDraw, story: Story, down: int) -> int:
    """The worst view beside what the result shows of it, or the course of the losses; where that ends."""
    if not story.compared:
        room = HEIGHT - MARGIN - 110 - down
        return _curve(pen, read_course(story.folder / LOSSES), down, max(room, 80))
    view: Compared = story.compared[0]
    side = (ROOM - 2 * GAP) // 3
    _text(pen, (LEFT, down), f"worst view, {view.name}: {scored(view)}", 16, GREY)
    down += 26
    tall = min(side, round(side * view.target.shape[0] / view.target.shape[1]), 190)
    for number, (picture, kind) in enumerate(
        ((view.target, "input"), (view.estimate, "result"), (view.difference, "difference"))
    ):
        left = LEFT + number * (side + GAP)
        _paste(sheet, fitted(picture, 600), (left, down, side, tall))
        _text(pen, (left + side // 2, down + tall + 3), kind, 14, GREY, side, "ma")
    return int(down + tall + 30)


def _curve(pen: ImageDraw.ImageDraw, course: Course, down: int, height: int) -> int:
    """The first term of each step, by its logarithm where it is positive."""
    values = [next(iter(terms.values()), float("nan")) for _, _, terms in course.rows]
    known = [value for value in values if is_number(value)]
    if len(known) < 2:
        return down
    way = np.log if min(known) > 0 else np.asarray
    heights = np.array(way(np.array(values, float)))
    low, high = np.nanmin(heights), np.nanmax(heights)
    xs = np.linspace(LEFT, LEFT + ROOM, len(values))
    ys = down + 28 + (height - 28) * (high - heights) / max(high - low, 1e-30)
    points = [(float(x), float(y)) for x, y in zip(xs, ys, strict=True) if np.isfinite(y)]
    name = next(iter(course.rows[-1][2]), "loss")
    _text(pen, (LEFT, down), f"{name} over {course.count} steps", 16, GREY)
    pen.line((LEFT, down + height, LEFT + ROOM, down + height), (225, 228, 234))
    pen.line(points, LINE, 2, joint="curve")
    return down + height + 24


def _numbers(pen: ImageDraw.ImageDraw, story: Story, down: int) -> None:
    """The most telling numbers at the bottom, as many as there is room for."""
    found, names = dict(entries(story.metrics)), first_keys(story, 3)
    bottom = HEIGHT - MARGIN
    if bottom - down < 62:
        return
    width = ROOM // max(len(names), 1)
    for number, name in enumerate(names):
        entry, left = meaning(name, story.method), LEFT + number * width
        assert entry is not None
        _text(pen, (left, bottom - 62), told(name, found[name], story.method), 30, INK, width - 12)
        for line, words in enumerate(_wrapped(entry.title, 13, width - 14)[:2]):
            _text(pen, (left, bottom - 28 + 15 * line), words, 13, GREY, width - 12)


def _views_of(count: int) -> str:
    return "one view" if count == 1 else f"{count} views"
