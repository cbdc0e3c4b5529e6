"""Every number that a method reports is explained."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

from invrender.evaluate import mesh
from invrender.evaluate.mesh import MeshMetrics
from invrender.evaluate.pictures import PictureScores
from invrender.evaluate.volume import VolumeMetrics
from invrender.methods.names import METHODS, method_called
from invrender.methods.neural_renderer.method import METHOD as TRAIN
from invrender.methods.transmittance import report
from invrender.methods.transmittance.measurement import Noise
from invrender.radiography.calibration import Suspicion
from invrender.radiography.misalignment import Misalignment
from invrender.report.glossary import GLOSSARY, WHOLE, entries, meaning
from invrender.run.method import Method

NESTED = {"seen": PictureScores, "unseen": PictureScores, "folds": PictureScores, "noise": Noise}
EVERY = {**{name: name for name in METHODS}, "train": "neural-renderer"}


def of(name: str) -> Method:
    return TRAIN if name == "train" else method_called(name)


def keys(module: Any) -> Iterator[str]:
    """Names that `measure` of a module, and functions it calls there, write: by reading their text."""
    tree = ast.parse(inspect.getsource(module))
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for name in ("measure", "measured", "_against"):
        for node in ast.walk(functions.get(name, ast.Module([], []))):
            if isinstance(node, ast.Dict):
                found = [key for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
                yield from (key.value for key in found)  # type: ignore[misc]
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                yield from [str(node.slice.value)] if isinstance(node.ctx, ast.Store) else []


@pytest.mark.parametrize("name", EVERY)
def test_every_metric_of_a_method_is_explained(name: str) -> None:
    method = of(name)
    module = report if name == "transmittance" else inspect.getmodule(method.measure)
    found = [key for key in keys(module) if key != "words"]
    assert len(found) > 5
    for key in found:
        parts = [f"{key}.{each.name}" for each in fields(NESTED[key])] if name != "scene" and key in NESTED else [key]
        for part in parts:
            assert meaning(part, EVERY[name]) is not None, f"{name}: what does {part} mean?"


def test_what_is_found_of_a_scanners_geometry_is_explained() -> None:
    found = [each.name for each in fields(Misalignment)]
    off = [f"{name}_uncertainty" for name in found]
    for name in (*found, *off, "pixel", "misfit", "misfit_before"):
        assert meaning(f"calibration.{name}", "transmittance") is not None, name
    for each in fields(Suspicion):
        assert meaning(f"geometry.{each.name}", "transmittance") is not None, each.name


def test_what_is_measured_of_meshes_and_volumes_is_explained() -> None:
    names = [each.name for kind in (MeshMetrics, VolumeMetrics) for each in fields(kind)]
    assert {*names, *keys(mesh)} <= set(GLOSSARY)


def test_each_entry_is_a_sentence_with_a_title() -> None:
    for name, entry in GLOSSARY.items():
        assert (entry.title and entry.title[0].islower()) or entry.title.startswith("Euler"), name
        assert entry.sentence.endswith("."), name
        assert len(entry.sentence) < 260, name
    assert len({entry.sentence for name, entry in GLOSSARY.items()}) > 0.6 * len(GLOSSARY)


def test_tables_within_tables_are_joined_and_tables_by_view_stay_whole() -> None:
    metrics = {"views": 8, "seen": {"ssim": 0.9, "iou": None}, "views_iou_each": {"a": 1.0}}
    assert dict(entries(metrics)) == {"views": 8, "seen.ssim": 0.9, "views_iou_each": {"a": 1.0}}
    assert "views_iou_each" in WHOLE
    psnr, other = meaning("psnr", "neural-renderer"), meaning("psnr", "transmittance")
    assert psnr is not None and other is not None and psnr.sentence != other.sentence
