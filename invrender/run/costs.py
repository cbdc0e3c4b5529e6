"""What each kind of work costs on one machine: seconds and bytes by method and kind, for `run.forecast`.

Measured with one thread of the reference machine by `python benchmarks/forecast.py --fit`, which also prints this file.
"""

from __future__ import annotations

from collections.abc import Mapping

MEASURED = "2026-11-27"

SECONDS: Mapping[str, Mapping[str, float]] = {
    "neural-renderer": {
        "load.process": 0.261,
        "measure.operations.network": 2.33e-11,
        "measure.pictures": 0.000619,
        "solve.operations.network": 2.33e-11,
        "solve.steps": 0.00117,
        "solve.values.network": 6.8e-09,
        "solve.weights": 1.33e-08,
        "write.frames": 0.0728,
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
        "load.paths.scenes": 4.31e-06,
        "load.process": 5.2,
        "measure.paths.scenes": 1.24e-06,
        "solve.first.scenes": 9.48e-06,
        "solve.paths.scenes": 1.42e-06,
        "solve.steps": 0.0322,
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
        "load.pixels.meshes": 2.2e-18,
        "load.process": 6.62,
        "measure.faces": 7.5e-06,
        "measure.run": 0.355,
        "solve.drawn.meshes": 5.75e-09,
        "solve.faces": 5.07e-07,
        "solve.remeshed": 2.54e-05,
        "solve.steps": 0.00301,
        "solve.views.meshes": 2.49e-08,
        "start.cells": 4.05e-24,
        "start.columns": 8.29e-06,
        "write.faces": 4.31e-07,
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
        "process": 7.91e07,
        "task": 5.77,
        "values": 24,
        "weights": 0.577,
    },
    "photometric": {
        "process": 2.89e08,
        "faces": 1.6e-09,
        "own": 3.01e04,
        "pixels": 2.84e-11,
        "task": 1.35e-12,
    },
    "scattering": {
        "process": 2.14e07,
        "inside": 4.75e03,
        "own": 2.14e07,
        "paths": 327,
        "pixels": 1.74e03,
        "task": 11.5,
        "voxels": 1.55e03,
    },
    "scene": {
        "process": 6.08e07,
        "columns": 733,
        "rays": 6.6e03,
        "task": 33.4,
    },
    "silhouette": {
        "process": 3.57e08,
        "cells": 1e-16,
        "faces": 1.75e-12,
        "own": 5.21e03,
        "pixels": 2.58e-20,
        "task": 3.8,
    },
    "transmittance": {
        "process": 3.98e07,
        "own": 8.86e07,
        "rays": 145,
        "task": 9.6,
        "voxels": 42.8,
    },
    "volume": {
        "process": 5.27e07,
        "own": 5.27e07,
        "rays": 43.1,
        "shots": 0.286,
        "taken": 72.9,
        "task": 3.34,
        "voxels": 3.43,
    },
}
"""Bytes of one unit; `process`: what the method imports later than it is told."""
