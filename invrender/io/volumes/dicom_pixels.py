"""The pixels of DICOM slices as numbers, and what to do where they are packed in a way that is not understood."""

from __future__ import annotations

import importlib
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.volumes.dicom_files import EXTENSIONS, LOADER, Slice
from invrender.io.volumes.grid import damaged


def slice_values(one: Slice) -> NDArray[np.float32]:
    """Values [rows,columns] of a slice with slope and intercept applied, as the modality means them.

    Raises:
        InputError: they are in colour, cut off, or compressed in a way that no installed package undoes.
    """
    pixels, table, bits = _pixels(one.path)
    values = pixels[one.index] if pixels.ndim == 3 else pixels
    if values.shape != one.size:
        raise InputError(f"{one.path} holds pictures in colour, which are no density", "choose another series")
    if one.inverted:  # as GDCM does: the bits that are stored, each the other way round
        values = -1 - values if values.dtype.kind == "i" else (1 << bits) - 1 - values
    if table is not None:
        return np.asarray(importlib.import_module("pydicom.pixels").apply_modality_lut(values, table), np.float32)
    if one.slope == 1 and one.intercept == 0:
        return values.astype(np.float32)
    return (values.astype(np.float64) * one.slope + one.intercept).astype(np.float32)


def forget() -> None:
    """Let go of the last file."""
    _pixels.cache_clear()


@lru_cache(maxsize=1)  # of a file of many frames, all are unpacked at once
def _pixels(path: Path) -> tuple[NDArray[Any], Any, int]:
    """The stored numbers of a file, its dataset where a table says what they mean, and how many bits count."""
    pydicom = importlib.import_module("pydicom")
    syntax = "unknown"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bytes that pad, and of values that are checked here
            dataset = pydicom.dcmread(path, force=path.suffix.lower() in EXTENSIONS)
            if "TransferSyntaxUID" in dataset.file_meta:
                syntax = str(dataset.file_meta.TransferSyntaxUID.name)
            pixels = np.asarray(dataset.pixel_array)
    except (RuntimeError, NotImplementedError) as error:
        raise InputError(
            f"{path} is compressed ({syntax}) in a way that no installed package undoes",
            "run `pip install pylibjpeg[all]`, or unpack the series by gdcmconv (of GDCM), or " + LOADER,
        ) from error
    except (ValueError, AttributeError, KeyError, OSError, EOFError, IndexError, TypeError) as error:
        raise damaged(path, error) from error
    table = dataset if "ModalityLUTSequence" in dataset else None
    return pixels, table, int(dataset.get("BitsStored", 16))
