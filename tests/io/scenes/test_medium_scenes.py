"""Media and clear skies in scene files: what is written in them, round trips, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from invrender.io.meshes.write import write_obj
from invrender.io.scenes.read import holds_medium, read_scene
from invrender.io.scenes.shapes import ball as icosphere
from invrender.io.scenes.write import write_scene
from invrender.io.scenes.write_medium import same_medium
from invrender.io.volumes.write import write_volume
from invrender.nouns import Environment, Material, Scene, Volume
from invrender.nouns.medium import Medium
from invrender.shading.sky import Sky, sky_picture
from tests.io.scenes.made import refused, scene
from tests.render.solids import ball

UNIT = torch.tensor([[0.0, 0, 0], [1, 2, 3]], dtype=torch.float64)
SKY = "[environment]\ncolour = 0.5\n"


def grid(channels: int = 1, bounds: torch.Tensor = UNIT, shape: tuple[int, int, int] = (2, 3, 4)) -> Volume:
    values = torch.rand(channels, *shape, generator=torch.Generator().manual_seed(channels))
    return Volume(values, bounds)


def volumes(folder: Path) -> None:
    write_volume(folder / "cloud.npz", grid())
    write_volume(folder / "colours.npz", grid(3))
    write_volume(folder / "four.npz", grid(4))
    write_obj(folder / "ball.obj", ball(4, 0.5, (0.5, 1, 1.5)))


def test_a_volume_file_with_a_colour_as_factor(tmp_path: Path) -> None:
    volumes(tmp_path)
    text = '[medium]\nfile = "cloud.npz"\nextinction = [1, 2, 3]\nalbedo = "colours.npz"\ng = "cloud.npz"\n'
    (medium,) = scene(tmp_path, SKY + text + 'emission = "colours.npz"\ninside = "ball.obj"\n').media
    torch.testing.assert_close(medium.extinction.values, torch.cat([grid().values * k for k in (1, 2, 3)]))
    torch.testing.assert_close(medium.extinction.bounds, UNIT)
    for part, channels in ((medium.albedo, 3), (medium.asymmetry, 1), (medium.emission, 3)):
        assert isinstance(part, Volume)
        torch.testing.assert_close(part.values, grid(channels).values)
    assert medium.inside is not None and len(medium.inside.faces) == len(ball(4).faces)
    assert medium.name == "medium"


def test_a_box_is_that_of_all_grids(tmp_path: Path) -> None:
    volumes(tmp_path)
    text = '[medium]\nfile = "cloud.npz"\nbox = [[0, 0, 0], [2, 2, 2]]\nalbedo = "colours.npz"\n'
    (medium,) = scene(tmp_path, SKY + text).media
    assert isinstance(medium.albedo, Volume)
    for part in (medium.extinction, medium.albedo):
        assert part.bounds.tolist() == [[0, 0, 0], [2, 2, 2]]


def test_the_same_everywhere(tmp_path: Path) -> None:
    volumes(tmp_path)
    (grey,) = scene(tmp_path, SKY + "[medium]\nextinction = 2\nbox = [[0, 0, 0], [1, 1, 1]]\nalbedo = 0.5\n").media
    assert grey.extinction.values.tolist() == torch.full((1, 2, 2, 2), 2.0).tolist()
    assert grey.albedo == 0.5
    (within,) = scene(tmp_path, SKY + '[medium]\nextinction = [1, 2, 3]\ninside = "ball.obj"\n').media
    assert within.extinction.values[:, 0, 0, 0].tolist() == [1, 2, 3]
    torch.testing.assert_close(within.extinction.bounds[:, 1], torch.tensor([0.5, 1.5], dtype=torch.float64))


def test_a_scene_of_a_medium_has_the_light_that_it_says(tmp_path: Path) -> None:
    found = scene(tmp_path, SKY + "[medium]\nextinction = 1\nbox = [[0, 0, 0], [1, 1, 1]]\n")
    assert found.lights == () and found.meshes == () and found.background is None
    glowing = scene(tmp_path, "[medium]\nextinction = 1\nbox = [[0, 0, 0], [1, 1, 1]]\nemission = [1, 0, 0]\n")
    assert glowing.lights == ()
    assert holds_medium(tmp_path / "scene.toml")
    scene(tmp_path, "[[sphere]]\n")
    assert not holds_medium(tmp_path / "scene.toml")


@pytest.mark.parametrize("text", ["[medium]\n", "[[medium]]\n"])
def test_a_read_medium_stays_referred_to(tmp_path: Path, text: str) -> None:
    volumes(tmp_path)
    text = SKY + text + 'file = "cloud.npz"\nextinction = 3\nalbedo = [0.9, 0.8, 0.7]\ng = 0.4\ninside = "ball.obj"\n'
    before = scene(tmp_path, text)
    (tmp_path / "other").mkdir()
    files = write_scene(tmp_path / "other/copy.toml", before, tmp_path / "scene.toml")
    assert [file.name for file in files] == ["copy.toml"]
    assert "../cloud.npz" in files[0].read_text()
    assert same_medium(before.media[0], read_scene(files[0]).media[0])


def test_a_medium_made_in_python_is_written_beside(tmp_path: Path) -> None:
    round_one = icosphere(np.ones(3), 1.0, np.eye(3), Material(), 1)
    medium = Medium(grid(3), grid(1), torch.tensor(0.25), (1.0, 0.5, 0.0), round_one, "smoke")
    before = Scene(media=medium, environment=Environment((0.5, 0.5, 0.5)))
    files = write_scene(tmp_path / "made.toml", before)
    assert {file.name for file in files} == {
        "made.toml", "made-extinction.npz", "made-albedo.npz", "made-inside.obj",
    }  # fmt: skip
    after = read_scene(tmp_path / "made.toml")
    assert same_medium(medium, after.media[0])
    assert after.lights == () and after.environment == before.environment
    changed = replace(medium, extinction=grid(1))
    again = write_scene(tmp_path / "again.toml", replace(before, media=(changed,)), tmp_path / "made.toml")
    assert tmp_path / "again-extinction.npz" in again
    assert same_medium(changed, read_scene(tmp_path / "again.toml").media[0])


def test_a_sky_is_worked_out_and_stays_one(tmp_path: Path) -> None:
    text = "[[sphere]]\n[environment]\nintensity = 2\nsky = {sun = [0, 1, 1], turbidity = 3}\n"
    before = scene(tmp_path, text)
    assert before.environment is not None and before.environment.picture is not None
    torch.testing.assert_close(before.environment.picture, sky_picture(Sky((0, 1, 1), 3)).float())
    write_scene(tmp_path / "copy.toml", before, tmp_path / "scene.toml")
    assert "turbidity" in (tmp_path / "copy.toml").read_text()
    after = read_scene(tmp_path / "copy.toml").environment
    assert after is not None and after.picture is not None
    torch.testing.assert_close(after.picture, before.environment.picture)
    assert after.colour == (2, 2, 2)


MEDIUM = "[medium]\nextinction = 1\nbox = [[0, 0, 0], [1, 1, 1]]\n"


@pytest.mark.parametrize(
    ("text", "cause", "remedy"),
    [
        (MEDIUM + "albdo = 1", "[medium] has 'albdo'", "did you mean 'albedo'?"),
        (MEDIUM + "albedo = 1.5", "has albedo = 1.5", "from 0 to 1"),
        (MEDIUM + "albedo = [1, 2, 0]", "has albedo = [1, 2, 0]", "from 0 to 1"),
        (MEDIUM + "albedo = -0.5", "negative number in albedo", "from 0"),
        (MEDIUM + "g = 1", "has g = 1", "above -1 and below 1"),
        (MEDIUM + "g = -1.5", "has g = -1.5", "above -1 and below 1"),
        (MEDIUM + "emission = [0, -1, 0]", "negative number in emission", "from 0"),
        (MEDIUM + "emission = nan", "emission = nan", "finite"),
        ("[medium]\nextinction = -1\nbox = [[0, 0, 0], [1, 1, 1]]", "negative number in extinction", "from 0"),
        ("[medium]\nextinction = 1", "has no 'box'", "box = "),
        ("[medium]\nbox = [[0, 0, 0], [1, 1, 1]]", "neither 'file' nor 'extinction'", "extinction = 2.0"),
        ("[medium]\nextinction = 1\nbox = [[0, 0, 0], [1, 0, 1]]", "no volume", "[[0, 0, 0]"),
        ("[medium]\nextinction = 1\nbox = [0, 1]", "list of 3 numbers", "list of 3 numbers"),
        ("[medium]\nextinction = 1\nbox = 1", "'box' of another form", "two corners"),
        ('[medium]\nfile = "clowd.npz"', "names clowd.npz, which is missing", "did you mean cloud.npz?"),
        ('[medium]\nfile = "ball.obj"', "which is no volume file", ".npz"),
        ('[medium]\nfile = "four.npz"', "4 channels", "density"),
        ('[medium]\nfile = "cloud.npz"\nkey = "heat"', "heat", "density"),
        ('[medium]\nfile = "cloud.npz"\ninside = "cloud.npz"', "no mesh file", ".obj"),
        ('[medium]\nfile = "nan.npy"', "NaN", ""),
        (MEDIUM.replace("[medium]", "[[medium]]") * 2, "has 2 media", "one [medium]"),
        ("medium = 3", "has medium = 3", "[[medium]]"),
        (MEDIUM + "[environment]\nsky = 3", "'sky' of another form", "sun = "),
        (MEDIUM + "[environment]\nsky = {sn = [0, 1, 0]}", "has 'sn'", "did you mean 'sun'?"),
        (MEDIUM + "[environment]\nsky = {sun = [0, -1, 0]}", "below the horizon", "+Y"),
        (MEDIUM + "[environment]\nsky = {turbidity = 0.5}", "turbidity is 0.5", "from 1"),
        (MEDIUM + '[environment]\nsky = {}\npicture = "a.exr"', "both 'sky' and 'picture'", "leave one"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, cause: str, remedy: str) -> None:
    volumes(tmp_path)
    np.save(tmp_path / "nan.npy", np.full((3, 3, 3), np.nan, np.float32))
    said = refused(tmp_path, text)
    assert cause in said and remedy in said, said
