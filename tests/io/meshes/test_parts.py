"""Joining parts: what each showed alone, it shows in the one mesh."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from invrender.io.meshes import atlas
from invrender.io.meshes.parts import Part, join
from invrender.nouns import Material, Mesh
from invrender.shading.texture import albedo

SQUARE = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
FACES = np.array([[0, 1, 2], [0, 2, 3]])
UV = SQUARE[:, :2].copy()


def picture(seed: int, height: int = 6, width: int = 5) -> torch.Tensor:
    return torch.rand(height, width, 3, generator=torch.Generator().manual_seed(seed))


def part(texture: torch.Tensor | None = None, uv: np.ndarray | None = UV, **more: object) -> Part:
    return replace(Part(SQUARE, FACES, uv, None, Material((1.0, 0.5, 0.25), texture, "own")), **more)


def seen(mesh: Mesh, faces: slice = slice(None), count: int = 40) -> torch.Tensor:
    """Colours at points spread over each face [F,count,3]."""
    weights = torch.rand(count, 3, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    weights = weights / weights.sum(dim=1, keepdim=True)
    corners = mesh.faces[faces]
    uv = None if mesh.uv is None else torch.einsum("pk,fkc->fpc", weights, mesh.uv[corners])
    colours = None if mesh.colours is None else torch.einsum("pk,fkc->fpc", weights, mesh.colours[corners])
    return albedo(mesh.material, uv, colours).double().expand(len(corners), count, 3)


def check_alike(parts: list[Part], tolerance: float = 1e-5) -> Mesh:
    """The mesh of all of them, after comparing it with each of them alone."""
    mesh = join(parts)
    start = 0
    for each in parts:
        stop = start + len(each.faces)
        assert torch.allclose(seen(mesh, slice(start, stop)), seen(join([each])), atol=tolerance)
        assert torch.equal(mesh.vertices[mesh.faces[start:stop]], torch.from_numpy(each.vertices[each.faces]))
        start = stop
    return mesh


def test_parts_without_any_appearance_stay_plain():
    mesh = join([Part(SQUARE, FACES), Part(SQUARE + 5, FACES)])
    assert mesh.material.is_default
    assert mesh.colours is None
    assert mesh.uv is None
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]]


def test_one_material_keeps_its_texture_for_all():
    shared = part(picture(1))
    mesh = check_alike([shared, replace(shared, colours=np.full((4, 3), 0.5))])
    assert mesh.material is shared.material
    assert mesh.vertices.shape == (8, 3)


def test_flat_materials_become_vertex_colours():
    mesh = check_alike([part(), part(material=Material((0.0, 0.0, 0.2))), Part(SQUARE, FACES)])
    assert mesh.material.texture is None
    assert mesh.colours is not None
    assert mesh.colours[[0, 4, 8]].tolist() == [[1, 0.5, 0.25], [0, 0, 0.2], [0.8, 0.8, 0.8]]


def test_several_textures_stay_textures_beside_flat_and_coloured_parts():
    parts = [
        part(picture(1)),
        part(picture(2, 9, 3), uv=UV * 0.5 + 0.2),
        part(),
        Part(SQUARE, FACES),
        part(picture(1), uv=None),
        Part(SQUARE, FACES, None, np.linspace(0, 1, 12).reshape(4, 3)),
        part(picture(3), colours=np.linspace(1, 0, 12).reshape(4, 3)),
    ]
    mesh = check_alike(parts)
    assert mesh.material.texture is not None
    assert mesh.vertices.shape == (28, 3)


def test_repeats_and_far_cells_show_the_same():
    check_alike([part(picture(1), uv=UV * 1.5 - 0.7), part(picture(2), uv=UV + 1000), part(picture(3), uv=-3 * UV)])


def test_a_texture_that_repeats_often_doubles_vertices_rather_than_texels():
    steps = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), axis=-1).reshape(-1, 2)
    corner = np.add.outer(20 * np.arange(19), np.arange(19)).reshape(-1)
    faces = np.stack([corner, corner + 1, corner + 21], axis=1)
    floor = part(
        picture(4, 200, 200), vertices=np.pad(steps, ((0, 0), (0, 1))), faces=faces, uv=steps * [0.7, 0.5] + 0.1
    )
    mesh = check_alike([floor, part(picture(5))])
    assert mesh.material.texture is not None
    assert mesh.material.texture[..., 0].numel() < 6 * 200 * 200


def test_a_face_with_too_many_repeats_is_coarser_and_says_so(caplog):
    mean = picture(1, 64, 64).mean(dim=(0, 1)).double() * torch.tensor([1.0, 0.5, 0.25])
    mesh = join([part(picture(1, 64, 64), uv=UV * 1e6), part(picture(2))])
    assert "repeats" in caplog.text
    assert torch.allclose(seen(mesh, slice(0, 2)), mean.expand(2, 40, 3), atol=0.02)
    assert torch.isfinite(seen(join([part(picture(1), uv=UV * 1e30), part(picture(2))]))).all()


@pytest.mark.parametrize("repeats", [600, 20_000, 1e7])
def test_a_face_that_repeats_along_one_side_costs_the_others_nothing(caplog, repeats):
    other = part(picture(2, 32, 32))
    mesh = join([part(picture(1, 8, 8), uv=UV * [repeats, 1]), other])
    assert torch.allclose(seen(mesh, slice(2, 4)), seen(join([other])), atol=1e-5)
    assert "repeats" in caplog.text
    assert "joined" not in caplog.text
    mean = picture(1, 8, 8).mean(dim=(0, 1)).double() * torch.tensor([1.0, 0.5, 0.25])
    assert torch.allclose(seen(mesh, slice(0, 2), 4000).mean(dim=(0, 1)), mean, atol=0.05)


def test_an_atlas_over_the_limit_is_scaled_down_and_says_so(caplog, monkeypatch):
    monkeypatch.setattr(atlas, "MAX_SIDE", 100)
    mesh = join([part(torch.full((90, 80, 3), 0.1 * k)) for k in range(1, 5)])
    assert mesh.material.texture is not None
    assert max(mesh.material.texture.shape) <= 100
    assert "% of their size" in caplog.text
    colours = [seen(mesh, slice(2 * k, 2 * k + 2)).mean().item() for k in range(4)]
    assert colours == pytest.approx([0.1 * k * 1.75 / 3 for k in range(1, 5)], abs=1e-5)
