"""Pictures by parallel cameras: what pinholes show that move away and look closer, in all modes, and their gradients."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import trimesh

from invrender.backends import select
from invrender.cameras.around import around
from invrender.cameras.parallel import extents
from invrender.cameras.rigs import mesh_frame
from invrender.kernels import Backend
from invrender.nouns import Cameras, Lights, Material, Mesh, Scene, Volume
from invrender.render import traced
from invrender.render.absorption import optical_depth
from invrender.render.emission import VolumeStyle, render_volume
from invrender.render.raster import normals, render
from invrender.render.transfer import transfer_function
from invrender.samples import VOLUMES
from invrender.shading.density_gradient import Lighting
from tests.render.slopes import agree, shifted, weight

SIDE = 32
RING = trimesh.creation.torus(1.0, 0.35, major_sections=24, minor_sections=12)
MESH = replace(Mesh.from_numpy(RING.vertices + [2, 0, 1], RING.faces), material=Material((0.7, 0.4, 0.2)))
VIEW = {"elevation": 35.0, "azimuth": 20.0}


@pytest.fixture(scope="module", params=["torch", "cpu"])
def kernels(request: pytest.FixtureRequest) -> Backend:
    return select(request.param, needs=("meshes", "volumes"))


def flat(asset: Mesh | Volume) -> Cameras:
    return around(asset, "orbit", 2, SIDE, parallel=True, **VIEW)


def from_afar(asset: Mesh | Volume, distance: float) -> Cameras:
    """Pinholes that show as much of the object's middle, from so many of its sizes away."""
    size = asset.frame[1] if isinstance(asset, Volume) else mesh_frame(asset.vertices, asset.faces)[1]
    half = float(extents(flat(asset))[0]) / 2
    fov = 2 * math.degrees(math.atan(half / (distance * size)))
    return around(asset, "orbit", 2, SIDE, distance=distance, fov=fov, **VIEW)


def drawn(mode: str, cameras: Cameras, backend: Backend) -> torch.Tensor:
    scene = Scene(MESH, Lights((0.3, 1.0, 0.5)))
    if mode == "raytraced":
        return traced.layers(scene, cameras, backend)
    if mode == "normals":
        return normals(MESH, cameras, backend)
    return render(scene, cameras, mode, backend)


@pytest.mark.parametrize("mode", ["silhouette", "normal", "shaded", "color", "raytraced", "normals"])
def test_pinholes_come_to_the_same_picture_as_they_move_away(kernels: Backend, mode: str) -> None:
    picture = drawn(mode, flat(MESH), kernels)
    apart = [float((picture - drawn(mode, from_afar(MESH, far), kernels)).abs().mean()) for far in (10, 100, 2000)]
    assert apart[0] > 2.5 * apart[1] > 2.5 * apart[2]
    assert apart[2] < 2e-3


def test_depth_is_the_distance_from_the_plane_that_rays_start_in(kernels: Backend) -> None:
    cameras = flat(MESH)
    depth = drawn("depth", cameras, kernels)[..., 0].double()
    hit = depth.isfinite()
    assert 0.2 < float(hit.double().mean()) < 0.9
    scale = mesh_frame(MESH.vertices, MESH.faces)[1]
    far = drawn("depth", from_afar(MESH, 1000), kernels)[..., 0].double() - (1000 - 3) * scale
    both = hit & far.isfinite()
    assert float((hit != far.isfinite()).double().mean()) < 0.01
    assert float((depth - far)[both].abs().median()) < 2e-3


def test_highlights_look_along_the_rays(kernels: Backend) -> None:
    """A mirror-like plate across the axis, lit from the camera's back, is equally bright all over."""
    plate = trimesh.creation.box((2.0, 2.0, 0.02))
    mesh = Mesh.from_numpy(plate.vertices, plate.faces)
    mesh = replace(mesh, material=Material(metallic=1.0, roughness=0.3))
    cameras = around(mesh, "orbit", 1, SIDE, elevation=0.0, parallel=True, extent=1.0)
    picture = render(Scene(mesh, Lights((0.0, 0.0, 1.0))), cameras, "shaded", kernels)
    assert float(picture.std()) < 1e-5 < float(picture.mean())
    pinholes = around(mesh, "orbit", 1, SIDE, elevation=0.0, distance=3.0, fov=20.0)
    assert float(render(Scene(mesh, Lights((0.0, 0.0, 1.0))), pinholes, "shaded", kernels).std()) > 1e-3


@pytest.mark.parametrize("unit", [1.0, 1e-18, 1e18])
def test_volumes_come_to_the_same_pictures_whatever_their_unit(kernels: Backend, unit: float) -> None:
    sample = VOLUMES["double-sphere"](12)
    volume = Volume(sample.values, sample.bounds.double() * unit)
    depth = optical_depth(volume, flat(volume), kernels) / unit
    far = optical_depth(volume, from_afar(volume, 1000), kernels) / unit
    assert float((depth - far).abs().max()) < 5e-3 * float(depth.max())
    style = VolumeStyle(transfer_function(volume), Lighting())
    picture, beside = (render_volume(volume, each, style, kernels) for each in (flat(volume), from_afar(volume, 1000)))
    assert float(picture[..., 3].max()) > 0.1
    assert float((picture - beside).abs().mean()) < 2e-3


@pytest.mark.parametrize(("mode", "rel"), [("silhouette", 0.02), ("shaded", 1e-4)])
@pytest.mark.parametrize("what", ["vertices", "cameras"])
def test_gradients_of_pictures(what: str, mode: str, rel: float) -> None:
    """An object is moved and stretched, or cameras move and zoom; coverage is an estimate, colours are exact."""
    cameras, backend = flat(MESH), select("torch")
    weights = weight(cameras, 1 if mode == "silhouette" else 3)

    def value(change: torch.Tensor) -> torch.Tensor:
        mesh, seen = MESH, cameras
        if what == "vertices":
            mesh = replace(MESH, vertices=MESH.vertices.double() * (1 + change[3:]) + change[:3])
        else:
            zoom = torch.cat([1 + change[3:5], torch.ones(2, dtype=torch.float64)])
            seen = Cameras(cameras.world_to_camera, cameras.projection * zoom[:, None], cameras.size)
            seen = shifted(seen, change[:3])
        return (render(Scene(mesh), seen, mode, backend, dtype=torch.float64) * weights).sum()

    gradient = agree(value, torch.zeros(6, dtype=torch.float64), rel=rel)
    assert float(gradient.norm()) > 1
    if what == "cameras":
        assert abs(float(gradient[2])) < 1e-6 * float(gradient.norm())  # along the axis nothing changes
