"""What .vti files hold, as VTK reads them; and that nothing of VTK is needed to write them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from invrender.io.volumes.write import write_volume
from invrender.nouns import Volume
from tests.conftest import cli_environment

BOUNDS = torch.tensor([[-1.5, 0.25, 1e6], [2.5, 1.25, 1e6 + 3]], dtype=torch.float64)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("counts", [(2, 3, 4), (2, 64, 64), (17, 33, 65)], ids=str)  # the second fills whole blocks
def test_vtk_reads_what_was_written(tmp_path: Path, counts: tuple[int, int, int], channels: int) -> None:
    import pyvista

    z, y, x = counts
    values = torch.randn(channels, z, y, x, generator=torch.Generator().manual_seed(0))
    write_volume(tmp_path / "v.vti", Volume(values, BOUNDS, "density"))
    image = pyvista.read(tmp_path / "v.vti")
    assert image.dimensions == (x, y, z)
    np.testing.assert_allclose(image.spacing, (4 / (x - 1), 1 / (y - 1), 3 / (z - 1)), rtol=1e-15)
    assert image.origin == (-1.5, 0.25, 1e6)
    assert (image.direction_matrix == np.eye(3)).all()
    assert image.array_names == ["density"]
    assert image.active_scalars_name == "density"
    found = np.asarray(image.point_data["density"])
    assert found.dtype == np.float32
    assert (found.reshape(z, y, x, channels) == np.moveaxis(values.numpy(), 0, 3)).all()
    assert (tmp_path / "v.vti").stat().st_size < values.numel() * 4 + 2000


def test_a_run_writes_its_volume_without_vtk(tmp_path: Path) -> None:
    code = """
import sys
import invrender
from invrender.samples import VOLUMES
invrender.write("cloud.npz", VOLUMES["cloud"](8))
invrender.reconstruct("cloud.npz", "out", views=3, size=8, iterations=3, gif_frames=0)
print([name for name in ("vtk", "vtkmodules", "pyvista") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=cli_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    assert (tmp_path / "out" / "volume.vti").is_file()
