"""A picture of a scan: source, detector and axis from above and from the side, a sinogram and a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from invrender.cameras.field_of_view import field_of_view, is_helical
from invrender.cameras.rigs import evenly
from invrender.evaluate.scan_facts import light_of
from invrender.nouns.scan import Scan, ScanGeometry

Tensor = torch.Tensor
Point = tuple[float, float]

SIDE, GAP, HEAD = 560, 28, 26
SHARP = 2  # drawings are made so many times as large, then averaged
PAPER, INK, GREY, PALE = (255, 255, 255), (25, 30, 40), (110, 116, 128), (214, 218, 226)
SOURCE, DETECTOR, SEEN, AXIS = (226, 110, 0), (0, 96, 200), (226, 242, 228), (190, 25, 40)
DRAWN = 8  # detectors that are drawn beside the first
MARGIN = 0.06


def scan_picture(scan: Scan) -> NDArray[np.uint8]:
    """[H,W,3] sRGB bytes: the geometry above, the middle row of all frames and the first frame below."""
    panels = [
        ("from above (+X right, +Y up)", _above(scan)),
        ("from the side of the first projection (+Z up)", _beside(scan)),
        (f"sinogram of row {scan.geometry.size[0] // 2}: columns to the right, projections downwards", _sinogram(scan)),
        (f"first projection: {scan.names[0] if scan.names else '0'}", _frame(scan)),
    ]
    width, height = 2 * SIDE + 3 * GAP, 2 * (SIDE + HEAD) + 3 * GAP + HEAD
    sheet = Image.new("RGB", (width, height), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for number, (title, panel) in enumerate(panels):
        x, y = GAP + number % 2 * (SIDE + GAP), GAP + number // 2 * (SIDE + HEAD + GAP)
        pen.text((x, y), title, INK, font=font)
        sheet.paste(panel, (x, y + HEAD))
    _legend(pen, font, height - GAP)
    return np.asarray(sheet)


def _legend(pen: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, y: int) -> None:
    x = GAP
    for text, colour in (("source", SOURCE), ("detector", DETECTOR), ("axis", AXIS), ("what the frames see", SEEN)):
        pen.rectangle((x, y - 13, x + 14, y + 1), colour, PALE)
        pen.text((x + 20, y - 15), text, GREY, font=font)
        x += 40 + int(pen.textlength(text, font))


@dataclass(frozen=True)
class Board:
    """A square panel, and how world units become its pixels."""

    image: Image.Image
    pen: ImageDraw.ImageDraw
    low: Point
    scale: float
    shift: Point

    def at(self, p: Sequence[float]) -> Point:
        """Where a point lies on it."""
        side = SIDE * SHARP
        x, y = ((p[i] - self.low[i]) * self.scale + self.shift[i] for i in range(2))
        return x, side - y

    def line(self, points: Sequence[Sequence[float]], colour: tuple[int, int, int], width: float = 1) -> None:
        """A broken line through points."""
        self.pen.line([self.at(p) for p in points], colour, round(width * SHARP), joint="curve")

    def dot(self, p: Sequence[float], radius: float, colour: tuple[int, int, int]) -> None:
        """A disc."""
        x, y = self.at(p)
        r = radius * SHARP
        self.pen.ellipse((x - r, y - r, x + r, y + r), colour)

    def done(self) -> Image.Image:
        """The panel at its own size, with a frame."""
        small = self.image.resize((SIDE, SIDE), Image.Resampling.BOX)
        ImageDraw.Draw(small).rectangle((0, 0, SIDE - 1, SIDE - 1), None, PALE)
        return small


def _board(points: NDArray[np.float64]) -> Board:
    """A panel on which all points [K,2] find room, by one scale for both axes."""
    low, high = points.min(0), points.max(0)
    side = SIDE * SHARP
    scale = side * (1 - 2 * MARGIN) / max(float((high - low).max()), 1e-30)
    shift = (side - (high - low) * scale) / 2
    image = Image.new("RGB", (side, side), PAPER)
    return Board(
        image, ImageDraw.Draw(image), (float(low[0]), float(low[1])), scale, (float(shift[0]), float(shift[1]))
    )


def _starts(g: ScanGeometry) -> Tensor:
    """[N,3]: focal spots; of a parallel beam the middles of what its rays start from, as far away as the detector."""
    if g.beam != "parallel":
        return g.source
    back = 2 * (g.centre * g.source).sum(1, keepdim=True).abs() + 1.2 * g.size[1] * g.u.norm(dim=1, keepdim=True)
    return g.centre - back * g.source


def _above(scan: Scan) -> Image.Image:
    g, seen = scan.geometry, field_of_view(scan.geometry)
    ends = torch.stack([g.centre - g.u * g.size[1] / 2, g.centre + g.u * g.size[1] / 2], 1)[:, :, :2].numpy()
    starts, reach = _starts(g)[:, :2].numpy(), max(seen.reach, 0.0)
    board = _board(np.concatenate([ends.reshape(-1, 2), starts, [[reach, reach], [-reach, -reach]]]))
    board.pen.ellipse((*board.at((-reach, reach)), *board.at((reach, -reach))), SEEN)
    for i in evenly(len(g), DRAWN):
        board.line(ends[i], PALE, 2)
    for i in range(0, len(g), max(1, len(g) // 720)):
        board.dot(starts[i], 1.2, SOURCE)
    _rays(board, g, starts[0], ends[0])
    board.line(ends[0], DETECTOR, 4)
    board.dot(starts[0], 5, SOURCE)
    _cross(board, (0.0, 0.0))
    return board.done()


def _beside(scan: Scan) -> Image.Image:
    g = scan.geometry
    helical, seen = is_helical(g), field_of_view(g)
    starts = _starts(g)
    ahead = (g.centre - starts)[0, :2]
    ahead = ahead / ahead.norm().clamp(min=1e-30)

    def flat(points: Tensor) -> NDArray[np.float64]:
        return torch.stack([points[..., :2] @ ahead, points[..., 2]], -1).numpy()

    ends = flat(torch.stack([g.centre - g.v * g.size[0] / 2, g.centre + g.v * g.size[0] / 2], 1))
    sources, reach = flat(starts), max(seen.reach, 0.0)
    heights = (min(seen.low, float(ends[..., 1].min())), max(seen.high, float(ends[..., 1].max())))
    board = _board(np.concatenate([ends[0], sources[:1], [[-reach, heights[0]], [reach, heights[1]]]]))
    board.pen.rectangle((*board.at((-reach, seen.high)), *board.at((reach, seen.low))), SEEN)
    if helical:
        for i in range(0, len(g), max(1, len(g) // 720)):
            board.dot(sources[i], 1.2, SOURCE)
    if g.beam == "cone":
        _rays(board, g, sources[0], ends[0])
    else:
        for end in ends[0]:
            board.line([(sources[0][0], end[1]), end], PALE, 1.5)
    board.line(ends[0], DETECTOR, 4)
    board.dot(sources[0], 5, SOURCE)
    board.line([(0.0, heights[0]), (0.0, heights[1])], AXIS, 1.5)
    return board.done()


def _rays(board: Board, g: ScanGeometry, start: NDArray[np.float64], ends: NDArray[np.float64]) -> None:
    """The rays to both ends of a detector, and to its middle."""
    middle = ends.mean(0)
    for end in (*ends, middle):
        begin = start + (end - middle) if g.beam == "parallel" else start
        board.line([begin, end], PALE, 1.5)


def _cross(board: Board, p: Point) -> None:
    x, y = board.at(p)
    r = 6 * SHARP
    board.pen.line((x - r, y, x + r, y), AXIS, 2 * SHARP)
    board.pen.line((x, y - r, x, y + r), AXIS, 2 * SHARP)


def _sinogram(scan: Scan) -> Image.Image:
    row = scan.geometry.size[0] // 2
    chosen = torch.tensor(evenly(len(scan), min(len(scan), 2 * SIDE)))
    light = _light(scan, scan.frames[chosen][:, row : row + 1], row)
    return _grey(light[:, 0], filling=True)


def _frame(scan: Scan) -> Image.Image:
    return _grey(_light(scan, scan.frames[:1], None)[0])


def _light(scan: Scan, frames: Tensor, row: int | None) -> Tensor:
    """Optical depths of frames [M,H,W], or of one row of them [M,1,W]; by the most where nothing is known."""
    height = scan.geometry.size[0]
    whole = frames.float() if row is None else frames.float().expand(-1, height, -1)
    light = light_of(scan, whole)
    known = light if light is not None else whole / whole.max().clamp(min=1e-30)
    known = known if row is None else known[:, row : row + 1]
    return -known.nan_to_num(1.0).clamp(min=1e-4).log()


def _grey(depth: Tensor, filling: bool = False) -> Image.Image:
    """Depths [H,W] as greys, the thinnest black, in the panel's square: filling it, or with square pixels."""
    low, high = (float(np.percentile(depth.numpy(), q)) for q in (0.5, 99.8))
    shown = ((depth - low) / max(high - low, 1e-12)).clamp(0, 1)
    picture = Image.fromarray((shown.numpy() * 255).astype(np.uint8))
    share = SIDE / max(picture.size)
    way = Image.Resampling.NEAREST if share >= 1 else Image.Resampling.BOX
    size = (SIDE, SIDE) if filling else (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
    panel = Image.new("RGB", (SIDE, SIDE), PAPER)
    panel.paste(picture.resize(size, way).convert("RGB"), (0, 0))
    ImageDraw.Draw(panel).rectangle((0, 0, SIDE - 1, SIDE - 1), None, PALE)
    return panel
