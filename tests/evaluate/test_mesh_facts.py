"""Facts about meshes and datasets whose numbers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import trimesh

from invrender.cameras.rigs import rig
from invrender.evaluate.mesh_facts import dataset_facts, mesh_facts
from invrender.nouns import Cameras, Material, Mesh, Views

BOX = trimesh.creation.box((1, 2, 3))


def box(offset: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    return BOX.vertices + np.array([offset, 0, 0]), np.array(BOX.faces)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_a_box(offset):
    facts = mesh_facts(Mesh.from_numpy(*box(offset)))
    assert (facts.vertices, facts.faces, facts.bodies, facts.genus) == (8, 12, 1, 0)
    assert facts.low == (offset - 0.5, -1, -1.5)
    assert facts.extent == (1, 2, 3)
    assert math.isclose(facts.area, 22)
    assert facts.volume is not None and math.isclose(facts.volume, 6)
    assert facts.watertight and facts.consistent_winding
    assert (facts.boundary_edges, facts.crowded_edges, facts.degenerate_faces, facts.duplicate_faces) == (0, 0, 0, 0)
    assert not facts.uv and not facts.colours and facts.texture is None


def test_a_torus_has_one_handle_and_two_make_two():
    ring = trimesh.creation.torus(2, 0.5, major_sections=16, minor_sections=8)
    assert mesh_facts(Mesh.from_numpy(ring.vertices, ring.faces)).genus == 1
    two = trimesh.util.concatenate([ring, ring.copy().apply_translation([9, 0, 0])])
    facts = mesh_facts(Mesh.from_numpy(two.vertices, two.faces))
    assert (facts.genus, facts.bodies) == (2, 2)


def test_an_open_and_untidy_mesh():
    vertices, faces = box()
    faces = np.concatenate([faces[1:], faces[3:4], [[0, 1, 1]]])
    vertices = np.concatenate([vertices, vertices[:1], [[9, 9, 9]]])
    row, column = np.argwhere(faces == 0)[0]
    faces[row, column] = 8  # one corner goes through a second vertex at the same place
    facts = mesh_facts(Mesh.from_numpy(vertices, faces))
    assert not facts.watertight and facts.genus is None and facts.volume is None
    assert facts.boundary_edges == 3
    assert facts.crowded_edges == 3
    assert facts.unreferenced_vertices == 1
    assert facts.coincident_vertices == 1
    assert facts.degenerate_faces == 1
    assert facts.duplicate_faces == 1
    assert facts.extent == (1, 2, 3)


def test_winding_and_orientation():
    vertices, faces = box()
    inside_out = mesh_facts(Mesh.from_numpy(vertices, faces[:, ::-1].copy()))
    assert inside_out.volume is not None and math.isclose(inside_out.volume, -6)
    faces[0] = faces[0, ::-1]
    facts = mesh_facts(Mesh.from_numpy(vertices, faces))
    assert facts.watertight and not facts.consistent_winding


def test_looks():
    mesh = Mesh.from_numpy(*box())
    dressed = Mesh(
        mesh.vertices, mesh.faces, torch.zeros(8, 2), None, Material(texture=torch.zeros(4, 6, 3), name="paint")
    )
    facts = mesh_facts(dressed)
    assert (facts.uv, facts.texture, facts.material) == (True, (6, 4), "paint")


def views(cameras: Cameras, masks: torch.Tensor) -> Views:
    return Views(cameras, masks, names=tuple(f"v{i}" for i in range(len(masks))))


def test_a_ring_of_cameras():
    masks = torch.zeros(6, 20, 40)
    for i in range(6):
        masks[i, 5 : 6 + i, 10:20] = 1
    masks[5, 0, 0] = 1
    facts = dataset_facts(views(rig("orbit", 6, (1, 2, 3), 2.0, (20, 40), distance=4, fov=30, elevation=25), masks))
    assert (facts.views, facts.width, facts.height, facts.images) == (6, 40, 20, False)
    assert np.allclose(facts.target, (1, 2, 3))
    assert facts.common_target and facts.miss < 1e-9
    assert np.allclose(facts.distance, 8)
    assert np.allclose(facts.elevation, 25)
    assert facts.up == "+Y"
    assert np.allclose(facts.fov_y, 30)
    assert np.allclose(facts.fov_x, 2 * math.degrees(math.atan(2 * math.tan(math.radians(15)))))
    assert np.isclose(facts.widest_gap, 115, atol=3)  # straight down
    assert np.allclose(facts.coverage, (10 / 800, (10 * 21 + 1) / 6 / 800, 61 / 800))
    assert (facts.least_covered, facts.most_covered) == ("v0", "v5")
    assert facts.cut_off == ("v5",)


def test_cameras_of_a_z_up_world_that_look_past_each_other():
    cameras = rig("orbit", 4, (0, 0, 0), 1.0, (8, 8), elevation=0)
    turn = torch.tensor([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]], dtype=torch.float64)
    world = cameras.world_to_camera @ turn
    world[:, 0, 3] += torch.tensor([0.5, 0.5, 0.5, 0.5])
    facts = dataset_facts(views(Cameras(world, cameras.projection, (8, 8)), torch.ones(4, 8, 8)))
    assert facts.up == "+Z"
    assert not facts.common_target
    assert math.isclose(facts.miss, 0.5, rel_tol=1e-9)
