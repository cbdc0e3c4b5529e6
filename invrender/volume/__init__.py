"""Volumes: densities on grids, what light does in them, and how it is estimated."""
