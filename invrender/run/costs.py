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
        "load.pixels.meshes": 9.5e-06,
        "load.process": 4.61,
        "measure.faces": 1.72e-05,
        "measure.run": 0.304,
        "solve.candidates.meshes": 1.32e-05,
        "solve.outlined": 0.000588,
        "solve.pixels.meshes": 6.52e-06,
        "solve.run": 2.37,
        "solve.searched": 0.000294,
        "start.cells": 8.64e-07,
        "start.columns": 2.02e-06,
        "write.faces": 6.93e-06,
        "write.frames": 0.056,
        "write.pixels": 6.4e-06,
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
        "load.process": 6.06,
        "load.samples.volumes": 4.61e-24,
        "measure.samples.volumes": 9.5e-08,
        "solve.all": 2.53e-05,
        "solve.rays": 2.33e-07,
        "solve.samples.volumes": 4.02e-08,
        "solve.steps": 0.00191,
        "solve.voxels": 8.3e-07,
        "write.drawn.volumes": 6.27e-08,
        "write.voxels": 4.73e-06,
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
        "process": 4.99e08,
        "faces": 2e03,
        "own": 1e03,
        "pixels": 60,
        "task": 1,
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
        "process": 1.9e07,
        "asset": 1.9e07,
        "rays": 144,
        "shots": 18.6,
        "taken": 46.7,
        "task": 1.12,
        "voxels": 91.7,
    },
}
"""Bytes of one unit; `process`: what the method imports later than it is told."""
