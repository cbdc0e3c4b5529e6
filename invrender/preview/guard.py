"""The safe side of the preview: it starts a child process that draws, and turns its failures into errors.

VTK without a working OpenGL driver ends in a segmentation fault, which Python cannot catch; so nothing here imports it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from invrender.errors import BackendError, InputError, InvrenderError, UsageError

INSTALL_DRIVER = (
    "install a software driver (Debian and Ubuntu: `apt install libegl1 libgl1 libgl1-mesa-dri libxrender1`; Fedora: "
    "`dnf install mesa-libEGL mesa-libGL mesa-dri-drivers`), or use `invrender render`, which needs none"
)
NO_DISPLAY = (
    "pass --screenshot FILE.png or --turntable FILE.gif, or use `invrender render`; none of them needs a display"
)
PROBE_TIMEOUT = 60.0
WORKER = (sys.executable, "-m", "invrender.preview.worker")


@dataclass(frozen=True)
class Job:
    """What the child draws.

    Attributes:
        kind: a window, a picture, a turning picture, or a small test picture that is thrown away.
        panels: (title, path of a mesh or volume) pairs, drawn side by side with one camera.
        notes: lines of text in a corner.
        output: the picture's path.
        size: height of the picture in pixels.
        width: of the picture in pixels; 0: each panel is square.
        frames, fps: of a turntable.
        isosurfaces: which panels show a volume's isosurface, not its cloud.
        background: sRGB in [0, 1] behind the panels; empty: white, for clouds black.
        camera: path of a camera file, or empty.
        transfer: path of a transfer function for volumes, or empty.
        folder: where keys of the window save what they save.
    """

    kind: Literal["window", "screenshot", "turntable", "probe"]
    panels: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    output: str = ""
    size: int = 720
    frames: int = 72
    fps: float = 24.0
    isosurfaces: tuple[int, ...] = ()
    width: int = 0
    background: tuple[float, ...] = ()
    camera: str = ""
    transfer: str = ""
    folder: str = "."


def run_job(job: Job, command: Sequence[str] = WORKER, timeout: float | None = None) -> dict[str, Any]:
    """Let the child do the job and return its report (`driver`: the kind of OpenGL window that VTK used).

    Raises:
        BackendError: the OpenGL driver is missing, broken or hangs, or VTK is not installed.
        InvrenderError: what the child found wrong with the files.
    """
    try:
        done = subprocess.run(
            list(command), input=json.dumps(asdict(job)), capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BackendError(f"the OpenGL driver did not answer within {timeout:.0f} s", INSTALL_DRIVER) from error
    report = _report(done.stdout)
    if report is None:
        raise BackendError(_why(done.returncode, done.stderr), INSTALL_DRIVER)
    if "cause" in report:
        raise _as_error(report)
    return report


def probe(command: Sequence[str] = WORKER, timeout: float = PROBE_TIMEOUT) -> str:
    """Draw a small picture off-screen and return the driver's name.

    Raises:
        BackendError: nothing can be drawn here.
    """
    return str(run_job(Job("probe"), command, timeout)["driver"])


def has_display() -> bool:
    """Whether there is a screen that a window could open on."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def check_display() -> None:
    """Refuse to open a window where there is no screen (BackendError)."""
    if not has_display():
        raise BackendError("there is no display here to open a window on (DISPLAY is not set)", NO_DISPLAY)


def _report(stdout: str) -> dict[str, Any] | None:
    """The child's last line of output, if it is a report; a child that crashed has written none."""
    lines = stdout.strip().splitlines()
    try:
        report = json.loads(lines[-1]) if lines else None
    except ValueError:
        return None
    return report if isinstance(report, dict) else None


def _as_error(report: dict[str, Any]) -> InvrenderError:
    kinds = {kind.exit_code: kind for kind in (BackendError, InputError, UsageError)}
    return kinds.get(report["exit_code"], InvrenderError)(report["cause"], report["remedy"])


def _why(code: int, stderr: str) -> str:
    lines = [line for line in stderr.strip().splitlines() if line.strip()]
    if code < 0:
        return f"VTK cannot draw here: the OpenGL driver crashed ({signal.Signals(-code).name})"
    return f"VTK cannot draw here: {lines[-1] if lines else f'it left with exit code {code}'}"
