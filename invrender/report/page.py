"""The frame of the pages that runs and batches leave: style, scripts and the document around them.

A page loads nothing from anywhere, and its policy tells the browser to see to that.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape

STYLE = """
:root { color-scheme: light dark; --paper: #fbfbfc; --card: #ffffff; --ink: #1b2330; --quiet: #626b7a; --edge: #e1e4ea;
  --link: #1d5fbf; --best: #e3f4e8; --best-ink: #12633a; --heat: 46, 125, 90;
  --done: #2e8b57; --failed: #c62f3e; --running: #2a6fdb; --waiting: #98a0ae; --cancelled: #b7791f;
  --c0: #2a6fdb; --c1: #d9822b; --c2: #2e8b57; --c3: #a34fc4; --c4: #c62f3e; --c5: #14909c; --c6: #8a6d3b; --c7: #667; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --card: #1b1f26; --ink: #e4e8ee; --quiet: #9aa4b2;
  --edge: #2e343e; --link: #7fb2ff; --best: #173626; --best-ink: #8fdcae; --heat: 90, 190, 140;
  --done: #58c088; --failed: #ff6b78; --running: #6ea8ff; --waiting: #7d8694; --cancelled: #e0a84e;
  --c0: #6ea8ff; --c1: #f0a35a; --c2: #58c088; --c3: #c78be0; --c4: #ff6b78; --c5: #4cc4cf; --c6: #c7a873;
  --c7: #aab; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: var(--wide, 1500px); background: var(--paper);
  color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .7rem; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
.quiet, dt, caption { color: var(--quiet); } .nowrap { white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .6rem 0; } dd { margin: 0; }
.card, details { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: .7rem 1rem;
  margin: .6rem 0; overflow-wrap: anywhere; }
.card.bad { border-left: 4px solid var(--failed); } .card p { margin: .2rem 0; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--edge); border-radius: 10px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.facts caption { text-align: left; padding: .3rem 0; font-weight: 600; }
.side { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; align-items: flex-start; }
.facts td, .facts th { padding: .08rem .9rem .08rem 0; vertical-align: top; font-size: .92em; }
.facts th { font-weight: 400; color: var(--quiet); } .facts tr.differs * { color: var(--ink); font-weight: 600; }
summary { cursor: pointer; font-weight: 600; } summary small { font-weight: 400; color: var(--quiet); }
.links a { margin-right: 1rem; } ul { margin: .3rem 0; padding-left: 1.2rem; }
svg polyline { fill: none; stroke-width: 1.6; stroke-linejoin: round; } svg line { stroke: var(--edge); }
svg.plot { max-width: 100%; height: auto; } svg text { fill: var(--quiet); font-size: 12px; font-family: inherit; }
polyline.c0 { stroke: var(--c0); } circle.c0 { fill: var(--c0); } polyline.c1 { stroke: var(--c1); }
circle.c1 { fill: var(--c1); } polyline.c2 { stroke: var(--c2); } circle.c2 { fill: var(--c2); }
polyline.c3 { stroke: var(--c3); } circle.c3 { fill: var(--c3); } polyline.c4 { stroke: var(--c4); }
circle.c4 { fill: var(--c4); } polyline.c5 { stroke: var(--c5); } circle.c5 { fill: var(--c5); }
polyline.c6 { stroke: var(--c6); } circle.c6 { fill: var(--c6); } polyline.c7 { stroke: var(--c7); }
circle.c7 { fill: var(--c7); }
"""
"""What all pages look like; `c0`, `c1`, ... are the colours of plots."""


def document(title: str, body: str, style: str = "", script: str = "") -> str:
    """The whole page. A browser is told to load nothing and to run no script but this one.

    Args:
        title: plain text.
        body: HTML.
        style: CSS besides `STYLE`.
        script: JavaScript that runs at the end of the body; nothing in it may end the element (`</script`).
    """
    checksum = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'unsafe-inline';"
        f" script-src 'sha256-{checksum}'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n{body}\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )
