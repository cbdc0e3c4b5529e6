"""What .mtl files say of highlights, mirrors, emission and opacity: read, joined, and written again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pygltflib
import pytest
import torch
import trimesh
from PIL import Image

from invrender.evaluate.mesh_facts import mesh_facts
from invrender.io.meshes.read import read_mesh
from invrender.io.meshes.write import write_mesh
from invrender.nouns import Material, Mesh
from invrender.shading.finish import of_rows

QUAD = "v {0} 0 0\nv {1} 0 0\nv {1} 1 0\nv {0} 1 0\n"
PLASTIC = "Kd 0.6 0.1 0.1\nKs 0.5 0.4 0.3\nNs 250\n"  # what Blender writes, but for the colours
BLACK = (0.0, 0.0, 0.0)
KS = (0.5, 0.4, 0.3)


def read(folder: Path, *materials: str) -> Mesh:
    """A row of squares, one of each material."""
    lines = ["mtllib a.mtl", "vt 0 0", "vt 1 0", "vt 1 1", "vt 0 1"]
    for k in range(len(materials)):
        corners = " ".join(f"{4 * k + j + 1}/{j + 1}" for j in range(4))
        lines += [QUAD.format(k, k + 1).strip(), f"usemtl m{k}", f"f {corners}"]
    (folder / "a.obj").write_text("\n".join(lines) + "\n")
    (folder / "a.mtl").write_text("".join(f"newmtl m{k}\n{text}\n" for k, text in enumerate(materials)))
    return read_mesh(folder / "a.obj")


@pytest.mark.parametrize(
    ("model", "specular", "mirror", "unlit"),
    [
        ("", KS, BLACK, False),
        ("illum 0", BLACK, BLACK, True),
        ("illum 1", BLACK, BLACK, False),
        ("illum 2", KS, BLACK, False),
        ("illum 3", KS, KS, False),
        ("illum 5", KS, KS, False),
        ("illum 9", KS, BLACK, False),
        ("Ns 0", BLACK, BLACK, False),
        ("illum 3\nNs 0", BLACK, KS, False),
        ("Ks 0 0 0", BLACK, BLACK, False),
        ("Pr 0.5", BLACK, BLACK, False),
        ("illum 2 # highlight", KS, BLACK, False),
    ],
)
def test_the_illumination_model_says_what_counts(tmp_path, caplog, model, specular, mirror, unlit):
    look = read(tmp_path, PLASTIC + model).material
    assert (look.specular, look.mirror, look.unlit) == (specular, mirror, unlit)
    assert look.highlighted == (specular == KS)
    if look.highlighted:
        assert look.shininess == 250
    assert look.rgb == (0.6, 0.1, 0.1)
    assert not caplog.records


def test_what_is_not_stated_is_lambertian(tmp_path):
    look = read(tmp_path, "Kd 0.5 0.5 0.5\nKa 1 1 1\nNi 1.45\n").material
    assert look.lambertian
    assert read(tmp_path, "Kd 0.5 0.5 0.5\nKs 0.25\n").material.specular == (0.25, 0.25, 0.25)


def test_files_of_meshlab_are_dull_and_opaque(tmp_path, caplog):
    look = read(tmp_path, "Ka 0.2 0.2 0.2\nKd 0.6 0.6 0.6\nKs 1 1 1\nTr 1.0\nillum 2\nNs 0.0").material
    assert look.lambertian and not look.unlit
    assert not caplog.records


def test_what_cannot_be_shown_is_said(tmp_path, caplog):
    read(
        tmp_path, PLASTIC + "d 0.3", PLASTIC + "Tr 0.4", PLASTIC + "d 1\nTr 1", PLASTIC + "Tr 1", PLASTIC + "d -halo 1"
    )
    assert "the material 'm0' (and 1 more) lets light through (opacity 0.3): shown opaque" in caplog.text
    caplog.clear()
    assert read(tmp_path, PLASTIC + "illum 12").material.specular == KS
    assert "no illumination model 12" in caplog.text
    huge = read(tmp_path, PLASTIC + "illum 1e300\nNs 1e300\nKe 1e300 0 0\nillum nan\nNs what").material
    assert (huge.shininess, huge.emission, huge.specular) == (1e5, (1e6, 0, 0), KS)
    assert read(tmp_path, PLASTIC + "Ks xyz 1 1 1\nKe what\n").material.specular == KS
    assert "'Ks xyz 1 1 1' is not understood" in caplog.text
    assert read(tmp_path, "Ke 5 -1 0").material.emission == (5, 0, 0)
    assert "'Ke 5 -1 0' is not in 0 to 1e+06: clipped" in caplog.text


def test_pictures_that_would_be_missed_are_said(tmp_path, caplog):
    look = read(tmp_path, PLASTIC + "Ke 1 1 1\nmap_Ke a.png\nmap_Ks b.png\nmap_Bump c.png").material
    assert look.emission == BLACK and look.specular == KS
    assert "a.obj: the material 'm0' has pictures that are not shown: map_Ke, map_Ks." in caplog.text


def test_several_materials_keep_their_highlights(tmp_path, caplog):
    mesh = read(tmp_path, PLASTIC + "illum 2", "Kd 0.2 0.2 0.2\n", PLASTIC + "illum 3\nKe 1 2 3", "Kd 1 0 0\nillum 0")
    assert not caplog.records
    assert mesh.finish is not None
    first = of_rows(mesh.finish[mesh.faces[::2, 0]])
    assert first.specular.tolist() == [[*KS], [0, 0, 0], [*KS], [0, 0, 0]]
    assert first.mirror.tolist() == [[0, 0, 0], [0, 0, 0], [*KS], [0, 0, 0]]
    assert first.emission[2].tolist() == [1, 2, 3]
    assert first.shininess[[0, 2], 0].tolist() == [250, 250]
    assert first.lit[:, 0].tolist() == [1, 1, 1, 0]
    assert mesh_facts(mesh).shine == ("highlights", "mirrors", "emission", "unlit")
    assert mesh_facts(SQUARE).shine == ()


def test_those_that_shine_alike_share_one_material(tmp_path):
    mesh = read(tmp_path, PLASTIC, PLASTIC.replace("0.6", "0.9"))
    assert mesh.finish is None
    assert (mesh.material.specular, mesh.material.shininess) == (KS, 250)


def test_textures_in_one_picture_keep_their_highlights(tmp_path):
    for name in ("one", "two"):
        Image.fromarray(np.full((4, 4, 3), 90 if name == "one" else 200, np.uint8)).save(tmp_path / f"{name}.png")
    mesh = read(tmp_path, PLASTIC + "map_Kd one.png", "map_Kd two.png", "Kd 0 1 0\nKs 1 1 1\nNs 5")
    assert mesh.material.texture is not None and mesh.finish is not None
    assert of_rows(mesh.finish[mesh.faces[::2, 0]]).shininess[:, 0].tolist() == [250, 30, 5]
    assert of_rows(mesh.finish[mesh.faces[::2, 0]]).specular.tolist() == [[*KS], [0, 0, 0], [1, 1, 1]]


SQUARE = Mesh(
    torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=torch.float64),
    torch.tensor([[0, 1, 2], [0, 2, 3]]),
)
LOOKS = {
    "highlight": Material((0.5, 0.25, 0.125), specular=KS, shininess=33.5, name="own"),
    "mirror": Material((0.5, 0.25, 0.125), specular=KS, shininess=33.5, mirror=KS, name="own"),
    "mirror alone": Material((0.5, 0.25, 0.125), mirror=(0.25, 0.5, 1.0), name="own"),
    "light": Material((0.5, 0.25, 0.125), emission=(3.0, 0.5, 0.0), name="own"),
    "unlit": Material((0.5, 0.25, 0.125), unlit=True, name="own"),
    "rough": Material((0.5, 0.25, 0.125), roughness=0.5, metallic=1.0, name="own"),
}


@pytest.mark.parametrize("name", LOOKS)
def test_an_obj_reads_back_as_it_was_written(tmp_path, caplog, name):
    write_mesh(tmp_path / "a.obj", replace(SQUARE, material=LOOKS[name]))
    back = read_mesh(tmp_path / "a.obj").material
    if not LOOKS[name].highlighted:
        back = replace(back, shininess=LOOKS[name].shininess)
    assert back == LOOKS[name]
    assert not caplog.records


def test_other_programs_find_the_highlight(tmp_path):
    write_mesh(tmp_path / "a.obj", replace(SQUARE, material=LOOKS["highlight"]))
    material = trimesh.load(tmp_path / "a.obj", force="mesh").visual.material
    assert material.kwargs["ns"] == [33.5] or material.glossiness == 33.5
    assert np.asarray(material.specular)[:3].tolist() == [128, 102, 76]


def test_a_mesh_of_several_materials_reads_back_from_an_obj(tmp_path):
    mesh = read(tmp_path, PLASTIC + "illum 2", "Kd 0.2 0.2 0.2\n", PLASTIC + "illum 3\nKe 1 2 3", "Kd 1 0 0\nillum 0")
    write_mesh(tmp_path / "b.obj", mesh)
    back = read_mesh(tmp_path / "b.obj")
    assert back.finish is not None and mesh.finish is not None and mesh.colours is not None
    assert torch.equal(back.vertices[back.faces], mesh.vertices[mesh.faces])
    for mine, theirs in ((mesh, back),):
        first, second = (of_rows(each.finish[each.faces[:, 0]]) for each in (mine, theirs))
        shiny = (first.specular > 0).any(-1)
        assert torch.equal(first.specular, second.specular) and torch.equal(first.mirror, second.mirror)
        assert torch.equal(first.emission, second.emission) and torch.equal(first.lit, second.lit)
        assert torch.equal(first.shininess[shiny], second.shininess[shiny])
    assert back.colours is not None and torch.allclose(back.colours[back.faces], mesh.colours[mesh.faces], atol=1e-4)


@pytest.mark.parametrize("emission", [(0.25, 0.5, 0.125), (3.0, 0.75, 0.0)])
def test_a_glb_holds_emission(tmp_path, caplog, emission):
    write_mesh(tmp_path / "a.glb", replace(SQUARE, material=Material((0.5, 0.5, 0.5), emission=emission)))
    back = read_mesh(tmp_path / "a.glb").material
    assert back.emission == pytest.approx(emission) and back.rgb == (0.5, 0.5, 0.5)
    assert not caplog.records


def test_a_glb_holds_the_nearest_roughness_and_says_what_it_lacks(tmp_path, caplog):
    write_mesh(tmp_path / "a.glb", replace(SQUARE, material=LOOKS["mirror"]))
    (material,) = pygltflib.GLTF2().load(str(tmp_path / "a.glb")).materials
    assert material.pbrMetallicRoughness.roughnessFactor == pytest.approx((2 / 35.5) ** 0.25)
    assert "written as a roughness of 0.487" in caplog.text
    assert "does not hold mirrors" in caplog.text
    caplog.clear()
    write_mesh(tmp_path / "b.glb", read(tmp_path, PLASTIC, "Kd 1 1 1\n"))
    assert "does not hold highlights that differ" in caplog.text
