"""Reconstruction problems: parameterisation, rendering and loss put together, one file per method."""
