"""What a run tells of itself, as plain data: everything that report.html and report.png are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from invrender.nouns import Cameras, Mesh, Scene, Volume
from invrender.report.compared import Compared, Picture
from invrender.report.media import Filmed


@dataclass(frozen=True)
class Setting:
    """A setting of the run and its usual value, which it has unless someone says otherwise; texts."""

    name: str
    value: str
    usual: str | None = None

    @property
    def changed(self) -> bool:
        """Whether it differs from the usual."""
        return self.usual is not None and self.value != self.usual


@dataclass(frozen=True)
class Posed:
    """The input's cameras, and what each is called."""

    cameras: Cameras
    names: tuple[str, ...]


@dataclass(frozen=True)
class Story:
    """A run. Texts are plain, and escaped on their way into a page.

    Attributes:
        folder: of the run: what lies in it is read from there and linked to.
        title: what was reconstructed, in a few words; `source`: the input, as the run was given it.
        method: by which, as the program calls it.
        status: how the run stands, in words.
        metrics: the content of metrics.json; `rows`: the lines of its summary.
        asset: what came out, if it can be shown: a mesh, a volume, a scene.
        cameras: of the input.
        compared: the views that are explained worst, worst first.
        still: [H,W,3] uint8, a picture of the result.
        film: what progress.gif shows, where it need not be read.
        settings: those of the run; empty: not known.
        timings: seconds by phase; `seconds`: of the whole run, or None.
        warnings: what looks wrong in the input and in the result.
        environment: versions, backend, machine: name and text.
        command: the command line that repeats it.
        ended: when; `error`: why it failed, in one line.
    """

    folder: Path
    title: str
    source: str
    method: str
    status: str
    metrics: Mapping[str, Any] = field(default_factory=dict)
    rows: Sequence[tuple[str, str]] = ()
    asset: Mesh | Volume | Scene | Any = None
    cameras: Posed | None = None
    compared: Sequence[Compared] = ()
    still: Picture | None = None
    film: Filmed | None = None
    settings: Sequence[Setting] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    seconds: float | None = None
    warnings: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    ended: str = ""
    error: str = ""
