"""Volume files: VTI, NPZ, NPY, NRRD, NIfTI, MetaImage, raw, OpenVDB."""
