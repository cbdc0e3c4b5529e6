"""Shading: the light that surfaces and densities reflect."""
