"""What a shell completes: the values of options and arguments, without importing anything heavy.

Only a process that the shell asks for completions comes here. Paths are left to the shell itself, which falls back to
files where nothing of ours fits.
"""

from __future__ import annotations

import ast
import os
import typing
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer
from typer.models import ArgumentInfo, OptionInfo

from invrender.run.settings_table import choices_of

VARIABLE = "_INVRENDER_COMPLETE"  # set by the shell's script
COLORMAPS = ("inferno", "viridis", "magma", "plasma", "cividis", "gray", "bone", "coolwarm", "turbo")
BATCH = "batch.json"
OUTPUTS = Path("outputs")

Complete = Callable[[typer.Context], list[str]]


def wanted() -> bool:
    """Whether this process is one that completes."""
    return VARIABLE in os.environ


def teach(command: Callable[..., Any]) -> None:
    """Let Typer complete the values of a command's options and arguments."""
    known = typing.get_type_hints(command, include_extras=True)
    for name, hint in known.items():
        for note in typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ():
            if isinstance(note, OptionInfo | ArgumentInfo) and note.autocompletion is None:
                note.autocompletion = _values(command.__name__, name, note.metavar or "")
    command.__annotations__ = known  # as objects, with what was added; texts would be read anew


def _values(command: str, name: str, metavar: str) -> Complete | None:
    """What completes a parameter; None: the shell does, by files."""
    special = SPECIAL.get((command, name)) or SPECIAL.get(("", name)) or SPECIAL.get(("", metavar))
    if special is not None:
        return special
    words = [word for word in choices_of(metavar) if not any(letter.isupper() for letter in word) and word.isascii()]
    return (lambda ctx: list(words)) if words else None


def _samples(ctx: typer.Context) -> list[str]:
    """The names of samples, read from the source of their tables: importing these takes seconds."""
    del ctx
    spec = find_spec("invrender.samples")
    if spec is None or spec.origin is None:
        return []
    return list(_names_in(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))))


def _names_in(source: ast.Module) -> Iterator[str]:
    for line in source.body:
        if isinstance(line, ast.AnnAssign | ast.Assign) and isinstance(line.value, ast.Dict):
            for key in line.value.keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value


def _settings(ctx: typer.Context) -> list[str]:
    """The keys of --set: of the method that the line names, else of all."""
    from invrender.cli.settings import TRAIN, table_of
    from invrender.methods.names import METHODS

    if ctx.info_name == TRAIN:
        names: Sequence[str] = (TRAIN,)
    else:
        named = ctx.params.get("method")
        names = (named,) if named in METHODS else tuple(METHODS)
    return list(dict.fromkeys(f"{record.name}=" for name in names for record in table_of(name)))


def _methods(ctx: typer.Context) -> list[str]:
    del ctx
    from invrender.cli.settings import NAMES

    return list(NAMES)


def _batches(ctx: typer.Context) -> list[str]:
    """Folders of batches, here and in the folder where runs land."""
    del ctx
    return [str(place.parent) for folder in (Path(), OUTPUTS) for place in sorted(folder.glob(f"*/{BATCH}"))]


def _colormaps(ctx: typer.Context) -> list[str]:
    del ctx
    return list(COLORMAPS)


def _of_render(name: str) -> Complete:
    """The words that an option of `render` knows; its help lists them in a sentence."""

    def words(ctx: typer.Context) -> list[str]:
        del ctx
        from invrender.cli import look_options as looks
        from invrender.cli import scene_options as scenes
        from invrender.cli import volume_options as volumes
        from invrender.cli.render_request import BACKGROUNDS
        from invrender.render.modes import mode_names

        known: dict[str, Sequence[str]] = {
            "mode": mode_names(), "light": (*looks.RIGS, "camera"), "background": (*BACKGROUNDS, "transparent"),
            "turn": looks.TURNS, "reflection": looks.REFLECTIONS, "tonemap": scenes.CURVES,
            "volume_look": volumes.LOOKS, "volume_light": volumes.LAMPS, "framing": volumes.FRAMINGS,
            "compositing": volumes.COMPOSITING, "quality": volumes.QUALITIES, "estimator": volumes.ESTIMATORS,
            "environment": ("sky", "grey"),
        }  # fmt: skip
        return list(known[name])

    return words


OF_RENDER = (
    "mode", "light", "background", "turn", "reflection", "tonemap", "volume_look", "volume_light", "framing",
    "compositing", "quality", "estimator", "environment",
)  # fmt: skip

SPECIAL: dict[tuple[str, str], Complete] = {
    **{("render", name): _of_render(name) for name in OF_RENDER},
    ("sample", "name"): _samples,
    ("settings", "method"): _methods,
    ("", "assignments"): _settings,
    ("", "BATCH"): _batches,
    ("", "colormap"): _colormaps,
}
"""By the command's and the parameter's name; without a command: by the parameter's name or metavar."""
