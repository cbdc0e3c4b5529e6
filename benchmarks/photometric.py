"""Shape, albedo and light from shaded pictures, against silhouettes alone, as a table; and photographs, as another.

    python benchmarks/photometric.py [--models FOLDER] [--only NAME ...] [--silhouettes] [--mitsuba]
    python benchmarks/photometric.py --photos "NAME=FOLDER FLAGS" ...

The second form runs the command on photographs; see `photometric_photos.py`.

Without it, pictures are made here: 24 views of 256 x 256 on a Fibonacci sphere, the surface's own normals (flat faces)
under light of spherical harmonics of order 2, or traced with hard shadows, 4 x 4 samples a pixel, linear. Eight views
from other directions are held out: masked PSNR counts the pixels of their masks in sRGB. FOLDER may hold the meshes of
other people that are named in `CASES`; those that it lacks are left out, and without it our own samples are taken.

Times are CPU seconds of the reconstruction, kernels compiled before. Distances are those of `invrender evaluate`:
shares of the diagonal. Albedo is compared up to one factor per channel, which no picture tells.
"""

from __future__ import annotations

import invrender  # noqa: F401  isort: skip - before torch, whose threads then wait without spinning

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from photometric_mitsuba import mitsuba, optimised
from photometric_photos import HEAD as PHOTOS_HEAD
from photometric_photos import photographs, rows
from photometric_pictures import Drawn, draw, held_out, lit_by, normalised, traced, training, true_light

from invrender.backends import select
from invrender.colour import linear_to_srgb
from invrender.evaluate.distances import f_score, sample_surface
from invrender.geometry.bvh import build_tree
from invrender.geometry.closest import Surface
from invrender.geometry.visibility import visible_from_outside
from invrender.io.meshes.read import read_mesh
from invrender.kernels import Backend
from invrender.methods.photometric.appearance import Appearance
from invrender.methods.photometric.lit import CONSTANT
from invrender.methods.photometric.ready import Ready
from invrender.methods.photometric.settings import PhotometricSettings
from invrender.methods.silhouette.schedule import Plan
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.start import FirstShape, first_shape
from invrender.methods.silhouette.target import Shape
from invrender.nouns import Lights, Material, Mesh, Views
from invrender.solve.loop import Loop

Tensor = torch.Tensor

HEAD = """\
| case | visible Chamfer % | F@1% | masked dB | albedo dB | CPU s | silhouettes: Chamfer % | F@1% | CPU s | no worse |
|---|---|---|---|---|---|---|---|---|---|"""
TIMES = 10.0  # our CPU seconds, after which Mitsuba is stopped
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

    @property
    def name(self) -> str:
        """In the table."""
        look = f"albedo {self.albedo}, light {self.light}{', shadows' if self.shadows else ''}"
        return f"{Path(self.file).stem}, {look}"


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


def shaded(task: Problem, backend: Backend, effort: float = 1.0) -> tuple[FirstShape, Shape, Appearance]:
    """The reconstruction that `--appearance lit` gives, with a share of its steps: the hull, and shape and look."""
    known = task.case
    albedo = {"known": str(WHITE), "constant": CONSTANT, "texture": None}[known.albedo]
    settings = PhotometricSettings(
        Path(known.file), effort=effort, appearance="lit", albedo=albedo, shadows=known.shadows
    )
    views = Views(training(), task.given.masks, task.given.images)
    ready = Ready(views, settings, backend, Lights.around(true_light()) if known.light == "known" else None, False)
    loop = Loop(ready.following)
    for _ in loop:
        pass
    return ready.first, *ready.look(loop.state.finished)


def silhouettes(task: Problem, backend: Backend) -> Mesh:
    """The reconstruction from the masks alone."""
    views = Views(training(), task.given.masks)
    settings = SilhouetteSettings(input=Path(task.case.file))
    plan = Plan(views, settings, backend, first_shape(views, settings, backend))
    loop = Loop(plan.following)
    for _ in loop:
        pass
    return plan.result(loop.state.finished).mesh


@dataclass(frozen=True)
class Score:
    """What a row tells of a mesh: visible Chamfer distance and F-score, PSNR, and its CPU seconds."""

    chamfer: float
    f_score: float
    masked: float
    albedo: float | None
    seconds: float

    @property
    def shape(self) -> list[str]:
        """Cells of the shape alone."""
        return [f"{100 * self.chamfer:.3f}", f"{self.f_score:.4f}"]

    def line(self, name: str, alone: Score | None) -> str:
        """The row, beside silhouettes alone where they were tried."""
        cells = [name, *self.shape, f"{self.masked:.1f}", "-" if self.albedo is None else f"{self.albedo:.1f}"]
        cells += [f"{self.seconds:.1f}", *(["-"] * 4 if alone is None else [*alone.shape, f"{alone.seconds:.1f}"])]
        return "| " + " | ".join(cells + ([] if alone is None else [self.beside(alone)])) + " |"

    def beside(self, alone: Score) -> str:
        """Whether the shape is no worse than that of the silhouettes."""
        return "yes" if self.chamfer <= alone.chamfer else f"NO, {100 * (self.chamfer / alone.chamfer - 1):+.0f} %"


