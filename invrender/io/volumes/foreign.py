"""The names of volume formats: those that are read, and of others how to get from each to one that is."""

from __future__ import annotations

from pathlib import Path

from invrender.errors import InputError
from invrender.io.files.paths import is_file, is_folder

VOLUME_EXTENSIONS = (
    ".npz", ".npy", ".vti", ".nrrd", ".nhdr", ".nii", ".nii.gz", ".hdr", ".img", ".mha", ".mhd", ".tif", ".tiff",
    ".raw", ".vdb",
)  # fmt: skip
"""Of the formats that are read."""

_DICOM = "dcm2niix -z y -o OUT FOLDER writes .nii.gz from a folder of slices (so does 3D Slicer, as .nrrd)"
_HDF5 = (
    "with h5py: python -c \"import h5py, numpy; numpy.save('v.npy', h5py.File('{name}')['DATASET'][()])\""
    " (axes: z, y, x)"
)
_MRC = "with mrcfile: python -c \"import mrcfile, numpy; numpy.save('v.npy', mrcfile.read('{name}'))\" (axes: z, y, x)"
_VTK = (
    "with pyvista: python -c \"import pyvista; pyvista.read('{name}').save('v.vti')\" for a regular grid; else resample"
)
_MICROSCOPE = "open it in Fiji (File > Import > Bio-Formats) and save it as NRRD or TIFF"
_NIBABEL = "with nibabel: python -c \"import nibabel; nibabel.save(nibabel.load('{name}'), 'v.nii.gz')\""
_ZARR = (
    "with zarr: python -c \"import numpy, zarr; numpy.save('v.npy', zarr.open('{name}')['ARRAY'][:])\" (axes: z, y, x)"
)
_ITK = "with SimpleITK: python -c \"import SimpleITK as itk; itk.WriteImage(itk.ReadImage('{name}'), 'v.nrrd')\""
_FITS = (
    "with astropy: python -c \"import numpy; from astropy.io import fits; numpy.save('v.npy', fits.getdata('{name}'))\""
)
_TORCH = (
    "with torch: python -c \"import numpy, torch; numpy.save('v.npy', torch.load('{name}').numpy())\" (axes: z, y, x)"
)
_PARAVIEW = (
    "open it in ParaView and save the regular grid as .vti (File > Save Data); other grids: filter Resample To Image"
)
_VENDOR = "export it from the vendor's program as TIFF stack or raw numbers (.raw with --shape z,y,x and --dtype)"
_RAW = "if it holds plain numbers, rename it to .raw and give --shape z,y,x and --dtype"
_UNPACK = "unpack it first"

_PICTURES = (".tif", ".tiff", ".png", ".bmp")
_WAYS = {
    ".dcm": _DICOM, ".dicom": _DICOM, ".ima": _DICOM,
    ".h5": _HDF5, ".hdf5": _HDF5, ".hdf": _HDF5, ".nc": _HDF5, ".mat": _HDF5, ".nxs": _HDF5,
    ".mrc": _MRC, ".map": _MRC, ".rec": _MRC, ".ccp4": _MRC,
    ".vtk": _VTK, ".vtr": _VTK, ".vts": _VTK, ".vtu": _VTK, ".pvti": _VTK,
    ".czi": _MICROSCOPE, ".lif": _MICROSCOPE, ".nd2": _MICROSCOPE, ".lsm": _MICROSCOPE, ".oib": _MICROSCOPE,
    ".oif": _MICROSCOPE, ".ims": _MICROSCOPE, ".am": _MICROSCOPE,
    ".mgz": _NIBABEL, ".mgh": _NIBABEL, ".mnc": _NIBABEL, ".brik": _NIBABEL, ".head": _NIBABEL, ".par": _NIBABEL,
    ".gipl": _ITK, ".gipl.gz": _ITK,
    ".fits": _FITS, ".fit": _FITS, ".pt": _TORCH, ".pth": _TORCH,
    ".pvd": _PARAVIEW, ".vtm": _PARAVIEW, ".xdmf": _PARAVIEW, ".xmf": _PARAVIEW,
    ".txm": _VENDOR, ".txrm": _VENDOR, ".vgi": _VENDOR, ".vgl": _VENDOR, ".pcr": _VENDOR,
    ".zarr": _ZARR, ".n5": _ZARR,
    ".vol": _RAW, ".dat": _RAW,
    ".raw.gz": _UNPACK, ".npy.gz": _UNPACK, ".nrrd.gz": _UNPACK, ".mha.gz": _UNPACK, ".img.gz": _UNPACK,
    ".hdr.gz": _UNPACK, ".nii.bz2": _UNPACK, ".nii.xz": _UNPACK, ".nii.zst": _UNPACK, ".tif.gz": _UNPACK,
    ".npz.gz": _UNPACK, ".vti.gz": _UNPACK,
}  # fmt: skip


def is_foreign(path: Path) -> bool:
    """Whether a name ends like that of a volume in a format that is not read."""
    return _extension(path) in _WAYS


def not_read(path: Path) -> InputError:
    """The error for such a file: what is read instead, and the way there."""
    known = ", ".join(VOLUME_EXTENSIONS)
    return InputError(
        f"{path.name} ({_extension(path)}) is a volume in a format that is not read; read are {known}",
        _WAYS[_extension(path)].format(name=path.name),
    )


def refuse_dicom(path: Path) -> None:
    """Refuse a DICOM file, or a folder of such; they may lack an extension.

    Raises:
        InputError: it is one.
    """
    if is_folder(path):
        found = any(entry.suffix.lower() in (".dcm", ".dicom", ".ima") or _is_dicom(entry) for entry in _few(path))
    else:
        found = _is_dicom(path)
    if found:
        raise InputError(f"{path} holds DICOM slices, which are not read", _DICOM)


def refuse_slices(folder: Path) -> None:
    """Refuse a folder of pictures with one channel each, which has no poses: the slices of a volume, it seems.

    Raises:
        InputError: it is one.
    """
    pictures = [entry for entry in _few(folder) if entry.suffix.lower() in _PICTURES]
    if len(pictures) < 2 or not all(map(_is_grey, pictures)):
        return
    raise InputError(
        f"{folder} holds pictures of one channel and no poses; slices of a volume are read from one file",
        "stack them: python -c \"import glob, imageio.v3 as io, numpy; numpy.save('v.npy', numpy.stack("
        f"[io.imread(f) for f in sorted(glob.glob('{folder}/*{pictures[0].suffix}'))]))\"; cameras of photographs are"
        " found with `invrender poses`",
    )


def _is_grey(picture: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(picture) as image:
            return image.mode in ("1", "L", "I", "F") or image.mode.startswith("I;16")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def _few(folder: Path, limit: int = 20) -> list[Path]:
    return [entry for entry, _ in zip(sorted(folder.iterdir()), range(limit), strict=False) if entry.is_file()]


def _is_dicom(path: Path) -> bool:
    """Files begin with 128 bytes of anything and DICM (DICOM PS3.10, 7.1)."""
    if not is_file(path):
        return False
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _extension(path: Path) -> str:
    name = path.name.lower()
    double = "".join(Path(name).suffixes[-2:])
    return double if double in _WAYS else path.suffix.lower()
