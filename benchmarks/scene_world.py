"""The scene of the scene benchmarks: a tree on its own, seen from above, in the light of one lamp.

Without a file it is a fir of our own: a trunk and three cones. RayTracer.jl's tree may be given by its path.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from invrender.cameras.projection import look_at
from invrender.io.scenes.read import read_scene
from invrender.kernels import Backend
from invrender.methods.scene.levels import Levels
from invrender.methods.scene.misfit import Misfit
from invrender.methods.scene.renderer import Renderer
from invrender.methods.scene.schedule import Plan
from invrender.methods.scene.settings import SceneSettings
from invrender.methods.scene.targets import Target
from invrender.nouns import Camera, Material, Mesh, PointLight, Scene
from invrender.parameters.scene_values import SceneValues
from invrender.render.edges import EdgeSampling
from invrender.render.scene_view import Shot
from invrender.solve.loop import Loop, LoopState
from invrender.solve.protocol import Params

Tensor = torch.Tensor

BARK = Material(albedo=(0.21, 0.14, 0.055), specular=(0.0, 0.0, 0.0), shininess=255.0, name="Bark")
LEAVES = Material(albedo=(0.03, 0.106, 0.018), specular=(0.086, 0.355, 0.075), shininess=96.0, name="Tree")
EYE, AIM, FOV = (0.0, 6.0, -10.0), (0.0, 2.0, 0.0), 45.0
LAMP, POWER = (1.0, 10.0, -50.0), 20000.0
PLACED = PointLight(LAMP, POWER, "lamp")


def tree(path: Path | None) -> tuple[Mesh, ...]:
    """The meshes, one for each material."""
    if path is not None:
        return read_scene(path).meshes
    import trimesh

    cones = [trimesh.creation.cone(1.9 - 0.45 * k, 1.7, sections=24) for k in range(3)]
    for k, cone in enumerate(cones):
        cone.apply_translation([0, 0, 1.0 + 1.1 * k])
    trunk = trimesh.creation.cylinder(0.35, 1.4, sections=24)
    trunk.apply_translation([0, 0, 0.5])
    return _mesh(trunk, BARK), _mesh(trimesh.util.concatenate(cones), LEAVES)


def _mesh(made: Any, material: Material) -> Mesh:
    """A mesh of trimesh's, whose third axis points up."""
    vertices = torch.tensor(made.vertices, dtype=torch.float64)[:, [0, 2, 1]] * torch.tensor([1.0, 1.0, -1.0])
    return Mesh(vertices, torch.tensor(made.faces, dtype=torch.int64), material=material)


def camera(size: int, eye: Sequence[float] = EYE, aim: Sequence[float] = AIM) -> Camera:
    """Of square pictures."""
    pose = torch.linalg.inv(look_at(torch.tensor([eye], dtype=torch.float64), torch.tensor(aim))[0].double())
    return Camera(pose, FOV, size=(size, size), name="camera")


def world(meshes: Sequence[Mesh], size: int, *lights: Any) -> Scene:
    """The scene with lights, the lamp where it belongs if there are none."""
    return Scene(tuple(meshes), lights=lights or (PLACED,), cameras=(camera(size),), background=(0.0, 0.0, 0.0))


def turned(scene: Scene, degrees: float, shift: float, seed: int) -> Scene:
    """The scene with its camera turned about its eye by an angle around some axis, and moved by a distance."""
    random = torch.Generator().manual_seed(seed)
    axis, way = (torch.nn.functional.normalize(torch.randn(3, generator=random, dtype=torch.float64), dim=0)
                 for _ in range(2))  # fmt: skip
    off = math.radians(degrees) * axis
    cross = torch.linalg.cross(torch.eye(3, dtype=torch.float64), off.expand(3, 3))
    pose = scene.cameras[0].pose.clone()
    pose[:3, :3] = torch.linalg.matrix_exp(-cross) @ pose[:3, :3]
    pose[:3, 3] += shift * way
    return replace(scene, cameras=(replace(scene.cameras[0], pose=pose),))


def angle(first: Tensor, second: Tensor) -> float:
    """Degrees between the directions of two poses."""
    cosine = (float((first[:3, :3].T @ second[:3, :3]).trace()) - 1) / 2
    return math.degrees(math.acos(min(1.0, max(-1.0, cosine))))


def shot(spp: int = 1, shadows: bool = True, edges: bool = True) -> Shot:
    """How pictures are drawn: as the command does."""
    return Shot("raytraced", 4, spp, 0, shadows, EdgeSampling(samples=2048) if edges else None)


def seen(scene: Scene, backend: Backend, how: Shot, noise: float = 0.0, seed: int = 0) -> Target:
    """The picture that the scene's camera takes, with some noise; of one ray a pixel by the reference twin."""
    lens = scene.cameras[0]
    assert lens.size is not None
    image = Renderer(scene.meshes, backend, how).picture(scene, 0, lens.size, in_torch=how.spp == 1).detach()
    random = torch.Generator().manual_seed(seed)
    image = image + noise * torch.randn(image.shape, generator=random, dtype=torch.float64)
    full = torch.zeros_like(image, dtype=torch.bool)
    return Target(0, lens.name, image, torch.ones(lens.size, dtype=torch.float64), full, 0.0, False)


@dataclass(frozen=True)
class Found:
    """What a run ended with: the scene, CPU seconds, calls of the objective by kind, and the run itself."""

    scene: Scene
    seconds: float
    calls: Counter[str]
    plan: Plan
    state: LoopState

    @property
    def evaluations(self) -> int:
        """All of them."""
        return sum(self.calls.values())


def recovered(scene: Scene, target: Target, free: Sequence[str], backend: Backend, how: Shot, **settings: Any) -> Found:
    """Values of the scene from one picture, as `invrender reconstruct --method scene` finds them."""
    began, calls = time.process_time(), Counter[str]()
    draw = Renderer(scene.meshes, backend, how)
    values = SceneValues.of(scene, free, draw.measures(scene))
    chosen = SceneSettings(input=Path("scene.toml"), optimize=tuple(free), **settings)
    plan = Plan(Levels(values, (target,), draw, chosen))
    with _counted(calls):
        loop = Loop(plan.following)
        for _ in loop:
            pass
    return Found(values.decode(last(loop.state)), time.process_time() - began, calls, plan, loop.state)


def last(state: LoopState) -> Params:
    """The free numbers with which the solver ended."""
    return [each for each in state.finished if each.name.startswith("end")][-1].result


class _counted:
    """While it is open, calls of an objective are counted by their names."""

    def __init__(self, calls: Counter[str]) -> None:
        self.calls, self.kept = calls, {name: getattr(Misfit, name) for name in KINDS}

    def __enter__(self) -> None:
        for name, function in self.kept.items():
            setattr(Misfit, name, self._counting(name, function))

    def __exit__(self, *_: object) -> None:
        for name, function in self.kept.items():
            setattr(Misfit, name, function)

    def _counting(self, name: str, function: Any) -> Any:
        def called(*given: Any, **more: Any) -> Any:
            self.calls[name] += 1
            return function(*given, **more)

        return called


KINDS = ("residual", "linearised", "value_and_grad")
