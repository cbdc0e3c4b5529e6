"""report.html: a run on one page that opens anywhere, without a network, and stays below 3 MB."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from importlib.resources import files as package_files

import numpy as np

from invrender.nouns import Mesh, Scene, Volume
from invrender.report import tables
from invrender.report.cameras import from_above, spread
from invrender.report.course import course_plot, read_course
from invrender.report.page import document
from invrender.report.parts import PROGRESS, TURNTABLE, compared_views, pictured, slices, viewer, watched
from invrender.report.story import Story
from invrender.report.verdict import verdict

MOST = 3_000_000  # bytes of the page
SHARES = (1.0, 0.5, 0.2, 0.0)  # of the budgets, until the page is small enough
LOSSES = "losses.csv"
PICTURES = (
    ("pictures.png", "The data set's pictures, the network's, and four times their difference."),
    ("curves.png", "How near the network's pictures came while it learnt."),
    ("corner.png", "Draws of all values that explain the pictures, in pairs."),
)


@dataclass(frozen=True)
class Budget:
    """Characters that parts of the page may take."""

    instead: int = 480_000
    slices: int = 700_000
    progress: int = 700_000
    turntable: int = 420_000
    pictures: int = 110_000
    compared: int = 560_000

    def scaled(self, share: float) -> Budget:
        """The same by a share."""
        return Budget(*(round(share * value) for value in vars(self).values()))


def report_page(story: Story) -> str:
    """The whole page; details of pictures and films give way where it would become too large."""
    page = ""
    for share in SHARES:
        page = document(story.title, body(story, Budget().scaled(share)), text_of("report.css"), _script())
        if len(page.encode()) < MOST:
            break
    return page


def text_of(name: str) -> str:
    """A file of this package."""
    return (package_files("invrender.report") / name).read_text(encoding="utf-8")


def _script() -> str:
    """All scripts, each on its own so that none stops another."""
    names = ("hover.js", "film.js", "slices.js", "viewer.js")
    return "\n".join(f"(() => {{\n{text_of(name)}}})();" for name in names)


def body(story: Story, budget: Budget) -> str:
    """The page's content."""
    return "\n".join(
        filter(
            None,
            [
                "<main>",
                _head(story),
                _hero(story, budget),
                _section("Values found", tables.found_values(story.metrics)),
                _worst(story, budget),
                _forming(story, budget),
                _section("Measurements", tables.measurements(story.metrics, story.method)),
                _cameras(story),
                _section("Settings", tables.settings(story.settings) if story.settings else ""),
                _section("Time", tables.times(story.timings, story.seconds)),
                _again(story),
                "</main>",
                f"<footer>Written by invrender {escape(story.environment.get('invrender', ''))}. "
                "This page loads nothing from anywhere.</footer>",
            ],
        )
    )


def _section(title: str, inner: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{inner}</section>" if inner else ""


def _head(story: Story) -> str:
    found = verdict(story.metrics, story.method, len(story.warnings))
    grade = "" if found.grade is None else f" grade{found.grade}"
    made = [f"{escape(result_of(story))} from <code>{escape(story.source)}</code>"]
    if story.cameras is not None:
        made.append(f"{len(story.cameras.cameras)} views")
    if story.seconds is not None:
        made.append(f"made in {tables.duration(story.seconds)}")
    made += [escape(text) for text in (story.status, story.ended) if text]
    warnings = "".join(f"<li>{escape(text)}</li>" for text in story.warnings)
    count = "A warning" if len(story.warnings) == 1 else f"{len(story.warnings)} warnings"
    return (
        f'<header><p class="eyebrow">invrender · {escape(story.method)}</p><h1>{escape(story.title)}</h1>'
        f'<p class="lede{grade}">{escape(found.sentence)}</p><p class="quiet">{" · ".join(made)}</p>'
        + (f'<div class="card warnings" role="note"><h3>{count}</h3><ul>{warnings}</ul></div>' if warnings else "")
        + "</header>"
    )


def result_of(story: Story) -> str:
    """What came out, in a few words."""
    asset = story.asset
    if isinstance(asset, Mesh):
        return f"A mesh of {len(asset.faces):,} triangles"
    if isinstance(asset, Volume):
        return f"A volume of {' × '.join(map(str, reversed(asset.shape)))} samples"
    if isinstance(asset, Scene):
        return "A scene"
    return "A network" if story.method == "neural-renderer" else "A result"


def _hero(story: Story, budget: Budget) -> str:
    shown = viewer(story, budget.instead) or slices(story, budget.slices)
    if not shown:
        shown = "".join(pictured(story, name, told, budget.pictures) for name, told in PICTURES[:1])
    cards = tables.keys(story)
    if not shown:
        return cards
    return f'<div class="hero{"" if cards else " alone"}"><div>{shown}</div>{cards}</div>'


def _worst(story: Story, budget: Budget) -> str:
    if not story.compared:
        return ""
    told = "The views that the result explains least come first; the rest is at least as good."
    views = compared_views(tuple(story.compared), budget.compared)
    return _section("Worst views first", f'<p class="quiet">{told}</p>{views}')


def _forming(story: Story, budget: Budget) -> str:
    parts = [watched(story, PROGRESS, "How it formed, from the first step to the result.", budget.progress)]
    if not isinstance(story.asset, Mesh):
        parts.append(watched(story, TURNTABLE, "The result, turning.", budget.turntable))
    plot = course_plot(read_course(story.folder / LOSSES))
    parts.append(f'<figure class="card"><h3>What was brought down</h3>{plot}</figure>' if plot else "")
    parts += [pictured(story, name, told, budget.pictures) for name, told in PICTURES[1:]]
    inner = "".join(filter(None, parts))
    return _section("How it went", f'<div class="pair">{inner}</div>') if inner else ""


def _cameras(story: Story) -> str:
    if story.cameras is None or not len(story.cameras.cameras):
        return ""
    told = f'<p class="quiet">{escape(spread(story.cameras))}.</p>'
    if isinstance(story.asset, Mesh):
        points = story.asset.vertices.detach().cpu().double().numpy()
        low, high = points.min(0), points.max(0)
    elif isinstance(story.asset, Volume):
        low, high = story.asset.bounds.double().numpy()
    else:
        low = high = np.zeros(3)
    return _section("Cameras", told + from_above(story.cameras, low, high))


def _again(story: Story) -> str:
    parts = [_section("Where it ran", tables.facts(story.environment))]
    if story.command:
        parts.append(_section("The same again", f"<pre>{escape(story.command)}</pre>"))
    parts.append(_section("Files", tables.files(story.folder)))
    return "".join(parts)
