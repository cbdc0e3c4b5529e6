"""What .vti files of other programs hold: attributes that VTK takes for defaults, pieces, and time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from invrender.errors import InputError
from invrender.io.volumes.read import read_volume

CORNERS = [[10, -20, 30], [12.5, -16, 36]]  # of 6 x 5 x 4 samples


def piece(values: np.ndarray, low: int, high: int) -> str:
    """The slices from low to high."""
    text = " ".join(map(str, values[low : high + 1].ravel()))
    return (
        f'<Piece Extent="0 5 0 4 {low} {high}"><PointData Scalars="density">'
        f'<DataArray type="Float32" Name="density" format="ascii">{text}</DataArray></PointData></Piece>'
    )


def write(path: Path, pieces: str, attributes: str = 'Origin="10 -20 30" Spacing="0.5 1 2"') -> Path:
    path.write_text(
        '<VTKFile type="ImageData" version="0.1" byte_order="LittleEndian">'
        f'<ImageData WholeExtent="0 5 0 4 0 3" {attributes}>{pieces}</ImageData></VTKFile>'
    )
    return path


def test_pieces_fill_the_whole(tmp_path, grid, expect):
    expect(write(tmp_path / "v.vti", piece(grid, 0, 1) + piece(grid, 1, 3)), grid, CORNERS)
    with pytest.raises(InputError, match="hold 20 of the 60 cells"):
        read_volume(write(tmp_path / "v.vti", piece(grid, 0, 1)))


@pytest.mark.parametrize("spacing", ["0,5 1 2", "0.5 1", "0.5 1 two", "0.5 nan 2", "0.5 1 1e200"])
def test_a_spacing_that_is_no_number_is_not_taken_for_1(tmp_path, grid, spacing):
    with pytest.raises(InputError, match=f"Spacing is '{spacing}'"):
        read_volume(write(tmp_path / "v.vti", piece(grid, 0, 3), f'Origin="10 -20 30" Spacing="{spacing}"'))


def test_one_time_keeps_the_place_and_several_are_refused(tmp_path, grid, expect):
    place = 'Origin="10 -20 30" Spacing="0.5 1 2"'
    expect(write(tmp_path / "v.vti", piece(grid, 0, 3), f'TimeValues="2.5" {place}'), grid, CORNERS)
    with pytest.raises(InputError, match=r"holds 2 time steps\n.*by itself"):
        read_volume(write(tmp_path / "v.vti", piece(grid, 0, 3), f'TimeValues="\n0\n1\n" {place}'))
