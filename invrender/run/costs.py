"""What each kind of work costs on one machine: seconds and bytes by method and kind, for `run.forecast`.

Measured with one thread of the reference machine by `python benchmarks/forecast.py --fit`, which also prints this file.
"""

from __future__ import annotations

from collections.abc import Mapping

MEASURED = "2026-11-27"

SECONDS: Mapping[str, Mapping[str, float]] = {
    "neural-renderer": {
        "load.process": 4.82,
        "measure.operations.network": 1.26e-11,
        "measure.pictures": 0.000678,
        "solve.operations.network": 1.4e-11,
        "solve.steps": 0.00752,
        "solve.values.network": 1.02e-08,
        "solve.weights": 7.47e-09,
        "write.frames": 0.0755,
    },
    "photometric": {
        "load.pixels.meshes": 9.71e-21,
        "load.process": 9.88,
        "measure.faces": 6.29e-13,
        "measure.run": 0.654,
        "solve.candidates.meshes": 4.13e-14,
        "solve.outlined": 6.23e-13,
        "solve.pixels.meshes": 1.92e-14,
        "solve.run": 13.9,
        "solve.searched": 3.11e-13,
        "start.cells": 2e-06,
        "start.columns": 3.81e-26,
        "write.faces": 6.1e-06,
        "write.frames": 0.106,
        "write.pixels": 1.51e-06,
    },
    "scattering": {
        "load.paths.scenes": 4.31e-06,
        "load.process": 5.2,
        "measure.paths.scenes": 1.24e-06,
        "solve.first.scenes": 9.48e-06,
        "solve.paths.scenes": 1.42e-06,
        "solve.steps": 0.0321,
        "solve.voxels": 4.68e-06,
        "write.frames": 0.145,
        "write.paths.scenes": 3.7e-07,
        "write.voxels": 6.3e-05,
    },
    "scene": {
        "load.process": 7.29,
        "load.rays.scenes": 0.000207,
        "solve.columns.scenes": 1.3e-05,
        "solve.steps": 0.634,
        "write.frames": 0.0932,
        "write.shots.scenes": 2.65e-06,
    },
    "silhouette": {
        "load.pixels.meshes": 2.08e-18,
        "load.process": 6.61,
        "measure.faces": 7.5e-06,
        "measure.run": 0.354,
        "solve.drawn.meshes": 5.8e-09,
        "solve.faces": 5.07e-07,
        "solve.remeshed": 2.53e-05,
        "solve.steps": 0.003,
        "solve.views.meshes": 2.49e-08,
        "start.cells": 3.63e-24,
        "start.columns": 8.29e-06,
        "write.faces": 4.32e-07,
        "write.frames": 0.0491,
    },
    "transmittance": {
        "load.process": 5.83,
        "load.samples.volumes": 1.36e-07,
        "measure.samples.volumes": 2.58e-08,
        "measure.voxels": 2.65e-07,
        "solve.passes": 0.0236,
        "solve.samples.volumes": 2.36e-09,
        "solve.voxels.volumes": 4.37e-08,
        "start.carved.volumes": 3.39e-08,
        "start.rays": 1.13e-33,
        "start.run": 0.0221,
        "write.drawn.volumes": 4.28e-08,
        "write.frames": 0.0428,
        "write.voxels": 1.08e-06,
    },
    "volume": {
        "load.process": 5.98,
        "load.samples.volumes": 1.13e-24,
        "measure.samples.volumes": 1.02e-07,
        "solve.all": 1.3e-05,
        "solve.rays": 5.27e-06,
        "solve.samples.volumes": 1.37e-07,
        "solve.steps": 0.0432,
        "solve.voxels": 1.64e-07,
        "write.drawn.volumes": 8.57e-08,
        "write.voxels": 1.58e-15,
    },
}
"""Seconds of one unit at speed 1."""

BYTES: Mapping[str, Mapping[str, float]] = {
    "neural-renderer": {
        "process": 1.11e08,
        "task": 2.65,
        "values": 7.67,
        "weights": 1.17,
    },
    "photometric": {
        "process": 5.69e08,
        "faces": 1.07e-05,
        "own": 1e03,
        "pixels": 1.32e-08,
        "task": 4.28e-11,
    },
    "scattering": {
        "process": 6.99e07,
        "asset": 6.99e07,
        "inside": 20,
        "paths": 100,
        "pixels": 60,
        "task": 1,
        "voxels": 60,
    },
    "scene": {
        "process": 2.39e08,
        "columns": 16,
        "rays": 120,
        "task": 1,
    },
    "silhouette": {
        "process": 3.86e08,
        "cells": 1.29e-10,
        "faces": 760,
        "own": 912,
        "pixels": 15.9,
        "task": 7.16e-16,
    },
    "transmittance": {
        "process": 5.87e07,
        "asset": 1.15e08,
        "rays": 120,
        "task": 1,
        "voxels": 60,
    },
    "volume": {
        "process": 6.71e07,
        "asset": 6.71e07,
        "rays": 69.5,
        "shots": 10.5,
        "taken": 25,
        "task": 0.726,
        "voxels": 5.78e-06,
    },
}
"""Bytes of one unit; `process`: what the method imports later than it is told."""
