"""report.html and report.png of runs of every kind: whole, escaped, small, and in need of nothing else."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.nouns import Mesh, Volume
from invrender.report.card import report_card
from invrender.report.html import MOST, report_page
from invrender.report.surface import MOST_FACES, packed, shape_of
from invrender.report.verdict import told as worded
from invrender.report.verdict import verdict
from invrender.run.told import write_report
from invrender.samples import SAMPLES
from tests.batch.test_report import Page
from tests.report import told

KINDS: dict[str, Any] = {
    "mesh": {},
    "textured": {"asset": told.textured},
    "volume": {"asset": told.blob, "method": "transmittance"},
    "scene": {"asset": told.scene, "method": "scene"},
    "empty mesh": {"asset": lambda: Mesh(torch.zeros(0, 3), torch.zeros(0, 3, dtype=torch.int64)), "cameras": None},
    "even volume": {"asset": lambda: Volume.from_numpy(np.ones((4, 4, 4), np.float32)), "method": "volume"},
    "nothing": {"asset": "a network", "cameras": None, "compared": (), "metrics": {}, "timings": {}, "seconds": None},
}


def made(folder: Path, kind: str) -> Any:
    case = KINDS[kind]
    asset = case.get("asset")
    return told.story(folder / "run", **{**case, "asset": asset() if callable(asset) else asset})


def read(page: str) -> Page:
    found = Page()
    found.feed(page)
    assert found.open == []
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_is_whole_and_loads_nothing(kind: str, tmp_path: Path) -> None:
    page = report_page(made(tmp_path, kind))
    found = read(page)
    assert all(source.startswith("data:") for source in found.sources)
    assert all((tmp_path / "run" / unquote(link)).is_file() for link in found.links)
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|@import|url\(", page)
    assert all(image.get("alt") for image in found.all("img"))
    assert len(page) < 1_500_000


@pytest.mark.parametrize("kind", KINDS)
def test_the_card_has_the_size_that_chats_show(kind: str, tmp_path: Path) -> None:
    with Image.open(io.BytesIO(report_card(made(tmp_path, kind)))) as card:
        assert card.size == (1200, 630)
        assert len(np.unique(np.asarray(card.convert("RGB")).reshape(-1, 3), axis=0)) > 20


def test_it_tells_what_a_reader_asks_for(tmp_path: Path) -> None:
    found = read(report_page(told.story(tmp_path / "run", warnings=["the masks look inverted; check them"])))
    for words in (
        "mug", "6 views", "A warning", "the masks look inverted", "Read the warning first", "view_0.png",
        "not learnt from", "Wireframe", "Overlap with the input's outlines", "98.5 %", "usually 24", "refine", "12 s",
        "invrender reconstruct data/mug.glb", "losses.csv", "unknown_to_all",
    ):  # fmt: skip
        assert words in found.words, words
    assert "silhouette" in found.words.partition("Measurements")[0]


def test_whatever_comes_from_files_is_escaped(tmp_path: Path) -> None:
    names = told.HOSTILE
    story = told.story(
        tmp_path / "run", title=names, source=names, status=names, warnings=[names], command=names,
        metrics={names: names, "values": {names: {"start": 1.0, "found": names}}}, timings={names: 1.0},
        environment={names: names}, compared=[replace(told.compared(1)[0], name=names, measure=names)],
    )  # fmt: skip
    story = replace(story, cameras=replace(story.cameras, names=(names,) * 6))
    (tmp_path / "run" / "losses.csv").write_text(f'step,"loss{names.replace(chr(34), "")}"\n0,1\n1,2\n')
    found = read(report_page(story))
    assert not any("onerror" in named for _, named in found.tags)
    assert "alert(1)" in found.words


@pytest.mark.parametrize("name", ["losses.csv", "progress.gif", "turntable.gif"])
def test_damaged_and_missing_files_are_left_out(name: str, tmp_path: Path) -> None:
    story = told.story(tmp_path / "run")
    for damage in (b"\x00GIF89a,,\n,", b""):
        (tmp_path / "run" / name).write_bytes(damage)
        read(report_page(story))
        report_card(story)
    (tmp_path / "run" / name).unlink()
    read(report_page(story))


def test_a_big_run_stays_below_three_megabytes(tmp_path: Path) -> None:
    """More than the page can hold of everything: triangles, texture, noise in films, views and slices."""
    side = 180
    y, x = np.mgrid[:side, :side].astype(float)
    rough = np.random.default_rng(0).normal(size=(side, side)) * 3
    vertices = np.stack([x, y, rough], -1).reshape(-1, 3)
    corner = (y[:-1, :-1] * side + x[:-1, :-1]).astype(int).reshape(-1)
    faces = np.concatenate([np.stack([corner, corner + 1, corner + side], 1),
                            np.stack([corner + 1, corner + side + 1, corner + side], 1)])  # fmt: skip
    mesh = Mesh.from_numpy(vertices, faces)
    mesh = replace(mesh, colours=torch.rand(len(vertices), 3, generator=torch.Generator().manual_seed(0)))
    assert len(mesh.faces) > MOST_FACES
    story = told.story(tmp_path / "run", mesh, compared=told.compared(6, 700))
    told.gif(tmp_path / "run" / "progress.gif", 30, 256)
    told.gif(tmp_path / "run" / "turntable.gif", 20, 256)
    size = len(report_page(story).encode())
    assert 500_000 < size < MOST
    flowing = told.noise(130, 130, 130).astype(np.float32)
    story = replace(story, asset=Volume.from_numpy(flowing), metrics={f"metric {i}": "words " * 99 for i in range(900)})
    assert len(report_page(story).encode()) < MOST
    write_report(story, tmp_path / "report.html", tmp_path / "report.png")
    assert (tmp_path / "report.png").stat().st_size < 1_500_000


def test_a_mesh_comes_back_from_its_packed_form() -> None:
    ball = told.coloured()
    shape = shape_of(ball)
    assert shape is not None
    table = packed(shape, np.zeros(3), 2.0)
    data = zlib.decompress(base64.b64decode(table["packed"]))
    count, faces = table["vertices"], table["faces"]

    def unpacked(at: int, n: int) -> Any:
        low, high = (np.frombuffer(data, np.uint8, n, at + k * n).astype(np.uint16) for k in (0, 1))
        return np.cumsum(low + 256 * high, dtype=np.uint16)

    points = unpacked(0, 3 * count).reshape(3, -1).T / 65535
    low, high = np.array(table["low"]), np.array(table["high"])
    assert np.abs(low + (high - low) * points - shape.vertices / 2).max() < 2e-5
    assert np.array_equal(unpacked(6 * count, 3 * faces).reshape(-1, 3), shape.faces)
    colours = np.frombuffer(data, np.uint8, 3 * count, 6 * count + 6 * faces).reshape(3, -1).T
    assert np.abs(colours / 255 - shape.colours).max() < 0.003


def test_fewer_triangles_keep_shape_and_colours() -> None:
    fine = SAMPLES["sphere"]()
    points, faces = fine.vertices.numpy(), fine.faces.numpy()
    while len(faces) < 2 * MOST_FACES:  # each triangle becomes four
        middles = [(points[faces[:, a]] + points[faces[:, b]]) / 2 for a, b in ((0, 1), (1, 2), (2, 0))]
        n, m = len(points), len(faces)
        ab, bc, ca = (n + k * m + np.arange(m) for k in range(3))
        points = np.concatenate([points, *middles])
        a, b, c = faces.T
        faces = np.concatenate([np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    mesh = Mesh.from_numpy(points, faces)
    mesh = replace(mesh, colours=(mesh.vertices / mesh.vertices.abs().max() / 2 + 0.5).float())
    shape = shape_of(mesh)
    assert shape is not None and shape.colours is not None
    assert 0.8 * MOST_FACES < len(shape.faces) <= MOST_FACES
    radii = np.linalg.norm(shape.vertices, axis=1)
    assert radii.std() / radii.mean() < 0.01
    red = shape.colours[:, 0]
    assert np.corrcoef(red, shape.vertices[:, 0])[0, 1] > 0.95


@pytest.mark.parametrize(
    ("metrics", "method", "words", "grade"),
    [
        ({"views_iou": 0.99, "iou": 0.98, "chamfer": 0.002}, "silhouette", "directions that it never saw", 0),
        ({"views_iou": 0.99}, "silhouette", "Nothing was kept back", None),
        ({"views_iou": 0.7}, "silhouette", "Poor: the input's outlines are met to 70.0 %", 2),
        ({"heldout_psnr": 40.0, "relative_l2": 0.5}, "transmittance", "off by 50.0 % of its own size", 2),
        ({"psnr": 30.0, "mean_picture_psnr": 29.5}, "neural-renderer", "mean of all has 29.5 dB", 2),
        ({"unseen": {"psnr_whole": 27.0}, "seen": {"psnr_whole": 30.0}}, "photometric", "set aside", 0),
        ({"unexplained": 0.2}, "scene", "20.0 % of the pictures is left unexplained", 2),
        ({}, "scene", "Nothing was measured", None),
    ],
)
def test_the_verdict_rests_on_the_fairest_number(metrics: Any, method: str, words: str, grade: int | None) -> None:
    found = verdict(metrics, method)
    assert words in found.sentence
    assert found.grade == grade
    assert "warning" in verdict(metrics, method, warnings=1).sentence or not metrics
    assert verdict(metrics, method, warnings=1).grade != 0


def test_numbers_are_told_with_their_units() -> None:
    assert worded("views_iou", 0.9871) == "98.7 %"
    assert worded("chamfer", 0.0041234) == "0.412 %"
    assert worded("views_psnr", 31.24) == "31.2 dB"
    assert worded("views_iou_each", {"a": 0.9, "b": 0.8, "c": 0.95, "d": 1.0}) == "80.0 % to 100.0 %"
    assert worded("free", ["albedo", "g"]) == "albedo, g"
    assert worded("nobody knows it", 3) == "3"


def test_data_in_the_page_is_what_was_meant(tmp_path: Path) -> None:
    page = report_page(made(tmp_path, "volume"))
    table = json.loads(re.search(r'id="grid-data">(.*?)</script>', page)[1])  # type: ignore[index]
    assert table["size"] == [24, 24, 24]
    assert table["bounds"]["x"] == [-0.5, 0.5]
    assert 0.8 < table["greatest"] <= 1.0
