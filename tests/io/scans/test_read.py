"""Scan files: what is written in them is what a scan holds, in whatever way its frames are stored."""

from __future__ import annotations

import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

from invrender.cameras.scan import scan_geometry
from invrender.io.scans import is_scan, read_geometry, read_scan, write_scan
from invrender.nouns.scan import ScanSetup
from tests.io.scans import made

GIVEN = made.setup()
COUNTS = made.counts(GIVEN)


def scan_file(folder: Path, projections: str, top: str = "", rest: str = 'values = "transmittance"\n') -> Path:
    (folder / "scan.toml").write_text(made.text(GIVEN, f"{top}[projections]\n{projections}\n{rest}"))
    return folder


def same(folder: Path, expected: np.ndarray = COUNTS) -> bool:
    frames = read_scan(folder).frames
    return bool(np.array_equal(frames.numpy(), expected)) and frames.shape == expected.shape


def test_a_written_scan_reads_back(tmp_path: Path) -> None:
    made.write(tmp_path, GIVEN)
    first = read_scan(tmp_path)
    again = tmp_path / "again"
    write_scan(again, first)
    second = read_scan(again)
    assert torch.equal(first.frames, second.frames)
    for name in ("source", "centre", "u", "v"):
        assert torch.allclose(getattr(first.geometry, name), getattr(second.geometry, name))
        assert torch.allclose(getattr(first.geometry, name), getattr(scan_geometry(GIVEN), name))
    assert second.values == "counts"
    assert len(second.flats) == 1
    assert float(second.flats[0].image[0, 0]) == made.WHITE + made.DARK
    assert float(second.dark[0, 0]) == made.DARK


def test_vectors_read_back(tmp_path: Path) -> None:
    made.write(tmp_path, GIVEN)
    first = read_scan(tmp_path)
    object.__setattr__(first, "setup", None)
    write_scan(tmp_path / "again", first)
    second = read_scan(tmp_path / "again")
    assert second.setup is None
    for name in ("source", "centre", "u", "v"):
        assert torch.allclose(getattr(first.geometry, name), getattr(second.geometry, name))


