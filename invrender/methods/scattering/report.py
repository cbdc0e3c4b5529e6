"""What a run on a scattering medium reports: metrics, files and the lines of the summary."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch

from invrender.evaluate.volume import decibel
from invrender.io.scenes.write import write_scene
from invrender.io.volumes.field import write_field
from invrender.io.volumes.write import write_volume
from invrender.kernels import Backend
from invrender.methods.inputs import decibels
from invrender.methods.scattering.estimate import arrays, shown_by
from invrender.methods.scattering.renderer import Renderer
from invrender.methods.scattering.task import Task
from invrender.nouns import Cameras, Medium, Scene, Volume
from invrender.parameters.medium_values import ALBEDO, ENVIRONMENT, EXTINCTION, LIGHTS, G
from invrender.parameters.neural_field import LearnedField
from invrender.run.folder import RunFolder

Tensor = torch.Tensor

SPP = 64  # rays a pixel of the views that are measured
REFERENCE_SPP = 256
VIEWS_SEED, UNSEEN_SEED, SEEDS = 11, 12, 100
LEAST = 1e-6  # mean square, 60 dB: below, chance decides
DEEP = "density deep inside an opaque medium cannot be seen: judge by the views left out"
AMBIGUOUS = "extinction and g were both sought: what pictures tell is extinction times (1 - g)"


@dataclass(frozen=True)
class Result:
    """What was found.

    Attributes:
        values: optical depths [D,H,W] of the box's longest side, and what else was sought, by name.
        misfit: of the last step.
        scene: the input's, with the medium that was found.
        learned: the network that the extinction is read from, or None.
    """

    values: dict[str, Tensor]
    misfit: float
    scene: Scene
    learned: LearnedField | None = None


def found_scene(task: Task, values: dict[str, Tensor]) -> Scene:
    """The input's scene with what was found in place of what was known."""
    medium, bounds = task.scene.media[0], task.bounds
    longest = float((bounds[1] - bounds[0]).max())
    grid = Volume((values[EXTINCTION] / longest).float()[None], bounds, "density")
    changed: dict[str, Any] = {"extinction": grid}
    if ALBEDO in values:
        changed["albedo"] = tuple(values[ALBEDO].tolist())
    if G in values:
        changed["asymmetry"] = float(values[G])
    scene = replace(task.scene, media=(replace(medium, **changed),))
    if ENVIRONMENT in values and scene.environment is not None:
        scene = replace(
            scene, environment=replace(scene.environment, colour=(1.0, 1.0, 1.0), picture=values[ENVIRONMENT].float())
        )
    if LIGHTS in values:
        assert isinstance(scene.lights, tuple)
        rows = zip(scene.lights, values[LIGHTS].tolist(), strict=True)
        scene = replace(scene, lights=tuple(replace(light, intensity=tuple(row)) for light, row in rows))
    return scene


def measure(task: Task, result: Result, backend: Backend) -> dict[str, Any]:
    """What metrics.json holds: how well views and those left out are explained, and how near the density is."""
    metrics: dict[str, Any] = {
        "views": len(task.cameras),
        "views_psnr": _psnr(task, result, task.cameras, task.images, backend, VIEWS_SEED),
        "novel_views": 0 if task.unseen is None else len(task.unseen),
        "novel_psnr": None,
        "misfit": result.misfit,
        "support": float(task.support.double().mean()),
        "greatest_extinction": float(result.scene.media[0].extinction.values.max()),
        "free": list(task.free),
        "field": "grid" if result.learned is None else "neural",
        "note": DEEP,
    }
    if task.unseen is not None and task.unseen_images is not None:
        metrics["novel_psnr"] = _psnr(task, result, task.unseen, task.unseen_images, backend, UNSEEN_SEED)
    metrics |= {name: value.tolist() for name, value in result.values.items() if name in (ALBEDO, G, LIGHTS)}
    if task.reference is not None:
        metrics |= _against(task, result)
    if G in task.free:
        metrics["ambiguous"] = AMBIGUOUS
    return metrics


def _against(task: Task, result: Result) -> dict[str, Any]:
    """The distance from the medium that the views are of; the peak is the greatest extinction of that."""
    assert task.reference is not None
    truth: Medium = task.reference.media[0]
    reference, found = truth.extinction.values[0].double(), result.scene.media[0].extinction.values[0].double()
    on = torch.nn.functional.interpolate(
        found[None, None], size=tuple(reference.shape), mode="trilinear", align_corners=True
    )[0, 0]
    error = float((on - reference).square().mean())
    size = float(reference.square().mean())
    told: dict[str, Any] = {
        "density_psnr": _finite(decibel(float(reference.max()), error)),
        "relative_l2": math.sqrt(error / size),
    }
    known = {ALBEDO: truth.albedo, G: truth.asymmetry}
    for name, value in known.items():
        if name in task.free and not isinstance(value, Volume):
            told[f"{name}_reference"] = torch.as_tensor(value).tolist()
    return told


def _psnr(task: Task, result: Result, cameras: Cameras, images: Tensor, backend: Backend, seed: int) -> float | None:
    """Of re-rendered views, peak 1, without the noise of their rays; nor of what they should show, where it is known.

    The mean square of differences holds the variance of both pictures, the mean product of differences of independent
    pictures does not.
    """
    renderer = Renderer.of(task.scene, cameras, backend)
    found = shown_by(renderer, task, arrays(result.values))
    first, second = (renderer.pictures(found, SPP, seed + SEEDS * half) for half in (0, 1))
    other = images
    if task.reference is not None:
        other = Renderer.of(task.reference, cameras, backend).drawn(REFERENCE_SPP, seed + 2 * SEEDS)
    product = ((first - images) * (second - other)).double().mean()
    return _finite(decibel(1.0, max(float(product), LEAST)))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def write(run: RunFolder, task: Task, result: Result) -> None:
    """Write the density in the units of the input, and the scene with the medium that was found."""
    medium = result.scene.media[0]
    density = Volume(medium.extinction.values / task.factor, medium.extinction.bounds, "density")
    write_volume(run.file("volume.npz"), density)
    write_volume(run.file("volume.vti"), density)
    if result.learned is not None:
        write_field(run.file("field.npz"), result.learned)
    write_scene(run.file("scene.toml"), result.scene)


def rows(m: dict[str, Any]) -> list[tuple[str, str]]:
    """The lines of the summary."""
    lines = [("PSNR of the input's views", decibels(m["views_psnr"]))]
    left_out = decibels(m["novel_psnr"]) if m["novel_views"] else "- (too few views)"
    lines.append(("PSNR of views left out", left_out))
    if "density_psnr" in m:
        lines.append(("against the asset: PSNR of extinction", decibels(m["density_psnr"])))
    for name in (ALBEDO, G, LIGHTS):
        if name in m:
            lines.append((name, f"{_shown(m[name])}{_was(m, name)}"))
    lines.append(("note", m["note"]))
    if "ambiguous" in m:
        lines.append(("note", m["ambiguous"]))
    return lines


def _shown(value: Any) -> str:
    numbers = torch.as_tensor(value).reshape(-1).tolist()
    return ", ".join(f"{number:.4g}" for number in numbers)


def _was(m: dict[str, Any], name: str) -> str:
    key = f"{name}_reference"
    return f" (the asset's: {_shown(m[key])})" if key in m else ""


def files(m: dict[str, Any]) -> str:
    """The main results."""
    return "scene.toml, volume.npz, volume.vti" + (", field.npz" if m["field"] == "neural" else "")
