"""Values of a scene by their paths: what names mean, which do not exist, and their errors in readable numbers."""

from __future__ import annotations

import math

import pytest
import torch

from invrender.errors import UsageError
from invrender.nouns import Camera, DirectionalLight, Material, Mesh, PointLight, Scene
from invrender.parameters.scene_paths import chosen_places
from invrender.parameters.scene_place import Measures
from invrender.parameters.scene_values import SceneValues

CORNERS = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=torch.float64)
MEASURES = Measures(torch.zeros(3, dtype=torch.float64), 1.0)


def mesh(**look: object) -> Mesh:
    return Mesh(CORNERS, torch.tensor([[0, 1, 2]]), material=Material(**look))  # type: ignore[arg-type]


def scene(*lights: PointLight | DirectionalLight) -> Scene:
    looks = [mesh(name="wood.001"), mesh(name="steel", roughness=0.3), mesh(name="glass", transmission=(1, 1, 1))]
    cameras = [Camera(torch.eye(4, dtype=torch.float64), name="front")]
    return Scene(looks, lights or [PointLight((0, 0, 1), 5.0, name="key")], cameras=cameras)


def two() -> Scene:
    return scene(PointLight((0, 0, 1), 5.0, name="key"), DirectionalLight((0, 1, 0), (1, 2, 3), name="sun"))


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("light.position", ["light.position"]),
        ("light.key.position", ["light.position"]),
        ("light", ["light.position", "light.intensity"]),
        ("camera.front", ["camera.pose"]),
        ("material.wood.001.Kd", ["material.wood.001.Kd"]),
        ("material.steel", ["material.steel.Kd", "material.steel.roughness"]),
        ("material.steel.albedo", ["material.steel.Kd"]),
        ("material.*.Kd", ["material.wood.001.Kd", "material.steel.Kd"]),
        ("material.glass", ["material.glass.transmission", "material.glass.ior"]),
    ],
)
def test_names(name: str, paths: list[str]) -> None:
    assert [place.path for place in chosen_places(scene(), [name])] == paths


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["light.pos"], "did you mean light.position"),
        (["light.position"], "light.key.position or light.spare.position"),
        (["material.steel.Ks"], "material.steel has Kd, roughness"),
        (["material.brass.Kd"], "material.wood.001.Kd"),
        (["camera.pose", "camera.position"], "change the same numbers"),
        (["material.steel.opacity"], "no derivative"),
        ([], "nothing is free"),
    ],
)
def test_names_of_nothing(names: list[str], words: str) -> None:
    lights = PointLight((0, 0, 1), 5.0, name="key"), PointLight((0, 0, 2), 5.0, name="spare")
    several = scene(*lights) if names == ["light.position"] else scene()
    with pytest.raises(UsageError) as caught:
        chosen_places(several, names)
    assert words in str(caught.value)


def test_what_is_not_free_stays() -> None:
    start = two()
    values = SceneValues.of(start, ["light.sun"], MEASURES)
    found = values.decode({name: numbers + 0.1 for name, numbers in values.encode().items()})
    assert found.lights[0] is start.lights[0] and found.meshes == start.meshes  # type: ignore[index]
    assert torch.allclose(found.lights[1].intensity, math.exp(0.1) * torch.tensor([1.0, 2, 3]).double())  # type: ignore


def test_shared_materials_change_together() -> None:
    both = Scene([mesh(name="red"), mesh(name="red")])
    values = SceneValues.of(both, ["material.red.Kd"], MEASURES)
    first, second = values.decode(values.encode()).meshes
    assert first.material is second.material


def test_errors_of_logarithms_and_logits() -> None:
    values = SceneValues.of(scene(), ["light.intensity", "material.steel.roughness"], MEASURES)
    errors = values.errors(values.encode(), torch.diag(torch.tensor([0.01, 0.04]).double()))
    assert errors["light.intensity"].item() == pytest.approx(5 * 0.1)  # d exp(x) = exp(x) dx
    assert errors["material.steel.roughness"].item() == pytest.approx(0.3 * 0.7 * 0.2)  # of a logistic function


def test_what_is_not_determined_has_no_finite_error() -> None:
    values = SceneValues.of(scene(), ["light.intensity", "material.steel.roughness"], MEASURES)
    errors = values.errors(values.encode(), torch.diag(torch.tensor([torch.inf, 0.04]).double()))
    assert math.isinf(errors["light.intensity"].item()) and math.isfinite(errors["material.steel.roughness"].item())


def test_a_far_light_is_free_by_what_arrives() -> None:
    far = scene(PointLight((0, 0, 10), 5.0, name="key"))
    values = SceneValues.of(far, ["light"], MEASURES)
    start = values.encode()
    farther = {**start, "light.position": start["light.position"] + torch.tensor([0, 0, math.log(2)])}
    light = values.decode(farther).lights[0]  # type: ignore[index]
    assert torch.allclose(light.position, torch.tensor([0.0, 0, 20]).double())  # type: ignore[union-attr, arg-type]
    assert float(light.intensity) == pytest.approx(20)  # four times as strong for twice the distance
