"""Media as arrays for kernels: units of the frame, what is the same everywhere, closed meshes, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invrender.backends import select
from invrender.errors import InputError, UsageError
from invrender.nouns import Camera, Environment, Lights, Mesh, Scene, Volume
from invrender.nouns.medium import Medium
from invrender.render.scene_arrays import arrays, geometry
from invrender.render.scene_checks import check_scene
from invrender.render.scene_medium import check_medium
from invrender.render.scenes import Shot, view
from tests.render.solids import ball, floor, together

CPU = torch.device("cpu")
BOX = torch.tensor([[10.0, 20.0, 30.0], [13.0, 22.0, 31.0]], dtype=torch.float64)


def grid(channels: int = 1, shape: tuple[int, int, int] = (2, 3, 4), seed: int = 0, bounds: torch.Tensor = BOX):
    values = torch.rand(channels, *shape, generator=torch.Generator().manual_seed(seed))
    return Volume(values, bounds)


def packed(medium: Medium, meshes: tuple[Mesh, ...] = ()):
    scene = Scene(meshes, media=medium, environment=Environment())
    ready = geometry(scene.meshes, CPU, torch.float64, scene.media)
    return ready, arrays(ready, scene)


@pytest.mark.parametrize("channels", [1, 3])
def test_optical_depth_is_the_same_in_world_and_frame(channels):
    ready, found = packed(Medium(grid(channels)))
    assert found.extinction.shape == (2, 3, 4, channels)
    assert found.extinction.is_contiguous()
    assert float(found.box.abs().max()) <= 1
    torch.testing.assert_close(found.box * ready.unit + ready.centre, BOX)
    across = found.extinction.double() * (found.box[1] - found.box[0])[0]
    torch.testing.assert_close(across, grid(channels).values.double().movedim(0, -1) * 3)


def test_the_frame_holds_box_and_meshes():
    ready, found = packed(Medium(grid()), (floor(half=100.0),))
    assert float(torch.cat([found.box, found.vertices]).abs().max()) <= 1
    torch.testing.assert_close(found.box * ready.unit + ready.centre, BOX)
    assert len(found.faces) == 2
    assert found.material_kinds.shape == (1, 3)


def test_numbers_colours_and_grids_have_the_shapes_of_the_seam():
    _, plain = packed(Medium(grid(), 0.5, 0.25))
    assert plain.albedo.tolist() == [[[[0.5] * 3]]]
    assert plain.asymmetry.tolist() == [[[[0.25]]]]
    assert plain.emission.shape == (0, 0, 0, 3)
    assert plain.boundary.shape == (0, 3, 3)
    assert plain.faces.shape == plain.vertices.shape == (0, 3)
    assert plain.material_kinds.shape == (0, 3)
    grey, glow = grid(1, (1, 2, 3), 1), grid(3, (3, 2, 2), 2)
    _, found = packed(Medium(grid(), grey, grid(1, (2, 2, 2), 3), glow))
    torch.testing.assert_close(found.albedo, grey.values.double().movedim(0, -1).expand(1, 2, 3, 3))
    torch.testing.assert_close(found.emission[2, 1, 0], glow.values[:, 2, 1, 0].double())
    assert found.asymmetry.shape == (2, 2, 2, 1)
    _, coloured = packed(Medium(grid(), (0.1, 0.2, 0.3), emission=torch.zeros(3)))
    assert coloured.albedo.flatten().tolist() == [0.1, 0.2, 0.3]
    assert coloured.emission.shape == (1, 1, 1, 3)


def test_gradients_reach_all_numbers():
    values = [torch.rand(1, 2, 3, 4), torch.rand(3), torch.rand(()), torch.rand(3, 2, 2, 2)]
    extinction, albedo, asymmetry, emission = (each.requires_grad_() for each in values)
    medium = Medium(Volume(extinction, BOX), albedo, asymmetry, Volume(emission, BOX))
    ready, found = packed(medium)
    total = found.extinction.sum() + 2 * found.albedo.sum() + 3 * found.asymmetry.sum() + 4 * found.emission.sum()
    total.backward()
    for value, slope in zip(values, (ready.unit, 2.0, 3.0, 4.0), strict=True):
        torch.testing.assert_close(value.grad, torch.full_like(value, slope))


def volume_of(corners: torch.Tensor) -> float:
    return float(torch.linalg.det(corners).sum() / 6)


@pytest.mark.parametrize("turned", [False, True])
def test_a_boundary_is_turned_outwards(turned):
    mesh = ball(8, 0.4, (11.0, 21.0, 30.5))
    mesh = replace(mesh, faces=mesh.faces.flip(1)) if turned else mesh
    ready, found = packed(Medium(grid(), inside=mesh))
    own = volume_of(found.boundary - found.boundary.mean((0, 1)))
    assert own * ready.unit**3 == pytest.approx(4 / 3 * torch.pi * 0.4**3, rel=0.08)


def test_bodies_apart_are_turned_outwards_and_cavities_inwards():
    outer, hole, other = ball(8, 0.4, (1, 1, 1)), ball(6, 0.2, (1, 1, 1)), ball(6, 0.2, (2, 1, 1))
    other = replace(other, faces=other.faces.flip(1))
    bounds = torch.tensor([[0.0, 0, 0], [3, 2, 2]], dtype=torch.float64)
    ready, found = packed(Medium(grid(bounds=bounds), inside=together(outer, hole, other)))
    world = found.boundary * ready.unit + ready.centre
    counts = [len(each.faces) for each in (outer, hole, other)]
    kinds = [volume_of(part - part.mean((0, 1))) > 0 for part in world.split(counts)]
    assert kinds == [True, False, True]


@pytest.mark.parametrize(
    ("medium", "message"),
    [
        (Medium(grid(), 1.5), "albedo.*1.5"),
        (Medium(grid(), (0.5, -0.1, 0.5)), "albedo.*-0.1"),
        (Medium(Volume(-grid().values, BOX)), "extinction.*-0"),
        (Medium(Volume(grid().values * float("nan"), BOX)), "extinction.*finite"),
        (Medium(Volume(grid().values / 0, BOX)), "extinction.*finite"),
        (Medium(grid(), 1.0, 1.0), "(?s)asymmetry g.* is 1 .*between -1 and 1"),
        (Medium(grid(), 1.0, -1.0), "asymmetry g.*-1"),
        (Medium(grid(4)), "extinction.*4 channels, and not 1 or 3"),
        (Medium(grid(), grid(2)), "albedo.*2 channels"),
        (Medium(grid(), emission=grid(1)), "emission.*1 channels, and not 3"),
        (Medium(grid(), (0.5, 0.5)), "albedo.*2 numbers"),  # type: ignore[arg-type]
        (Medium(grid(), grid(bounds=BOX + 1)), "albedo.*another box"),
        (Medium(grid(), emission=(0, 0, -1)), "emission.*-1"),
        (Medium(grid(1, (1, 3, 4))), "no volume"),
        (Medium(grid(bounds=BOX.flip(0))), "no volume"),
        (Medium(grid(), inside=floor()), "open.* 4 edges"),
    ],
)
def test_what_cannot_be_is_refused(medium, message):
    with pytest.raises(InputError, match=message):
        check_medium(medium)
    with pytest.raises(InputError, match=message):
        check_scene(Scene(media=medium, environment=Environment()))


def test_faces_turned_against_their_neighbours_are_refused():
    mesh = ball(4)
    faces = mesh.faces.clone()
    faces[3] = faces[3].flip(0)
    with pytest.raises(InputError, match="turned against"):
        check_medium(Medium(grid(), inside=replace(mesh, faces=faces)))


def test_several_media_are_refused():
    scene = Scene(media=(Medium(grid(), name="one"), Medium(grid(), name="two")), environment=Environment())
    with pytest.raises(InputError, match=r"2 media \('one', 'two'\)"):
        check_scene(scene)


def test_a_medium_that_glows_is_a_light_and_a_dark_one_is_none():
    check_scene(Scene(media=Medium(grid(), emission=(1, 0, 0)), lights=()))
    with pytest.raises(InputError, match="no light"):
        check_scene(Scene(media=Medium(grid()), lights=()))


def test_media_under_an_environment_have_no_other_light():
    assert Scene(media=Medium(grid()), environment=Environment()).lights == ()
    assert isinstance(Scene(media=Medium(grid())).lights, Lights)


def looking(**numbers: object) -> Camera:
    pose = torch.eye(4, dtype=torch.float64)
    pose[:3, 3] = torch.tensor([11.5, 21.0, 40.0])
    return Camera(pose, **numbers)  # type: ignore[arg-type]


def test_modes_and_cameras_that_know_no_media_are_refused():
    scene, backend = Scene(media=Medium(grid()), environment=Environment()), select("torch")
    with pytest.raises(UsageError, match=r"raytraced.*medium"):
        view(scene, looking(), (2, 2), backend, Shot("raytraced"))
    with pytest.raises(UsageError, match="cameras have no gradient"):
        view(scene, looking(fov=torch.tensor(40.0, requires_grad=True)), (2, 2), backend, Shot("scattering"))
    bounds = BOX.clone().requires_grad_()
    with pytest.raises(UsageError, match="box"):
        view(Scene(media=Medium(grid(bounds=bounds)), lights=Lights()), looking(), (2, 2), backend, Shot("scattering"))


def test_depth_has_no_end_in_media():
    assert Shot("path").transport().depth == 8
    assert Shot("path").transport(medium=True) == Shot("scattering").transport(medium=True)
    assert Shot("scattering", depth=3, estimator="analog", sky=False).transport(True).depth == 3
