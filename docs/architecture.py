"""The picture of docs/architecture.md: the layers on the left, one run's data flow on the right.

python docs/architecture.py docs/architecture.svg
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TypeAlias

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

mpl.rcParams |= {"svg.hashsalt": "invrender", "font.family": "DejaVu Sans", "svg.fonttype": "path"}

WIDTH, HEIGHT = 1280, 860  # of the picture, in the units of everything below
PAPER, INK, QUIET, LINE, BACK = "#faf8f4", "#1f2a36", "#5d6a78", "#c9c3b8", "#b4533f"
BLUE, TEAL, AMBER, ROSE, GREY, CREAM = "#dbe7f6", "#d3ece6", "#fbe6c4", "#f7d9d6", "#eeebe4", "#fffaf0"
POINTS = 0.72  # per unit
Point: TypeAlias = tuple[float, float]

LAYERS = (
    (("cli", "flags in, exit code out; draws and computes nothing"),),
    (("batch", "many runs: jobs, who runs them, what came of them"),),
    (("methods", "one folder each"), ("preview", "the window")),
    (("stages", "scenes, voxels and pictures for networks"),),
    (("run", "the one runner, folder, resume"), ("evaluate", "metrics, facts")),
    (("report", "report.html: what runs leave for people"),),
    (("photometry", "what photographs say"), ("poses", "cameras found"), ("radiography", "scanners' frames")),
    (("render", "images of scenes"), ("samples", "procedural assets")),
    (("solve", ""), ("parameters", ""), ("segmentation", ""), ("io", ""), ("ops", "")),
    (("geometry", ""), ("networks", ""), ("shading", ""), ("backends", "")),
    (("kernels", "the seam: kernel and adjoint"), ("cameras", "rigs, rays")),
    (("nouns", "Mesh, Volume, Views, Scene"), ("losses", ""), ("ranks", "several processes")),
    (("colour", ""), ("errors", ""), ("jit", ""), ("compiling", "")),
)
COLOURS = {
    "cli": BLUE,
    "methods": TEAL,
    "run": AMBER,
    "report": AMBER,
    "solve": AMBER,
    "backends": ROSE,
    "kernels": ROSE,
    "ops": ROSE,
}
WIDE = 8  # the row that is one layer with the next
FILES = (
    (118, "config.toml"), (162, "run.json"), (206, "log.txt"), (464, "checkpoints/"), (600, "losses.csv"),
    (644, "progress.gif"), (688, "mesh, volume"), (732, "metrics.json"), (776, "report.html"),
)  # fmt: skip


def main(picture: Path) -> None:
    """Draw both halves and save them."""
    figure = plt.figure(figsize=(WIDTH / 100, HEIGHT / 100))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
    axes.axis("off")
    figure.patch.set_alpha(0)
    box(axes, 4, 4, WIDTH - 8, HEIGHT - 8, PAPER, LINE, 18)
    layers(axes, 36, 40, 452)
    axes.plot([524, 524], [44, HEIGHT - 44], color=LINE, lw=1)
    flow(axes, 562)
    folder(axes, 1098)
    figure.savefig(picture, metadata={"Date": None} if picture.suffix == ".svg" else None, dpi=150)


def layers(axes: Axes, left: float, top: float, width: float) -> None:
    """The packages in the order in which they may import one another."""
    heading(axes, left, top, "Layers", "imports point down, never up")
    height, gap, around = 46, 6, 6
    frame_top = top + 66 + WIDE * (height + gap)
    box(axes, left - around, frame_top, width + 2 * around, 2 * (height + around) + gap - 2, PAPER, LINE, 14)
    for row, packages in enumerate(LAYERS):
        y = top + 66 + row * (height + gap) + around * ((row >= WIDE) + (row > WIDE + 1)) - 2 * (row > WIDE)
        shares = [max(len(name) * 1.6, len(words)) + 3 for name, words in packages]
        x, room = left, width - 11 * (len(packages) - 1)
        for (name, words), share in zip(packages, shares, strict=True):
            across = room * share / sum(shares)
            node(axes, x, y, across, height, name, words, COLOURS.get(name, GREY))
            x += across + 11
    meaning = ((TEAL, "a method's own"), (AMBER, "the one loop, the one runner"), (ROSE, "kernels"))
    for (colour, words), x in zip(meaning, (left, left + 146, left + 374), strict=True):
        box(axes, x, 814, 14, 14, colour, LINE, 4)
        text(axes, x + 20, 821, words, 13, QUIET)


def flow(axes: Axes, left: float) -> None:
    """What happens to the input of one run."""
    wide, middle = 484, left + 242
    heading(axes, left, 40, "One run", "invrender reconstruct INPUT -o DIR")
    node(axes, left, 106, 232, 62, "input", "asset or dataset", GREY)
    node(axes, left + 252, 106, 232, 62, "settings", "flags > file > preset", GREY)
    node(axes, left, 196, wide, 62, "task.py", "reads the input, renders an asset's own views, checks", TEAL)
    node(axes, left, 286, wide, 62, "schedule.py", "finished phases \u2192 the next phase, or the end", TEAL)
    box(axes, left, 376, wide, 242, AMBER, "#d9b878")
    step(axes, left + 20, 384)
    node(axes, left, 648, wide, 62, "run/execute.py", "consumes the steps of any method", AMBER)
    node(axes, left, 740, wide, 62, "film.py, report.py", "pictures, metrics, written files, summary", TEAL)
    for x, y in ((left + 116, 168), (left + 368, 168), (middle, 258), (middle, 348)):
        arrow(axes, (x, y), (x, y + 28))
    for y in (618, 710):
        arrow(axes, (middle, y), (middle, y + 30))
    for y, words in ((272, "views"), (362, "parameters, objective, solver"), (632, "step: terms, estimate on demand")):
        text(axes, middle + 14, y, words, 13)
    axes.plot([left, left - 18, left - 18], [598, 598, 317], color=INK, lw=1.3, solid_joinstyle="round")
    arrow(axes, (left - 18, 317), (left, 317))


def step(axes: Axes, left: float, top: float) -> None:
    """The loop's box: from parameters to an image and, by the adjoints, back to the solver."""
    text(axes, left - 2, top + 20, "solve/loop.py", 18, bold=True)
    text(axes, left + 336, top + 20, "forward", 14, INK, "right")
    text(axes, left + 444, top + 20, "adjoint", 14, BACK, "right")
    arrow(axes, (left + 242, top + 20), (left + 270, top + 20))
    arrow(axes, (left + 382, top + 20), (left + 354, top + 20), BACK)
    names = (("parameters", "named tensors"), ("scene", "decode"), ("image", "ops, kernels"), ("loss", "objective"))
    for index, (name, words) in enumerate(names):
        x = left + index * 117
        node(axes, x, top + 44, 93, 62, name, words, CREAM, small=True)
        if index:
            arrow(axes, (x - 24, top + 64), (x, top + 64))
            arrow(axes, (x, top + 88), (x - 24, top + 88), BACK)
    words = "next parameters and state, never changed in place"
    node(axes, left, top + 132, 444, 58, "solver: init, step", words, CREAM)
    arrow(axes, (left + 36, top + 132), (left + 36, top + 106))
    arrow(axes, (left + 72, top + 106), (left + 72, top + 132), BACK)
    text(axes, left + 222, top + 212, "not finite or diverged: roll back, halve the step", 14, QUIET, "center")


