"""DICOM files as scanners write them, made with pydicom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CT = "1.2.826.0.1.3680043.8.498.1"


def header(series: str = CT, **fields: object) -> Dataset:
    """What all images have, 16-bit signed and grey."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = CTImageStorage
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = generate_uid()
    made.SeriesInstanceUID, made.StudyInstanceUID, made.Modality = series, "1.2.3", "CT"
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 1
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def with_pixels(made: Dataset, pixels: NDArray[np.generic]) -> Dataset:
    """The same with pixels [rows,columns] or [frames,rows,columns]."""
    made.Rows, made.Columns = pixels.shape[-2:]
    made.PixelData = np.ascontiguousarray(pixels, "<i2").tobytes()
    return made


def save(made: Dataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, made, enforce_file_format=True)
    return path


def write_series(
    folder: Path,
    values: NDArray[np.generic],
    orientation: tuple[float, ...] = AXIAL,
    spacing: tuple[float, float, float] = (0.5, 0.75, 2.0),
    origin: tuple[float, float, float] = (-10.0, 20.0, 100.0),
    series: str = CT,
    places: NDArray[np.float64] | None = None,
    **fields: object,
) -> list[Path]:
    """Slices [k,j,i] at multiples of the spacing (x, y, z) along the normal, or at `places`, in files of odd order."""
    normal = np.cross(orientation[:3], orientation[3:])
    along = spacing[2] * np.arange(len(values)) if places is None else places
    files = []
    for k, (pixels, place) in enumerate(zip(values, along, strict=True)):
        made = header(series, InstanceNumber=len(values) - k, RescaleSlope=1, RescaleIntercept=-1024, **fields)
        made.ImagePositionPatient = [float(n) for n in np.array(origin) + normal * place]
        made.ImageOrientationPatient = [float(n) for n in orientation]
        made.PixelSpacing = [spacing[1], spacing[0]]
        made.SliceThickness = spacing[2]
        files.append(save(with_pixels(made, pixels), folder / f"IM{(7 * k) % 101:04d}"))
    return files


def enhanced(path: Path, values: NDArray[np.generic], spacing: tuple[float, float, float]) -> Path:
    """An enhanced multi-frame image, its frames from the top down."""
    made = header(NumberOfFrames=len(values))
    shared, measures, plane, transform = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [spacing[1], spacing[0]], spacing[2]
    plane.ImageOrientationPatient = list(AXIAL)
    transform.RescaleSlope, transform.RescaleIntercept = 2.0, -1000.0
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Items([measures]), Items([plane])
    shared.PixelValueTransformationSequence = Items([transform])
    made.SharedFunctionalGroupsSequence = Items([shared])
    groups = []
    for k in range(len(values)):
        one, place = Dataset(), Dataset()
        place.ImagePositionPatient = [-10.0, 20.0, 100.0 + spacing[2] * (len(values) - 1 - k)]
        one.PlanePositionSequence = Items([place])
        groups.append(one)
    made.PerFrameFunctionalGroupsSequence = Items(groups)
    return save(with_pixels(made, values[::-1]), path)
