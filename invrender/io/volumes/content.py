"""What a file is by its first bytes, where its name says something else: for the remedies of messages."""

from __future__ import annotations

from pathlib import Path

from invrender.io.files.stand_ins import stand_in

_MOST = 512
_SIGNS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x93NUMPY", ".npy"),
    (0, b"PK\x03\x04", ".npz"),
    (0, b"NRRD000", ".nrrd"),
    (0, b"II*\0", ".tif"),
    (0, b"MM\0*", ".tif"),
    (344, b"n+1\0", ".nii"),
    (4, b"n+2\0", ".nii"),
    (0, b"ObjectType", ".mha"),
    (0, b"# vtk DataFile", ".vtk"),
    (0, b"\x89HDF\r\n", ".h5"),
    (208, b"MAP ", ".mrc"),
    (128, b"DICM", ".dcm"),
)
_PICKLE = "it is a pickle, which could run any program: save a plain array with numpy.save"
_NO_VOLUMES: tuple[tuple[bytes | tuple[bytes, ...], str], ...] = (
    (b"envi", "it is the header of an ENVI image: name the data .raw and give the --shape and --dtype that it tells"),
    (b"!interfile", "it is an Interfile header: name the data .raw and give the --shape and --dtype that it tells"),
    (b"\x89png", "it is a picture, not a volume"),
    (b"\xff\xd8\xff", "it is a picture, not a volume"),
    ((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"), _PICKLE),
)


def remedy_by_content(path: Path) -> str | None:
    """What to do about a file whose content is not what its name says; None where it may well be."""
    try:
        with path.open("rb") as file:
            start = file.read(_MOST)
    except OSError:
        return None
    extension = path.suffix.lower()
    instead = stand_in(start)
    if instead is not None:
        return f"it is {instead[0]}; {instead[1]}"
    for signs, remedy in _NO_VOLUMES:
        if start.lower().startswith(signs):
            return remedy
    for offset, sign, kind in _SIGNS:
        if start[offset:].startswith(sign) and kind != extension and (kind, extension) != (".nrrd", ".nhdr"):
            return f"by its content it is a {kind} file: give it a name that ends so"
    if start.startswith(b"\x1f\x8b") and extension != ".gz":
        packed = path.name + ".gz"
        return f"it is packed with gzip: mv {path.name} {packed}" + (
            "" if extension == ".nii" else f"; gunzip {packed}"
        )
    return None