def test_frames_of_npy_stay_on_disk(tmp_path: Path) -> None:
    """The tensor's memory is the mapped file's: nothing is read before it is asked for."""
    np.save(tmp_path / "p.npy", COUNTS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frames = read_scan(scan_file(tmp_path, 'path = "p.npy"')).frames
    maps = Path("/proc/self/maps")
    if maps.exists():
        at = frames.data_ptr()
        regions = [line.split() for line in maps.read_text().splitlines() if "p.npy" in line]
        ends = [tuple(int(end, 16) for end in region[0].split("-")) for region in regions]
        assert any(low <= at < high for low, high in ends)
    assert np.array_equal(frames.numpy(), COUNTS)


@pytest.mark.parametrize(("order", "axes"), [("HNW", (1, 0, 2)), ("HWN", (1, 2, 0)), ("nwh", (0, 2, 1))])
def test_arrays_with_other_axes(tmp_path: Path, order: str, axes: tuple[int, ...]) -> None:
    np.savez(tmp_path / "p.npz", other=np.zeros(3), frames=COUNTS.transpose(axes))
    assert same(scan_file(tmp_path, f'path = "p.npz"\norder = "{order}"'))


def test_hdf5_by_its_key(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "p.h5", "w") as file:
        file["exchange/data"] = COUNTS
        file["exchange/data_white"] = np.full((2, *GIVEN.size), 9.0)
        file["exchange/theta"] = np.linspace(0, 330, 12)
    scan_file(
        tmp_path, 'path = "p.h5"\nkey = "exchange/data"', rest='[[flat]]\npath = "p.h5"\nkey = "/exchange/data_white"\n'
    )
    assert same(tmp_path)
    assert read_scan(tmp_path).values == "counts"
    assert float(read_scan(tmp_path).flats[0].image.mean()) == 9


def test_a_stack_of_pages(tmp_path: Path) -> None:
    pages = [Image.fromarray(page) for page in COUNTS]
    pages[0].save(tmp_path / "p.tif", save_all=True, append_images=pages[1:])
    assert same(scan_file(tmp_path, 'path = "p.tif"'))
    assert read_scan(tmp_path).names[2] == "p.tif page 3"


@pytest.mark.parametrize("path", ["frames", "frames/*.png", "frames/p*"])
def test_a_folder_is_read_as_people_count(tmp_path: Path, path: str) -> None:
    (tmp_path / "frames").mkdir()
    for number, page in enumerate(COUNTS):
        Image.fromarray(page).save(tmp_path / "frames" / f"p{number}.png")
    (tmp_path / "frames" / ".hidden.png").write_text("")
    (tmp_path / "frames" / "notes.txt").write_text("")
    assert same(scan_file(tmp_path, f'path = "{path}"'))
    assert read_scan(tmp_path).names[-1] == "p11.png"


def test_raw_numbers(tmp_path: Path) -> None:
    (tmp_path / "p.raw").write_bytes(b"head" + COUNTS.astype(">u2").tobytes())
    scan_file(tmp_path, 'path = "p.raw"\nshape = [12, 16, 20]\ndtype = ">u2"\nskip_bytes = 4')
    assert same(tmp_path)


def test_rows_and_columns_the_other_way(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", COUNTS[:, ::-1, ::-1])
    flat = np.arange(16 * 20, dtype=np.float32).reshape(16, 20) + 9
    np.save(tmp_path / "flat.npy", flat[::-1, ::-1])
    scan_file(tmp_path, 'path = "p.npy"', 'row_order = "up"\ncolumn_order = "left"\n', '[[flat]]\npath = "flat.npy"\n')
    assert same(tmp_path)
    assert np.array_equal(read_scan(tmp_path).flats[0].image.numpy(), flat)


def test_flats_before_and_after(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", COUNTS)
    for name, value in (("a", 10), ("b", 20), ("c", 15)):
        np.save(tmp_path / f"{name}.npy", np.stack([np.full((16, 20), value - 1), np.full((16, 20), value + 1)]))
    flats = "".join(
        f'[[flat]]\npath = "{n}.npy"\nwhen = {w}\n' for n, w in (("a", '"before"'), ("b", '"after"'), ("c", 0.5))
    )
    scan = read_scan(scan_file(tmp_path, 'path = "p.npy"', rest=flats))
    assert [(float(flat.image.mean()), flat.when) for flat in scan.flats] == [(10, 0), (20, 1), (15, 0.5)]


def test_preparation_and_grid(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", COUNTS)
    rest = (
        '[preparation]\ni0 = "auto"\nrings = true\nzingers = false\nbeam_hardening = [1, 0.1]\ndownscale = 2\n'
        "[grid]\nbounds = [[-1, -2, -3], [1, 2, 3]]\nsamples = [10, 20, 30]\n"
    )
    scan = read_scan(scan_file(tmp_path, 'path = "p.npy"', rest=rest))
    steps = scan.preparation
    assert (steps.i0, steps.rings, steps.zingers, steps.dead_pixels) == ("auto", True, False, True)
    assert (steps.beam_hardening, steps.downscale) == ((1.0, 0.1), 2)
    assert scan.bounds.tolist() == [[-1, -2, -3], [1, 2, 3]]
    assert scan.grid == (10, 20, 30)


def angles_of(folder: Path, lines: str, count: int = 12) -> list[float]:
    np.save(folder / "p.npy", COUNTS[:count])
    (folder / "scan.toml").write_text(
        f'beam = "parallel"\npixel = 0.1\n{lines}\n[projections]\npath = "p.npy"\nvalues = "counts"\n'
        "[preparation]\ni0 = 100\n"
    )
    return read_scan(folder).setup.angles.tolist()


def test_angles_in_every_way(tmp_path: Path) -> None:
    twelfths = pytest.approx([30.0 * i for i in range(12)])
    assert angles_of(tmp_path, "angles = { span = 360, count = 12 }") == twelfths
    assert angles_of(tmp_path, "angles = { span = 330, count = 12, endpoint = true }") == twelfths
    assert angles_of(tmp_path, "angles = { step = 30, count = 12 }") == twelfths
    assert angles_of(tmp_path, f"angles = {[30.0 * i for i in range(12)]}") == twelfths
    assert angles_of(tmp_path, 'angle_unit = "radians"\nangles = { span = 6.283185307179586, count = 12 }') == twelfths
    assert angles_of(tmp_path, 'angle_unit = "radians"\nangles = { count = 12 }') == twelfths
    assert angles_of(tmp_path, 'direction = "cw"\nangles = { span = -360, count = 12 }') == twelfths
    (tmp_path / "a.txt").write_text("# degrees\n" + "\n".join(str(30 * i) for i in range(12)))
    assert angles_of(tmp_path, 'angles = "a.txt"') == twelfths
    (tmp_path / "a.csv").write_text("name,angle\n" + "\n".join(f"{i},{30 * i}" for i in range(12)))
    assert angles_of(tmp_path, 'angles = { file = "a.csv", column = 1 }') == twelfths
    np.save(tmp_path / "a.npy", np.arange(12) * 30.0)
    assert angles_of(tmp_path, 'angles = "a.npy"') == twelfths


def test_lengths_bring_their_unit(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", COUNTS)
    (tmp_path / "scan.toml").write_text(
        'beam = "cone"\nunit = "mm"\npixel = ["200 um", 0.1]\nsource_object = "10 cm"\nsource_detector = "0.4 m"\n'
        'detector_offset = ["2px", "-3px"]\naxis_offset = "3.3px"\nrise = "1px"\nangles = { count = 12 }\n'
        '[projections]\npath = "p.npy"\nvalues = "transmittance"\n'
    )
    given = read_scan(tmp_path).setup
    assert given.pixel == pytest.approx((0.2, 0.1))
    assert (given.source_object, given.source_detector) == pytest.approx((100, 400))
    assert given.detector_offset == pytest.approx((0.4, -0.3))
    assert given.axis_offset == pytest.approx(3.3 * 0.2 / 4)
    assert given.rise == pytest.approx(0.1 / 4)


def test_a_sinogram_is_one_row(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", COUNTS[:, 8])
    scan = read_scan(scan_file(tmp_path, 'path = "p.npy"\norder = "NW"'))
    assert scan.frames.shape == (12, 1, 20)
    assert scan.geometry.size == (1, 20)


def test_numbers_alone_make_a_geometry(tmp_path: Path) -> None:
    (tmp_path / "scan.toml").write_text(made.text(GIVEN, "rows = 16\ncolumns = 20\n"))
    scan = read_geometry(tmp_path)
    assert torch.allclose(scan.geometry.centre, scan_geometry(GIVEN).centre)
    assert len(scan.frames) == 0


def test_which_files_are_scans(tmp_path: Path) -> None:
    assert not is_scan(tmp_path)
    made.write(tmp_path, GIVEN)
    assert is_scan(tmp_path)
    assert is_scan(tmp_path / "scan.toml")
    (tmp_path / "other.toml").write_text((tmp_path / "scan.toml").read_text())
    assert is_scan(tmp_path / "other.toml")
    (tmp_path / "scene.toml").write_text('[[mesh]]\nfile = "a.ply"\n')
    assert not is_scan(tmp_path / "scene.toml")


def test_parallel_vectors_without_a_sense(tmp_path: Path) -> None:
    """Rays of a parallel beam have no sense: rows run down in any case."""
    given: ScanSetup = made.setup("parallel")
    g = scan_geometry(given)
    frames = made.light(g)
    for sign in (1.0, -1.0):
        rows = torch.cat([sign * g.source, g.centre, g.u, -g.v], 1)
        np.savetxt(tmp_path / "v.txt", rows.numpy())
        np.save(tmp_path / "p.npy", frames.numpy()[:, ::-1])
        (tmp_path / "scan.toml").write_text(
            'beam = "parallel"\n[projections]\npath = "p.npy"\nvalues = "transmittance"\n'
            '[geometry]\nvectors = "v.txt"\n'
        )
        scan = read_scan(tmp_path)
        assert torch.allclose(scan.geometry.source, g.source)
        assert torch.allclose(scan.geometry.v, g.v)
        assert torch.equal(scan.frames, frames)
