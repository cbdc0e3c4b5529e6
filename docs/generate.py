"""The pages that come from the code: every command's help, every setting, every metric.

python docs/generate.py docs/generated
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

WIDTH = 100  # columns of help texts


def write(folder: Path) -> None:
    """Write all of them; a page that did not change keeps its time, so that Sphinx leaves it alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {"commands.md": commands(), "settings.md": settings(), "metrics.md": metrics()}.items():
        page = folder / name
        if not page.is_file() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def commands() -> str:
    """What `--help` says, command by command."""
    from invrender.cli import app, batch, dataset

    groups = {"batch": batch.COMMANDS, "dataset": dataset.COMMANDS}
    parts = ["# Commands", "What every command answers to `--help`."]
    for panel, names in app.COMMANDS.items():
        parts.append(f"## {panel}")
        for name in names:
            for words in ([name], *([name, below] for below in groups.get(name, ()))):
                parts.append(f"### invrender {' '.join(words)}\n\n```text\n{help_of(words)}\n```")
    return "\n\n".join(parts) + "\n"


def help_of(words: list[str]) -> str:
    """A command's help without colours."""
    from invrender.cli.app import run

    before = {name: os.environ.get(name) for name in ("COLUMNS", "NO_COLOR", "TERM")}
    os.environ.update(COLUMNS=str(WIDTH), NO_COLOR="1", TERM="dumb")
    told = io.StringIO()
    try:
        with redirect_stdout(told):
            run([*words, "--help"])
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    return "\n".join(line.rstrip() for line in told.getvalue().strip("\n").splitlines())


def settings() -> str:
    """All keys of `--set`, method by method."""
    from invrender.cli.settings import NAMES, in_markdown, table_of

    parts = [
        "# Settings",
        "What `invrender settings METHOD` lists: every key that `--set KEY=VALUE`, a `--config` file and the"
        " environment (`INVRENDER_KEY`) take. Those with a flag have an option of their own.",
    ]
    for name, about in NAMES.items():
        parts.append(f"## {name}\n\n{about}\n\n{in_markdown(table_of(name))}")
    return "\n\n".join(parts) + "\n"


def metrics() -> str:
    """What the numbers in `metrics.json` mean."""
    from invrender.report.glossary import GLOSSARY

    rows = ["| name | what it is | better | meaning |", "|---|---|---|---|"]
    for name, entry in GLOSSARY.items():
        unit = f", {entry.unit}" if entry.unit and entry.unit not in entry.title else ""
        cells = (f"`{name}`", f"{entry.title}{unit}", entry.better, entry.sentence)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    told = (
        "What the numbers in a run's `metrics.json` mean; its `report.html` says the same beside each. Names of tables"
        " within tables are joined by dots; `METHOD:NAME` is what a name stands for in runs of that method. Shares are"
        " stored as 0 to 1 where the unit here is %."
    )
    return "# Metrics\n\n" + told + "\n\n" + "\n".join(rows) + "\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
