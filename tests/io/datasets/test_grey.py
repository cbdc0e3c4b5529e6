"""Files of transmittance: stacks, integers and scales, kinds of grey, and what unpacks to gigabytes."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.errors import InputError
from invrender.io.datasets.dataset import read_dataset
from invrender.io.datasets.transmittance import (
    TransmittanceViews,
    is_transmittance,
    read_transmittance,
    write_transmittance,
)
from tests.io.datasets.made import SIZE, edit, write_poses

VIEWS = np.random.default_rng(0).random((3, *SIZE), np.float32)
LEVELS = np.round(VIEWS * 255).astype(np.uint8)
DEEP = np.round(VIEWS * 65535).astype(np.uint16)


def write_set(folder: Path, name: str, save, kind: str = "transmittance", **fields) -> TransmittanceViews:
    """Write three views with `save(path, index)` under `name`, and read them back."""
    files = [name.format(i) for i in range(3)]
    write_poses(folder, files, kind=kind, **fields)
    for i, file in enumerate(files):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        save(folder / file, i)
    return read_transmittance(folder)


def refused(folder: Path, words: str) -> InputError:
    with pytest.raises(InputError, match=re.escape(words)) as error:
        read_transmittance(folder)
    assert error.value.remedy and len(str(error.value)) < 600
    return error.value


def pages(values: np.ndarray) -> list[Image.Image]:
    return [Image.fromarray(page) for page in values]


def save_tiff_stack(path: Path, values: np.ndarray = VIEWS) -> None:
    first, *rest = pages(values)
    first.save(path, save_all=True, append_images=rest)


@pytest.mark.parametrize("name", ["stack.tif", "stack.npy"])
def test_a_stack_that_every_view_names_gives_each_its_page(tmp_path, name):
    save = save_tiff_stack if name.endswith("tif") else np.save
    views = write_set(tmp_path, name, lambda path, _: save(path, VIEWS))
    assert np.array_equal(views.images.numpy(), VIEWS)
    assert (views.quantum, views.eight_bit) == (0, False)


@pytest.mark.parametrize("name", ["stack.tif", "stack.npy"])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_stacks_of_another_number_of_pages_are_refused(tmp_path, name, count):
    save = save_tiff_stack if name.endswith("tif") else np.save
    values = np.zeros((count, *SIZE), np.float32)
    with pytest.raises(InputError, match=rf"{name} holds {count} images?, and 3 views name it"):
        write_set(tmp_path, name, lambda path, _: save(path, values))


def test_a_stack_that_one_view_names_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds 3 images, and 1 view names it"):
        write_set(tmp_path, "v{}.tif", lambda path, _: save_tiff_stack(path))


GREYS = {
    "8 bits": ("v{}.png", lambda path, i: Image.fromarray(LEVELS[i]).save(path)),
    "numpy's bytes": ("v{}.npy", lambda path, i: np.save(path, LEVELS[i])),
    "TIFF of 8 bits": ("v{}.tiff", lambda path, i: Image.fromarray(LEVELS[i]).save(path)),
    "three equal colours": ("v{}.png", lambda path, i: Image.fromarray(LEVELS[i]).convert("RGB").save(path)),
    "grey and alpha": ("v{}.png", lambda path, i: Image.fromarray(LEVELS[i]).convert("LA").save(path)),
    "opaque colours": ("v{}.png", lambda path, i: Image.fromarray(LEVELS[i]).convert("RGBA").save(path)),
    "palette": ("v{}.png", lambda path, i: Image.fromarray(LEVELS[i]).convert("P").save(path)),
}


@pytest.mark.parametrize("kind", GREYS)
def test_kinds_of_eight_bits(tmp_path, kind):
    name, save = GREYS[kind]
    views = write_set(tmp_path, name, save)
    assert np.array_equal(views.images.numpy(), LEVELS.astype(np.float32) / np.float32(255))
    assert views.eight_bit and views.quantum == pytest.approx(1 / 255)


FLOATS = {
    "half": ("v{}.npy", lambda path, i: np.save(path, VIEWS[i].astype(np.float16)), 1e-3),
    "double": ("v{}.npy", lambda path, i: np.save(path, VIEWS[i].astype(np.float64)), 0),
    "other end first": ("v{}.npy", lambda path, i: np.save(path, VIEWS[i].astype(">f4")), 0),
    "a last axis of 1": ("v{}.npy", lambda path, i: np.save(path, VIEWS[i][..., None]), 0),
    "a first axis of 1": ("v{}.npy", lambda path, i: np.save(path, VIEWS[i][None]), 0),
    "16 bits": ("v{}.tif", lambda path, i: Image.fromarray(DEEP[i]).save(path), 1e-5),
}


@pytest.mark.parametrize("kind", FLOATS)
def test_kinds_of_more_than_eight_bits(tmp_path, kind):
    name, save, error = FLOATS[kind]
    views = write_set(tmp_path, name, save)
    assert np.abs(views.images.numpy() - VIEWS).max() <= error
    assert not views.eight_bit
    assert views.quantum == pytest.approx(1 / 65535 if kind == "16 bits" else 0)


@pytest.mark.parametrize("kind", ["transmittance", "line-integral"])
def test_a_scale_tells_what_integers_stand_for(tmp_path, kind):
    counts = np.round(VIEWS * 40000).astype(np.int32)
    views = write_set(tmp_path, "v{}.tif", lambda path, i: Image.fromarray(counts[i]).save(path), kind, scale=1 / 40000)
    assert np.abs(views.images.numpy() - VIEWS).max() <= 0.6 / 40000
    assert views.quantum == 1 / 40000
    edit(tmp_path, lambda table: table.pop("scale"))
    words = "holds int32 from" if kind == "transmittance" else "line integrals have no greatest value"
    assert '"scale"' in refused(tmp_path, words).remedy


def test_line_integrals_of_eight_bits_survive_a_round_trip(tmp_path):
    write_poses(tmp_path / "a", ["v0.npy", "v1.npy", "v2.npy"], kind="line-integral")
    for i in range(3):
        np.save(tmp_path / "a" / f"v{i}.npy", VIEWS[i])
    views = read_transmittance(tmp_path / "a")
    eight = TransmittanceViews(views.cameras, views.images, "line-integral", eight_bit=True)
    write_transmittance(tmp_path / "b", eight)
    again = read_transmittance(tmp_path / "b")
    assert again.kind == "line-integral"
    assert float((again.images - views.images).abs().max()) <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("named", ["scan\\v{}.npy", "scan/v{}", "SCAN/V{}.NPY", "/data/scan/v{}.npy"])
def test_names_from_elsewhere(tmp_path, named):
    write_set(tmp_path, "scan/v{}.npy", lambda path, i: np.save(path, VIEWS[i]))
    write_poses(tmp_path, [named.format(i) for i in range(3)], kind="transmittance")
    assert torch.equal(read_transmittance(tmp_path).images, torch.from_numpy(VIEWS))


@pytest.mark.parametrize("extension", ["npy", "png", "tif", "tiff", "jpg", "jpeg", "webp", "bmp", "PNG", "TIFF"])
def test_every_known_extension_may_be_left_out(tmp_path, extension):
    save = np.save if extension == "npy" else lambda path, values: Image.fromarray(values).save(path)
    write_set(tmp_path, f"v{{}}.{extension}", lambda path, i: save(path, LEVELS[i]))
    write_poses(tmp_path, ["v0", "v1", "v2"], kind="transmittance")
    assert read_transmittance(tmp_path).images.shape == VIEWS.shape


@pytest.mark.parametrize("kind", ["Transmittance", "line_integral", "Line Integral"])
def test_kinds_in_other_spellings(tmp_path, kind):
    views = write_set(tmp_path, "v{}.npy", lambda path, i: np.save(path, VIEWS[i]), kind)
    assert views.kind == kind.lower().replace("_", "-").replace(" ", "-")
    assert is_transmittance(tmp_path)


def test_a_slip_in_the_kind_is_named(tmp_path):
    write_set(tmp_path, "v{}.npy", lambda path, i: np.save(path, VIEWS[i]))
    edit(tmp_path, lambda table: table.update(kind="transmission"))
    assert is_transmittance(tmp_path)  # so that whoever asks comes here and is told
    assert "did you mean 'transmittance'?" in refused(tmp_path, "the kind 'transmission'").remedy
    edit(tmp_path, lambda table: table.pop("kind"))
    with pytest.raises(InputError, match="numpy array") as error:
        read_dataset(tmp_path)
    assert '"kind": "transmittance"' in error.value.remedy


def npy_head(path: Path, shape: str) -> None:
    """A .npy file (NEP 1) that announces a shape and holds no numbers."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text.encode())


