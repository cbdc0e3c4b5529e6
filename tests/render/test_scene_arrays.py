"""Scenes as arrays for kernels: frame, materials, lights, environment, and gradients in both modes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from invrender.errors import InputError
from invrender.kernels import radiance as seam
from invrender.nouns import DirectionalLight, Environment, Lights, Material, Mesh, PointLight, Scene, SpotLight
from invrender.render.scene_arrays import arrays, geometry

CPU = torch.device("cpu")
FACES = torch.tensor([[0, 1, 2], [0, 2, 3]])


def square(side: float, at: tuple[float, float, float], material: Material | None = None) -> Mesh:
    corners = torch.tensor([[-1, 0, -1], [-1, 0, 1], [1, 0, 1], [1, 0, -1]], dtype=torch.float64) * side / 2
    return Mesh(corners + torch.tensor(at, dtype=torch.float64), FACES, material=material or Material())


def packed(scene: Scene, dtype: torch.dtype = torch.float64):
    ready = geometry(scene.meshes, CPU, dtype)
    return ready, arrays(ready, scene)


def test_the_frame_holds_everything_and_keeps_the_digits_of_what_is_small():
    ground, thing = square(2000.0, (0, 0, 0)), square(0.01, (700.0, 1.0, -650.0))
    ready = geometry([ground, thing], CPU, torch.float32)
    assert float(ready.vertices.abs().max()) <= 1
    assert math.log2(ready.unit) == round(math.log2(ready.unit))
    back = (ready.vertices.double() * ready.unit + ready.centre)[ready.faces[2:]]
    assert float((back - thing.vertices[FACES]).abs().max()) < 1e-4 * 0.01
    torch.testing.assert_close(ready.local(ready.centre), torch.zeros(3, dtype=torch.float64))


def test_meshes_share_rows_of_one_material_and_no_others():
    red, other = Material((1, 0, 0), name="red"), Material((0, 0, 1), name="red")
    meshes = [square(1, (0, k, 0), each) for k, each in enumerate((red, replace(red), other, Material(name="grey")))]
    ready, found = packed(Scene(meshes, [PointLight((0, 9, 0))]))
    assert ready.row_of == (0, 0, 1, 2)
    assert ready.materials == ("red", "red", "grey")
    assert found.face_material.tolist() == [0, 0, 0, 0, 1, 1, 2, 2]
    assert found.materials[:, seam.KD : seam.KD + 3].tolist()[:2] == [[1, 0, 0], [0, 0, 1]]


def test_a_material_that_no_longer_is_shared_is_told():
    shared = Material(name="red")
    meshes = [square(1, (0, k, 0), shared) for k in range(2)]
    ready = geometry(meshes, CPU)
    changed = Scene([meshes[0], replace(meshes[1], material=Material((0, 1, 0), name="red"))], [PointLight((0, 9, 0))])
    with pytest.raises(ValueError, match="red"):
        arrays(ready, changed)


def test_columns_hold_what_materials_say():
    glass = Material(name="glass", transmission=(1, 0.9, 0.8), ior=1.3, opacity=0.5)
    metal = Material((0.9, 0.8, 0.1), roughness=0.2, metallic=1.0, name="metal")
    chrome = Material((0.1, 0.2, 0.3), specular=(0.4, 0.5, 0.6), shininess=70, mirror=(0.7, 0.8, 0.9), name="chrome")
    screen = Material((1, 1, 1), unlit=True, emission=(3, 2, 1), name="screen", mirror=(1, 1, 1))
    meshes = [square(1, (0, k, 0), each) for k, each in enumerate((glass, metal, chrome, screen))]
    _, found = packed(Scene(meshes, [PointLight((0, 9, 0))]))
    kinds = [seam.DIELECTRIC, seam.GLOSSY, seam.CLASSIC, seam.UNLIT]
    assert found.material_kinds.tolist() == [[kind, -1, -1] for kind in kinds]
    rows = found.materials.tolist()
    assert rows[0][seam.TRANSMISSION : seam.IOR + 1] == [1, 0.9, 0.8, 1.3]
    assert rows[0][seam.OPACITY] == 0.5
    assert rows[1][seam.ROUGHNESS : seam.METALLIC + 1] == [0.2, 1.0]
    assert rows[2][: seam.EMISSION] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 70, 0.7, 0.8, 0.9]
    assert rows[3][seam.MIRROR : seam.TRANSMISSION] == [0, 0, 0, 3, 2, 1]


def test_textures_lie_one_after_another_and_only_where_there_are_coordinates():
    picture, gloss = torch.rand(2, 3, 3), torch.rand(4, 2, 2)
    shown = Material(texture=picture, gloss=gloss, name="shown")
    with_uv = replace(square(1, (0, 0, 0), shown), uv=torch.rand(4, 2, dtype=torch.float64))
    _, found = packed(Scene([with_uv, square(1, (0, 1, 0), shown)], [PointLight((0, 9, 0))]), torch.float32)
    assert found.textures.tolist() == [[0, 2, 3], [6, 4, 2]]
    assert found.material_kinds[:, 1:].tolist() == [[0, 1], [-1, -1]]
    torch.testing.assert_close(found.texels[:6], picture.reshape(6, 3))
    torch.testing.assert_close(found.texels[6:, :2], gloss.reshape(8, 2))
    assert tuple(found.uv.shape) == (4, 3, 2)


def test_lights_shine_in_the_frame_as_in_the_world():
    lights = [
        PointLight((1, 6, 2), (4, 8, 12)),
        SpotLight((1, 6, 2), (0, -5, 0), 3.0, inner=10, outer=60),
        DirectionalLight((0, 3, 4), 2.0),
    ]
    ready, found = packed(Scene([square(20, (5, 0, 0))], lights))
    assert found.light_kinds.tolist() == [seam.POINT, seam.SPOT, seam.DIRECTIONAL]
    point, spot, sun = found.lights
    place = torch.tensor([1.0, 6, 2], dtype=torch.float64)
    torch.testing.assert_close(point[:3] * ready.unit + ready.centre, place)
    # Irradiance, intensity over squared distance, is the same in both units.
    distance = (point[:3] - ready.local(torch.zeros(3))).norm()
    torch.testing.assert_close(point[6:9] / distance**2, torch.tensor([4.0, 8, 12]).double() / place.norm() ** 2)
    assert spot[3:6].tolist() == [0, -1, 0]
    torch.testing.assert_close(spot[9:], torch.tensor([math.cos(math.pi / 18), 0.5]).double())
    torch.testing.assert_close(sun[3:9], torch.tensor([0, 0.6, 0.8, 2, 2, 2]).double())


def test_plain_lights_are_irradiance_over_pi():
    lights = Lights(torch.tensor([[0.0, 2, 0], [1, 0, 0]]), torch.tensor([[0.5, 1, 0], [1, 1, 1]]), 0.25)
    _, found = packed(Scene([square(1, (0, 0, 0))], lights))
    torch.testing.assert_close(found.lights[0, 3:9], torch.tensor([0, 1, 0, math.pi / 2, math.pi, 0]).double())
    assert found.ambient.tolist() == [0.25] * 3
    with pytest.raises(ValueError, match="fixed"):
        packed(Scene([square(1, (0, 0, 0))], Lights()))


def test_the_environment_turns_counter_clockwise_seen_from_above():
    turned = Environment(rotation=90.0, picture=torch.ones(2, 4, 3))
    _, found = packed(Scene([square(1, (0, 0, 0))], [], environment=turned))
    # What the picture has along -Z now comes from -X, a quarter to the left.
    torch.testing.assert_close(
        found.turn @ torch.tensor([-1.0, 0, 0]).double(), torch.tensor([0.0, 0, -1]).double(), atol=1e-12, rtol=0
    )


def test_harmonics_become_a_picture_of_the_same_light():
    sh = torch.zeros(9, 3, dtype=torch.float64)
    sh[0], sh[1] = 2.0, 0.5  # the second function is sqrt(3 / 4 pi) y
    _, found = packed(Scene([square(1, (0, 0, 0))], Lights((0, 1, 0), 0.0, 0.0, sh), background=None))
    height = found.environment.shape[0]
    up = math.cos(0.5 / height * math.pi)
    expected = 2 * math.sqrt(1 / (4 * math.pi)) + 0.5 * math.sqrt(3 / (4 * math.pi)) * up
    torch.testing.assert_close(found.environment[0, 7], torch.full((3,), expected, dtype=torch.float64))


def test_surfaces_are_smooth_within_a_mesh_and_not_across():
    bent = torch.tensor([[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1], [2, 0.3, 0], [2, 0.3, 1]], dtype=torch.float64)
    faces = torch.tensor([[0, 1, 3], [0, 3, 2], [2, 3, 5], [2, 5, 4]])
    one = geometry([Mesh(bent, faces)], CPU, torch.float64)
    two = geometry([Mesh(bent, faces[:2]), Mesh(bent, faces[2:])], CPU, torch.float64)
    up = torch.tensor([0.0, 1, 0]).double().expand(2, 3, 3)
    torch.testing.assert_close(two.normals[:2], up)
    assert float((one.normals[:2] - up).abs().max()) > 0.1


@pytest.mark.parametrize(
    "mesh", [replace(square(1, (0, 0, 0)), finish=torch.zeros(4, 11)), Mesh(torch.zeros(0, 3), FACES[:0])]
)
def test_meshes_that_rays_cannot_draw_are_refused(mesh):
    with pytest.raises(InputError, match="mesh"):
        geometry([mesh], CPU)


def test_everything_is_differentiable_in_both_modes():
    picture = torch.rand(2, 2, 3, dtype=torch.float64)
    mesh = replace(square(1, (0, 0, 0)), uv=torch.rand(4, 2, dtype=torch.float64))
    ready = geometry([replace(mesh, material=Material(texture=picture, name="a"))], CPU, torch.float64)

    def everything(albedo, rough, texture, place, way, strength, angle, colour, rotation, behind):
        material = Material(albedo, texture, "a", rough)
        lights = [SpotLight(place, way, strength, outer=angle), DirectionalLight(way, strength)]
        scene = Scene([replace(mesh, material=material)], lights, behind, Environment(colour, None, rotation))
        found = arrays(ready, scene)
        parts = (found.materials, found.texels, found.lights, found.environment, found.turn, found.backdrop)
        return torch.cat([part.reshape(-1) for part in parts])

    values = ([0.5, 0.4, 0.3], 0.4, picture, [1, 2, 3], [0.2, -1, 0.4], 2.0, 50.0, [1, 0.9, 0.8], 20.0, [0.1, 0.2, 0.3])
    inputs = [torch.as_tensor(value, dtype=torch.float64).clone().requires_grad_() for value in values]
    assert torch.autograd.gradcheck(everything, inputs, check_forward_ad=True)
