"""The documentation's site: `python -m sphinx -W docs outputs/site` builds it (extra: docs)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

import generate  # noqa: E402

import invrender  # noqa: E402

project = "invrender"
author = copyright = "The invrender developers"
version = release = invrender.__version__

extensions = ["myst_parser", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 4
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"invrender {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}


def setup(app: Any) -> None:
    """Write the pages that come from the code before Sphinx looks for pages."""
    app.connect("config-inited", lambda *_: generate.write(HERE / "generated"))
