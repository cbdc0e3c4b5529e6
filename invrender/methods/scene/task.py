"""What a run on a scene works on: the scene, its pictures and what is free, read and checked before any work starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from invrender.errors import InputError, UsageError
from invrender.findings import Finding
from invrender.io.files.paths import listing, shown
from invrender.io.scenes.read import read_scene
from invrender.kernels import Backend
from invrender.methods.scene.dependence import unseen
from invrender.methods.scene.renderer import Renderer
from invrender.methods.scene.settings import SceneSettings
from invrender.methods.scene.targets import Target, read_targets
from invrender.nouns import Scene
from invrender.parameters.scene_place import Measures
from invrender.parameters.scene_values import SceneValues
from invrender.render.edges import EdgeSampling
from invrender.render.scene_edges import left_out
from invrender.render.scene_view import Shot, view

DARK = 1e-6  # targets whose values all lie below show nothing
EDGE_POINTS = 2048
RAYS = {"raytraced": 1, "path": 16}
RAYS_OF_MOVING = 4  # so that outlines move smoothly


@dataclass(frozen=True)
class Task:
    """What a run works on.

    Attributes:
        scene: with the values that the run starts from.
        source: the file that it was read from.
        targets: its pictures.
        free: paths of what is free.
        measures: of the scene.
        said: what a user should know of values that start on their bounds, and of derivatives that are left out.
    """

    scene: Scene
    source: str
    targets: tuple[Target, ...]
    free: tuple[str, ...]
    measures: Measures
    said: tuple[str, ...] = ()

    @property
    def values(self) -> SceneValues:
        """What is free."""
        return SceneValues.of(self.scene, self.free, self.measures)


def load(settings: SceneSettings, backend: Backend) -> Task:
    """Read the input and check it before any work starts.

    Raises:
        UsageError: settings that make no sense, a value that does not exist, or one on which no pixel depends.
        InputError: a scene or a picture that cannot be used.
    """
    _check_settings(settings)
    scene = read_scene(settings.input)
    _check_scene(scene, settings.input)
    values = SceneValues.of(scene, settings.optimize, Measures(torch.zeros(3, dtype=torch.float64), 1.0))
    targets = read_targets(settings.target, scene, settings.alpha, settings.size)
    draw = Renderer(scene.meshes, backend, shot_of(settings, values))
    measures = draw.measures(scene)
    values = SceneValues(scene, values.places, measures)
    _check_seen(values, targets, draw)
    said = [f"{path} starts inside its bounds: {_numbers(at)}" for path, at in values.moved_from_bounds().items()]
    said += [
        f"{settings.pixels} of the {target.weight.numel()} pixels of {target.name} are compared, at most (--set pixels)"
        for target in targets
        if target.weight.numel() > settings.pixels
    ]
    said += _left_out(values, targets[0], draw)
    paths = tuple(place.path for place in values.places)
    return Task(scene, str(settings.input), targets, paths, measures, tuple(said))


def shot_of(settings: SceneSettings, values: SceneValues) -> Shot:
    """How pictures are drawn."""
    moving = any(place.kind.startswith("camera.") for place in values.places)
    spp = settings.spp or (max(RAYS[settings.mode], RAYS_OF_MOVING) if moving else RAYS[settings.mode])
    edges = EdgeSampling(samples=EDGE_POINTS) if settings.edges else None
    return Shot(settings.mode, settings.depth, spp, settings.seed % 2**31, settings.shadows, edges)


def _check_settings(settings: SceneSettings) -> None:
    plain = SceneSettings(settings.input)
    for name in settings.UNUSED:
        if getattr(settings, name) != getattr(plain, name):
            raise UsageError(f"--{name} has no effect on a scene, whose cameras are its own", f"leave --{name} out")
    if settings.mode == "path" and settings.solver in ("lm", "lbfgs"):
        raise UsageError(
            f"--solver {settings.solver} needs pictures without noise, and those of --mode path have some",
            "use --solver adam, or --mode raytraced",
        )
    if settings.mode == "path" and settings.posterior:
        raise UsageError(
            "--posterior compares pictures without noise, and those of --mode path have some", "use --mode raytraced"
        )


def _check_scene(scene: Scene, source: Path) -> None:
    """
    Raises:
        InputError: no camera sees the scene, or it holds a medium.
    """
    if scene.media:
        raise InputError(
            f"{shown(source)} holds a medium, through which --method scene does not look",
            "use --method scattering, or take [medium] out",
        )
    if not scene.cameras:
        raise InputError(
            f"{shown(source)} has no camera, and targets are seen by one", "add a [[camera]] to the scene.toml"
        )


def _check_seen(values: SceneValues, targets: tuple[Target, ...], draw: Renderer) -> None:
    """
    Raises:
        UsageError: no pixel depends on one of the values.
    """
    lost = unseen(values, targets, draw)
    if lost:
        raise UsageError(
            f"no pixel of the targets depends on {listing(lost)}",
            "leave it out of --optimize, or give a target in which it shows",
        )


def describe(task: Task) -> str:
    """The task in a few words."""
    sizes = {f"{target.size[1]} x {target.size[0]}" for target in task.targets}
    numbers = len(task.values.joined(task.values.encode()))
    count = len(task.targets)
    return (
        f"{count} target{'s' * (count > 1)} of {', '.join(sorted(sizes))}; {numbers} free numbers: {listing(task.free)}"
    )


def notices(task: Task) -> list[str]:
    """What a user should know beforehand."""
    said = list(task.said)
    through = [target for target in task.targets if target.had_alpha]
    if through:
        names = listing([target.name for target in through])
        weighed = any(bool((target.weight < 1).any()) for target in through)
        said.append(f"alpha of {names}: {'weighs the pixels' if weighed else 'the background shows through'}")
    return said


def check(task: Task, backend: Backend) -> list[Finding]:
    """Targets that are black, or that end at white in many places."""
    draw = Renderer(task.scene.meshes, backend, Shot())
    black = [target.name for target in task.targets if float(target.image.max()) < DARK]
    findings = [Finding(f"the target of {name} is black", "check the picture", (name,)) for name in black]
    for target in task.targets:
        seen = draw.filled(task.scene.cameras[target.camera], target.size)
        share = float(target.full.all(-1).reshape(-1)[seen].double().mean()) if len(seen) else 0.0
        if share > 0.25:
            findings.append(
                Finding(
                    f"{share:.0%} of what the target of {target.name} shows is white, where files of 8 bits end",
                    "give a darker picture, or an .exr, which holds brighter light",
                    (target.name,),
                )
            )
    return findings


def _left_out(values: SceneValues, target: Target, draw: Renderer) -> list[str]:
    """What of the motion of edges derivatives leave out, where something is free that moves them."""
    moving = ("camera.pose", "camera.position", "camera.fov", "camera.extent", "light.position", "light.direction")
    if not any(place.kind in moving for place in values.places):
        return []
    if draw.shot.edges is None:
        return ["how outlines and shadows move is left out of the derivatives (edges = false)"]
    scene = values.scene
    ready = view(
        scene, scene.cameras[target.camera], target.size, draw.backend, draw.shot, in_torch=True, geometry=draw.exact
    )
    return list(left_out(ready))


def _numbers(values: torch.Tensor) -> str:
    return ", ".join(f"{value:.4g}" for value in values.tolist())
