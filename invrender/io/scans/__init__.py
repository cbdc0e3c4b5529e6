"""Scans of X-ray, neutron or optical tomography: a file of numbers beside projections, flat and dark frames."""

from invrender.io.scans.read import is_scan, read_geometry, read_scan
from invrender.io.scans.write import scan_table, write_scan

__all__ = ["is_scan", "read_geometry", "read_scan", "scan_table", "write_scan"]
