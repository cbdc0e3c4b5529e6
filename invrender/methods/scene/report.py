"""What a run on a scene reports: metrics, files and the lines of the summary."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from invrender.findings import Finding
from invrender.io.files.atomic import atomic_write_text
from invrender.io.images import write_png
from invrender.io.scenes.write import write_scene
from invrender.kernels import Backend
from invrender.methods.scene.certainty import Certainty
from invrender.methods.scene.pictures import difference, exposure
from invrender.methods.scene.posterior import Sampled
from invrender.methods.scene.result import Result
from invrender.methods.scene.task import Task
from invrender.nouns import Scene
from invrender.parameters.scene_values import component_names
from invrender.run.corner import write_corner, write_samples
from invrender.run.folder import RunFolder
from invrender.run.losses_csv import read_losses

Tensor = torch.Tensor

POOR = 0.3  # of the targets' root mean square that is left unexplained: the scene is another one
LOUD, SHARE = 0.02, 0.3  # noise of the scene's own pictures that is told: of the targets, and of what is left
MOST_PAIRS = 8  # that are told
SCENE, PARAMETERS, SAMPLES, CORNER = "scene.toml", "parameters.csv", "samples.npz", "corner.png"


def measure(task: Task, result: Result, backend: Backend) -> dict[str, Any]:
    """What metrics.json holds: the fit, each value with its error, what is confounded, and the posterior."""
    del backend
    left = math.sqrt(2 * result.loss)
    metrics: dict[str, Any] = {
        "targets": len(task.targets),
        "solver": result.solver,
        "steps": result.steps,
        "evaluations": result.evaluations,
        "unexplained": left,
        "own_noise": result.own_noise,
        "values": _values(result),
    }
    if result.certainty is not None:
        metrics |= {
            "noise": _finite(result.certainty.sigma),
            "confounded": [asdict(pair) | {"words": str(pair)} for pair in result.certainty.confounded],
            "undetermined": list(result.certainty.undetermined),
        }
    if result.sampled is not None:
        metrics["posterior"] = _posterior(result.sampled)
    return metrics


def _values(result: Result) -> dict[str, Any]:
    """Start, what was found and its standard error, by the name of each readable number."""
    start, found = result.values.readable(result.values.encode()), result.values.readable(result.params)
    rows: dict[str, Any] = {}
    for place in result.values.places:
        errors = (
            result.certainty.errors[place.path] if result.certainty else torch.full_like(found[place.path], torch.nan)
        )
        for name, before, after, error in zip(
            component_names(place), start[place.path], found[place.path], errors, strict=True
        ):
            rows[name] = {
                "start": float(before), "found": float(after), "standard_error": _finite(float(error)),
                "determined": result.certainty is not None and math.isfinite(float(error)), "unit": place.unit,
            }  # fmt: skip
    return rows


def _posterior(drawn: Sampled) -> dict[str, Any]:
    chains, count, _ = drawn.numbers.shape
    return {
        "method": drawn.method,
        "distrusted": drawn.distrusted,
        "chains": chains,
        "draws": count,
        "noise": drawn.sigma,
        "rhat": _finite(float(drawn.diagnosis.rhat.max())),
        "ess": float(np.minimum(drawn.diagnosis.ess, drawn.diagnosis.ess_square).min()),
        "trouble": drawn.trouble,
        "values": drawn.table(),
    }


def _finite(value: float) -> float | None:
    """None for what is not known or without bound, which JSON cannot hold."""
    return value if math.isfinite(value) else None


def doubt(task: Task, m: dict[str, Any]) -> list[Finding]:
    """A scene that does not explain its pictures, and draws that cannot be trusted."""
    del task
    found = []
    if m["unexplained"] > POOR:
        found.append(
            Finding(
                f"the scene does not explain its pictures: {m['unexplained']:.0%} of their root mean square is left",
                "look at difference*.png; check the order of the targets, what is not free, and the start",
            )
        )
    if m["own_noise"] > max(LOUD, SHARE * m["unexplained"]):
        found.append(
            Finding(
                f"the scene's own pictures err by {m['own_noise']:.1%} of the targets' root mean square, since their "
                "light is followed by chance: values are off by more than their standard errors",
                "take more rays a pixel, such as --spp 64, and targets with little noise",
            )
        )
    trouble = m.get("posterior", {}).get("trouble", "")
    if trouble:
        found.append(
            Finding(
                f"the draws from the posterior cannot be trusted: {trouble}",
                "draw more (--set draws=3000), free fewer values, or narrow the priors (--set prior=0.3)",
                severe=True,
            )
        )
    return found


# --- files ------------------------------------------------------------------------------------------------------------


def write(run: RunFolder, task: Task, result: Result) -> None:
    """Write the scene with its values, how they came about, and the pictures."""
    found = settled(result.scene)
    _write_scene(run, found, Path(task.source))
    atomic_write_text(run.file(PARAMETERS), parameters_table(run.path / "losses.csv", result))
    _write_pictures(run, task, result)
    if result.certainty is not None:
        _log_certainty(run, result.certainty)
    if result.sampled is not None:
        _write_samples(run, result.sampled, result)


def settled(scene: Scene) -> Scene:
    """The scene with plain numbers."""
    return replace(
        scene,
        meshes=tuple(replace(mesh, material=_plain(mesh.material)) for mesh in scene.meshes),
        lights=tuple(map(_plain, scene.lights)) if isinstance(scene.lights, tuple) else _plain(scene.lights),
        environment=None if scene.environment is None else _plain(scene.environment),
        background=_number(scene.background) if isinstance(scene.background, Tensor) else scene.background,
        cameras=tuple(replace(_plain(camera), pose=camera.pose.detach()) for camera in scene.cameras),
    )


def _plain(thing: Any) -> Any:
    """A noun whose small tensors have become numbers; pictures and poses stay."""
    values = {name: value for name, value in vars(thing).items() if isinstance(value, Tensor) and value.ndim < 2}
    return replace(thing, **{name: _number(value) for name, value in values.items()})


def _number(value: Tensor) -> Any:
    plain = value.detach().tolist()
    return tuple(plain) if isinstance(plain, list) else plain


def _write_scene(run: RunFolder, scene: Scene, source: Path) -> None:
    """Write scene.toml where the run will lie in the end, which its paths are relative to, and put it in its place."""
    hidden = run.home / f".{SCENE}"
    written = write_scene(hidden, scene, source)
    written[0].replace(run.file(SCENE))
    for extra in written[1:]:
        extra.replace(run.file(extra.name))


def parameters_table(losses: Path, result: Result) -> str:
    """The values over the steps as CSV: the start, then what losses.csv holds of each recorded step."""
    names = result.values.names()
    start = torch.cat(list(result.values.readable(result.values.encode()).values())).tolist()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", "phase", "loss", *names])
    writer.writerow(["start", "", "", *(f"{value:.8g}" for value in start)])
    for row in read_losses(losses) if losses.is_file() else []:
        writer.writerow(
            [row["step"], row.get("phase", ""), row.get("loss", ""), *(row.get(name, "") for name in names)]
        )
    return text.getvalue()


def _write_pictures(run: RunFolder, task: Task, result: Result) -> None:
    bright, several = exposure(task.targets), len(task.targets) > 1
    for target, shown in zip(task.targets, result.shown, strict=True):
        ending = f"_{target.name}.png" if several else ".png"
        off, strongest = difference(shown, target)
        write_png(run.file(f"target{ending}"), bright * target.image)
        write_png(run.file(f"estimate{ending}"), bright * shown)
        write_png(run.file(f"difference{ending}"), off)
        run.log(
            f"difference{ending}: full red is {strongest:.3g} more than the target (linear), full blue as much less"
        )


def _log_certainty(run: RunFolder, certain: Certainty) -> None:
    for pair in certain.confounded:
        run.log(str(pair))
    for name in certain.undetermined:
        run.log(f"{name}: the pictures do not determine it")


def _write_samples(run: RunFolder, drawn: Sampled, result: Result) -> None:
    write_samples(run.file(SAMPLES), drawn.names, drawn.shown, drawn.density)
    found = torch.cat(list(result.values.readable(result.params).values())).tolist()
    write_corner(run.file(CORNER), drawn.names, drawn.shown.reshape(-1, len(drawn.names)), estimate=found)


# --- for people -------------------------------------------------------------------------------------------------------


def rows(m: dict[str, Any]) -> list[tuple[str, str]]:
    """The lines of the summary."""
    lines = [
        ("left unexplained", f"{100 * m['unexplained']:.3g} % of the targets' root mean square"),
        ("solver", f"{m['solver']}, {m['steps']} steps, {m['evaluations']} evaluations"),
    ]
    drawn = m.get("posterior")
    for name, row in m["values"].items():
        lines.append((name, _line(row) if drawn is None else _interval(row, drawn["values"][name])))
    together = m.get("confounded", [])
    lines += [("move together", pair["words"]) for pair in together[:MOST_PAIRS]]
    if len(together) > MOST_PAIRS:
        lines.append(("move together", f"{len(together) - MOST_PAIRS} more pairs: see metrics.json"))
    if m.get("undetermined"):
        lines.append(("not determined by the pictures", ", ".join(m["undetermined"])))
    if drawn is not None:
        lines.append(("posterior", f"{drawn['chains']} x {drawn['draws']} draws by {drawn['method']}"))
        lines.append(("R-hat, effective draws (least)", f"{_shown(drawn['rhat'])}, {drawn['ess']:.0f}"))
        if drawn["distrusted"]:
            lines.append(("note", drawn["distrusted"]))
    return lines


def _line(row: dict[str, Any]) -> str:
    error = row["standard_error"]
    sure = "" if error is None else f" ± {error:.2g}" if row["determined"] else " (not determined)"
    unit = f" {row['unit']}" if row["unit"] else ""
    return f"{row['start']:.5g} -> {_digits(row['found'], error)}{sure}{unit}"


def _interval(row: dict[str, Any], drawn: dict[str, Any]) -> str:
    unit = f" {row['unit']}" if row["unit"] else ""
    low, high = drawn["lower"], drawn["upper"]
    spread = (high - low) / 3.3
    ends = f"{_digits(low, spread)} .. {_digits(high, spread)}"
    return f"{row['start']:.5g} -> {_digits(drawn['median'], spread)} (90 %: {ends}){unit}"


def _digits(value: float, error: float | None) -> str:
    """A number with two digits more than its error leaves it; six significant ones at most without one."""
    if not error or not math.isfinite(error):
        return f"{value:.6g}"
    places = min(max(1 - math.floor(math.log10(error)), 0), 8)
    return f"{value:.{places}f}" if abs(value) < 1e9 else f"{value:.6g}"


def _shown(value: float | None) -> str:
    return "infinite" if value is None else f"{value:.3f}"


def files(m: dict[str, Any]) -> str:
    """The names of the main results."""
    several = m["targets"] > 1
    pictures = "difference_*.png" if several else "target.png, estimate.png, difference.png"
    posterior = f", {CORNER}, {SAMPLES}" if "posterior" in m else ""
    return f"{SCENE}, {PARAMETERS}, {pictures}{posterior}"
