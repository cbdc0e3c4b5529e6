"""The documentation's site is built without a warning, and holds what comes from the code."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.docs.commands import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built anew; warnings are errors."""
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", str(folder)]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    return folder


class _Text(HTMLParser):
    """Gathers a page's words, and what it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [value or "" for name, value in attrs if name == "src"]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(page: Path) -> _Text:
    text = _Text()
    text.feed(page.read_text(encoding="utf-8"))
    return text


def test_every_page_is_reached_from_the_first(site: Path) -> None:
    contents = (site / "index.html").read_text(encoding="utf-8")
    for page in ROOT.glob("docs/**/*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        assert name == "index.html" or f'href="{name}"' in contents, name


def test_pictures_of_the_pages_are_there(site: Path) -> None:
    for page in site.glob("**/*.html"):
        for source in read(page).loaded:
            if not source.startswith(("https:", "data:")):
                assert (page.parent / source.split("?")[0]).exists(), (page.name, source)


def test_the_reference_has_every_command_setting_and_metric(site: Path) -> None:
    commands = " ".join(read(site / "generated" / "commands.html").words)
    for name in ("invrender reconstruct", "invrender batch retry", "invrender dataset make"):
        assert name in commands
    settings = " ".join(read(site / "generated" / "settings.html").words)
    for name in ("hull_resolution", "smoothing", "silhouette", "transmittance"):
        assert name in settings
    metrics = " ".join(read(site / "generated" / "metrics.html").words)
    for name in ("chamfer", "views_iou", "psnr"):
        assert name in metrics
