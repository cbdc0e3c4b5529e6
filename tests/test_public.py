"""The public list: light to import, complete, and able to draw, read, write and measure from Python."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

import invrender
from invrender.backends import select
from invrender.errors import UsageError
from invrender.render.modes import MODES, find_mode, mode_names
from invrender.samples import VOLUMES

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def ball() -> invrender.Mesh:
    shape = trimesh.creation.icosphere(3)
    return invrender.Mesh.from_numpy(shape.vertices, shape.faces)


@pytest.fixture(scope="module")
def cloud() -> invrender.Volume:
    return VOLUMES["double-sphere"](16)


def test_importing_is_light_and_sets_up_threads_before_torch() -> None:
    code = (
        "import os, sys, invrender; print(os.environ['OMP_WAIT_POLICY'], dir(invrender) == sorted(invrender.__all__),"
        "[name for name in ('torch', 'numpy', 'numba', 'typer') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["PASSIVE", "True", "[]"]


def test_every_public_name_is_there_and_no_other() -> None:
    for name in invrender.__all__:
        assert getattr(invrender, name) is not None
        assert name == "__version__" or callable(getattr(invrender, name))
        assert name.startswith("__") or getattr(invrender, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'rendr'"):
        invrender.rendr  # noqa: B018 - the access is the test
    assert (ROOT / "invrender" / "py.typed").is_file()


def test_render_and_evaluate_are_packages_that_can_be_called() -> None:
    import invrender.render.raster

    assert callable(invrender.render.raster.layers)
    assert "cameras" in inspect.signature(invrender.render).parameters
    assert "reference" in inspect.signature(invrender.evaluate).parameters


@pytest.mark.parametrize("mode", mode_names())
def test_every_mode_draws(ball: invrender.Mesh, cloud: invrender.Volume, mode: str) -> None:
    row = next(row for row in MODES if row.name == mode)
    asset = ball if row.subject == "mesh" else cloud
    picture = invrender.render(asset, mode=mode, size=(24, 32), views=2)
    assert picture.shape == (2, 24, 32, row.channels)
    assert picture.dtype == torch.float32
    if row.layered:
        layers = invrender.render(asset, mode=mode, size=(24, 32), views=2, alpha=True)
        assert layers.shape == (2, 24, 32, 4)
        assert torch.allclose(picture, layers[..., :3] + 1 - layers[..., 3:], atol=1e-6)
    else:
        with pytest.raises(UsageError, match="has no alpha"):
            invrender.render(asset, mode=mode, alpha=True)


def test_the_defaults_are_those_of_the_command_line(ball: invrender.Mesh) -> None:
    """Shaded on white, by a camera that stands 10 degrees high on +Z; a scene brings its own background."""
    picture = invrender.render(ball, size=32)
    assert picture[0, 0, 0].tolist() == [1, 1, 1]
    assert torch.allclose(picture, invrender.render(ball, mode="shaded", size=32, backend=select("auto")))
    scene = invrender.Scene(ball, background=(0.0, 0.5, 0.0))
    assert invrender.render(scene, size=32)[0, 0, 0].tolist() == [0, 0.5, 0]
    assert invrender.render(scene, size=32, background=(0.25, 0, 0))[0, 0, 0].tolist() == [0.25, 0, 0]


def test_transmittance_takes_the_extinction_as_it_is(cloud: invrender.Volume) -> None:
    light = invrender.render(cloud, mode="transmittance", size=16)
    assert torch.allclose(invrender.render(cloud, mode="transmittance", size=16, extinction=2.0), light**2, atol=1e-5)
    assert float(invrender.render(cloud, mode="transmittance", size=16, extinction="auto").min()) < 0.2
    fine = invrender.render(cloud, mode="transmittance", size=16, supersample=2)
    assert torch.allclose(fine, light, atol=0.2)
    assert not torch.equal(fine, light)


def test_gradients_go_through(ball: invrender.Mesh, cloud: invrender.Volume) -> None:
    vertices, albedo = ball.vertices.clone().requires_grad_(), torch.tensor([0.5, 0.4, 0.3], requires_grad=True)
    mesh = invrender.Mesh(vertices, ball.faces, material=invrender.Material(albedo))
    invrender.render(mesh, size=24).sum().backward()
    values = cloud.values.clone().requires_grad_()
    invrender.render(invrender.Volume(values, cloud.bounds), size=16).sum().backward()
    for leaf in (vertices, albedo, values):
        assert float(leaf.grad.abs().max()) > 0


def test_one_backend_draws_meshes_and_volumes(ball: invrender.Mesh, cloud: invrender.Volume) -> None:
    chosen = select("torch")
    for asset in (ball, cloud):
        assert torch.equal(
            invrender.render(asset, size=8, backend=chosen), invrender.render(asset, size=8, backend="torch")
        )


def test_modes_that_do_not_fit(ball: invrender.Mesh, cloud: invrender.Volume) -> None:
    with pytest.raises(UsageError, match="did you mean shaded"):
        invrender.render(ball, mode="shade")
    with pytest.raises(UsageError, match="transmittance does not draw a mesh"):
        invrender.render(ball, mode="transmittance")
    with pytest.raises(UsageError, match="normal does not draw a volume"):
        invrender.render(cloud, mode="normal")
    assert [find_mode(None, subject).name for subject in ("mesh", "volume")] == ["shaded", "volume"]


def test_evaluate_knows_meshes_volumes_and_paths(ball: invrender.Mesh, cloud: invrender.Volume, tmp_path: Path) -> None:
    quick = {"views": 2, "size": 48, "samples": 500}
    larger = invrender.Mesh(1.05 * ball.vertices, ball.faces)
    assert invrender.evaluate(larger, ball, **quick).iou < invrender.evaluate(ball, ball, **quick).iou == 1
    denser = invrender.Volume(1.1 * cloud.values, cloud.bounds)
    assert invrender.evaluate(denser, cloud, views=2, size=16).relative_l2 == pytest.approx(0.1, rel=1e-3)
    invrender.write(tmp_path / "run" / "mesh.ply", larger)
    invrender.write(tmp_path / "ball.glb", ball)
    by_path = invrender.evaluate(tmp_path / "run", tmp_path / "ball.glb", **quick)
    assert by_path.iou == pytest.approx(invrender.evaluate(larger, ball, **quick).iou, abs=0.02)
    with pytest.raises(UsageError, match="a Mesh cannot be compared with a Volume"):
        invrender.evaluate(ball, cloud)


def test_a_dataset_made_in_python_reads_back(ball: invrender.Mesh, tmp_path: Path) -> None:
    from invrender.cameras.around import around

    cameras = around(ball, "sphere", 3, 32)
    masks = invrender.render(ball, cameras, "silhouette")[..., 0].clamp(0, 1)
    invrender.write(tmp_path / "set", invrender.Views(cameras, masks))
    views = invrender.read(tmp_path / "set")
    assert isinstance(views, invrender.Views)
    assert np.allclose(views.masks, masks, atol=1 / 255)
    assert torch.allclose(views.cameras.clip_from_world[..., :2, :], cameras.clip_from_world[..., :2, :], atol=1e-5)
