"""Data sets of voxels and pictures, from which networks learn to render."""
