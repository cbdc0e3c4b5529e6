"""How much work a run from photographs is: hulls, searches or a field, scores and colours, of each part."""

from __future__ import annotations

from invrender.evaluate.posed_views import view_names
from invrender.methods.photometric.plan import MANY
from invrender.methods.photometric.ready import FIELD_STEPS
from invrender.methods.photometric.report import MOST_PICTURES, named
from invrender.methods.photometric.settings import PhotometricSettings
from invrender.methods.photometric.stages import EDGE_PIXELS
from invrender.methods.photometric.task import Task
from invrender.methods.silhouette.work import TURN, figures
from invrender.run.film import film_files
from invrender.run.work import Work, bytes_of

FINEST = 3.3 / 2.6  # edges of the last level of search, in those of outlines


def work(task: Task, settings: PhotometricSettings) -> Work:
    """How much work a run is."""
    seen = figures(task.views)
    faces = seen.faces(seen.edge(EDGE_PIXELS))
    parts = 1.0 + sum((seen.views - len(aside)) / seen.views for aside in task.folds)
    field = settings.start == "field" or (settings.start == "auto" and seen.views >= MANY)
    lit = settings.appearance == "lit"
    searches = 0.0 if field or lit else parts
    frames = settings.gif_frames + TURN if settings.gif_frames else 0
    unseen = 0 if task.unseen is None else task.unseen.masks.numel()
    own = 0 if task.reference is None else len(task.reference.faces)
    shaded = parts * settings.effort * lit * (2 if settings.shadows else 1)
    poses = parts * bool({"pose", "intrinsics"} & set(settings.optimize))
    amounts = {
        "load.process": 1.0,
        "load.pixels.meshes": 0.0 if task.reference is None else float(seen.pixels + unseen),
        "start.columns": seen.views * seen.hull_cells**2 * (1 + len(task.folds)),
        "start.cells": float(seen.hull_cells**3),
        "solve.run": parts,
        "solve.searched": searches * faces,
        "solve.candidates.meshes": searches * seen.views * faces,
        "solve.pixels.meshes": parts * seen.pixels,
        "solve.outlined": searches * settings.effort * faces,
        "solve.field.volumes": field * parts * settings.effort * FIELD_STEPS,
        "solve.shaded.meshes": shaded * (seen.pixels + seen.views * faces),
        "solve.posed.meshes": poses * settings.effort * seen.pixels,
        "measure.run": 1.0,
        "measure.faces": faces + own,
        "write.pixels": float(seen.pixels + unseen),
        "write.frames": float(frames),
        "write.faces": frames * faces,
    }
    held = {"task": bytes_of(task), "pixels": float(seen.pixels), "faces": faces, "field": float(field),
            "own": float(own)}  # fmt: skip
    return Work(amounts, held, _files(task, settings))


def _files(task: Task, settings: PhotometricSettings) -> tuple[str, ...]:
    shown = task.views if task.unseen is None else task.unseen
    names = view_names(shown)
    sheets = ("pictures/*.png",) if len(names) > MOST_PICTURES else tuple(f"pictures/{named(name)}" for name in names)
    films = film_files(settings.gif_frames, settings.video, turning=True)
    poses = {"pose", "intrinsics"} & set(settings.optimize)
    own = ("view_dependent.npz",) if settings.appearance == "view-dependent" else ()
    light = ("lights.json",) if settings.appearance == "lit" else ()
    refined = ("refined/transforms.json", "refined/images/*/*.png") if poses else ()
    texture = () if settings.texture == 0 else ("mesh.mtl", "mesh.png")  # beside the .obj
    return ("mesh.glb", "mesh.obj", *texture, "mesh.ply", *own, *light, *sheets, *refined, *films)
