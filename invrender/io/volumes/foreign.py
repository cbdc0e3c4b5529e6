"""The names of volume formats: those that are read, and of others how to get from each to one that is."""

from __future__ import annotations

from pathlib import Path

from invrender.errors import InputError

VOLUME_EXTENSIONS = (
    ".npz", ".npy", ".vti", ".nrrd", ".nhdr", ".nii", ".nii.gz", ".hdr", ".img", ".mha", ".mhd", ".tif", ".tiff",
    ".raw", ".vdb",
)  # fmt: skip
"""Of the formats that are read."""

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

_WAYS = {
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
    known = ", ".join(VOLUME_EXTENSIONS) + ", DICOM"
    return InputError(
        f"{path.name} ({_extension(path)}) is a volume in a format that is not read; read are {known}",
        _WAYS[_extension(path)].format(name=path.name),
    )


def _extension(path: Path) -> str:
    name = path.name.lower()
    double = "".join(Path(name).suffixes[-2:])
    return double if double in _WAYS else path.suffix.lower()
