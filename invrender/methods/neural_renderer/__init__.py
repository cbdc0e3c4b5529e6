"""Training networks to render voxels."""
