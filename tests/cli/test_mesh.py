"""`invrender mesh`, and `invrender convert` of meshes and volumes: read back by other programs' readers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from invrender.cli.app import run
from invrender.evaluate.distances import Solid, distances
from invrender.geometry.connectivity import is_closed_manifold, is_watertight, merge_vertices
from invrender.io.meshes.read import read_mesh, read_units
from invrender.io.meshes.write import write_mesh
from invrender.io.volumes.read import read_volume
from invrender.io.volumes.write import write_volume
from invrender.nouns import Material, Mesh, Volume
from invrender.samples import SAMPLES, VOLUMES

LOW, HIGH = [10.0, -2, 3], [14.0, 0, 6]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    ball = SAMPLES["sphere"]()
    write_mesh("ball.glb", ball, "millimetre")
    write_mesh("bare.stl", ball)
    box = torch.tensor([LOW, HIGH], dtype=torch.float64)
    values = VOLUMES["double-sphere"](20).values
    write_volume("cloud.npz", Volume(values, box))
    x = torch.linspace(0, 1, 20).expand(1, 20, 20, 20)
    write_volume("painted.npz", Volume(torch.cat([values, x, 0 * x, 1 - x]), box))
    return tmp_path


def test_the_surface_of_a_volume_lies_in_its_frame(place, capsys):
    assert run(["mesh", "cloud.npz", "-o", "cloud.ply", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["said"][0].startswith("isovalue")
    v, f = read_mesh("cloud.ply").numpy()
    assert is_watertight(f)
    assert np.allclose((v.min(0) + v.max(0)) / 2, (np.array(LOW) + HIGH) / 2, atol=0.1)
    assert run(["mesh", "cloud.npz", "--isovalue", "1e9", "-o", "no.ply"]) == 2
    assert "the values go from 0 to" in capsys.readouterr().err
    assert run(["mesh", "ball.glb", "--isovalue", "1", "-o", "no.ply"]) == 2
    assert run(["mesh", "cloud.npz", "-o", "cloud.ply"]) == 6


def test_bodies_at_the_border_are_closed_or_open(place):
    write_volume("full.npz", Volume.from_numpy(np.linspace(0, 1, 5)[:, None, None] + np.zeros((5, 5, 5))))
    for option, closed in (("--closed", True), ("--open", False)):
        assert run(["mesh", "full.npz", "--isovalue", "0.55", option, "-o", "half.ply", "--overwrite"]) == 0
        v, f = read_mesh("half.ply").numpy()
        assert is_watertight(f) == closed
        assert v[:, 2].min() == pytest.approx(0.05, abs=1e-6)  # of -0.5 to 0.5
    assert np.abs(v).max() <= 0.5


def test_a_volume_in_colours_gives_its_surface_the_colours_that_it_has_there(place):
    """Red grows along x, blue falls; .glb keeps them linear, .ply encodes them."""
    for name in ("a.glb", "a.ply"):
        assert run(["mesh", "painted.npz", "-o", name]) == 0
        mesh = read_mesh(name)
        share = (mesh.vertices[:, 0] - LOW[0]) / (HIGH[0] - LOW[0])
        expected = torch.stack([share, 0 * share, 1 - share], 1)
        assert mesh.colours is not None
        assert float((mesh.colours.double() - expected).abs().max()) < 0.02


def test_fewer_smoother_and_cleaner(place, capsys):
    assert run(["mesh", "ball.glb", "--faces", "200", "-o", "less.glb"]) == 0
    v, f = read_mesh("less.glb").numpy()
    assert len(f) == 200
    assert is_closed_manifold(f)
    assert run(["mesh", "ball.glb", "--faces", "4", "--smooth", "3", "-o", "four.glb"]) == 0  # a ball has no handle
    mess = Mesh.from_numpy(
        np.concatenate([v, [[9, 9, 9], v[0]]]), np.concatenate([f[:1, ::-1], f[1:], f[:1], [[0, 0, 1]]])
    )
    write_mesh("mess.obj", mess)
    capsys.readouterr()
    assert run(["mesh", "mess.obj", "--clean", "-o", "clean.obj"]) == 0
    said = capsys.readouterr().err
    assert "1 repeated faces removed" in said
    assert "1 faces turned around" in said
    assert is_closed_manifold(read_mesh("clean.obj").numpy()[1])
    v, f = SAMPLES["torus-knot"]().numpy()
    write_mesh("knot.ply", Mesh.from_numpy(v, f))
    assert run(["mesh", "knot.ply", "--faces", "10", "-o", "no.ply"]) == 3
    assert "ask for --faces" in capsys.readouterr().err


def test_a_texture_is_made_anew_for_fewer_triangles(place):
    """A ball that is red below and green above stays so."""
    v, f = SAMPLES["sphere"]().numpy()
    high = (v[:, 1] - v[:, 1].min()) / np.ptp(v[:, 1])
    picture = torch.zeros(64, 8, 3)
    picture[32:, :, 0], picture[:32, :, 1] = 1, 1
    uv = torch.from_numpy(np.stack([np.full(len(v), 0.5), 0.02 + 0.96 * high], 1))
    write_mesh("globe.glb", Mesh(torch.from_numpy(v), torch.from_numpy(f), uv, material=Material(texture=picture)))
    assert run(["mesh", "globe.glb", "--faces", "150", "--backend", "torch", "-o", "small.glb"]) == 0
    mesh = read_mesh("small.glb")
    assert len(mesh.faces) == 150
    write_mesh("small.ply", mesh)
    colours, y = read_mesh("small.ply").colours, mesh.vertices[:, 1].numpy()
    assert colours is not None
    middle, far = (y.min() + y.max()) / 2, 0.15 * np.ptp(y)
    assert colours[torch.from_numpy(y < middle - far), 0].min() > 0.8
    assert colours[torch.from_numpy(y > middle + far), 1].min() > 0.8
    joined = Solid(*merge_vertices(*mesh.numpy(), 1e-6))
    assert is_closed_manifold(joined.f)
    assert distances(joined, Solid(v, f), 1000, 0).chamfer < 0.01


def test_one_object_of_several_by_name_or_number(place, capsys):
    lines = ["o Left", "v 0 0 0", "v 1 0 0", "v 0 1 0", "f 1 2 3", "o Right", "v 5 0 0", "v 6 0 0", "v 5 1 0"]
    lines += ["v 6 1 0", "f 4 5 6", "f 5 7 6"]
    Path("two.obj").write_text("\n".join(lines))
    for which, faces, low in (("right", 2, 5.0), ("1", 1, 0.0)):
        assert run(["mesh", "two.obj", "--object", which, "-o", "one.ply", "--overwrite"]) == 0
        mesh = read_mesh("one.ply")
        assert (len(mesh.faces), float(mesh.vertices[:, 0].min())) == (faces, low)
    write_mesh("two.ply", read_mesh("two.obj"))
    assert run(["mesh", "two.ply", "--object", "part 1", "-o", "one.ply", "--overwrite"]) == 0
    assert len(read_mesh("one.ply").faces) == 2
    capsys.readouterr()
    assert run(["mesh", "two.obj", "--object", "Rigt", "-o", "no.ply"]) == 2
    said = capsys.readouterr().err
    assert "did you mean Right?" in said
    assert "1: Left, 2: Right" in " ".join(said.split())


def test_nodes_of_gltf_are_objects(place):
    trimesh = pytest.importorskip("trimesh")
    scene = trimesh.Scene()
    scene.add_geometry(trimesh.creation.box(), node_name="box", geom_name="cube")
    moved = trimesh.transformations.translation_matrix([5, 0, 0])
    scene.add_geometry(trimesh.creation.icosphere(1), node_name="ball", geom_name="sphere", transform=moved)
    scene.export("scene.glb")
    assert run(["mesh", "scene.glb", "--object", "ball", "-o", "one.ply"]) == 0
    mesh = read_mesh("one.ply")
    assert len(mesh.faces) == 80
    assert float(mesh.vertices[:, 0].mean()) == pytest.approx(5, abs=1e-6)


@pytest.mark.parametrize("extension", ["glb", "gltf", "obj", "ply", "stl"])
def test_meshes_are_read_by_trimesh_in_the_unit_that_was_asked_for(place, capsys, extension):
    trimesh = pytest.importorskip("trimesh")
    assert run(["convert", "bare.stl", f"new.{extension}", "--from-units", "cm", "--units", "mm"]) == 0
    assert ("no place for units" in capsys.readouterr().err) == (extension in ("obj", "stl"))
    before, after = trimesh.load("bare.stl", force="mesh"), trimesh.load(f"new.{extension}", force="mesh")
    assert np.allclose(after.bounds, 10 * before.bounds, atol=1e-4)
    assert len(after.faces) == len(before.faces)
    assert after.is_watertight
    if extension in ("glb", "gltf", "ply"):
        assert read_units(f"new.{extension}") == "millimetre"


def test_millimetres_become_the_metres_of_gltf_when_told(place, capsys):
    high = float(read_mesh("bare.stl").vertices.max())
    assert run(["convert", "bare.stl", "new.glb", "--from-units", "mm"]) == 0
    assert float(read_mesh("new.glb").vertices.max()) == pytest.approx(high / 1000, rel=1e-5)
    assert read_units("new.glb") == "metre"
    assert run(["convert", "ball.glb", "same.glb"]) == 0
    assert float(read_mesh("same.glb").vertices.max()) == pytest.approx(high, rel=1e-5)
    assert "glTF means metres" in capsys.readouterr().err
    assert run(["convert", "bare.stl", "no.glb", "--units", "milimetre"]) == 2
    assert "did you mean millimetre?" in capsys.readouterr().err
    for bad in ("0", "-1", "nan"):
        assert run(["convert", "bare.stl", "no.glb", "--scale", bad]) == 2


@pytest.mark.parametrize("name", ["a.nrrd", "a.nii.gz", "a.mha", "a.vti", "a.npy", "a.raw"])
def test_volumes_are_read_by_other_programs(place, capsys, name):
    assert run(["convert", "cloud.npz", name]) == 0
    said = " ".join(capsys.readouterr().err.split())
    expected = read_volume("cloud.npz")
    values, spacing, origin = _by_others(name)
    assert np.allclose(values, expected.values[0].numpy())
    if name in ("a.npy", "a.raw"):
        assert "holds no spacing, origin or units" in said
        return
    assert np.allclose(spacing, expected.spacing)
    assert np.allclose(np.abs(origin), np.abs(LOW))
    assert "note" not in said


def _by_others(name):
    if name.endswith((".npy", ".raw")):
        return (np.load(name) if name.endswith(".npy") else np.fromfile(name, "<f4").reshape(20, 20, 20)), 0, 0
    if name.endswith(".nrrd"):
        nrrd = pytest.importorskip("nrrd")
        values, header = nrrd.read(name)
        return values.T, np.diag(np.atleast_2d(header["space directions"])), header["space origin"]
    if name.endswith(".nii.gz"):
        nibabel = pytest.importorskip("nibabel")
        image = nibabel.load(name)
        return image.get_fdata().T, np.diag(image.affine)[:3], image.affine[:3, 3]
    if name.endswith(".mha"):
        itk = pytest.importorskip("SimpleITK")
        image = itk.ReadImage(name)
        return itk.GetArrayFromImage(image), image.GetSpacing(), image.GetOrigin()
    pyvista = pytest.importorskip("pyvista")
    image = pyvista.read(name)
    return image.active_scalars.reshape(20, 20, 20), image.spacing, image.origin


def test_what_cannot_be_converted_is_told(place, capsys):
    for source, target, hint in (
        ("ball.glb", "a.npz", "a volume"),
        ("cloud.npz", "a.glb", "invrender mesh VOLUME"),
        ("cloud.npz", "a.mhd", "a.mha instead"),
        ("ball.glb", "a.png", "known extensions"),
    ):
        assert run(["convert", source, target]) == 2
        assert hint in " ".join(capsys.readouterr().err.split())
    assert run(["convert", "ball.glb", "a.ply", "--to", "colmap"]) == 2
    assert "--to goes with a dataset" in capsys.readouterr().err
    assert run(["convert", "painted.npz", "a.ply"]) == 2
