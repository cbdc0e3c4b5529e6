"""How much work a run from colour views is: steps on random rays through a grid that is refined, and pictures."""

from __future__ import annotations

import math

from invrender.io.volumes.field import NAME as FIELD
from invrender.methods.volume_colour.schedule import LEVELS
from invrender.methods.volume_colour.settings import ColourSettings
from invrender.methods.volume_colour.task import Task
from invrender.run.colour_views import SMALL
from invrender.run.film import film_files
from invrender.run.volume_turn import FRAMES
from invrender.run.work import Work, bytes_of


def work(task: Task, settings: ColourSettings) -> Work:
    """How much work a run is."""
    rays = task.views.masks.numel()
    unseen = 0 if task.unseen is None else task.unseen.masks.numel()
    known, target = task.known is not None, task.target
    shape = task.known.shape if task.known is not None else task.shape
    levels = ((1, 1.0),) if known else LEVELS
    voxels, longest, neural = math.prod(shape), max(shape), settings.field == "neural"
    taken, through = min(settings.rays, rays), settings.samples * longest
    along = sum(share / coarser for coarser, share in levels)
    cubes = sum(share / coarser**3 for coarser, share in levels)
    side, frames = settings.gif_size, settings.gif_frames
    turns = FRAMES * (side**2 + SMALL**2) if frames else 0
    around = (frames * min(side, *task.views.cameras.size) ** 2 + turns) * longest
    across = 0 if target is None else max(target.volume.shape)
    amounts = {
        "load.process": 1.0,
        "load.samples.volumes": float((rays + unseen) * across),
        "solve.steps": float(settings.iterations),
        "solve.rays": float(settings.iterations * taken),
        "solve.samples.volumes": settings.iterations * taken * through * along,
        "solve.voxels": float(not known) * settings.iterations * voxels * cubes,
        "solve.trained.network": float(neural) * settings.iterations * voxels * cubes,
        "solve.all": float(rays),
        "measure.samples.volumes": float((rays + unseen) * longest),
        "write.voxels": float(not known) * voxels,
        "write.drawn.volumes": float(around + turns * across),
    }
    held = {"task": bytes_of(task), "rays": float(rays), "voxels": float(voxels), "taken": taken * through,
            "neural": float(neural) * voxels,
            "asset": float(target is not None)}  # fmt: skip
    films = film_files(frames, settings.video, turning=True)
    results = ("transfer.json",) if known else ("volume.npz", "volume.vti", *((FIELD,) if neural else ()))
    return Work(amounts, held, (*results, *films))
