"""Networks that render voxels: geometry in, pictures out."""
