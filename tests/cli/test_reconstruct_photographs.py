"""`invrender reconstruct` from small analytic photographs of a painted ball, through its entry point."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from invrender.cli.app import run
from invrender.colour import srgb_to_linear
from invrender.io.datasets.dataset import read_cameras
from invrender.io.meshes.read import read_mesh
from invrender.io.meshes.write import write_mesh
from invrender.samples import SAMPLES
from tests.methods.photometric.scene import CENTRE, RADIUS, around, painted, taken, write

QUICK = ("--set", "effort=0.05", "--set", "gif_frames=0")
UNTEXTURED = (*QUICK, "--texture", "0")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def reconstructed(*arguments: str, output: str = "out") -> dict[str, Any]:
    """The metrics of a run that ends well."""
    assert run(["reconstruct", *arguments, "-o", output, "-q"]) == 0
    found: dict[str, Any] = json.loads((Path(output) / "metrics.json").read_text())
    return found


def off(points: np.ndarray, colours: np.ndarray) -> float:
    """Median error of linear colours of points on the reconstruction."""
    unit = (points - CENTRE) / np.linalg.norm(points - CENTRE, axis=1, keepdims=True)
    return float(np.median(np.abs(painted(torch.from_numpy(unit)).numpy() - colours)))


def test_a_run_writes_a_textured_mesh_its_pictures_and_what_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("set"), taken(around()))
    call = ["reconstruct", "set", "-o", "out", "--holdout", "5", "--texture", "96", "--set", "effort=0.05"]
    assert run([*call, "--set", "gif_frames=3", "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert (metrics["views"], metrics["texture"], metrics["watertight"], metrics["components"]) == (8, 96, True, 1)
    assert set(metrics["unseen_each"]) == {"images/view_00", "images/view_05"}
    assert metrics["unseen"]["iou"] > 0.93
    assert metrics["unseen"]["psnr_shared"] > 28
    out = Path("out")
    assert {path.name for path in out.iterdir()} >= {
        "config.toml", "run.json", "metrics.json", "losses.csv", "log.txt", "mesh.glb", "mesh.obj", "mesh.mtl",
        "mesh.png", "mesh.ply", "progress.gif", "turntable.gif",
    }  # fmt: skip
    assert [path.name for path in sorted((out / "pictures").iterdir())] == ["images_view_00.png", "images_view_05.png"]
    with Image.open(out / "pictures/images_view_00.png") as picture:
        assert picture.size == (3 * 56, 48)
    assert run(call) == 6


@pytest.mark.parametrize("file", ["mesh.glb", "mesh.obj"])
def test_another_program_finds_the_colours_in_the_texture(file: str) -> None:
    write(Path("set"), taken(around()))
    reconstructed("set", *QUICK, "--texture", "128")
    mesh = trimesh.load(f"out/{file}", force="mesh")
    points, of_face = trimesh.sample.sample_surface(mesh, 2000, seed=1)
    corners = trimesh.triangles.points_to_barycentric(mesh.triangles[of_face], points)
    uv = (mesh.visual.uv[mesh.faces[of_face]] * corners[..., None]).sum(1)
    material = mesh.visual.material
    picture = material.baseColorTexture if file.endswith("glb") else material.image
    codes = trimesh.visual.color.uv_to_color(uv, picture)[:, :3] / 255
    assert off(points, srgb_to_linear(codes)) < 0.05


def test_without_a_texture_the_vertices_hold_the_colours() -> None:
    write(Path("set"), taken(around()))
    assert reconstructed("set", *UNTEXTURED)["texture"] is None
    assert not Path("out/mesh.png").exists()
    for file in ("mesh.glb", "mesh.ply"):
        mesh = read_mesh(Path("out") / file)
        assert mesh.colours is not None
        assert off(mesh.vertices.numpy(), mesh.colours.numpy()) < 0.05


def test_a_datasets_own_split_is_measured_by() -> None:
    views = taken(around())
    names = [f"images/{name}.png" for name in views.names]
    write(Path("set"), views, train_filenames=names[:8], test_filenames=names[8:])
    metrics = reconstructed("set", *UNTEXTURED)
    assert (metrics["views"], set(metrics["unseen_each"])) == (8, {"images/view_08", "images/view_09"})


def test_folds_measure_by_reconstructions_of_their_own() -> None:
    write(Path("set"), taken(around()))
    metrics = reconstructed("set", *UNTEXTURED, "--folds", "2")
    assert (metrics["views"], metrics["unseen"], len(metrics["folds_each"])) == (10, None, 10)
    assert 20 < metrics["folds"]["psnr_shared"] < metrics["seen"]["psnr_shared"]


def test_colours_that_change_with_the_view_are_stored_beside_the_mesh() -> None:
    write(Path("set"), taken(around()))
    reconstructed("set", *UNTEXTURED, "--appearance", "view-dependent")
    with np.load("out/view_dependent.npz") as stored:
        coefficients = stored["coefficients"]
    assert coefficients.shape == (len(read_mesh(Path("out/mesh.ply")).vertices), 4, 3)
    assert np.isfinite(coefficients).all()
    draw = ["render", "out/mesh.ply", "--mode", "color", "--size", "32", "-q"]
    assert run([*draw, "-o", "plain.png"]) == 0
    assert run([*draw, "-o", "changing.png", "--view-dependent", "out/view_dependent.npz"]) == 0
    plain, changing = (np.asarray(Image.open(name).convert("RGB"), float) for name in ("plain.png", "changing.png"))
    assert 0.05 < np.abs(plain - changing).mean() < 8


def test_exposures_are_found_and_stored() -> None:
    views = taken(around())
    assert views.images is not None
    gains = torch.linspace(0.6, 1.2, 10)
    write(Path("set"), views, [*_lit(views.images, views.masks, gains)])
    plain = reconstructed("set", *UNTEXTURED, output="plain")
    mended = reconstructed("set", *UNTEXTURED, "--optimize", "shape,albedo,light,exposure")
    found = np.array(list(mended["gains"].values()))
    assert found.shape == (10, 3)
    assert np.corrcoef(np.log(found.mean(1)), -np.log(gains.numpy()))[0, 1] > 0.98
    assert mended["seen"]["psnr_shared"] > plain["seen"]["psnr_shared"] + 3


def _lit(images: torch.Tensor, masks: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
    """Straight-alpha pictures with another exposure each."""
    cover = masks[..., None]
    return torch.cat([images / cover.clamp(min=1e-6) * gains[:, None, None, None], cover], -1)


def test_cameras_are_refined_and_stored() -> None:
    write(Path("set"), taken(around()))
    told = reconstructed("set", *UNTEXTURED, "--optimize", "shape,pose")
    moved = read_cameras(Path("out/refined"), around().size).world_to_camera
    assert moved.shape == (10, 4, 4)
    assert float((moved - around().world_to_camera).abs().max()) < 0.05 * RADIUS
    assert len(told["cameras"]["each"]) == 10


def test_an_assets_own_views_are_shaded_and_it_serves_the_metrics() -> None:
    write_mesh(Path("ball.ply"), SAMPLES["sphere"]())
    metrics = reconstructed("ball.ply", "--method", "photometric", "--views", "8", "--size", "40", *UNTEXTURED)
    assert metrics["views"] == 8
    assert metrics["chamfer"] < 0.03
    assert metrics["unseen"]["psnr_shared"] > 25


def test_masks_that_are_missing_in_some_views_are_found_there() -> None:
    views = taken(around(), backdrop=0.02)
    assert views.images is not None
    cover = views.masks[..., None]
    whole = [*torch.cat([views.images, cover], -1)]
    whole[3], whole[7] = whole[3][..., :3], whole[7][..., :3]
    write(Path("set"), views, whole)
    assert reconstructed("set", *UNTEXTURED)["seen"]["iou"] > 0.93
    assert "masks found in 2 pictures" in json.dumps(json.loads(Path("out/run.json").read_text())["warnings"])


def test_a_dry_run_checks_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("set"), taken(around()))
    assert run(["reconstruct", "set", "-o", "out", "--dry-run", "--holdout", "4"]) == 0
    shown = capsys.readouterr().out
    assert 'method = "photometric"' in shown
    assert "7 photographs of 56 x 48, 3 more to measure by" in shown
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("set", "--optimize", "shape,colour"), 2, ["'colour'", "exposure"]),
        (("set", "--optimize", "albedo,light"), 2, ["shape", "exposure"]),
        (("set", "--holdout", "1"), 3, ["0 views of 10", "--holdout 0"]),
        (("set", "--views", "2"), 3, ["2 views to learn from", "3 or more"]),
        (("set", "--folds", "11"), 2, ["--folds is 11", "10"]),
        (("set", "--folds", "1"), 2, ["--folds is 1", "2"]),
        (("set", "--views", "4", "--folds", "2"), 2, ["--folds", "2 views to learn from"]),
        (("set", "--texture", "5000"), 2, ["--texture", "4096"]),
        (("set", "--appearance", "shiny"), 2, ["baked"]),
        (("set", "--start", "sphere"), 2, ["hull"]),
        (("set", "--light", "up"), 2, ["--light"]),
        (("set", "--bounds", "0,0,0,1,1"), 2, ["--bounds"]),
        (("set", "--masks", "nowhere"), 3, ["nowhere"]),
        (("ball.ply", "--method", "photometric", "--masks", "set"), 2, ["--masks"]),
        (("ball.ply", "--method", "photometric", "--holdout", "2"), 2, ["--holdout", "dataset"]),
        (("white", "--method", "photometric"), 3, ["no colours", "--method silhouette"]),
    ],
)
def test_slips_are_named_and_leave_nothing(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, words: list[str]
) -> None:
    write(Path("set"), taken(around(10, (24, 24))))
    write(Path("white"), taken(around(4, (24, 24))), [_white(mask) for mask in taken(around(4, (24, 24))).masks])
    write_mesh(Path("ball.ply"), SAMPLES["sphere"]())
    assert run(["reconstruct", *arguments, "-o", "out"]) == code
    shown = capsys.readouterr().err
    for word in words:
        assert word in shown
    assert not Path("out").exists()


def _white(mask: torch.Tensor) -> torch.Tensor:
    return torch.cat([torch.ones(*mask.shape, 3), mask[..., None]], -1)


def test_shaded_renderings_of_an_asset_are_photographs_and_plain_masks_are_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_mesh(Path("ball.ply"), SAMPLES["sphere"]())
    look = ["--views", "8", "--size", "40", "--cameras", "sphere", "-q"]
    for mode in ("shaded", "silhouette"):
        assert run(["render", "ball.ply", "--mode", mode, "--dataset", mode, *look]) == 0
        capsys.readouterr()
        assert run(["reconstruct", mode, "-o", "out", "--dry-run"]) == 0
        meant = "photometric" if mode == "shaded" else "silhouette"
        assert f'method = "{meant}"' in capsys.readouterr().out
    reconstructed("shaded", *UNTEXTURED)
    assert run(["evaluate", "out", "ball.ply", "--json", "--samples", "2000", "--views", "2", "--size", "48"]) == 0
    assert json.loads(capsys.readouterr().out)["iou"] > 0.9
