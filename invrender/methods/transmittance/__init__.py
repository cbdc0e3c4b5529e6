"""A density grid from transmittance images."""
