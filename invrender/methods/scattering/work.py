"""How much work a run on a scattering medium is: paths of light, of each step's pictures and of those that measure."""

from __future__ import annotations

import math

from invrender.methods.scattering.compared import SMALL
from invrender.methods.scattering.compared import SPP as FILM_SPP
from invrender.methods.scattering.film import TURNING, TURNING_SPP
from invrender.methods.scattering.report import REFERENCE_SPP, SPP
from invrender.methods.scattering.schedule import FIRST_SPP, LEVELS
from invrender.methods.scattering.settings import ScatteringSettings
from invrender.methods.scattering.task import Task
from invrender.run.film import film_files
from invrender.run.volume_turn import FRAMES
from invrender.run.work import Work, bytes_of


def work(task: Task, settings: ScatteringSettings) -> Work:
    """How much work a run is."""
    views, (height, width) = len(task.cameras), task.cameras.size
    each = height * width
    unseen = 0 if task.unseen is None else len(task.unseen)
    voxels, own = math.prod(task.shape), task.reference is not None
    inside = float(task.support.double().mean())
    neural = settings.field == "neural"
    steps, looked = settings.iterations, min(settings.views_a_step, views)
    cubes = 1.0 if neural else sum(share / coarser**3 for coarser, share in LEVELS)
    measured = 2 * SPP + (REFERENCE_SPP if own else 0)
    frames = settings.gif_frames
    filmed = FILM_SPP * (frames * min(each, settings.gif_size**2) + views * SMALL**2) if frames else 0
    filmed += FRAMES * TURNING_SPP * TURNING**2 if frames else 0
    amounts = {
        "load.process": 1.0,
        "load.paths.scenes": float(own * settings.target_spp * (views + unseen) * each),
        "solve.steps": float(steps),
        "solve.paths.scenes": float(2 * settings.spp * steps * looked * each),
        "solve.first.scenes": float(FIRST_SPP * len(LEVELS) * views * each),
        "solve.voxels": steps * voxels * cubes,
        "solve.trained.network": float(neural * steps * voxels),
        "measure.paths.scenes": float(measured * (views + unseen) * each),
        "write.frames": float(frames),
        "write.paths.scenes": float(filmed),
        "write.voxels": float(voxels),
    }
    held = {"task": bytes_of(task), "pixels": float(views * each), "voxels": float(voxels), "inside": inside * voxels,
            "paths": float(settings.target_spp * each), "asset": float(own)}  # fmt: skip
    films = film_files(frames, settings.video, turning=True)
    fields = ("field.npz",) if neural else ()
    return Work(amounts, held, ("volume.npz", "volume.vti", *fields, "scene.toml", "scene-*", *films))
