"""What is refused of a scene before light is followed, and `invrender.render` of scenes from Python."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import trimesh

import invrender
from invrender.cameras.lens import cameras_of
from invrender.cameras.projection import look_at
from invrender.errors import InputError, UsageError
from invrender.io.scenes.read import read_scene
from invrender.nouns import Camera, DirectionalLight, Environment, Lights, Material, Mesh, PointLight, Scene, SpotLight
from invrender.render.scene_checks import check_scene, closed, findings, inside
from invrender.render.scenes import Shot


def ball(centre: tuple[float, float, float] = (0.0, 0.0, 0.0), radius: float = 1.0, **material) -> Mesh:
    made = trimesh.creation.icosphere(2, radius)
    return replace(Mesh.from_numpy(made.vertices + list(centre), made.faces), material=Material(**material))


LAMP = PointLight((0, 3, 0), 20.0, "lamp")
SCENE = Scene(ball(name="ball"), [LAMP])
CAMERA = Camera(torch.linalg.inv(look_at([[0.0, 1.0, 5.0]], [0.0, 0.0, 0.0]))[0], size=(12, 16))


def made_of(**material) -> Scene:
    return replace_meshes(ball(name="ball", **material))


def replace_meshes(mesh: Mesh) -> Scene:
    return Scene(mesh, [LAMP])


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        (Scene(ball(), []), "no light"),
        (Scene(ball(), Lights((0, 1, 0), 0.0, 0.0)), "no light"),
        (Scene(ball(), [replace(LAMP, intensity=(1.0, -1.0, 0.0))]), "light 'lamp' has an intensity"),
        (Scene(ball(), [replace(LAMP, intensity=math.nan)]), "light 'lamp' has an intensity"),
        (Scene(ball(), [replace(LAMP, position=(0, math.inf, 0))]), "light 'lamp' stands or points nowhere"),
        (Scene(ball(), [DirectionalLight((0, 0, 0), 1.0, "sun")]), "light 'sun' has the direction 0, 0, 0"),
        (Scene(ball(), [SpotLight((0, 3, 0), (0, math.nan, 0), name="spot")]), "light 'spot' stands or points nowhere"),
        (Scene(ball(), Lights(intensity=-1.0)), "lights have an intensity"),
        (made_of(albedo=(0.5, math.nan, 0.5)), "albedo of the material 'ball' is no finite number"),
        (made_of(emission=(-1.0, 0.0, 0.0)), "emission of the material 'ball' is negative"),
        (Scene(ball(), [], (1, 1, 1), Environment((-1.0, 0, 0))), "environment has radiance"),
        (Scene(ball(), [LAMP], (math.nan, 0, 0)), "background has a colour"),
        (Scene([], [LAMP]), "no faces"),
        (replace_meshes(Mesh(torch.full((3, 3), math.nan), torch.tensor([[0, 1, 2]]))), "no finite numbers"),
    ],
)
def test_what_cannot_be_drawn_is_refused(scene, words):
    with pytest.raises(InputError, match=words):
        check_scene(scene)


@pytest.mark.parametrize(
    "scene",
    [
        SCENE,
        Scene(ball()),
        Scene(ball(emission=(1.0, 1.0, 1.0)), []),
        Scene(ball(), [], environment=Environment()),
        Scene(ball(unlit=True), []),
    ],
)
def test_whatever_shines_will_do(scene):
    check_scene(scene)


def test_lights_inside_things_and_open_glass_are_found():
    shell, room = ball(radius=0.5, centre=(0, 3, 0), name="shell"), ball(radius=9.0, name="room")
    pane = Mesh(torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), torch.tensor([[0, 1, 2]]))
    pane = replace(pane, material=Material(transmission=(1, 1, 1), name="pane"))
    told = [str(each) for each in findings(Scene([shell, room, pane], [LAMP]), [CAMERA])]
    assert [any(name in each for each in told) for name in ("'shell'", "'pane'", "'room'")] == [True, True, False]
    assert (closed(shell), closed(pane)) == (True, False)
    for point, within in (((0.1, 3.2, 0.3), True), ((0.45, 3.45, 0.45), False), ((0, 0, 0), False)):
        assert inside(shell, torch.tensor(point, dtype=torch.float64)) == within


def test_python_draws_scenes_by_rays_paths_and_rasters():
    camera, shot = CAMERA, Shot("path", spp=2)
    two = Scene([ball(), ball((0.0, -3.0, 0.0), name="other")], [LAMP], (0.2, 0.4, 0.6), cameras=[camera])
    paths = invrender.render(two, mode="path", shot=shot, backend="torch")
    assert tuple(paths.shape) == (1, 12, 16, 3)
    torch.testing.assert_close(paths[0, 0, 0], torch.tensor([0.2, 0.4, 0.6]))
    rays = invrender.render(two, [camera, camera], "raytraced", backend="torch", alpha=True)
    assert tuple(rays.shape) == (2, 12, 16, 4)
    assert rays[0, 0, 0].tolist() == [0, 0, 0, 0]
    posed = cameras_of(camera, (12, 16), 0.1, 20.0)
    masks = invrender.render(two, posed, "silhouette", backend="torch")
    torch.testing.assert_close(masks[0, 5, 8], torch.ones(1))
    given = invrender.render(two, posed, "path", shot=shot, backend="torch")
    torch.testing.assert_close(given, paths, rtol=1e-3, atol=1e-4)
    with pytest.raises(UsageError, match="path"):
        invrender.render(two, mode="path", shot=Shot("raytraced"), backend="torch")
    with pytest.raises(UsageError, match="no rays"):
        invrender.render(ball(), mode="shaded", shot=shot, backend="torch")


def test_meshes_joined_from_several_materials_are_taken_apart(tmp_path):
    """The same picture as of the file read as a scene, which keeps the materials apart."""
    (tmp_path / "a.obj").write_text(
        "mtllib a.mtl\nv -1 0 -1\nv -1 0 1\nv 1 0 1\nv 1 0 -1\nv 0 1 0\nusemtl mat\nf 1 2 3\nusemtl shiny\nf 1 3 4\n"
        "usemtl lamp\nf 2 3 5\n"
    )
    (tmp_path / "a.mtl").write_text(
        "newmtl mat\nKd 0.5 0.1 0.1\nnewmtl shiny\nKd 0.1 0.1 0.5\nKs 0.8 0.8 0.8\nNs 9\nillum 2\n"
        "newmtl lamp\nKd 0 0 0\nKe 1 2 3\n"
    )
    joined, apart = invrender.read(tmp_path / "a.obj"), read_scene(tmp_path / "a.obj")
    assert joined.finish is not None
    lights, camera, shot = Lights((0.2, 1.0, 0.4)), replace(CAMERA, size=(24, 24)), Shot()
    one, other = (
        invrender.render(Scene(meshes, lights), camera, "raytraced", shot=shot, backend="torch")
        for meshes in (joined, apart.meshes)
    )
    torch.testing.assert_close(one, other, rtol=1e-3, atol=2e-3)
    assert float(one.amax()) == pytest.approx(3, rel=1e-3)
    mixed = replace(joined, finish=torch.rand(joined.finish.shape))
    with pytest.raises(InputError, match="corners"):
        invrender.render(mixed, camera, "path", shot=Shot("path"), backend="torch")


def test_gradients_of_python_pictures_reach_a_material():
    red = torch.tensor([0.8, 0.2, 0.2], requires_grad=True)
    shown = invrender.render(made_of(albedo=red), CAMERA, "raytraced", backend="torch", shot=Shot(spp=2))
    shown.sum().backward()
    assert red.grad is not None
    assert float(red.grad.min()) > 0
