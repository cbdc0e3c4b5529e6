"""Geometries of other programs: projections made by their published formulas are what our cameras see."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from invrender.cameras.rays import camera_rays
from invrender.cameras.scan import by_camera, scan_cameras
from invrender.errors import InputError
from invrender.io.scans import read_scan
from invrender.io.scans.foreign import import_geometry, program_of, write_imported
from invrender.samples.ellipsoids import Ellipsoid, line_integrals

THINGS = (
    Ellipsoid((1.5, -2.0, 1.0), (3.0, 2.0, 1.5), 0.2),
    Ellipsoid((-2.5, 1.0, -1.2), (1.0, 1.5, 0.8), 0.5),
)
ROWS, COLUMNS, COUNT = 10, 14, 7
Point = Callable[[int, int, int], tuple[np.ndarray, np.ndarray]]


def recorded(ray: Point, rows: int = ROWS) -> np.ndarray:
    """[N,H,W] line integrals, of rays that a function gives by projection, row and column: two points on each."""
    ends = np.array([[[ray(i, v, u) for u in range(COLUMNS)] for v in range(rows)] for i in range(COUNT)])
    first, second = torch.from_numpy(ends[..., 0, :]), torch.from_numpy(ends[..., 1, :])
    return line_integrals(THINGS, first, torch.nn.functional.normalize(second - first, dim=-1)).numpy()


def agree(folder: Path, source: Path, frames: np.ndarray) -> float:
    """Read a geometry with frames as the program has them, and compare them with what our cameras see."""
    np.save(folder / "projections.npy", frames)
    write_imported(folder / "scan.toml", import_geometry(source), {"values": "line-integral"})
    scan = read_scan(folder)
    cameras = scan_cameras(scan.geometry)
    rays = camera_rays(cameras)
    expected = line_integrals(THINGS, rays.origin, rays.direction).reshape(len(cameras), *cameras.size)
    assert float(expected.max()) > 0.5
    return float((by_camera(scan.frames, scan.geometry) - expected).abs().max())


def about_z(angle: float) -> np.ndarray:
    return np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])


def tigre(angles: np.ndarray, roll: float = 0.0) -> tuple[dict, Point]:
    geo = {
        "DSD": 60.0, "DSO": 40.0, "nDetector": [ROWS, COLUMNS], "dDetector": [0.9, 1.1], "nVoxel": [16, 18, 20],
        "dVoxel": [0.5, 0.6, 0.7], "offOrigin": [0.3, 0.2, -0.4], "offDetector": [0.5, -0.8], "COR": 0.35,
        "rotDetector": [0.0, 0.0, roll], "angles": angles.tolist(),
    }  # fmt: skip

    def ray(i: int, v: int, u: int) -> tuple[np.ndarray, np.ndarray]:
        """`computeDeltas_Siddon`, with rows from below."""
        across, up = 1.1 * (u - COLUMNS / 2 + 0.5), 0.9 * (v - ROWS / 2 + 0.5)
        c, s = math.cos(roll), math.sin(roll)
        at = np.array([-20.0, c * across - s * up - 0.8, s * across + c * up + 0.5])
        aside = 0.35 * np.array([-math.sin(angles[i]), math.cos(angles[i]), 0])
        return about_z(angles[i]) @ [40.0, 0, 0] + aside, about_z(angles[i]) @ at + aside

    return geo, ray


@pytest.mark.parametrize("roll", [0.0, 0.2])
def test_tigre_by_its_formula(tmp_path: Path, roll: float) -> None:
    geo, ray = tigre(np.linspace(0, 5, COUNT), roll)
    (tmp_path / "geo.json").write_text(json.dumps(geo))
    assert agree(tmp_path, tmp_path / "geo.json", recorded(ray)) < 1e-6


def test_tigre_of_matlab_has_its_axes_the_other_way_round(tmp_path: Path) -> None:
    geo, ray = tigre(np.linspace(0, 5, COUNT))
    angles = geo.pop("angles")
    turned = {
        key: value[::-1] if isinstance(value, list) and key != "rotDetector" else value for key, value in geo.items()
    }
    savemat(tmp_path / "geo.mat", {"geo": turned, "angles": angles})
    assert agree(tmp_path, tmp_path / "geo.mat", recorded(ray)) < 1e-6
    bounds = read_scan(tmp_path).bounds
    assert bounds.mean(0).tolist() == pytest.approx([-0.4, 0.2, 0.3])
    assert read_scan(tmp_path).grid == (16, 18, 20)


def test_tigre_with_a_box_that_moves_between_projections(tmp_path: Path) -> None:
    geo, ray = tigre(np.linspace(0, 5, COUNT))
    moved = np.linspace(0, 2, COUNT)[:, None] * [1.0, 0, 0]  # z, y, x
    geo["offOrigin"] = moved.tolist()

    def shifted(i: int, v: int, u: int) -> tuple[np.ndarray, np.ndarray]:
        source, at = ray(i, v, u)
        return source - moved[i][::-1], at - moved[i][::-1]

    (tmp_path / "geo.json").write_text(json.dumps(geo))
    assert agree(tmp_path, tmp_path / "geo.json", recorded(shifted)) < 1e-6


ASTRA = np.linspace(0.2, 4.0, COUNT)


def astra_ray(kind: str) -> Point:
    def ray(i: int, v: int, u: int) -> tuple[np.ndarray, np.ndarray]:
        """As `astra.geom_2vec` has them, with [rows, projections, columns] counted along +v and +u."""
        across = 1.1 * (u - COLUMNS / 2 + 0.5)
        up = 0.9 * (v - ROWS / 2 + 0.5) if kind != "fanflat" else 0.0
        far, near = (20.0, 40.0) if kind != "parallel3d" else (0.0, 40.0)
        at = about_z(ASTRA[i]) @ [across, far, up]
        return (about_z(ASTRA[i]) @ ([across, -near, up] if kind == "parallel3d" else [0, -near, 0])), at

    return ray


@pytest.mark.parametrize("kind", ["cone", "parallel3d"])
@pytest.mark.parametrize("as_vectors", [False, True])
def test_astra_by_its_formula(tmp_path: Path, kind: str, as_vectors: bool) -> None:
    table = {"type": kind, "DetectorSpacingX": 1.1, "DetectorSpacingY": 0.9, "DetectorRowCount": ROWS,
             "DetectorColCount": COLUMNS, "ProjectionAngles": ASTRA.tolist()}  # fmt: skip
    if kind == "cone":
        table |= {"DistanceOriginSource": 40.0, "DistanceOriginDetector": 20.0}
    if as_vectors:
        first = [0, -40.0, 0] if kind == "cone" else [0, 1.0, 0]
        far = [0, 20.0, 0] if kind == "cone" else [0, 0, 0]
        vectors = [[*(about_z(a) @ first), *(about_z(a) @ far), *(about_z(a) @ [1.1, 0, 0]), 0, 0, 0.9] for a in ASTRA]
        table = {"type": f"{kind}_vec", "DetectorRowCount": ROWS, "DetectorColCount": COLUMNS, "Vectors": vectors}
    (tmp_path / "geometry.json").write_text(json.dumps(table))
    frames = recorded(astra_ray(kind)).transpose(1, 0, 2)
    assert agree(tmp_path, tmp_path / "geometry.json", np.ascontiguousarray(frames)) < 1e-6


@pytest.mark.parametrize("kind", ["parallel", "fanflat"])
@pytest.mark.parametrize("as_vectors", [False, True])
def test_astras_own_projectors_see_the_same(tmp_path: Path, kind: str, as_vectors: bool) -> None:
    """A disc aside of the axis, drawn finely and projected by ASTRA on the CPU."""
    astra = pytest.importorskip("astra")
    side, samples, count = 6.0, 600, 60
    line = (np.arange(samples) + 0.5) / samples * 2 * side - side
    x, y = np.meshgrid(line, line[::-1])  # rows of ASTRA's pictures run from +Y down
    disc = (((x - 1.5) / 3) ** 2 + ((y + 2.0) / 2) ** 2 < 1).astype(np.float32) * 0.2
    volume = astra.create_vol_geom(samples, samples, -side, side, -side, side)
    given = (0.3, count, ASTRA) if kind == "parallel" else (0.5, count, ASTRA, 40.0, 20.0)
    geometry = astra.create_proj_geom(kind, *given)
    geometry = astra.geom_2vec(geometry) if as_vectors else geometry
    projector = astra.create_projector("line" if kind == "parallel" else "line_fanflat", geometry, volume)
    if as_vectors:
        projector = astra.create_projector("line" if kind == "parallel" else "line_fanflat", geometry, volume)
    number, sinogram = astra.create_sino(disc, projector)
    astra.data2d.delete(number)
    astra.projector.delete(projector)
    table = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in geometry.items()}
    (tmp_path / "geometry.json").write_text(json.dumps(table))
    np.save(tmp_path / "projections.npy", sinogram)
    write_imported(tmp_path / "scan.toml", import_geometry(tmp_path / "geometry.json"), {"values": "line-integral"})
    scan = read_scan(tmp_path)
    rays = camera_rays(scan_cameras(scan.geometry))
    flat = (Ellipsoid((1.5, -2.0, 0.0), (3.0, 2.0, 1000.0), 0.2),)
    expected = line_integrals(flat, rays.origin, rays.direction).reshape(COUNT, count)
    difference = (scan.frames[:, 0] - expected).abs()
    assert float(expected.max()) > 0.7
    assert float(difference.mean()) < 0.003


def leap(kind: str, more: str = "") -> str:
    return (
        f"# CT geometry parameters\ngeometry = {kind}\nnumAngles = {COUNT}\nnumRows = {ROWS}\nnumCols = {COLUMNS}\n"
        "pixelHeight = 9.0e-01\npixelWidth = 1.1e+00\ncenterRow = 4.1\ncenterCol = 7.2\nangularRange = 350\n"
        f"sod = 40\nsdd = 60\n{more}"
    )


@pytest.mark.parametrize(
    ("kind", "tau", "pitch"), [("cone", 0.4, 0.0), ("cone", 0.0, 0.3), ("fan", 0.4, 0.0), ("parallel", 0.0, 0.0)]
)
def test_leap_by_its_formula(tmp_path: Path, kind: str, tau: float, pitch: float) -> None:
    """Of a helix, heights are counted from its first source: there the things stand as much higher."""
    angles = np.radians(np.arange(COUNT) * 350 / COUNT)
    middle = (angles[0] + angles[-1]) / 2

    def ray(i: int, v: int, u: int) -> tuple[np.ndarray, np.ndarray]:
        turn, up = about_z(angles[i] - math.pi / 2), 0.9 * (v - 4.1)
        height = pitch * (angles[i] - middle) + pitch * middle
        across = 1.1 * (u - 7.2)
        if kind == "parallel":
            return turn @ [40.0, across, up], turn @ [-20.0, across, up]
        level = up if kind == "fan" else 0.0
        return turn @ [40.0, -tau, level + height], turn @ [-20.0, across - tau, up + height]

    more = f"tau = {tau}\nhelicalPitch = {pitch}\n"
    (tmp_path / "leap.txt").write_text(leap(kind, more if kind != "parallel" else ""))
    assert agree(tmp_path, tmp_path / "leap.txt", recorded(ray)) < 1e-5


def test_leap_modular_beam(tmp_path: Path) -> None:
    angles = np.linspace(0, 5, COUNT)
    turns = [about_z(a) for a in angles]
    listed = {
        "sourcePositions": [t @ [40, 0, 0.3] for t in turns], "moduleCenters": [t @ [-20, 0, 0.1] for t in turns],
        "rowVectors": [[0, 0, 1.0]] * COUNT, "colVectors": [t @ [0, 1, 0] for t in turns],
    }  # fmt: skip
    lines = [f"{key} = {', '.join(f'{x:.9e}' for row in rows for x in row)}" for key, rows in listed.items()]
    (tmp_path / "leap.txt").write_text(leap("modular", "\n".join(lines) + "\n"))

    def ray(i: int, v: int, u: int) -> tuple[np.ndarray, np.ndarray]:
        across, up = 1.1 * (u - COLUMNS / 2 + 0.5), 0.9 * (v - ROWS / 2 + 0.5)
        return turns[i] @ [40, 0, 0.3], turns[i] @ [-20, across, 0.1 + up]

    assert agree(tmp_path, tmp_path / "leap.txt", recorded(ray)) < 1e-5


def test_leaps_grid_is_where_it_says(tmp_path: Path) -> None:
    volume = (
        "numX = 20\nnumY = 18\nnumZ = 10\nvoxelWidth = 0.5\nvoxelHeight = 0.6\noffsetX = 1\noffsetY = 0\noffsetZ = 0\n"
    )
    (tmp_path / "leap.txt").write_text(leap("cone", volume))
    grid = import_geometry(tmp_path / "leap.txt").table["grid"]
    assert grid["samples"] == [10, 18, 20]
    first = -4.1 * 40 / 60 * 0.9
    assert np.array(grid["bounds"]) == pytest.approx(
        np.array([[1 - 4.75, -4.25, first], [1 + 4.75, 4.25, first + 5.4]])
    )


NIKON = f"""[XTekCT]
Name=thing
Units=mm
Projections={COUNT}
WhiteLevel=60000
SrcToObject=40
SrcToDetector=60
DetectorPixelsX={COLUMNS}
DetectorPixelSizeX=1.1
DetectorPixelsY={ROWS}
DetectorPixelSizeY=0.9
InitialAngle=12.5
AngularStep=51.4285714
ObjectOffsetX=0.45
InputFolderName=
"""


def test_nikon_as_cil_reads_it(tmp_path: Path) -> None:
    from PIL import Image

    def ray(i: int, v: int, u: int) -> tuple[np.ndarray, np.ndarray]:
        """The object turns by -step, the first pixel is at the top right, the axis at x = -ObjectOffsetX."""
        turn = about_z(-math.radians(-51.4285714 * i - 12.5 + 180))
        at = [-1.1 * (u - COLUMNS / 2 + 0.5) + 0.45, 20.0, -0.9 * (v - ROWS / 2 + 0.5)]
        return turn @ [0.45, -40.0, 0], turn @ at

    depths = recorded(ray)
    for i, depth in enumerate(depths):
        counts = (np.exp(-depth) * 60000).round().astype(np.uint16)
        Image.fromarray(counts).save(tmp_path / f"thing_{i + 1:04d}.tif")
    (tmp_path / "thing.xtekct").write_text(NIKON)
    write_imported(tmp_path / "scan.toml", import_geometry(tmp_path / "thing.xtekct"), {})
    scan = read_scan(tmp_path)
    rays = camera_rays(scan_cameras(scan.geometry))
    expected = line_integrals(THINGS, rays.origin, rays.direction).reshape(COUNT, ROWS, COLUMNS)
    assert scan.preparation.i0 == 60000
    assert float((-(scan.frames.float() / 60000).log() - expected).abs().max()) < 1e-3


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("a.json", '{"DSO": 3, "angles": [0, 1]}', "no DSD"),
        ("a.json", '{"type": "cone", "DetectorColCount": 3}', "no DetectorRowCount"),
        ("a.json", '{"type": "sphere", "DetectorCount": 3}', "'sphere'"),
        ("a.json", "{}", "--from"),
        ("a.txt", "geometry = cone\ndetectorType = curved\n", "curved"),
        ("a.xtekct", "[XTekCT]\nSrcToObject=4\n", "no SrcToDetector"),
    ],
)  # fmt: skip
def test_what_lacks_something_says_what(tmp_path: Path, name: str, text: str, part: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        import_geometry(tmp_path / name, program_of(tmp_path / name))
    assert part in str(caught.value)
