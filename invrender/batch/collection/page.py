"""The frame of report.html: its style, its script and the document around them. It loads nothing from anywhere."""

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
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 1500px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .7rem; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
.quiet, dt, caption { color: var(--quiet); } .nowrap { white-space: nowrap; }
.chips { display: flex; flex-wrap: wrap; gap: .5rem; margin: .8rem 0; padding: 0; list-style: none; }
.chips li { background: var(--card); border: 1px solid var(--edge); border-radius: 99px; padding: .1rem .8rem; }
.state::before { content: ""; display: inline-block; width: .6em; height: .6em; border-radius: 50%; margin-right: .45em;
  background: var(--waiting); }
.done::before { background: var(--done); } .failed::before { background: var(--failed); }
.running::before { background: var(--running); } .cancelled::before { background: var(--cancelled); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .6rem 0; } dd { margin: 0; }
.card, details { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: .7rem 1rem;
  margin: .6rem 0; overflow-wrap: anywhere; }
.card.bad { border-left: 4px solid var(--failed); } .card p { margin: .2rem 0; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--edge); border-radius: 10px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.jobs { width: 100%; } th { font-weight: 600; text-align: left; }
.jobs th, .jobs td { padding: .45rem .7rem; border-bottom: 1px solid var(--edge); vertical-align: middle; }
.jobs tbody tr:last-child td { border-bottom: 0; } .jobs td.number, .jobs th.number { text-align: right; }
.jobs th { position: sticky; top: 0; background: var(--card); }
.jobs td.name { min-width: 13rem; overflow-wrap: anywhere; } .jobs td.name a:first-child { font-weight: 600; }
th button { all: unset; cursor: pointer; color: inherit; } th button:focus-visible { outline: 2px solid var(--link); }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
td.best { background: var(--best); color: var(--best-ink); font-weight: 600; }
.thumb { display: block; width: 160px; height: auto; border-radius: 5px; }
.none { display: grid; place-items: center; width: 160px; height: 60px; border: 1px dashed var(--edge);
  border-radius: 5px; color: var(--quiet); font-size: .85em; }
.facts caption { text-align: left; padding: .3rem 0; font-weight: 600; }
.side { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; align-items: flex-start; }
.facts td, .facts th { padding: .08rem .9rem .08rem 0; vertical-align: top; font-size: .92em; }
.facts th { font-weight: 400; color: var(--quiet); } .facts tr.differs * { color: var(--ink); font-weight: 600; }
.heat th, .heat td { padding: .35rem .8rem; text-align: right; border: 1px solid var(--edge); }
.heat td { background: rgba(var(--heat), var(--share)); } .heat caption { padding-bottom: .4rem; white-space: nowrap; }
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
@media print { body { max-width: none; padding: 0; } .jobs th { position: static; } }
"""

SCRIPT = """
for (const head of document.querySelectorAll(".jobs th button")) {
  head.addEventListener("click", () => {
    const cell = head.parentElement, body = cell.closest("table").tBodies[0], at = cell.cellIndex;
    const down = cell.getAttribute("aria-sort") === "ascending";
    for (const other of cell.parentElement.children) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = row => row.cells[at].dataset.value || "";
    const compare = (a, b) => a - b || (isNaN(a - b) ? a.localeCompare(b) : 0);
    const rows = [...body.rows].sort((a, b) => {
      const x = value(a), y = value(b);
      return !x || !y ? !x - !y : down ? compare(y, x) : compare(x, y);
    });
    body.append(...rows);
  });
}
const open = () => {
  const part = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (part && part.tagName === "DETAILS") part.open = true;
};
addEventListener("hashchange", open);
open();
"""


def document(title: str, body: str) -> str:
    """The whole page. A browser is told to load nothing and to run no script but this one.

    Args:
        title: plain text.
        body: HTML.
    """
    checksum = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{checksum}'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n"
        f"<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
