"""How much work a run from transmittance is: passes over the rays of all views and over the grid."""

from __future__ import annotations

import math

from invrender.io.volumes.field import NAME as FIELD
from invrender.methods.transmittance.baselines import own_passes
from invrender.methods.transmittance.budget import bytes_each, is_large, passes, turns, whole_passes
from invrender.methods.transmittance.comparison import SOLVERS
from invrender.methods.transmittance.neural import ITERATIONS
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.methods.transmittance.task import Task
from invrender.run.colour_views import SMALL
from invrender.run.film import film_files
from invrender.run.volume_turn import FRAMES, LARGEST, drawn_side
from invrender.run.work import Work, bytes_of

JOSEPH = 0.2  # of the time of exact line integrals
UNSEEN = 8 * 128**2  # pixels of the views by which a volume is held against its asset


def work(task: Task, settings: TransmittanceSettings) -> Work:
    """How much work a run is."""
    views, (height, width) = len(task.measurement.cameras), task.measurement.cameras.size
    voxels, longest = math.prod(task.shape), max(task.shape)
    rays = views * height * width
    samples, neural = rays * longest, settings.field == "neural"
    count = 0 if neural else whole_passes(settings, task.shape, passes(settings, task.measurement))
    whole = count / turns(settings, task.measurement, task.shape)  # passes over all views
    if settings.compare:
        noisy = bool(task.measurement.noise.deviation)
        others = sum(own_passes(solver, noisy) or count for solver in SOLVERS)
        count, whole = count + others, whole + others
    side, frames = settings.gif_size, settings.gif_frames
    turning = min(longest, LARGEST)
    ending = (FRAMES * turning * drawn_side(turning, side) ** 2 + views * SMALL**2 * longest) if frames else 0
    drawn = frames * min(side, height, width) ** 2 * longest + ending
    own = task.reference is not None
    amounts = {
        "load.process": 1.0,
        "load.samples.volumes": float(own * samples),
        "start.run": 1.0,
        "start.carved.volumes": float(settings.carve * voxels * views),
        "start.rays": float(rays),
        "solve.passes": float(count),
        "solve.samples.volumes": float(whole * samples),
        "solve.voxels.volumes": float(count * voxels),
        "solve.trained.network": float(neural * (settings.iterations or ITERATIONS)),
        "measure.samples.volumes": float(
            samples * (JOSEPH if is_large(task.shape) else 1) + own * 2 * UNSEEN * longest
        ),
        "measure.voxels": float(own * voxels),
        "write.voxels": float(voxels),
        "write.frames": float(frames + FRAMES) if frames else 0.0,
        "write.drawn.volumes": float(drawn * (2 if own else 1)),
    }
    per_voxel, per_pixel = bytes_each(task.shape)
    reference = 0 if task.reference is None else bytes_of(task.reference)
    held = {
        "counted": voxels * per_voxel + rays * per_pixel + reference,
        "neural": float(neural),
        "own": float(own),
    }
    films = film_files(frames, settings.video, turning=True)
    return Work(amounts, held, ("volume.npz", "volume.vti", *task.outputs.names, *((FIELD,) if neural else ()), *films))
