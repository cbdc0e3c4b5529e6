"""What a path means, and writing without gradients in the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from invrender.cameras.around import around
from invrender.errors import InputError, UsageError
from invrender.io.assets import identify, read, write
from invrender.io.datasets.transmittance import TransmittanceViews
from invrender.nouns import Material, Mesh, Views, Volume

SQUARE = Mesh(
    torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=torch.float64),
    torch.tensor([[0, 1, 2], [0, 2, 3]]),
    torch.tensor([[0.0, 0], [1, 0], [1, 1], [0, 1]]),
)
CUBE = Volume(torch.ones(1, 3, 4, 5), torch.tensor([[0.0, 0, 0], [4, 3, 2]], dtype=torch.float64))


def shadows() -> TransmittanceViews:
    cameras = around(CUBE, "orbit", 2, 8)
    return TransmittanceViews(cameras, torch.full((2, 8, 8), 0.5), "transmittance", CUBE.bounds, (3, 4, 5))


def test_every_kind_comes_back_as_it_went_out(tmp_path: Path) -> None:
    masks = torch.zeros(2, 8, 8)
    masks[:, 2:6, 2:6] = 1
    things = {
        "square.glb": SQUARE,
        "cube.vti": CUBE,
        "views": Views(around(CUBE, "orbit", 2, 8), masks),
        "light": shadows(),
    }
    for name, thing in things.items():
        files = write(tmp_path / name, thing)
        assert all(file.is_file() for file in files)
        assert type(read(tmp_path / name)) is type(thing)
        assert type(read(str(tmp_path / name))) is type(thing)
    kinds = [identify(tmp_path / name)[0] for name in things]
    assert kinds == ["mesh", "volume", "views", "transmittance"]
    assert identify(tmp_path / "views" / "transforms.json")[0] == "views"


def test_a_run_stands_for_its_result(tmp_path: Path) -> None:
    for name, thing, file in (("a", SQUARE, "mesh.ply"), ("b", CUBE, "volume.npz")):
        write(tmp_path / name / file, thing)
        (tmp_path / name / "run.json").write_text("{}")
        assert identify(tmp_path / name)[1] == tmp_path / name / file
        assert isinstance(read(tmp_path / name), type(thing))
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "run.json").write_text("{}")
    with pytest.raises(InputError, match="no mesh yet"):
        read(tmp_path / "c")


def test_what_is_being_optimised_can_be_written(tmp_path: Path) -> None:
    material = Material(torch.tensor([0.5, 0.25, 1.0], requires_grad=True), torch.ones(2, 2, 3, requires_grad=True))
    moving = replace(SQUARE, vertices=SQUARE.vertices.clone().requires_grad_(), material=material)
    for name in ("a.glb", "a.ply", "a.obj", "a.stl"):
        write(tmp_path / name, moving)
    assert read(tmp_path / "a.glb").material.rgb == pytest.approx((0.5, 0.25, 1.0), abs=1 / 255)
    for name in ("a.npz", "a.npy", "a.vti", "a.nrrd", "a.nii.gz", "a.mha", "a.raw"):
        write(tmp_path / name, replace(CUBE, values=CUBE.values.clone().requires_grad_()))
    views = shadows()
    cameras = replace(views.cameras, world_to_camera=views.cameras.world_to_camera.clone().requires_grad_())
    write(tmp_path / "light", replace(views, images=views.images.clone().requires_grad_(), cameras=cameras))
    mask = torch.zeros(2, 8, 8).index_fill_(1, torch.tensor([3]), 1.0).requires_grad_()
    write(tmp_path / "views", Views(replace(cameras, projection=cameras.projection.clone().requires_grad_()), mask))


def test_options_go_where_they_belong(tmp_path: Path) -> None:
    write(tmp_path / "a.raw", CUBE)
    assert read(tmp_path / "a.raw", shape=(3, 4, 5), dtype="float32").values.shape == (1, 3, 4, 5)
    write(tmp_path / "a.ply", SQUARE, units="metre")
    assert b"comment units metre" in (tmp_path / "a.ply").read_bytes()
    with pytest.raises(UsageError, match="masks go with a dataset"):
        read(tmp_path / "a.ply", masks=tmp_path)


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b"], ids=["long", "nul"])
def test_datasets_of_names_that_no_disk_takes_are_missing(name):
    with pytest.raises(InputError, match="there is no file"):
        read(f"{name}.json")
