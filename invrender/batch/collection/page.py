"""What the page of a batch has besides the style of all pages: a table to sort, and how its jobs stand."""

from __future__ import annotations

STYLE = """
.chips { display: flex; flex-wrap: wrap; gap: .5rem; margin: .8rem 0; padding: 0; list-style: none; }
.chips li { background: var(--card); border: 1px solid var(--edge); border-radius: 99px; padding: .1rem .8rem; }
.state::before { content: ""; display: inline-block; width: .6em; height: .6em; border-radius: 50%; margin-right: .45em;
  background: var(--waiting); }
.done::before { background: var(--done); } .failed::before { background: var(--failed); }
.running::before { background: var(--running); } .cancelled::before { background: var(--cancelled); }
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
.heat th, .heat td { padding: .35rem .8rem; text-align: right; border: 1px solid var(--edge); }
.heat td { background: rgba(var(--heat), var(--share)); } .heat caption { padding-bottom: .4rem; white-space: nowrap; }
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
