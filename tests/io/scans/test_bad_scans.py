"""Scan files that cannot be used: one cause that names the place, and what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from invrender.errors import InputError
from invrender.io.scans import read_scan
from tests.io.scans import made

GIVEN = made.setup()
SIZE = GIVEN.size


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_scan(folder)
    assert len(str(caught.value).splitlines()) <= 6
    assert caught.value.remedy
    return str(caught.value)


def edited(folder: Path, old: str, new: str) -> str:
    """What is said of a good scan file after a text in it was replaced."""
    path = made.write(folder, GIVEN)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return refused(folder)


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("count = 12", "count = 13", ["13 angles", "12 projections", "first again"]),
        ("count = 12", "count = 24", ["24 angles", "12 projections", "[[flat]]"]),
        ("span = 360", "span = 6.2831853", ["look like radians", 'angle_unit = "radians"']),
        ('beam = "cone"', 'beam = "cone"\nangle_unit = "radians"', ["look like degrees"]),
        ("source_object = 5.0", "source_object = 50.0", ["before the axis", "one unit"]),
        ("source_object", "DSO", ["'DSO'", "call it source_object"]),
        ("source_object", "source_objekt", ["'source_objekt'", "did you mean 'source_object'"]),
        ("source_object = 5.0\n", "", ["no 'source_object'", "parallel"]),
        ("pixel = ", "pixel = -", ["above 0"]),
        ("pixel = ", 'pixel = "3 parsec" #', ["known units are"]),
        ('beam = "cone"', 'beam = "cones"', ["did you mean 'cone'"]),
        ('beam = "cone"', 'beam = "cone"\nrows = 17', ["rows = 17", "16", "order"]),
        ('values = "counts"', 'values = "count"', ["did you mean 'counts'"]),
        ('values = "counts"', 'values = "transmittance"', ["flat or dark frames"]),
        ("projections.npy", "projection.npy", ["projections.npy"]),
        ('[[flat]]\npath = "flat.npy"\n', "", ['i0 = "auto"']),
        ('path = "flat.npy"', 'path = "dark.npy"', ["without light", "exchanged"]),
        ('path = "flat.npy"', 'path = "flat.npy"\nwhen = "later"', ["before, after"]),
        ('path = "flat.npy"', 'path = "flat.npy"\nwhen = 3', ["up to 1"]),
        ("[dark]", "[darks]", ["'darks'", "did you mean 'dark'"]),
        ("[projections]", '[preparation]\nrings = 3\n[projections]', ["true or false"]),
        ("[projections]", "[geometry]\nvectors = 'v.txt'\n[projections]", ["both [geometry] and"]),
        ("angles = {", "angles = { steps = 3, ", ["did you mean 'step'"]),
        ("angles = { start = 0, span = 360, count = 12 }", 'angles = "angles.txt"', ["angles.txt"]),
        ("[projections]", "[grid]\nsamples = 1\n[projections]", ["from 2"]),
        ("[projections]", "[grid]\nbounds = [0, 0, 0, 1, 1, -1]\n[projections]", ["without room"]),
        ('path = "projections.npy"', 'path = "projections.npy"\norder = "NHH"', ["name its axes"]),
        ("beam", "beam beam", ["not TOML"]),
    ],
)  # fmt: skip
def test_a_slip_in_the_file(tmp_path: Path, old: str, new: str, parts: list[str]) -> None:
    said = edited(tmp_path, old, new)
    for part in parts:
        assert part in said, said


def test_a_page_of_another_size(tmp_path: Path) -> None:
    pages = [Image.fromarray(page) for page in made.counts(GIVEN)]
    pages[5] = pages[5].resize((9, 9))
    pages[0].save(tmp_path / "p.tif", save_all=True, append_images=pages[1:])
    (tmp_path / "scan.toml").write_text(
        made.text(GIVEN, '[projections]\npath = "p.tif"\nvalues = "counts"\n[preparation]\ni0 = 9\n')
    )
    said = refused(tmp_path)
    assert "p.tif page 6 has 9 x 9 pixels, and p.tif page 1 has 20 x 16" in said


def test_flats_of_another_size(tmp_path: Path) -> None:
    made.write(tmp_path, GIVEN)
    np.save(tmp_path / "flat.npy", np.ones((16, 40)))
    said = refused(tmp_path)
    assert "40 x 16" in said
    assert "20 x 16" in said


def test_a_folder_of_several_kinds(tmp_path: Path) -> None:
    made.write(tmp_path, GIVEN)
    (tmp_path / "frames").mkdir()
    for name in ("a.png", "b.tif"):
        Image.fromarray(np.zeros(SIZE, np.uint8)).save(tmp_path / "frames" / name)
    text = (tmp_path / "scan.toml").read_text().replace("projections.npy", "frames")
    (tmp_path / "scan.toml").write_text(text)
    said = refused(tmp_path)
    assert "several kinds" in said
    assert 'path = "frames/*.tif"' in said


def test_several_arrays_are_listed(tmp_path: Path) -> None:
    made.write(tmp_path, GIVEN)
    np.savez(tmp_path / "p.npz", a=made.counts(GIVEN), b=made.counts(GIVEN))
    text = (tmp_path / "scan.toml").read_text().replace("projections.npy", "p.npz")
    (tmp_path / "scan.toml").write_text(text)
    said = refused(tmp_path)
    assert "a [12, 16, 20], b [12, 16, 20]" in said
    assert "key" in said


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00garbage", b"PK\x03\x04"])
def test_damaged_arrays(tmp_path: Path, content: bytes) -> None:
    made.write(tmp_path, GIVEN)
    (tmp_path / "projections.npy").write_bytes(content)
    assert "cannot be read" in refused(tmp_path) or "holds no array" in refused(tmp_path)


def test_vectors_that_make_no_detector(tmp_path: Path) -> None:
    made.write(tmp_path, GIVEN)
    np.savetxt(tmp_path / "v.txt", np.tile([0, -5, 0, 0, 5, 0, 1, 0, 0, 1, 0, 0.0], (12, 1)))
    (tmp_path / "scan.toml").write_text(
        'beam = "cone"\n[geometry]\nvectors = "v.txt"\n[projections]\npath = "projections.npy"\nvalues = "counts"\n'
        "[preparation]\ni0 = 4\n"
    )
    assert "no width" in refused(tmp_path)
