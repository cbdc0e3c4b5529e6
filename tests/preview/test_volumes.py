"""Volumes in the preview: closed isosurfaces in the volume's frame, and both panels of a volume file."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from invrender.cameras.occupied import occupied
from invrender.cli.app import run
from invrender.errors import InputError
from invrender.geometry.connectivity import is_watertight
from invrender.geometry.isosurface import surface_of
from invrender.io.volumes.write import write_volume
from invrender.nouns import Volume
from invrender.preview.subject import alone, describe, isosurfaces, own_transfer
from invrender.render.looks import look_of
from invrender.render.transfer_file import write_transfer
from invrender.run.folder import RunFolder
from invrender.samples import VOLUMES


def test_an_isosurface_is_closed_and_lies_where_the_ball_is():
    ball = VOLUMES["double-sphere"](32)
    stretched = Volume(ball.values, torch.tensor([[10.0, 0, 0], [11, 2, 4]], dtype=torch.float64))
    vertices, faces = surface_of(stretched)[0].numpy()
    assert is_watertight(faces)
    assert np.allclose((vertices.min(0) + vertices.max(0)) / 2, [10.5, 1, 2], atol=0.02)
    assert np.allclose(np.ptp(vertices, axis=0), [0.38, 0.76, 1.52], rtol=0.1)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    assert np.einsum("ij,ij->", a, np.cross(b, c)) > 0  # faces look outwards


def test_what_is_shown_fits_a_tighter_box():
    values = torch.zeros(1, 5, 5, 5)
    values[0, 1, 2, 3], values[0, 2, 2, 4] = 1.0, 0.5
    bounds = torch.tensor([[0.0, 0, 0], [4, 8, 12]], dtype=torch.float64)
    part = occupied(Volume(values, bounds), values[0])
    assert part.bounds.tolist() == [[2, 2, 0], [4, 6, 9]]  # one sample around it, within the grid
    assert torch.equal(part.values[0], values[0, 0:4, 1:4, 2:5])
    with pytest.raises(InputError, match="0 everywhere"):
        surface_of(Volume(0 * values, bounds))


def test_a_volume_file_has_two_panels(tmp_path, capsys):
    write_volume(tmp_path / "ball.npz", VOLUMES["double-sphere"](16))
    panels, notes = describe(tmp_path / "ball.npz")
    assert [title for title, _ in panels] == ["density", "isosurface"]
    assert (isosurfaces(panels), notes) == ((1,), ("ball.npz",))
    code = run(["preview", str(tmp_path / "ball.npz"), "--screenshot", str(tmp_path / "a.png"), "--size", "64"])
    said = capsys.readouterr().err
    if code == 4:
        pytest.skip(said)
    assert code == 0, said
    from PIL import Image

    pixels = np.asarray(Image.open(tmp_path / "a.png").convert("L")).astype(int)
    assert pixels.shape == (64, 128)
    for middle in (pixels[28:36, 28:36], pixels[28:36, 92:100]):
        assert middle.mean() > pixels[:, :2].mean() + 20  # on black


def test_a_run_that_found_a_transfer_function_shows_its_volume_with_it(tmp_path):
    volume = VOLUMES["double-sphere"](16)
    write_volume(tmp_path / "ball.npz", volume)
    config = f"known = {json.dumps(str(tmp_path / 'ball.npz'))}\n"
    with RunFolder.create(tmp_path / "run", command="reconstruct", config=config) as folder:
        write_transfer(folder.file("transfer.json"), look_of(volume).transfer)
        folder.metrics({"views_psnr": 30.0})
    panels, notes = describe(tmp_path / "run")
    assert panels == (("density", str(tmp_path / "ball.npz")), ("isosurface", str(tmp_path / "ball.npz")))
    assert alone(panels) == (("", str(tmp_path / "ball.npz")),)
    assert notes[0].startswith("run: ")
    assert own_transfer(tmp_path / "run") == str(tmp_path / "run")
    assert own_transfer(tmp_path / "ball.npz") == ""
