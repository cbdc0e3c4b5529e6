"""The page of a batch: complete, escaped, and in need of nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest

from invrender.batch.collection.collect import collect
from invrender.batch.collection.matrix import drawn, matrix
from invrender.batch.collection.results import Row
from invrender.report.curves import read_curve
from tests.batch.conftest import DONE, FAILED, HOSTILE, folder_of


@dataclass
class Page(HTMLParser):
    """What a browser would make of a page: tags that stand open, links, resources, scripts and text."""

    open: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append((tag, named))
        self.links += [named["href"] or ""] if "href" in named else []
        self.sources += [named["src"] or ""] if "src" in named else []
        if tag not in ("meta", "img", "br", "wbr", "source", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        return "".join(self.text)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [named for name, named in self.tags if name == tag]


def page(path: Path) -> Page:
    read = Page()
    read.feed(path.read_text(encoding="utf-8"))
    read.close()
    assert read.open == []
    return read


def test_the_page_needs_nothing_else(batch: Path, tmp_path: Path) -> None:
    for place in (batch, tmp_path / "else where"):
        report = collect(batch, place).report
        read = page(report)
        assert all(
            name in read.words for name in ("four", "eight", HOSTILE, "busy", "late", FAILED.cause, FAILED.remedy)
        )
        assert read.sources and all(source.startswith("data:image/jpeg;base64,") for source in read.sources)
        assert len(read.all("script")) == 1 and not read.all("link") and not read.all("b")[1:]
        text = report.read_text(encoding="utf-8")
        assert "http:" not in text and "https:" not in text and "@import" not in text
        inside = {named["id"] for named in read.all("details")}
        assert len(inside) == 5
        for link in read.links:
            assert link[1:] in inside if link.startswith("#") else (place / unquote(link)).exists(), link
        assert any(unquote(link).endswith("/progress.gif") for link in read.links)


def test_the_page_marks_the_best_and_plots_the_losses(batch: Path) -> None:
    read = page(collect(batch).report)
    best = [named["data-value"] for named in read.all("td") if "best" in (named.get("class") or "")]
    assert "0.99" in best and "0.001" in best
    assert len([svg for svg in read.all("svg") if svg["class"] == "spark"]) == 2
    plots = [svg for svg in read.all("svg") if svg["class"] == "plot"]
    assert len(plots) == 3  # iou over views, and two losses
    assert "iou by views" in read.words
    for line in read.all("polyline"):
        assert all(np.isfinite([float(x) for x in point.split(",")]).all() for point in (line["points"] or "").split())


def test_a_run_at_work_says_how_far_it_is(batch: Path) -> None:
    step = {"event": "step", "phase": "refine <i>", "step": 82, "total": 150, "terms": {"loss": 2.0}}
    (folder_of(batch, "busy") / "events.jsonl").write_text(json.dumps(step) + "\n")
    assert "runningrefine <i> 82/150" in page(collect(batch).report).words


def test_phases_of_a_loss_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "losses.csv"
    path.write_text(
        "step,phase,misfit,l1\n0,coarse,8,\n1,coarse,4,\n2,fine,4,\n3,fine,2,\n4,train,,0.5\n5,train,3,\n6,tr"
    )
    curve = read_curve(path)
    assert [(piece.phase, piece.term, len(piece.points)) for piece in curve.pieces] == [
        ("coarse", "misfit", 2), ("fine", "misfit", 2), ("train", "l1", 1), ("train", "misfit", 1),
    ]  # fmt: skip
    assert curve.pieces[1].points == ((2, 4.0), (3, 2.0)) and not curve.trouble
    path.write_text("step,loss\n" + "".join(f"{step},{1 / (step + 1)}\n" for step in range(5000)))
    thin = read_curve(path)
    assert thin.rows == 5000 and len(thin.values) <= 161 and thin.values[-1] == pytest.approx(1 / 5000)


@pytest.fixture
def of() -> Callable[..., Row]:
    def make(iou: float, **settings: Any) -> Row:
        return Row("job", Path("job"), DONE, settings, {}, {"iou": iou})

    return make


def test_a_matrix_takes_means_over_the_seed(of: Callable[..., Row]) -> None:
    rows = [of(0.5, views=4, seed=0), of(0.7, views=4, seed=1), of(0.9, views=8, seed=0), of(0.9, views=8, seed=1)]
    found = matrix(rows, ["views", "seed"])
    assert found is not None and (found.names, found.values) == (("views",), ((4, 8),))
    assert found.means == pytest.approx({(0,): 0.6, (1,): 0.9})
    tried = (0.5, 4, "<script>x"), (0.6, 8, "<script>x"), (0.7, 8, "hull")
    two = matrix([of(iou, views=views, start=start) for iou, views, start in tried], ["views", "start"])
    assert two is not None and len(two.means) == 3
    read = Page()
    read.feed(drawn(two))
    assert len(read.all("polyline")) == 2 and len(read.all("table")) == 1 and not read.all("script")
    assert matrix(rows[:1], ["views", "seed"]) is None


def test_a_matrix_holds_what_few_jobs_vary(of: Callable[..., Row]) -> None:
    grid = [of(0.1 * a + b, a=a, b=b, start="hull") for a in (1, 2) for b in (3, 4)]
    found = matrix([*grid, of(9.0, a=1, b=3, start="sphere")], ["a", "b", "start"])
    assert found is not None and found.title == "iou by a and b, for start hull"
    assert found.means == pytest.approx(
        {(i, k): 0.1 * a + b for i, a in enumerate((1, 2)) for k, b in enumerate((3, 4))}
    )
