"""How much work a run on a scene is: pictures and columns of derivatives, by what is compared in each phase."""

from __future__ import annotations

from invrender.methods.scene.film import MOST, SMOOTH
from invrender.methods.scene.levels import BLURRED, PYRAMID, SOME, moves_cameras
from invrender.methods.scene.report import CORNER, PARAMETERS, SAMPLES, SCENE
from invrender.methods.scene.schedule import BLUR_STEPS, FEW, LOOKED_AT, SEVERAL, TRIAL_STEPS
from invrender.methods.scene.settings import SceneSettings
from invrender.methods.scene.starts import looked_for
from invrender.methods.scene.task import Task, shot_of
from invrender.parameters.scene_values import SceneValues
from invrender.run.film import film_files
from invrender.run.work import Work, bytes_of

USUAL = 10  # steps to the end, where nothing is random: a solver stops where nothing is gained any more


def work(task: Task, settings: SceneSettings) -> Work:
    """How much work a run is; how many steps a solver will take is a guess."""
    values = task.values
    free = len(values.joined(values.encode()))
    sizes = [target.weight.numel() for target in task.targets]
    spp = shot_of(settings, values).spp
    path = settings.mode == "path"
    columns = path is False and (settings.solver == "lm" or (settings.solver == "auto" and free <= FEW))
    starts = settings.starts or (SEVERAL if looked_for(values.places) else 1)
    steps = settings.iterations if path else min(settings.iterations, USUAL if columns else 3 * USUAL)
    rays = spp * sum(min(size, settings.pixels) for size in sizes)
    each = free + 1 if columns else 2
    small = spp * sum(min(size, SOME) for size in sizes)
    blurred = spp * sum(min(size, BLURRED**2) for size in sizes)
    levels = len(settings.blur if settings.blur is not None else PYRAMID) if moves_cameras(values) else 0
    tried = (starts * TRIAL_STEPS * each + 2 * LOOKED_AT * starts * (starts - 1)) if starts > 1 else 0
    shots = (steps + levels * BLUR_STEPS) if settings.gif_frames else 0
    filmed = SMOOTH * sum(min(size, settings.gif_size**2) for size in sizes[:MOST])
    drawn = settings.draws * 4 if settings.posterior else 0
    amounts = {
        "load.process": 1.0,
        "load.rays.scenes": float(4 * spp * sum(sizes)),
        "solve.steps": float(steps + levels * BLUR_STEPS + starts * TRIAL_STEPS),
        "solve.columns.scenes": float(steps * each * rays) * columns,
        "solve.adjoints.scenes": float(steps * each * rays) * (not columns),
        "solve.tried.scenes": float(tried * small),
        "solve.blurred.scenes": float(levels * BLUR_STEPS * each * blurred),
        "solve.posterior.scenes": float(drawn * small),
        "write.shots.scenes": float(shots * filmed),
        "write.frames": float(min(settings.gif_frames, shots)),
    }
    held = {"task": bytes_of(task), "columns": float(free * rays) * columns, "rays": float(rays)}
    return Work(amounts, held, _files(task, settings, values))


def _files(task: Task, settings: SceneSettings, values: SceneValues) -> tuple[str, ...]:
    del values
    several = len(task.targets) > 1
    endings = [f"_{target.name}.png" if several else ".png" for target in task.targets]
    pictures = [f"{kind}{ending}" for ending in endings for kind in ("target", "estimate", "difference")]
    posterior = (SAMPLES, CORNER) if settings.posterior else ()
    films = film_files(settings.gif_frames, settings.video, turning=False)
    return (SCENE, PARAMETERS, *pictures, *posterior, *films)
