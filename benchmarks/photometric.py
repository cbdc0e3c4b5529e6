"""Shape, albedo and light from shaded pictures, against silhouettes alone, as a table.

    python benchmarks/photometric.py [--models FOLDER] [--only NAME ...] [--silhouettes]

The pictures are made here: 24 views of 256 x 256 on a Fibonacci sphere, the surface's own normals (flat faces) under
light of spherical harmonics of order 2, or traced with hard shadows, 4 x 4 samples a pixel, linear. Eight views from
other directions are held out: masked PSNR counts the pixels of their masks in sRGB. FOLDER may hold the meshes of other
people that are named in `CASES`; those that it lacks are left out, and without it our own samples are taken.

Times are CPU seconds of the reconstruction, kernels compiled before. Distances are those of `invrender evaluate`:
shares of the diagonal. Albedo is compared up to one factor per channel, which no picture tells.
"""

from __future__ import annotations

import invrender  # noqa: F401  isort: skip - before torch, whose threads then wait without spinning

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from photometric_pictures import Drawn, draw, held_out, lit_by, normalised, traced, training, true_light

from invrender.backends import select
from invrender.colour import linear_to_srgb
from invrender.evaluate.mesh import f_score, sample_surface
from invrender.geometry.closest import Surface
from invrender.geometry.visibility import visible_from_outside
from invrender.io.meshes.read import read_mesh
from invrender.kernels import Backend
from invrender.methods.photometric.appearance import Appearance, plain
from invrender.methods.photometric.objective import SOFTNESS_OF_SHADOWS, Unknowns, pictures_of
from invrender.methods.photometric.shaded import SHADOWED_STAGES, STAGES, Shading
from invrender.methods.silhouette.schedule import Plan
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.start import FirstShape, first_shape
from invrender.methods.silhouette.target import Shape
from invrender.nouns import Material, Mesh, Views
from invrender.solve.loop import Loop

Tensor = torch.Tensor

WHITE = 0.7  # albedo of what is not textured


@dataclass(frozen=True)
class Case:
    """One row: the file, what is known of its look, and how its pictures are lit.

    Attributes:
        file: name of the mesh.
        albedo: "known" or "constant" (both paint it white), or "texture": the file's own, and unknown.
        light: "known" or "unknown".
        shadows: whether the pictures are traced.
    """

    file: str
    albedo: str = "known"
    light: str = "known"
    shadows: bool = False


CASES = (
    Case("Avocado.glb"),
    Case("Kettle.glb"),
    Case("Kettle.glb", "constant", "unknown"),
    Case("Avocado.glb", "texture", "unknown"),
    Case("Avocado.glb", "constant", "unknown", shadows=True),
    Case("Chair.obj"),
    Case("Tree_2.obj"),
    Case("teapot.obj"),
)
OWN = (Case("mug.glb"), Case("blobby.ply", "texture", "unknown"), Case("figure.obj", "constant", "unknown"))


@dataclass(frozen=True)
class Problem:
    """A case made ready: the true mesh, its pictures, and those that are held out."""

    case: Case
    truth: Mesh
    given: Drawn
    held: Drawn


def problem(case: Case, mesh: Mesh, backend: Backend) -> Problem:
    """Draw the pictures of a case."""
    truth = normalised(mesh)
    if case.albedo != "texture":
        truth = Mesh(truth.vertices, truth.faces, material=Material(albedo=(WHITE, WHITE, WHITE)))
    shade = traced(truth, backend) if case.shadows else lit_by(true_light())
    return Problem(case, truth, draw(truth, training(), shade, backend), draw(truth, held_out(), shade, backend))


def shaded(task: Problem, first: FirstShape, backend: Backend) -> tuple[Shape, Appearance]:
    """The reconstruction from shading and silhouettes."""
    known, images = task.case, task.given.images
    brightness = float(images[task.given.masks > 0.99].mean())
    look = plain(len(first.shape.vertices), brightness)
    if known.light == "known":
        look = replace(look, light=true_light())
    if known.albedo == "known":
        look = replace(look, albedo=torch.full_like(look.albedo, WHITE))
    unknowns = Unknowns(
        "free" if known.albedo == "texture" else "known" if known.albedo == "known" else "constant",
        "known" if known.light == "known" else "free",
    )
    pictures = pictures_of(first.target, images)
    if known.shadows:
        pictures = replace(pictures, softness=SOFTNESS_OF_SHADOWS)
    stages = SHADOWED_STAGES if known.shadows else STAGES
    schedule = Shading(first.shape, look, pictures, unknowns, backend, known.shadows, stages)
    loop = Loop(schedule.following)
    for _ in loop:
        pass
    return schedule.result(loop.state.finished)


def silhouettes(task: Problem, backend: Backend) -> Mesh:
    """The reconstruction from the masks alone."""
    views = Views(training(), task.given.masks)
    settings = SilhouetteSettings(input=Path(task.case.file))
    plan = Plan(views, settings, backend, first_shape(views, settings, backend))
    loop = Loop(plan.following)
    for _ in loop:
        pass
    return plan.result(loop.state.finished).mesh


