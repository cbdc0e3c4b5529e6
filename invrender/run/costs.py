"""What each kind of work costs on one machine: seconds and bytes by method and kind, for `run.forecast`.

Measured with one thread of the reference machine by `python benchmarks/forecast.py --fit`, which also prints this file.
"""

from __future__ import annotations

from collections.abc import Mapping

MEASURED = "2026-11-27"

SECONDS: Mapping[str, Mapping[str, float]] = {
    "neural-renderer": {
        "load.process": 4.78,
        "measure.operations.network": 1.25e-11,
        "measure.pictures": 0.000673,
        "solve.operations.network": 1.39e-11,
        "solve.steps": 0.00754,
        "solve.values.network": 1.02e-08,
        "solve.weights": 7.44e-09,
        "write.frames": 0.0748,
    },
    "photometric": {
        "load.pixels.meshes": 7.07e-06,
        "load.process": 5.67,
        "measure.faces": 2.17e-05,
        "measure.run": 3.56e-10,
        "solve.candidates.meshes": 3.14e-05,
        "solve.field.volumes": 0.298,
        "solve.outlined": 2.19e-14,
        "solve.pixels.meshes": 1.25e-05,
        "solve.run": 7.34e-11,
        "solve.searched": 1.1e-14,
        "start.cells": 4.23e-07,
        "start.columns": 4.66e-06,
        "write.faces": 9.83e-06,
        "write.frames": 0.00556,
        "write.pixels": 8.02e-06,
    },
    "scattering": {
        "load.paths.scenes": 4.29e-06,
        "load.process": 5.18,
        "measure.paths.scenes": 1.23e-06,
        "solve.first.scenes": 9.46e-06,
        "solve.paths.scenes": 1.42e-06,
        "solve.steps": 0.0321,
        "solve.voxels": 4.67e-06,
        "write.frames": 0.145,
        "write.paths.scenes": 3.69e-07,
        "write.voxels": 6.28e-05,
    },
    "scene": {
        "load.process": 10.2,
        "load.rays.scenes": 0.000118,
        "solve.columns.scenes": 1.5e-05,
        "solve.steps": 0.526,
        "solve.tried.scenes": 9.83e-06,
        "write.frames": 0.058,
        "write.shots.scenes": 3.71e-06,
        "solve.adjoints.scenes": 1.5e-05,
        "solve.blurred.scenes": 1.5e-05,
        "solve.posterior.scenes": 1.5e-05,
    },
    "silhouette": {
        "load.pixels.meshes": 6.88e-19,
        "load.process": 6.56,
        "measure.faces": 7.65e-06,
        "measure.run": 0.349,
        "solve.drawn.meshes": 6.63e-09,
        "solve.faces": 5.01e-07,
        "solve.remeshed": 2.51e-05,
        "solve.steps": 0.00296,
        "solve.views.meshes": 2.53e-08,
        "start.cells": 3.86e-16,
        "start.columns": 8.21e-06,
        "write.faces": 4.56e-07,
        "write.frames": 0.0484,
    },
    "transmittance": {
        "load.process": 4.45,
        "load.samples.volumes": 9.94e-18,
        "measure.samples.volumes": 2.39e-08,
        "measure.voxels": 1.64e-08,
        "solve.passes": 0.027,
        "solve.samples.volumes": 2.41e-09,
        "solve.voxels.volumes": 3.29e-09,
        "start.carved.volumes": 7.45e-21,
        "start.rays": 4.26e-07,
        "start.run": 7.94e-13,
        "write.drawn.volumes": 3.32e-08,
        "write.frames": 0.055,
        "write.voxels": 3.64e-07,
    },
    "volume": {
        "load.process": 6,
        "load.samples.volumes": 5.9e-25,
        "measure.samples.volumes": 9.41e-08,
        "solve.all": 2.51e-05,
        "solve.rays": 2.5e-07,
        "solve.samples.volumes": 4.04e-08,
        "solve.steps": 0.00205,
        "solve.voxels": 8.2e-07,
        "write.drawn.volumes": 6.15e-08,
        "write.voxels": 5.12e-06,
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
        "process": 4.91e08,
        "faces": 2.31e03,
        "field": 2.55e08,
        "own": 3.89e-08,
        "pixels": 82.3,
        "task": 1.14,
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
        "columns": 7.1,
        "rays": 0.000218,
        "task": 0.684,
    },
    "silhouette": {
        "process": 1.66e08,
        "cells": 1.29e-10,
        "faces": 760,
        "own": 912,
        "pixels": 15.9,
        "task": 7.16e-16,
    },
    "transmittance": {
        "process": 6.61e07,
        "counted": 1,
        "own": 4.81e07,
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
