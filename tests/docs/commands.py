"""The command lines of the documents and of every command's help, and how they are made small enough for a test."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

from invrender.cli import app, batch, dataset

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("docs/methods/*.md")])

MOST = {
    "--views": 6, "--size": 40, "--spp": 4, "--count": 8, "--iterations": 3, "--occlusion": 8, "--resolution": 24,
    "--texture": 64, "--faces": 300, "--samples": 2000, "--photons": 1000, "--frames": 6, "--bounces": 1, "--width": 8,
    "--gif-size": 64, "--batch": 4,
}  # fmt: skip
"""The greatest numbers that options keep."""

ELSEWHERE = (
    (r"^(python3 -m venv|pip install|\.venv/bin/|apt|git clone|python3 \.ci/)", "installs"),
    (r"^(torchrun|sbatch|squeue|kubectl|make -j|mpirun|docker)|--on (slurm|dask)|--events -", "takes another program"),
    (r"^python benchmarks/", "measures, for minutes"),
)
"""Lines that are not run here, and why."""


def lines_of(page: Path) -> list[str]:
    """The command lines of a page's blocks of shell code, those that are broken joined."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    joined = "\n".join(blocks).replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip() and not line.strip().startswith("#")]


def files_of(page: Path) -> dict[str, str]:
    """The files that a page shows: a block below a paragraph that has a name in brackets, such as (`jobs.csv`)."""
    pattern = r"\(`([\w-]+\.\w+)`(?:; [^)]*)?\)[^\n]*(?:\n[^\n]+)*\n\n```\w+\n(.*?)^```"
    return dict(re.findall(pattern, page.read_text(encoding="utf-8"), re.M | re.S))


def elsewhere(line: str) -> bool:
    """Whether a line is none that can run here."""
    return any(re.search(pattern, line) for pattern, _ in ELSEWHERE)


def small(line: str) -> list[str]:
    """The words of a command line, its numbers brought down to what a test can afford."""
    words = shlex.split(line, comments=True)
    for at, word in enumerate(words[:-1]):
        if word in MOST and re.fullmatch(r"\d+", words[at + 1]):
            words[at + 1] = str(min(int(words[at + 1]), MOST[word]))
        if word == "--size" and re.fullmatch(r"\d+,\d+", words[at + 1]):
            words[at + 1] = "40,30"
        if word == "--preset":
            words[at + 1] = "draft"
        if word == "--noise-target":
            words[at + 1] = "0.5"
    if words[1] == "reconstruct" and "--views" not in words and not any(word.endswith(".toml") for word in words):
        words += ["--views", "6"]
    if words[1] == "sample" and "--resolution" not in words:
        words += ["--resolution", "24"]
    if words[1] == "preview" and not {"--screenshot", "--turntable"} & set(words):
        words += ["--screenshot", "window.png"]
    return words


def examples() -> dict[str, tuple[str, ...]]:
    """The examples of every command, by its name."""
    modules = {name: name for names in app.COMMANDS.values() for name in names}
    for group in (batch, dataset):
        modules |= {f"{group.__name__.rsplit('.', 1)[1]} {name}": module for name, module in group.COMMANDS.items()}
    found = {name: importlib.import_module(f"invrender.cli.{module}") for name, module in modules.items()}
    return {name: getattr(module, "EXAMPLES", ()) for name, module in found.items() if not hasattr(module, "group")}