@pytest.mark.parametrize(
    "shape",
    ["(1000000, 1000000)", "(24, 32)", "(99999999999999999999999, 5)", "(-1, 5)", "(0, 0)", "()", "(2.5, 3)", "[[[[["],
)
def test_numpy_files_that_announce_more_than_they_hold(tmp_path, shape):
    write_set(tmp_path, "v{}.npy", lambda path, i: np.save(path, VIEWS[i]))
    npy_head(tmp_path / "v1.npy", shape)
    assert "v1.npy" in refused(tmp_path, "v1.npy").cause


def test_pictures_that_unpack_to_gigabytes(tmp_path):
    write_set(tmp_path, "v{}.png", lambda path, i: Image.fromarray(LEVELS[i]).save(path))
    parts = (b"IHDR", struct.pack(">IIBBBBB", 13100, 13000, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0" * 99))
    chunks = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts]
    (tmp_path / "v1.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    refused(tmp_path, "13100 x 13000 pixels (170 megapixels); the limit is 100 megapixels")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (VIEWS[0] > 0.5, "it holds bool numbers"),
        (VIEWS[0] * 1j, "it holds complex64 numbers"),
        (np.array([[{}]], object), "Python objects"),
        (VIEWS[0].astype(np.int16), "holds int16 from 0 to 0"),
    ],
)
def test_arrays_of_other_numbers(tmp_path, values, words):
    write_set(tmp_path, "v{}.npy", lambda path, i: np.save(path, VIEWS[i]))
    np.save(tmp_path / "v1.npy", values, allow_pickle=True)
    refused(tmp_path, words)


def test_colours_and_transparency_are_no_grey(tmp_path):
    write_set(tmp_path, "v{}.png", lambda path, i: Image.fromarray(LEVELS[i]).save(path))
    Image.fromarray(np.dstack([LEVELS[0], LEVELS[1], LEVELS[2]])).save(tmp_path / "v1.png")
    refused(tmp_path, "v1.png is no grey image: its colours differ")
    Image.merge("LA", pages(LEVELS[:2])).save(tmp_path / "v1.png")
    refused(tmp_path, "v1.png is transparent in places")


@pytest.mark.parametrize("key", ["bounds", "grid", "extinction", "scale"])
@pytest.mark.parametrize(
    "value",
    ["x", [], {}, True, -1, 10**400, [[0, 0, 0], [float("inf"), 1, 1]], [[1, 2], [{}]]],
    ids=lambda value: str(value)[:20],
)
def test_fields_of_the_wrong_type_are_named(tmp_path, key, value):
    write_set(tmp_path, "v{}.npy", lambda path, i: np.save(path, VIEWS[i]))
    edit(tmp_path, lambda table: table.update({key: value}))
    refused(tmp_path, f"'{key}'")
