"""The tables of report.html: measurements with what they mean, values found, settings, times, files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from invrender.report.glossary import GLOSSARY, HIGHER, LOWER, entries, meaning
from invrender.report.measures import is_number
from invrender.report.story import Setting, Story
from invrender.report.verdict import told, verdict

MOST_KEYS = 4
BETTER = {HIGHER: "more is better", LOWER: "less is better"}
OWN_FILES = ("report.html", "report.png")
MOST_FILES = 60


def first_keys(story: Story, most: int = MOST_KEYS) -> list[str]:
    """The names of the metrics that tell most, the one that the verdict rests on first."""
    found = dict(entries(story.metrics))
    first = verdict(story.metrics, story.method).name
    names = [name for name in found if (entry := meaning(name, story.method)) and entry.main and is_number(found[name])]
    return [*[name for name in names if name == first], *[name for name in names if name != first]][:most]


def keys(story: Story) -> str:
    """The few numbers that tell most, each in a card of its own."""
    found = dict(entries(story.metrics))
    cards = "".join(_key(name, found[name], story.method) for name in first_keys(story))
    return f'<div class="keys">{cards}</div>' if cards else ""


def _key(name: str, value: Any, method: str) -> str:
    entry = meaning(name, method)
    assert entry is not None
    better = BETTER.get(entry.better, "")
    return (
        f'<p class="key"><b>{escape(told(name, value, method))}</b><span><em>{escape(_title(entry.title))}</em>'
        f"{f', {better}' if better else ''}</span></p>"
    )


def _title(text: str) -> str:
    return text[:1].upper() + text[1:]


def measurements(metrics: Mapping[str, Any], method: str) -> str:
    """Every measurement with what it means; what describes comes after what judges."""
    rows: list[tuple[tuple[bool, int], str]] = []
    places = {name: place for place, name in enumerate(GLOSSARY)}
    for name, value in entries(metrics):
        entry = meaning(name, method)
        title, sentence = (name, "") if entry is None else (_title(entry.title), entry.sentence)
        rank = (entry is None or not entry.better, places.get(name, len(places)))
        if name in ("values", "posterior"):
            continue
        shown = told(name, value, method)
        kind = "number" if len(shown) < 18 else "free"
        better = BETTER.get(entry.better, "") if entry is not None and not isinstance(value, bool) else ""
        more = f" {_title(better)}." if better and is_number(value) else ""
        rows.append((rank, f'<tr title="{escape(name, quote=True)}"><th scope="row">{escape(title)}</th>'
                           f'<td class="{kind}">{escape(shown)}</td>'
                           f'<td class="means">{_marked(sentence + more)}</td></tr>'))  # fmt: skip
    ordered = "".join(row for _, row in sorted(rows, key=lambda each: each[0]))
    return f'<table class="plain"><tbody>{ordered}</tbody></table>' if ordered else ""


def _marked(sentence: str) -> str:
    """A sentence as HTML, what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(sentence))


def found_values(metrics: Mapping[str, Any]) -> str:
    """What a scene's values were, and how sure that is; nothing for other runs."""
    values = metrics.get("values")
    if not isinstance(values, Mapping) or not all(isinstance(row, Mapping) for row in values.values()):
        return ""
    drawn = metrics.get("posterior")
    drawn = drawn.get("values", {}) if isinstance(drawn, Mapping) else {}
    rows = "".join(_value(name, row, drawn.get(name)) for name, row in values.items())
    interval = '<th scope="col">90 % of the draws</th>' if drawn else ""
    return (
        '<div class="scroll card"><table class="plain"><thead><tr><th scope="col">Value</th><th scope="col">Start</th>'
        f'<th scope="col">Found</th><th scope="col">Standard error</th>{interval}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _value(name: str, row: Mapping[str, Any], drawn: Mapping[str, Any] | None) -> str:
    error = row.get("standard_error")
    sure = f"± {error:.2g}" if is_number(error) else "not determined" if not row.get("determined") else ""
    unit = f" {row['unit']}" if row.get("unit") else ""
    cells = [_number(row.get("start")), _number(row.get("found")) + unit, sure]
    if drawn is not None:
        cells.append(f"{_number(drawn.get('lower'))} to {_number(drawn.get('upper'))}")
    told = "".join(f'<td class="number">{escape(cell)}</td>' for cell in cells)
    return f'<tr><th scope="row">{escape(name)}</th>{told}</tr>'


def _number(value: Any) -> str:
    return f"{value:.4g}" if is_number(value) else "-"


def settings(every: Sequence[Setting]) -> str:
    """The settings that differ from the usual, and the rest folded up."""
    changed, rest = [each for each in every if each.changed], [each for each in every if not each.changed]
    parts = []
    if changed:
        parts.append(f'<table class="plain"><tbody>{"".join(map(_setting, changed))}</tbody></table>')
    else:
        parts.append('<p class="quiet">All settings are those of the preset.</p>')
    if rest:
        rows = "".join(map(_setting, rest))
        parts.append(
            f"<details><summary>All other settings <small>({len(rest)})</small></summary>"
            f'<table class="plain"><tbody>{rows}</tbody></table></details>'
        )
    return "".join(parts)


def _setting(each: Setting) -> str:
    usual = f"usually {each.usual}" if each.changed else ""
    return (
        f'<tr class="{"changed" if each.changed else ""}"><th scope="row"><code>{escape(each.name)}</code></th>'
        f'<td class="free">{escape(each.value)}</td><td class="means">{escape(usual)}</td></tr>'
    )


def times(timings: Mapping[str, float], seconds: float | None) -> str:
    """A bar for each phase."""
    if not timings:
        return ""
    longest = max(*timings.values(), 1e-9)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td><i style="width:{100 * spent / longest:.1f}%"></i></td>'
        f"<td>{duration(spent)}</td></tr>"
        for name, spent in timings.items()
    )
    whole = "" if seconds is None else f'<p class="quiet">{duration(seconds)} in all.</p>'
    return f'<table class="bars"><tbody>{rows}</tbody></table>{whole}'


def duration(seconds: float) -> str:
    """For people: 0.3 s, 12 s, 3 min 5 s, 2 h 4 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def facts(table: Mapping[str, str]) -> str:
    """Names and texts."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="free">{escape(text)}</td></tr>'
        for name, text in table.items()
    )
    return f'<table class="plain"><tbody>{rows}</tbody></table>' if rows else ""


def files(folder: Path) -> str:
    """Links to what lies in the folder, each with its size."""
    found = listed(folder)
    items = "".join(
        f'<li><a href="{quote(name)}">{escape(name)}</a> <span>{size_of(size)}</span></li>'
        for name, size in found[:MOST_FILES]
    )
    more = f"<li>… and {len(found) - MOST_FILES} more</li>" if len(found) > MOST_FILES else ""
    return f'<ul class="files">{items}{more}</ul>' if items else ""


def listed(folder: Path, every: bool = False) -> list[tuple[str, int]]:
    """Names and sizes of a folder's files, those of its folders behind; hidden ones are left out, and the report itself
    unless `every` is asked for."""
    found = [
        (path.relative_to(folder).as_posix(), path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    return sorted(
        (each for each in found if every or each[0] not in OWN_FILES), key=lambda each: (each[0].count("/"), each[0])
    )


def size_of(count: int) -> str:
    """Bytes for people."""
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