def row(label: str, task: Problem, mesh: Mesh, light: Tensor, seconds: float, backend: Backend) -> str:
    """One line of the table."""
    chamfer, score = visible_distances(mesh, task.truth)
    shown = draw(mesh, held_out(), lit_by(light), backend, smooth=True)
    there = (task.held.masks > 0.99) & (shown.masks > 0.99)
    cells = [label, f"{100 * chamfer:.3f}", f"{score:.4f}", f"{masked_psnr(shown, task.held):.1f}"]
    cells += [
        f"{albedo_psnr(shown.albedo[there], task.held.albedo[there]):.1f}" if task.case.albedo == "texture" else "-"
    ]
    return "| " + " | ".join([*cells, f"{seconds:.1f}"]) + " |"


def visible_distances(result: Mesh, truth: Mesh) -> tuple[float, float]:
    """Chamfer distance and F-score at 1 % between what can be seen from outside, both as shares of the diagonal."""
    diagonal = float((truth.vertices.amax(0) - truth.vertices.amin(0)).norm())
    pair = [mesh.numpy() for mesh in (result, truth)]
    distances = []
    for seed, (own, other) in enumerate((pair, pair[::-1])):
        points = sample_surface(*own, 30_000, seed)[0]
        points = points[visible_from_outside(points, *own, 1e-3 * diagonal)]
        distances.append(Surface(*other).closest(points)[1] / diagonal)
    return float(distances[0].mean() + distances[1].mean()) / 2, f_score(distances[0], distances[1], 0.01)


def masked_psnr(shown: Drawn, held: Drawn) -> float:
    """Mean over the views, in sRGB, over the pixels of the true masks."""
    squares = (encoded(shown.images) - encoded(held.images)) ** 2
    inside = held.masks.numpy() > 0.5
    return float(np.mean([decibels(square[mask]) for square, mask in zip(squares, inside, strict=True)]))


def albedo_psnr(found: Tensor, true: Tensor) -> float:
    """In sRGB, up to one factor per channel, of albedos [P,3]."""
    factor = (found * true).sum(0) / found.square().sum(0)
    return decibels((encoded(found * factor) - encoded(true)) ** 2)


def encoded(linear: Tensor) -> NDArray[np.float32]:
    """In sRGB."""
    return linear_to_srgb(linear.numpy())


def decibels(squares: NDArray[np.float32]) -> float:
    """PSNR of squared differences."""
    return float(-10 * np.log10(max(squares.mean(), 1e-12)))


def run(case: Case, mesh: Mesh, backend: Backend, alone: bool) -> None:
    """Print the rows of a case."""
    task = problem(case, mesh, backend)
    name = f"{Path(case.file).stem}, albedo {case.albedo}, light {case.light}{', shadows' if case.shadows else ''}"
    start = time.process_time()
    views, settings = Views(training(), task.given.masks, task.given.images), SilhouetteSettings(input=Path(case.file))
    first = first_shape(views, settings, backend)
    shape, look = shaded(task, first, backend)
    seconds = time.process_time() - start
    vertices = torch.from_numpy(first.frame.restore(shape.vertices))
    found = Mesh(vertices, torch.from_numpy(shape.faces), colours=look.albedo, material=Material((1.0, 1.0, 1.0)))
    print(row(name, task, found, look.light, seconds, backend), flush=True)
    if alone:
        start = time.process_time()
        outline = silhouettes(task, backend)
        seconds = time.process_time() - start
        painted = replace(outline, material=Material((WHITE, WHITE, WHITE)))
        print(row(f"{Path(case.file).stem}, silhouettes", task, painted, true_light(), seconds, backend), flush=True)


def main() -> None:
    """Parse the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, help="folder of other people's meshes")
    parser.add_argument("--only", action="append", help="part of a file's name; may be repeated")
    parser.add_argument("--silhouettes", action="store_true", help="also what the masks alone give")
    options = parser.parse_args()
    folder = options.models or Path(__file__).resolve().parent.parent / "data"
    backend = select("cpu")
    warm = replace(OWN[1], file="warm")
    shaded_once = problem(warm, read_mesh(Path(__file__).resolve().parent.parent / "data" / "blobby.ply"), backend)
    views = Views(training(), shaded_once.given.masks)
    shaded(shaded_once, first_shape(views, SilhouetteSettings(Path("warm")), backend), backend)
    print("| case | visible Chamfer % | F@1% | masked dB | albedo dB | CPU s |\n|---|---|---|---|---|---|")
    for case in CASES if options.models else OWN:
        if not (folder / case.file).exists() or (options.only and not any(o in case.file for o in options.only)):
            continue
        run(case, read_mesh(folder / case.file), backend, options.silhouettes)


if __name__ == "__main__":
    main()
