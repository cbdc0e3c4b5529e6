"""results.png: all runs of a batch as tiles, each with its name and its main metrics."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from invrender.batch.collection.results import Results, Row
from invrender.batch.collection.thumbnails import WIDTH, Thumbnail, plain
from invrender.batch.folder import counts
from invrender.io.files.atomic import atomic_path
from invrender.report.measures import main, shown

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

    Pen = ImageDraw.ImageDraw
    Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

MOST, COLUMNS = 200, 10  # tiles on a page; in a row
PICTURE, LINE, GAP, MARGIN, TOP = 160, 20, 14, 20, 44  # pixels; PICTURE: the height of the picture in a tile
ROOM = PICTURE + 2 * LINE + 6  # the height of a tile
ASPECT = 1.5  # of a page, as far as whole tiles allow
PAPER, INK, GREY, EDGE, EMPTY = (255, 255, 255), (25, 30, 40), (98, 105, 118), (221, 224, 230), (244, 245, 248)
RED, ROSE = (190, 30, 45), (253, 237, 238)


def write_sheets(results: Results, pictures: Mapping[Path, Thumbnail], path: Path) -> list[Path]:
    """Write the sheet, and further pages as NAME-2.png and so on; pages of an earlier call are removed.

    Args:
        results: all rows, in the order of the tiles.
        pictures: of the rows' folders.
        path: of the first page.

    Raises:
        UsageError: that cannot be written.
    """
    pages = [results.rows[start : start + MOST] for start in range(0, len(results.rows), MOST)] or [()]
    written = []
    for number, rows in enumerate(pages, 1):
        name = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        page = _page(rows, pictures, _title(results, number, len(pages)))
        with atomic_path(name) as temporary:
            page.save(temporary, format="PNG")
        written.append(name)
    number = len(pages) + 1
    while (old := path.with_name(f"{path.stem}-{number}{path.suffix}")).is_file():
        old.unlink()
        number += 1
    return written


def _title(results: Results, number: int, pages: int) -> str:
    states = ", ".join(f"{count} {state}" for state, count in counts(row.standing for row in results.rows).items())
    page = f"   (page {number} of {pages})" if pages > 1 else ""
    return f"{results.folder.absolute().name}:  {states or 'no jobs'}{page}"


def _page(rows: Sequence[Row], pictures: Mapping[Path, Thumbnail], title: str) -> Image.Image:
    from PIL import Image, ImageDraw

    across = math.ceil(math.sqrt(max(1, len(rows)) * ASPECT * (ROOM + GAP) / (WIDTH + GAP)))
    across = max(1, min(COLUMNS, across, len(rows)))
    down = math.ceil(len(rows) / across)
    wide = 2 * MARGIN + max(across, 2) * (WIDTH + GAP) - GAP
    page = Image.new("RGB", (wide, TOP + MARGIN + down * (ROOM + GAP)), PAPER)
    pen = ImageDraw.Draw(page)
    pen.text((MARGIN, 14), _fitting(plain(title), wide - 2 * MARGIN, _font(True)), INK, _font(True))
    for at, row in enumerate(rows):
        place = (MARGIN + at % across * (WIDTH + GAP), TOP + at // across * (ROOM + GAP))
        _tile(page, pen, place, row, pictures.get(row.folder, Thumbnail()))
    return page


def _tile(page: Image.Image, pen: Pen, place: tuple[int, int], row: Row, picture: Thumbnail) -> None:
    """Draw a job: its picture or how it stands, and below it the name and what was measured."""
    from PIL import Image

    left, top = place
    state, failed = row.standing.state, row.standing.state == "failed"
    frame = (left, top, left + WIDTH - 1, top + PICTURE - 1)
    pen.rectangle(frame, ROSE if failed and not picture.data else EMPTY)
    if picture.data:
        drawn = Image.open(io.BytesIO(picture.data))
        drawn.thumbnail((WIDTH, PICTURE), Image.Resampling.LANCZOS)
        page.paste(drawn, (left + (WIDTH - drawn.width) // 2, top + (PICTURE - drawn.height) // 2))
    elif state == "done":
        _words(pen, (left, top), "done, without a picture", "", GREY)
    else:
        _words(pen, (left, top), _stand(row), row.step or row.standing.cause, RED if failed else GREY)
    pen.rectangle(frame, outline=RED if failed else EDGE, width=2 if failed else 1)
    pen.text((left, top + PICTURE + 4), _fitting(plain(row.name), WIDTH, _font(True)), INK, _font(True))
    said = " · ".join(f"{name} {shown(row.metrics[name])}" for name in main(row.metrics))
    if picture.data and state != "done":
        said = ": ".join(filter(None, (_stand(row), row.standing.cause)))
    pen.text((left, top + PICTURE + 4 + LINE), _fitting(plain(said), WIDTH, _font()), RED if failed else GREY, _font())


def _stand(row: Row) -> str:
    code = row.standing.exit_code
    return f"{row.standing.state}, exit code {code}" if row.standing.state == "failed" and code else row.standing.state


def _words(pen: Pen, place: tuple[int, int], head: str, text: str, ink: tuple[int, int, int]) -> None:
    """A heading and wrapped text in the middle of an empty tile."""
    lines = _wrapped(plain(text), WIDTH - 28, _font(), 5)
    y = place[1] + (PICTURE - LINE * (1 + len(lines))) // 2
    pen.text((place[0] + 14, y), head, ink, _font(True))
    for number, line in enumerate(lines, 1):
        pen.text((place[0] + 14, y + number * LINE), line, INK, _font())


def _wrapped(text: str, room: int, font: Font, most: int) -> list[str]:
    """Text in lines of at most so many pixels; long words are cut, and what is left over ends in dots."""
    lines: list[str] = [""]
    for word in text.split():
        for piece in _pieces(word, room, font):
            longer = f"{lines[-1]} {piece}".strip()
            if font.getlength(longer) <= room:
                lines[-1] = longer
            else:
                lines.append(piece)
    lines = [line for line in lines if line]
    if len(lines) > most:
        lines = [*lines[: most - 1], _fitting(" ".join(lines[most - 1 :]), room, font, at=1.0)]
    return lines


def _pieces(word: str, room: int, font: Font) -> list[str]:
    pieces = []
    while word and font.getlength(word) > room:
        size = max(1, int(len(word) * room / font.getlength(word)) - 1)
        pieces.append(word[:size])
        word = word[size:]
    return [*pieces, word]


def _fitting(text: str, room: int, font: Font, at: float = 0.5) -> str:
    """Text in so many pixels; of a longer one a part is left out: the middle, since names differ at the ends."""
    if font.getlength(text) <= room:
        return text
    keep = len(text) - 1
    text = text[: 4 * room] if at == 1 else text
    while keep > 1:
        head = math.ceil(keep * at)
        short = f"{text[:head]}…{text[len(text) - keep + head :] if keep > head else ''}"
        if font.getlength(short) <= room:
            return short
        keep -= max(1, keep // 20)
    return "…"


@cache
def _font(bold: bool = False) -> Font:
    """A font that knows more than English: the one that comes with matplotlib, else Pillow's own."""
    from PIL import ImageFont

    found = find_spec("matplotlib")
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    path = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / name if found and found.origin else None
    if path is not None and path.is_file():
        return ImageFont.truetype(str(path), 13)
    return ImageFont.load_default()
