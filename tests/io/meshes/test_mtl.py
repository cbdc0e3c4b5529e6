"""Materials of .obj files: how the files and pictures are named, and what is said when they are not there."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.errors import InputError
from invrender.io.meshes.read import read_mesh
from invrender.nouns import Mesh

BODY = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nusemtl {}\nf 1/1 2/2 3/3 4/4\n"


@pytest.fixture
def folder(tmp_path):
    """Red left, blue right, under several names."""
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[:, :2], picture[:, 2:] = (255, 0, 0), (0, 0, 255)
    (tmp_path / "tex").mkdir()
    for name in ("two.png", "two colours.png", "tex/Sub.PNG", "re\N{COMBINING ACUTE ACCENT}.png"):
        Image.fromarray(picture).save(tmp_path / name)
    return tmp_path


def textured(folder: Path, mtl: str, line: str = "mtllib a.mtl\n", name: str = "skin", file: str = "a.mtl") -> Mesh:
    (folder / file).write_text(mtl)
    (folder / "a.obj").write_text(line + BODY.format(name))
    return read_mesh(folder / "a.obj")


NAMES = {
    "plain": "map_Kd two.png",
    "spaces": "map_Kd two colours.png",
    "quotes": 'map_Kd "two colours.png"',
    "backslash": "map_Kd tex\\sub.png",
    "dot": "map_Kd ./tex/Sub.PNG",
    "case": "map_Kd TWO.png",
    "keyword case": "map_kd two.png",
    "tab": "\tmap_Kd\ttwo.png  ",
    "options": "map_Kd -s 1 1 1 -o 0 0 0 -clamp on -bm 0.2 -mm 0 1 two colours.png",
    "fewer numbers": "map_Kd -s 1 -o 0 two.png",
    "another machine": "map_Kd C:\\Users\\artist\\two.png",
    "another machine's folder": "map_Kd /home/artist/tex/Sub.PNG",
    "comment": "map_Kd two.png # the skin",
    "percent signs": "map_Kd two%20colours.png",
    "accents as characters of their own": "map_Kd r\N{LATIN SMALL LETTER E WITH ACUTE}.png",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_is_found(folder, name):
    mesh = textured(folder, f"newmtl skin\nKd 0 0 0\n{NAMES[name]}\n")
    assert mesh.material.texture is not None
    assert mesh.material.texture[0].tolist() == [[1, 0, 0]] * 2 + [[0, 0, 1]] * 2
    assert mesh.material.rgb == (1, 1, 1)
    assert mesh.uv is not None


def test_scale_and_offset_of_a_picture_move_its_coordinates(folder):
    mesh = textured(folder, "newmtl skin\nmap_Kd -s 2 3 -o 0.25 0.5 two.png\n")
    assert mesh.uv is not None
    assert mesh.uv.tolist() == [[0.25, 0.5], [2.25, 0.5], [2.25, 3.5], [0.25, 3.5]]


def test_a_picture_that_should_end_at_its_border_repeats_and_says_so(folder, caplog):
    textured(folder, "newmtl skin\nmap_Kd -clamp on two.png\n")
    assert not caplog.records
    textured(folder, "newmtl skin\nmap_Kd -clamp on -s 2 2 two.png\n")
    assert "'skin': its picture repeats, although it has the option -clamp on" in caplog.text


LIBRARIES = {
    "several in a line": "mtllib extra.mtl a.mtl\n",
    "several lines": "mtllib extra.mtl\nmtllib a.mtl\n",
    "another case": "mtllib A.MTL\n",
    "folders": "mtllib D:\\work\\a.mtl\n",
    "after a comment": "# mtllib gone.mtl\nmtllib a.mtl\n",
}


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_material_file_is_found(folder, name):
    (folder / "extra.mtl").write_text("newmtl other\nKd 0 1 0\n")
    mesh = textured(folder, "\ufeffnewmtl skin\r\nmap_Kd two.png\r\n", LIBRARIES[name])
    assert mesh.material.texture is not None


def test_names_of_files_and_materials_may_hold_spaces_and_hashes(folder):
    mesh = textured(folder, "newmtl Material #25\nKd 0.5 0 0\n", "mtllib my own.mtl\n", "Material #25", "my own.mtl")
    assert mesh.material.rgb == (0.5, 0, 0)
    mesh = textured(folder, "newmtl skin\nKd 0.25\n", name="skin # the first")
    assert mesh.material.rgb == (0.25, 0.25, 0.25)


@pytest.mark.parametrize("coding", ["gbk", "shift_jis", "latin-1", "utf-16"])
def test_names_in_the_coding_of_the_machine_that_wrote_them(folder, coding):
    first, second, picture = ("größe", "gräße", "größe.png") if coding == "latin-1" else ("日本", "本日", "日本.png")
    (folder / "two.png").rename(folder / picture)
    mtl = f"newmtl {first}\nmap_Kd {picture}\nnewmtl {second}\nKd 0 1 0\n"
    (folder / "a.mtl").write_text(mtl, encoding=coding)
    (folder / "a.obj").write_text("mtllib a.mtl\n" + BODY.format(first), encoding=coding)
    assert read_mesh(folder / "a.obj").material.texture is not None
    (folder / "a.obj").write_text("mtllib a.mtl\n" + BODY.format(second), encoding=coding)
    assert read_mesh(folder / "a.obj").material.rgb == (0, 1, 0)


def test_a_comment_that_ends_in_a_backslash_continues_no_line(folder):
    assert textured(folder, "# from C:\\models\\\nnewmtl skin\nKd 1 0 0\n").material.rgb == (1, 0, 0)


def test_texture_coordinates_beyond_all_digits_are_refused(folder):
    textured(folder, "newmtl skin\nmap_Kd two.png\n")
    (folder / "a.obj").write_text((folder / "a.obj").read_text().replace("vt 1 1", "vt 1e30 1"))
    with pytest.raises(InputError, match=r"texture coordinates up to 1e\+30"):
        read_mesh(folder / "a.obj")


TOLD = {
    "picture gone.png of material 'skin' is missing": "newmtl skin\nKd 0.5 0 0\nmap_Kd gone.png\n",
    "picture bad.png of material 'skin' is damaged": "newmtl skin\nKd 0.5 0 0\nmap_Kd bad.png\n",
    "picture x\\x1b[2J.png of": "newmtl skin\nKd 0.5 0 0\nmap_Kd x\x1b[2J.png\n",
}


@pytest.mark.parametrize("message", TOLD)
def test_without_its_picture_a_material_has_its_colour_and_says_so(folder, caplog, message):
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n nonsense")
    mesh = textured(folder, TOLD[message])
    assert message in caplog.text
    assert (mesh.material.rgb, mesh.material.texture) == ((0.5, 0, 0), None)
    assert mesh.uv is not None


def test_a_colour_that_is_none_and_a_material_that_is_nowhere_are_told(folder, caplog):
    assert textured(folder, "newmtl skin\nKd spectral a.rfl\n").material.rgb == (0.8, 0.8, 0.8)
    assert "'Kd spectral a.rfl' is not understood" in caplog.text
    assert textured(folder, "newmtl skin\n", name="hide").material.is_default
    caplog.clear()
    textured(folder, "newmtl skin\n", name="(null)")
    assert not caplog.records
    textured(folder, "newmtl skin\n", name="hide")
    assert "uses the material 'hide', which no material file describes" in caplog.text


def test_texture_coordinates_without_a_material_bring_no_texture(folder):
    (folder / "a.obj").write_text(BODY.format("x").replace("usemtl x\n", ""))
    mesh = read_mesh(folder / "a.obj")
    assert mesh.uv is not None
    assert mesh.material.is_default


def test_a_picture_of_absurd_size_is_refused_from_its_header(folder):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    (folder / "big.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    with pytest.raises(InputError, match="too large"):
        textured(folder, "newmtl skin\nmap_Kd big.png\n")


def test_materials_that_share_a_picture_read_it_once(folder):
    (folder / "a.mtl").write_text("newmtl skin\nmap_Kd two.png\nnewmtl hide\nmap_Kd TWO.png\n")
    second = "v 5 0 0\nv 6 0 0\nv 5 1 0\nusemtl hide\nf 5/1 6/2 7/4\n"
    (folder / "a.obj").write_text("mtllib a.mtl\n" + BODY.format("skin") + second)
    mesh = read_mesh(folder / "a.obj")
    assert mesh.material.texture is not None
    assert mesh.material.texture.shape == (4, 4, 3)  # no atlas


def test_many_large_pictures_are_halved_until_they_fit_together(folder, monkeypatch, caplog):
    monkeypatch.setattr("invrender.io.meshes.texture._KEPT_PIXELS", 2**12)
    monkeypatch.setattr("invrender.io.meshes.texture._LEAST_PIXELS", 2**8)
    sides = (64, 64, 64, 8)
    for i, side in enumerate(sides):
        Image.new("RGB", (side, side), (60 * i, 0, 0)).save(folder / f"{i}.png")
    (folder / "a.mtl").write_text("".join(f"newmtl {i}\nmap_Kd {i}.png\n" for i in range(4)))
    vertices, faces = BODY.split("usemtl {}\n")
    (folder / "a.obj").write_text("mtllib a.mtl\n" + vertices + "".join(f"usemtl {i}\n{faces}" for i in range(4)))
    mesh = read_mesh(folder / "a.obj")
    assert mesh.material.texture is not None
    assert 3 * 32**2 < mesh.material.texture[..., 0].numel() < 3 * 48**2
    assert caplog.text.count("a picture of 64 x 64 pixels is taken at half its size") == 3


def test_two_pictures_both_stay(folder):
    green = np.tile(np.array([0, 255, 0], np.uint8), (4, 4, 1))
    Image.fromarray(green).save(folder / "green.png")
    (folder / "a.mtl").write_text("newmtl skin\nmap_Kd two.png\nnewmtl leaf\nmap_Kd green.png\n")
    second = "v 5 0 0\nv 6 0 0\nv 5 1 0\nusemtl leaf\nf 5/1 6/2 7/4\n"
    (folder / "a.obj").write_text("mtllib a.mtl\n" + BODY.format("skin") + second)
    mesh = read_mesh(folder / "a.obj")
    assert mesh.material.texture is not None
    colours = {tuple(pixel) for pixel in mesh.material.texture.reshape(-1, 3).tolist()}
    assert {(1, 0, 0), (0, 0, 1), (0, 1, 0)} <= colours
    assert isinstance(mesh.uv, torch.Tensor)
