"""Radiance pictures, written by OpenCV and by hand."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from invrender.errors import InputError
from invrender.io.hdr import read_hdr

HEAD = b"#?RADIANCE\n# by hand\nFORMAT=32-bit_rle_rgbe\n\n"


@pytest.mark.parametrize("size", [(3, 5), (6, 8), (7, 300), (1, 1)])
def test_pictures_of_another_program(tmp_path: Path, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    picture = (rng.random((*size, 3)) * 10 ** rng.uniform(-4, 4, (*size, 1))).astype(np.float32)
    picture[:, size[1] // 2 :] = [4, 0.5, 0]  # a long run
    cv2.imwrite(str(tmp_path / "a.hdr"), picture[..., ::-1])
    found = read_hdr(tmp_path / "a.hdr")
    assert found.shape == picture.shape and found.dtype == np.float32
    assert (np.abs(found - picture) <= picture.max(axis=2, keepdims=True) / 128).all()


def test_a_pixel_by_hand(tmp_path: Path) -> None:
    (tmp_path / "a.hdr").write_bytes(HEAD + b"-Y 1 +X 2\n" + bytes([128, 64, 0, 129, 255, 0, 0, 0]))
    assert read_hdr(tmp_path / "a.hdr")[0, 0].tolist() == [1.0, 0.5, 0.0]
    assert read_hdr(tmp_path / "a.hdr")[0, 1].max() == 0


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "is no Radiance picture"),
        (b"\x89PNG\r\n", "is no Radiance picture"),
        (HEAD + b"+Y 1 +X 2\n" + bytes(8), "resolution '+Y 1 +X 2'"),
        (HEAD + b"-Y 1 +X 2\n" + bytes(7), "is cut short"),
        (HEAD + b"-Y 2 +X 8\n" + bytes([2, 2, 0, 8, 136, 1, 136, 1, 136, 1, 136, 1]), "is cut short"),
        (HEAD + b"-Y 1 +X 8\n" + bytes([2, 2, 0, 8, 137, 1, 136, 1, 136, 1, 136, 1]), "is cut short"),
        (HEAD + b"-Y 1 +X 8\n" + bytes([2, 2, 0, 8, 0, 1, 136, 1, 136, 1, 136, 1]), "is cut short"),
        (HEAD + b"-Y 99999 +X 99999\n", "megapixels"),
        (HEAD.replace(b"rgbe", b"xyze") + b"-Y 1 +X 2\n" + bytes(8), "XYZ"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, content: bytes, cause: str) -> None:
    (tmp_path / "a.hdr").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_hdr(tmp_path / "a.hdr")
    assert cause in caught.value.cause and caught.value.remedy