def folder(axes: Axes, left: float) -> None:
    """The run folder: who writes what, and how a stopped run goes on."""
    text(axes, left + 80, 80, "run folder DIR", 15, QUIET, "center")
    box(axes, left, 106, 160, 716, "#f1eee7", LINE)
    for y, name in FILES:
        box(axes, left + 10, y, 140, 38, "white", LINE, 7)
        text(axes, left + 80, y + 19, name, 14, INK, "center")
    for y in (137, 679, 771):
        arrow(axes, (left - 52, y), (left, y))
    arrow(axes, (left, 483), (left - 52, 483), dashed=True)
    text(axes, left + 80, 518, "a stopped run", 13, QUIET, "center")
    text(axes, left + 80, 536, "goes on from here", 13, QUIET, "center")


def node(axes: Axes, x: float, y: float, w: float, h: float, name: str, words: str, colour: str, small=False):
    """A box with a name and, below it, a few words."""
    box(axes, x, y, w, h, colour, LINE)
    size = 12.5 if small else 18
    text(axes, x + w / 2, y + h * (0.36 if words else 0.5), name, size, INK, "center", bold=True)
    text(axes, x + w / 2, y + h * 0.7, words, 10.8 if small else 14, QUIET, "center")


def heading(axes: Axes, x: float, y: float, title: str, words: str) -> None:
    """A title and what it means."""
    text(axes, x, y + 8, title, 24, INK, bold=True)
    text(axes, x, y + 40, words, 15, QUIET)


def text(axes: Axes, x: float, y: float, words: str, size: float, colour: str = INK, side: str = "left", bold=False):
    """Words around a height y."""
    weight = "bold" if bold else "normal"
    axes.text(x, y, words, size=size * POINTS, color=colour, ha=side, va="center_baseline", weight=weight)


def box(axes: Axes, x: float, y: float, w: float, h: float, colour: str, edge: str, radius: float = 9) -> None:
    """A rounded rectangle."""
    style = f"round,pad=0,rounding_size={radius}"
    axes.add_patch(FancyBboxPatch((x, y), w, h, boxstyle=style, fc=colour, ec=edge, lw=1))


def arrow(axes: Axes, start: Point, end: Point, colour: str = INK, dashed: bool = False) -> None:
    """A straight arrow."""
    style = {"arrowstyle": "-|>", "mutation_scale": 11, "lw": 1.3, "shrinkA": 0, "shrinkB": 1}
    axes.add_patch(FancyArrowPatch(start, end, color=colour, linestyle=(0, (3, 2)) if dashed else "-", **style))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
