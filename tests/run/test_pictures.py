"""Pictures and datasets written from Python, without the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from invrender.backends import select
from invrender.errors import OutputExistsError, UsageError
from invrender.io.datasets.dataset import write_dataset
from invrender.nouns import Mesh
from invrender.render.modes import find_mode
from invrender.run.pictures import check_outputs, views_for
from invrender.run.placement import CameraPlacement
from invrender.run.render_mesh import MeshShot, mesh_pictures, mesh_views, write_mesh_dataset, write_mesh_picture
from invrender.run.render_volume import (
    VolumeShot,
    transmittance_views,
    volume_pictures,
    write_volume_dataset,
    write_volume_picture,
)
from invrender.samples import VOLUMES

BACKEND, KERNELS = select("torch"), select("torch", needs=("volumes",))
CUBE = Mesh.from_numpy(trimesh.creation.box().vertices, trimesh.creation.box().faces)
CLOUD = VOLUMES["double-sphere"](12)


@pytest.mark.parametrize(("mode", "channels"), [("shaded", 3), ("normal", 3), ("silhouette", 1), ("depth", 1)])
def test_pictures_of_a_cube(tmp_path: Path, mode: str, channels: int) -> None:
    cameras = CameraPlacement(size=(16, 24)).cameras(CUBE, 3)
    pictures, facts = mesh_pictures(CUBE, cameras, MeshShot(find_mode(mode, "mesh")), BACKEND)
    assert pictures.shape == (3, 16, 24, channels)
    assert ("depth_range" in facts) == (mode == "depth")
    written = write_mesh_picture(tmp_path / "a.gif", CUBE, cameras, MeshShot(find_mode(mode, "mesh")), BACKEND)
    assert written.note.startswith("24 x 16, 3 frames")
    with Image.open(written.path) as image:
        assert image.n_frames == 3


def test_views_of_a_cube_are_a_dataset(tmp_path: Path) -> None:
    cameras = CameraPlacement("sphere", 3, (20, 20)).cameras(CUBE, 12)
    assert mesh_views(CUBE, cameras, MeshShot(find_mode("silhouette", "mesh")), BACKEND).images is None
    written = write_mesh_dataset(tmp_path / "set", CUBE, cameras, MeshShot(find_mode("normal", "mesh")), BACKEND)
    assert (len(written.files), written.note) == (4, "3 views of 20 x 20")
    again = CameraPlacement(str(tmp_path / "set"), 2, (20, 20)).cameras(CUBE, 12)
    assert torch.allclose(again.position, cameras.position[:2])
    near = CameraPlacement("sphere", 3, (20, 20), distance=2.0).cameras(CUBE, 12)
    written = write_mesh_dataset(tmp_path / "near", CUBE, near, MeshShot(find_mode("silhouette", "mesh")), BACKEND)
    assert "reaches the border in 3 of them" in written.note
    assert written.facts["cut_off"] == 3


def test_what_is_thinner_than_a_pixel_is_told(tmp_path: Path) -> None:
    needle = Mesh(CUBE.vertices * torch.tensor([500.0, 1, 1]).double(), CUBE.faces)
    cameras = CameraPlacement(views=2, size=(20, 20)).cameras(needle, 2)
    written = write_mesh_picture(tmp_path / "a.png", needle, cameras, MeshShot(find_mode("shaded", "mesh")), BACKEND)
    assert "nothing to see in 2 of them: the object is thinner than a pixel" in written.note
    assert written.facts["blank"] == 2
    written = write_mesh_dataset(tmp_path / "set", needle, cameras, MeshShot(find_mode("silhouette", "mesh")), BACKEND)
    assert "covers no pixel in" in written.note
    assert written.facts["faint"] > 0


def test_an_azimuth_walks_the_rig_around_the_middle() -> None:
    moved = Mesh(CUBE.vertices + torch.tensor([5.0, 1, -2]).double(), CUBE.faces)
    middle = torch.tensor([5.0, 1, -2]).double()
    still, quarter = (
        CameraPlacement(elevation=0, azimuth=degrees).cameras(moved, 1).position - middle for degrees in (0, 90)
    )
    assert torch.allclose(still[0], still.norm() * torch.tensor([0.0, 0, 1]).double())
    assert torch.allclose(quarter[0], still.norm() * torch.tensor([1.0, 0, 0]).double())
    near, far = (CameraPlacement(distance=half).cameras(CUBE, 1).position.norm() for half in (3.0, 6.0))
    assert torch.allclose(far, near * 2)


def test_pictures_of_a_volume(tmp_path: Path) -> None:
    cameras = CameraPlacement(size=(12, 12)).cameras(CLOUD, 2)
    colour = VolumeShot(find_mode("volume", "volume"), background=None)
    pictures, facts = volume_pictures(CLOUD, cameras, colour, KERNELS)
    assert (pictures.shape, facts) == ((2, 12, 12, 4), {})
    light = VolumeShot(find_mode("transmittance", "volume"))
    written = write_volume_picture(tmp_path / "light.png", CLOUD, cameras, light, KERNELS)
    assert written.facts["extinction"] > 0
    with Image.open(written.path) as image:
        stored = np.asarray(image)
    views = transmittance_views(CLOUD, cameras, KERNELS)
    assert stored.shape == (12, 24)
    assert np.abs(stored / 255 - np.concatenate(list(views.images.numpy()), 1)).max() <= 0.5 / 255 + 1e-6
    assert len(write_volume_dataset(tmp_path / "set", CLOUD, cameras, light, KERNELS).files) == 3


def test_how_many_views_a_picture_has() -> None:
    assert views_for(Path("a.PNG")) == 1
    assert views_for(Path("a.GIF")) > 1
    assert len(CameraPlacement(views=5).cameras(CUBE, 2)) == 5


def test_outputs_are_checked_before_anything_is_drawn(tmp_path: Path) -> None:
    shaded = find_mode("shaded", "mesh")
    check_outputs(tmp_path / "a.png", tmp_path / "set", shaded, None, overwrite=False)
    (tmp_path / "a.png").touch()
    write_dataset(
        tmp_path / "set", mesh_views(CUBE, CameraPlacement(size=(8, 8)).cameras(CUBE, 2), MeshShot(shaded), BACKEND)
    )
    for picture, dataset in ((tmp_path / "a.png", None), (None, tmp_path / "set")):
        with pytest.raises(OutputExistsError, match="--overwrite"):
            check_outputs(picture, dataset, shaded, None, overwrite=False)
        check_outputs(picture, dataset, shaded, None, overwrite=True)
    modes = "shaded, raytraced, path, scattering, color, silhouette or normal"
    with pytest.raises(UsageError, match=f"use --mode {modes}"):
        check_outputs(None, tmp_path / "d", find_mode("depth", "mesh"), None, overwrite=False)
