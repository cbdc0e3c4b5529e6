"""`invrender.reconstruct`: which method a call means, its settings from all layers, and the run."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invrender.errors import DivergedError, UsageError
from invrender.findings import refuse
from invrender.methods.names import AUTO, METHODS, method_called, method_for, presets_of, settings_of
from invrender.methods.neural_renderer.settings import TrainSettings
from invrender.run.resolve import ENVIRONMENT_PREFIX, first_given, resolve
from invrender.run.settings import RunSettings, check_ranges

if TYPE_CHECKING:
    from invrender.run.execute import Outcome
    from invrender.run.method import Method

METHOD_VARIABLE = f"{ENVIRONMENT_PREFIX}METHOD"


@dataclass(frozen=True)
class Layers:
    """Where settings come from; `run.resolve` says which source takes precedence.

    Attributes:
        flags: values by name; None: not given.
        assignments: texts `key=value`.
        file: a TOML file.
        environment: variables; those in `known` are no settings.
    """

    flags: Mapping[str, object]
    assignments: Sequence[str] = ()
    file: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    known: Sequence[str] = ()

    def first(self, key: str) -> Any:
        """What the strongest layer says of a key that is a text or a path; None: nothing."""
        found = first_given(
            key, file=self.file, environment=self.environment, flags=self.flags, assignments=self.assignments
        )
        if found is not None and not isinstance(found, str | Path):  # from the file: the others hold no such thing
            raise UsageError(f"{self.file} sets {key} to {found!r}, which is not a text", f"give a text for {key}")
        return found


def method_and_settings(layers: Layers) -> tuple[Method, RunSettings]:
    """The method that the layers ask for or the input is meant for, and its settings.

    Raises: see `name_and_settings`.
    """
    name, settings = name_and_settings(layers)
    return method_called(name), settings


def name_and_settings(layers: Layers) -> tuple[str, RunSettings]:
    """The name of that method and the settings; nothing heavy is imported for them.

    Raises:
        UsageError: there is no input; or an unknown method or setting, or one that the method does not have.
        InputError: the file cannot be read.
    """
    name, source = layers.first("method") or AUTO, layers.first("input")
    if source is None:
        inputs = "a mesh, a volume or a dataset folder" if name == AUTO else method_called(name).inputs
        raise UsageError("there is no INPUT", f"name {inputs}")
    if name == AUTO:
        name = method_for(Path(source))
    cls = settings_of(name)
    _refuse_foreign(layers.flags, cls, name)
    settings = resolve(
        cls,
        presets=presets_of(name),
        file=layers.file,
        environment={name: value for name, value in layers.environment.items() if name != METHOD_VARIABLE},
        flags={**layers.flags, "method": name},
        assignments=[text for text in layers.assignments if text.partition("=")[0].strip() != "method"],
        other_variables=[*layers.known, *variables()],
    )
    check_ranges(settings)
    return name, settings


def _refuse_foreign(flags: Mapping[str, object], cls: type[RunSettings], name: str) -> None:
    """Flags that were given and are no fields of the method's settings."""
    own = {each.name for each in dataclasses.fields(cls)}
    for flag, value in flags.items():
        if value is not None and flag not in own:
            others = [other for other in METHODS if flag in {f.name for f in dataclasses.fields(settings_of(other))}]
            if others:
                raise UsageError(
                    f"--{flag} does not go with --method {name}",
                    f"leave --{flag} out, or use --method {' or '.join(others)}",
                )


def variables() -> list[str]:
    """Environment variables of all settings, training's too: one that another method has is no mistake."""
    classes: list[type[RunSettings]] = [TrainSettings, *(settings_of(name) for name in METHODS)]
    return [ENVIRONMENT_PREFIX + each.name.upper() for cls in classes for each in dataclasses.fields(cls)]


def reconstruct(
    source: Path | str,
    output: Path | str | None = None,
    *,
    method: str = AUTO,
    overwrite: bool = False,
    fresh: bool = False,
    quiet: bool = True,
    **settings: Any,
) -> Outcome:
    """Reconstruct a mesh, a volume or a transfer function from an asset's own views or a dataset.

        outcome = invrender.reconstruct("mug.glb", "outputs/mug", views=12, size=128)
        outcome.asset.vertices, outcome.metrics["iou"]

    Args:
        source: mesh or volume file, or dataset folder.
        output: the run folder; a stopped run in it is resumed. None: nothing stays on disk.
        method: silhouette, transmittance, volume, scene, or auto: by the input.
        overwrite: replace a finished run.
        fresh: start over where a stopped run could be resumed.
        quiet: show no progress.
        settings: any setting of the method by its name, as `--set` takes them.

    Returns:
        The asset (`Mesh`, `Volume`, `TransferFunction` or `Scene`) and its metrics; of several processes that a
        launcher started, the first one alone gets them.

    Raises:
        InvrenderError: whatever the command line would end with.
    """
    from invrender.methods.launch import backend_for, company
    from invrender.run.execute import Destination, Outcome, execute

    used, resolved = method_and_settings(Layers({**settings, "input": Path(source), "method": method}))
    with company() as leads, tempfile.TemporaryDirectory() as temporary:
        if not leads:
            return Outcome(None, {})
        folder = Path(temporary) / "run" if output is None else Path(output)
        backend = backend_for(used, resolved)
        outcome = execute(used, resolved, backend, Destination(folder, overwrite, fresh), quiet)
    refuse(outcome.severe, DivergedError)
    return outcome
