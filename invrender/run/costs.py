"""What each kind of work costs on one machine: seconds and bytes by method and kind, for `run.forecast`.

Measured with one thread of the reference machine by `python benchmarks/forecast.py --fit`, which also prints this file.
"""

from __future__ import annotations

from collections.abc import Mapping

MEASURED = "2026-11-27"

SECONDS: Mapping[str, Mapping[str, float]] = {}
"""Seconds of one unit at speed 1."""

BYTES: Mapping[str, Mapping[str, float]] = {}
"""Bytes of one unit; `process`: what the method's process holds beside, its later imports included."""
