"""Photographs whose exposures differ, made equal before anything else looks at their colours."""

from __future__ import annotations

from dataclasses import replace

import torch

from invrender.geometry.vectors import vertex_normals
from invrender.kernels import Backend
from invrender.methods.photometric.settings import PhotometricSettings
from invrender.methods.photometric.task import Task
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.start import first_shape
from invrender.photometry.exposure import exposed_views, exposure_gains
from invrender.photometry.photos import photos_in
from invrender.photometry.sampling import depth_buffer, look_at_points


def equalised(task: Task, settings: PhotometricSettings, backend: Backend) -> Task:
    """The task with the light of its views multiplied so that they agree on the hull, where exposures are unknown.

    The hull is not the object, but each gain is told by thousands of its points.
    """
    if "exposure" not in settings.optimize:
        return task
    hull = first_shape(task.views, SilhouetteSettings(settings.input), backend)
    vertices, faces = torch.from_numpy(hull.shape.vertices), torch.from_numpy(hull.shape.faces)
    photos = photos_in(hull.frame, task.views)
    depth = depth_buffer(vertices, faces, photos.clip_from_object, photos.size, backend)
    normals = torch.from_numpy(vertex_normals(hull.shape.vertices, hull.shape.faces))
    gains = exposure_gains(look_at_points(vertices, normals, photos, depth))
    return replace(task, views=exposed_views(task.views, gains), gains=gains)