def scored(task: Problem, mesh: Mesh, light: Tensor, seconds: float, backend: Backend) -> Score:
    """A reconstruction beside the truth and the pictures that are held out."""
    shown = draw(mesh, held_out(), lit_by(light), backend, smooth=True)
    there = (task.held.masks > 0.99) & (shown.masks > 0.99)
    textured = task.case.albedo == "texture"
    albedo = albedo_psnr(shown.albedo[there], task.held.albedo[there]) if textured else None
    return Score(*visible_distances(mesh, task.truth), masked_psnr(shown, task.held), albedo, seconds)


def visible_distances(result: Mesh, truth: Mesh) -> tuple[float, float]:
    """Chamfer distance and F-score at 1 % between what can be seen from outside, both as shares of the diagonal."""
    diagonal = float((truth.vertices.amax(0) - truth.vertices.amin(0)).norm())
    pair = [mesh.numpy() for mesh in (result, truth)]
    distances = []
    for seed, (own, other) in enumerate((pair, pair[::-1])):
        points = sample_surface(*own, 30_000, seed)[0]
        points = points[visible_from_outside(points, build_tree(*own), 1e-3 * diagonal)]
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


def painted(mesh: Mesh) -> Mesh:
    """The mesh in plain white."""
    return replace(mesh, material=Material((WHITE, WHITE, WHITE)))


def peer(name: str, mi: Any, task: Problem, first: FirstShape, ours: Score, backend: Backend) -> str:
    """What Mitsuba 3 reaches in ten times our CPU seconds, or the time in which it reaches our held-out PSNR."""

    def score(mesh: Mesh) -> float:
        return masked_psnr(draw(painted(mesh), held_out(), lit_by(true_light()), backend, smooth=True), task.held)

    hull = Mesh(torch.from_numpy(first.frame.restore(first.shape.vertices)), torch.from_numpy(first.shape.faces))
    cap = TIMES * ours.seconds
    found = optimised(mi, hull, training(), task.given, WHITE, true_light(), score, ours.masked, cap)
    cells = scored(task, painted(found.mesh), true_light(), found.seconds, backend)
    said = "as good as ours" if found.reached else "given up"
    return cells.line(f"{name}, Mitsuba 3: {said} after {found.steps} steps", None)


def run(case: Case, mesh: Mesh, backend: Backend, alone: bool, mi: Any) -> None:
    """Print the rows of a case."""
    task = problem(case, mesh, backend)
    start = time.process_time()
    first, shape, look = shaded(task, backend)
    seconds = time.process_time() - start
    vertices = torch.from_numpy(first.frame.restore(shape.vertices))
    found = Mesh(vertices, torch.from_numpy(shape.faces), colours=look.albedo, material=Material((1.0, 1.0, 1.0)))
    ours, outline = scored(task, found, look.light, seconds, backend), None
    if alone:
        start = time.process_time()
        mesh = painted(silhouettes(task, backend))
        outline = scored(task, mesh, true_light(), time.process_time() - start, backend)
    print(ours.line(case.name, outline), flush=True)
    if mi is not None and case.albedo == case.light == "known":
        print(peer(Path(case.file).stem, mi, task, first, ours, backend), flush=True)


def warm_up(backend: Backend) -> None:
    """Compile the kernels."""
    task = problem(OWN[1], read_mesh(Path(__file__).resolve().parent.parent / "data" / OWN[1].file), backend)
    shaded(task, backend, 0.01)


def main() -> None:
    """Parse the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, help="folder of other people's meshes")
    parser.add_argument("--only", action="append", help="part of a row's name; may be repeated")
    parser.add_argument("--silhouettes", action="store_true", help="also what the masks alone give")
    parser.add_argument("--mitsuba", action="store_true", help="also Mitsuba 3, where albedo and light are known")
    parser.add_argument("--photos", nargs="+", type=photographs, metavar="NAME=FOLDER", help="sets of photographs")
    options = parser.parse_args()
    backend = select("cpu")
    if options.photos:
        print(PHOTOS_HEAD, flush=True)
        for each in options.photos:
            rows(each, backend)
        return
    mi = mitsuba() if options.mitsuba else None
    folder = options.models or Path(__file__).resolve().parent.parent / "data"
    warm_up(backend)
    print(HEAD, flush=True)
    for case in CASES if options.models else OWN:
        if not (folder / case.file).exists() or (options.only and not any(part in case.name for part in options.only)):
            continue
        run(case, read_mesh(folder / case.file), backend, options.silhouettes, mi)


if __name__ == "__main__":
    main()
