"""What each kind of work costs on one machine: seconds and bytes by method and kind, for `run.forecast`.

Measured with one thread of the reference machine by `python benchmarks/forecast.py --fit`, which also prints this file.
"""

from __future__ import annotations

from collections.abc import Mapping

MEASURED = "2026-11-27"

SECONDS: Mapping[str, Mapping[str, float]] = {
    "neural-renderer": {
        "load.process": 8.44,
        "measure.operations.network": 6.71e-11,
        "measure.pictures": 0.000374,
        "solve.operations.network": 1.54e-11,
        "solve.steps": 0.00786,
        "solve.values.network": 7.84e-09,
        "solve.weights": 9e-09,
        "write.frames": 0.0643,
    },
    "photometric": {
        "load.pixels.meshes": 1.19e-20,
        "load.process": 9.88,
        "measure.faces": 4.48e-13,
        "measure.run": 0.654,
        "solve.candidates.meshes": 4.01e-14,
        "solve.outlined": 5.8e-13,
        "solve.pixels.meshes": 1.86e-14,
        "solve.run": 13.9,
        "solve.searched": 2.9e-13,
        "start.cells": 2e-06,
        "start.columns": 9.76e-31,
        "write.faces": 6.08e-06,
        "write.frames": 0.106,
        "write.pixels": 1.47e-06,
    },
    "scattering": {
        "load.paths.scenes": 8.95e-18,
        "load.process": 12.5,
        "measure.paths.scenes": 1.2e-06,
        "solve.first.scenes": 2.65e-16,
        "solve.paths.scenes": 3.29e-17,
        "solve.steps": 1.8e-14,
        "solve.voxels": 2.26e-05,
        "write.frames": 0.183,
        "write.paths.scenes": 4.86e-07,
        "write.voxels": 2.68e-05,
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
        "load.pixels.meshes": 1.05e-18,
        "load.process": 6.63,
        "measure.faces": 7.48e-06,
        "measure.run": 0.356,
        "solve.drawn.meshes": 1.48e-08,
        "solve.faces": 1.33e-14,
        "solve.remeshed": 5.31e-05,
        "solve.steps": 0.00311,
        "solve.views.meshes": 9.28e-09,
        "start.cells": 9.33e-17,
        "start.columns": 8.36e-06,
        "write.faces": 3.93e-07,
        "write.frames": 0.0517,
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
        "start.rays": 7.43e-33,
        "start.run": 0.0219,
        "write.drawn.volumes": 4.28e-08,
        "write.frames": 0.0428,
        "write.voxels": 1.08e-06,
    },
    "volume": {
        "load.process": 5.98,
        "load.samples.volumes": 1.27e-24,
        "measure.samples.volumes": 1.02e-07,
        "solve.all": 1.3e-05,
        "solve.rays": 5.28e-06,
        "solve.samples.volumes": 1.37e-07,
        "solve.steps": 0.0432,
        "solve.voxels": 1.64e-07,
        "write.drawn.volumes": 8.57e-08,
        "write.voxels": 1.66e-15,
    },
}
"""Seconds of one unit at speed 1."""

BYTES: Mapping[str, Mapping[str, float]] = {
    "neural-renderer": {
        "process": 4.39e07,
        "task": 12.6,
        "values": 18.7,
        "weights": 1.26,
    },
    "photometric": {
        "process": 2.89e08,
        "faces": 1.6e-09,
        "own": 3.01e04,
        "pixels": 2.84e-11,
        "task": 1.35e-12,
    },
    "scattering": {
        "process": 145,
        "inside": 1.21e04,
        "paths": 0.000567,
        "pixels": 0.00491,
        "task": 29.4,
        "voxels": 2.95e03,
    },
    "scene": {
        "process": 6.08e07,
        "columns": 733,
        "rays": 6.6e03,
        "task": 33.4,
    },
    "silhouette": {
        "process": 3.87e08,
        "cells": 5.52e-10,
        "faces": 1.21e-12,
        "own": 1.64e03,
        "pixels": 27,
        "task": 3.64e-06,
    },
    "transmittance": {
        "process": 4.1e07,
        "rays": 91.3,
        "task": 14.1,
        "voxels": 67.3,
    },
    "volume": {
        "process": 8.77e07,
        "rays": 0.00137,
        "shots": 1.76e-06,
        "taken": 89.8,
        "task": 4.98,
        "voxels": 2.11e-05,
    },
}
"""Bytes of one unit; `process`: what the method imports later than it is told."""
