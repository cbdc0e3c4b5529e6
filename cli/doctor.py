"""`invrender doctor`: what works on this machine, and for everything that does not, the fix."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from invrender.cli.options import JsonOption, console, output, print_json

if TYPE_CHECKING:
    import torch

EXAMPLES = (
    "invrender doctor",
    "invrender doctor --json",
)

Status = Literal["ok", "optional", "broken"]

REQUIRED = {
    "torch": "torch",
    "numba": "numba",
    "numpy": "numpy",
    "scipy": "scipy.spatial",
    "trimesh": "trimesh",
    "pygltflib": "pygltflib",
    "scikit-image": "skimage.measure",
    "cholespy": "cholespy",
    "imageio": "imageio.v3",
    "pillow": "PIL.Image",
}
"""Distributions that a reconstruction needs, with the module whose import proves that they work."""

MARKS = {"ok": ("[green]ok[/]", ""), "optional": ("[yellow]--[/]", "yellow"), "broken": ("[bold red]NO[/]", "red")}
UNUSABLE = 4
FREE_DISK = 1.0  # GB below which a run may not fit


@dataclass(frozen=True)
class Check:
    """One line of the table.

    Attributes:
        name: what was looked at.
        status: ok; optional: it is missing, but nothing depends on it; broken: invrender cannot work like this.
        detail: what was found.
        fix: what to do; never empty where the status is broken.
    """

    name: str
    status: Status
    detail: str
    fix: str = ""


WarmupOption = Annotated[bool, typer.Option("--warmup", help="compile all kernels now, so that no run has to wait")]


def doctor(as_json: JsonOption = False, warmup: WarmupOption = False) -> None:
    """Check this machine and name the fix for everything that does not work."""
    with console.status("compiling kernels" if warmup else "looking around"):
        checks = list(examine(warmup))
    usable = all(check.status != "broken" for check in checks)
    if as_json:
        from invrender import __version__

        print_json({"invrender": __version__, "usable": usable, "checks": checks})
    else:
        _show(checks, usable)
    raise typer.Exit(0 if usable else UNUSABLE)


def examine(warmup: bool = False) -> Iterator[Check]:
    """All checks, one after the other; none of them raises. `warmup` compiles every kernel on the way."""
    yield _python()
    packages = [_package(name, module) for name, module in REQUIRED.items()]
    yield from packages
    if all(check.status == "ok" for check in packages[:4]):
        yield from _backends(warmup)
    yield _embree()
    yield _pyvista()
    yield _display()
    yield _machine()
    yield from _places()
    yield _terminal()


def _show(checks: list[Check], usable: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for check in checks:
        mark, style = MARKS[check.status]
        fix = Text(f"\n-> {check.fix}", style=style) if check.fix else Text()
        table.add_row(mark, check.name, Text(check.detail).append_text(fix))
    output.print(table)
    output.print("\ninvrender can work here." if usable else "\ninvrender cannot work here: see the lines marked NO.")


def _python() -> Check:
    return Check("python", "ok", f"{platform.python_implementation()} {platform.python_version()}")


def _package(name: str, module: str) -> Check:
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        return Check(name, "broken", "not installed", f"pip install {name}")
    fix = f"pip install --force-reinstall {name}"
    try:
        importlib.import_module(module)
        return Check(name, "ok", metadata.version(name))
    except metadata.PackageNotFoundError:
        return Check(name, "ok", "importable, version unknown")
    except (ImportError, OSError, RuntimeError) as error:  # OSError: a shared library that the wheel needs
        return Check(name, "broken", _first_line(error), fix)


def _backends(warmup: bool) -> Iterator[Check]:
    """Every backend with its self-test; one must work, none by itself."""
    import torch

    from invrender.backends import BACKENDS

    yield from _vulkan_devices()
    working = 0
    for name in BACKENDS:
        check = _backend(name, None, warmup)
        working += check.status == "ok"
        yield check
    if torch.cuda.is_available():
        yield _backend("torch", torch.device("cuda"), warmup)
    if not working:
        fix = "pip install --force-reinstall -c constraints.txt invrender"
        yield Check("backends", "broken", "no backend passes its self-test", fix)


def _backend(name: str, device: torch.device | None, warmup: bool) -> Check:
    from invrender.backends import select
    from invrender.backends.completion import kernel_names
    from invrender.errors import BackendError
    from invrender.run.trial import exercise, milliseconds, rays_per_second

    title = f"backend {name}" + (f" on {device}" if device else "")
    try:
        backend = select(name, device)
    except BackendError as error:
        return Check(title, "optional", error.cause, error.remedy)
    if warmup:
        exercise(backend)
    speed = f"{milliseconds(backend):.2g} ms per small silhouette and its gradient"
    speed += f", {rays_per_second(backend) / 1e6:.2g} million rays per second"
    kernels = ", ".join(kernel_names(backend))
    return Check(title, "ok", f"{backend.description}; self-test passed; {speed}; {kernels}")


def _vulkan_devices() -> Iterator[Check]:
    """Every Vulkan device with what it can do, tried anew in a process of its own."""
    if importlib.util.find_spec("slangpy") is None:
        return
    from invrender.backends.vulkan.adapters import INSTALL_DRIVER
    from invrender.backends.vulkan.probe import adapters

    for number, one in enumerate(adapters(fresh=True)):
        kind = "software" if one.software else "hardware"
        if one.problem:
            yield Check(f"vulkan device {number}", "optional", f"{one.name}: {one.problem}", INSTALL_DRIVER)
        else:
            ways = [name.replace("_", " ") for name in ("ray_tracing", "ray_query", "double") if name in one.features]
            yield Check(f"vulkan device {number}", "ok", f"{one.name}, {kind}: {', '.join(ways)}; all kernels tried")


def _embree() -> Check:
    check = _package("embreex", "embreex.rtcore_scene")
    if check.status == "ok":
        return Check("embree", "ok", f"embreex {check.detail}: fast rays")
    return Check("embree", "optional", f"rays are traced in plain torch (embreex: {check.detail})", check.fix)


def _pyvista() -> Check:
    from invrender.errors import BackendError
    from invrender.preview.guard import probe

    try:
        return Check("preview driver", "ok", f"pyvista draws off-screen through {probe()}")
    except BackendError as error:
        return Check("preview driver", "optional", error.cause, error.remedy)


def _display() -> Check:
    from invrender.preview.guard import NO_DISPLAY, has_display

    if has_display():
        return Check("display", "ok", "there is one: `invrender preview` can open windows")
    return Check("display", "optional", "none: no windows", NO_DISPLAY)


def _machine() -> Check:
    import os

    return Check("machine", "ok", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{_memory()}")


def _memory() -> str:
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in names or "SC_PAGE_SIZE" not in names:
        return ""
    return f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.1f} GiB memory"


def _places() -> Iterator[Check]:
    """Whether results and temporary files can be written, and how much room there is."""
    yield _place("this folder", Path.cwd(), "choose outputs elsewhere with -o")
    try:
        yield _place("temporary files", Path(tempfile.gettempdir()), "set TMPDIR to a folder with more room")
    except OSError as error:
        yield Check("temporary files", "broken", _first_line(error), "set TMPDIR to a folder of yours")


def _place(name: str, path: Path, fix: str) -> Check:
    try:
        with tempfile.TemporaryFile(dir=path):
            room = shutil.disk_usage(path).free / 1e9
    except OSError as error:
        return Check(name, "optional", f"cannot be written: {error.strerror}", fix)
    if room < FREE_DISK:
        return Check(name, "optional", f"only {room:.2f} GB free", fix)
    return Check(name, "ok", f"writable, {room:.0f} GB free")


def _terminal() -> Check:
    kind = "live progress bars" if console.is_terminal else "not a terminal: progress in plain lines"
    return Check("terminal", "ok", kind if console.color_system or not console.is_terminal else f"{kind}, no colours")


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
