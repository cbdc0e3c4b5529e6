"""Which lens the pictures ask for: the simplest whose bundle adjustment no other beats by more than chance would.

Distortion that is not there fits noise: it bends the focal length, and with it the whole scene. So each model has to
lower the mean reprojection error of the one before it by half a percent. Measured: renderings keep the plain pinhole;
a cropped series of photographs asks for the principal point, a phone for that and two radial terms.
"""

from __future__ import annotations

from typing import Any

from invrender.poses.structure import load_colmap

_LADDER = (
    ("SIMPLE_PINHOLE", False),
    ("SIMPLE_PINHOLE", True),
    ("SIMPLE_RADIAL", False),
    ("SIMPLE_RADIAL", True),
    ("RADIAL", False),
    ("RADIAL", True),
    ("OPENCV", True),
)
"""COLMAP's name, and whether the principal point is free."""

_GAIN = 0.995
_PICTURES = 12  # of one lens, from which on its principal point and more than one radial term can be told


def settle_lenses(reconstruction: Any) -> Any:
    """The reconstruction with the lens model that its pictures ask for, all cameras of one model."""
    colmap = load_colmap()
    pictures = int(reconstruction.num_reg_images()) / max(1, len(reconstruction.cameras))
    best, error = None, float("inf")
    for name, centre in _LADDER:
        if pictures < _PICTURES and (centre or name not in ("SIMPLE_PINHOLE", "SIMPLE_RADIAL")):
            continue
        trial = _adjusted(colmap, reconstruction, name, centre)
        now = float(trial.compute_mean_reprojection_error())
        if best is None or now < _GAIN * error:
            best, error = trial, now
    return best


def _adjusted(colmap: Any, reconstruction: Any, name: str, centre: bool) -> Any:
    trial = colmap.Reconstruction(reconstruction)
    for camera in trial.cameras.values():
        focal, bent = float(camera.params[0]), [*map(float, camera.params[3:]), 0.0, 0.0][:2]
        middle = [camera.principal_point_x, camera.principal_point_y]
        camera.model = getattr(colmap.CameraModelId, name)
        camera.params = {
            "SIMPLE_PINHOLE": [focal, *middle],
            "SIMPLE_RADIAL": [focal, *middle, bent[0]],
            "RADIAL": [focal, *middle, *bent],
            "OPENCV": [focal, focal, *middle, *bent, 0.0, 0.0],
        }[name]
    _adjust(colmap, trial, centre)
    trial.update_point_3d_errors()
    return trial


def _adjust(colmap: Any, trial: Any, centre: bool) -> None:
    """Bundle adjustment in place. `pycolmap.bundle_adjustment` would write to stderr, whatever its logging is told."""
    options = colmap.BundleAdjustmentOptions()
    options.refine_principal_point = centre
    options.print_summary = False
    options.ceres.solver_options.num_threads = 1
    config = colmap.BundleAdjustmentConfig()
    for number in trial.reg_image_ids():
        config.add_image(number)
    config.fix_gauge(colmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    colmap.create_default_bundle_adjuster(options, config, trial).solve()
