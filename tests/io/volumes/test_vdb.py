"""OpenVDB's own module beside our reader and writer of .vdb: each reads what the other wrote.

The module comes with Debian's own Python; `NEED_OPENVDB=1` makes it a failure that there is none.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from invrender.errors import InputError
from invrender.io.volumes.read import read_volume
from invrender.io.volumes.write import write_volume
from invrender.nouns import Volume
from tests.conftest import ENVIRON
from tests.io.volumes import vdb_files as made

NEEDS = "NEED_OPENVDB"
PEER = Path(__file__).with_name("openvdb_peer.py")
PYTHONS = ("/usr/bin/python3", sys.executable)

Peer = Callable[..., None]


@cache
def python_with_openvdb() -> str | None:
    """An interpreter that has the module."""
    look = "import importlib.util as u, numpy, sys; sys.exit(not any(map(u.find_spec, ('openvdb', 'pyopenvdb'))))"
    for python in filter(os.path.exists, PYTHONS):
        if subprocess.run([python, "-c", look], capture_output=True, check=False).returncode == 0:
            return python
    return None


@pytest.fixture(scope="module")
def peer() -> Peer:
    """Run the library's module on files, in another process."""
    python = python_with_openvdb()
    if python is None:
        reason = f"neither {' nor '.join(PYTHONS)} has the module openvdb (python3 .ci/openvdb_module.py installs it)"
        if NEEDS in ENVIRON:
            pytest.fail(reason)
        pytest.skip(reason)

    def run(*arguments: object) -> None:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            [python, PEER, *map(str, arguments)], env=plain, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    return run


@pytest.fixture(scope="module")
def theirs(peer, tmp_path_factory) -> Path:
    """The folder of files that the library wrote."""
    folder = tmp_path_factory.mktemp("openvdb")
    peer("write", folder)
    return folder


@pytest.fixture(scope="module")
def cases(peer, tmp_path_factory) -> list[Path]:
    """Files made by hand, and beside each what the library finds in it."""
    folder = tmp_path_factory.mktemp("cases")
    paths = [folder / f"{name}.vdb" for name in made.all_cases()]
    for path, content in zip(paths, made.all_cases().values(), strict=True):
        path.write_bytes(content)
    peer("read", *paths)
    return paths


def same(volume: Volume, told: Path) -> None:
    """Every sample of a volume has the value and the place that the library tells, whichever way its axes lie."""
    with np.load(told) as said:
        dense, axes, low = said["dense"], said["axes"], said["low"]
        corners = np.stack([low, low + np.array(dense.shape) - 1]) @ axes.T + said["origin"]
    bounds, values = volume.bounds.numpy(), volume.numpy()[0]
    assert np.allclose(bounds, np.sort(corners, 0), rtol=1e-12, atol=1e-12)
    for axis, along in enumerate(np.abs(axes).argmax(0)):
        if axes[along, axis] < 0:
            dense = np.flip(dense, axis)
    assert np.array_equal(values, dense.transpose(np.abs(axes).argmax(1)[::-1]))


@pytest.mark.parametrize(
    "name",
    [
        "uniform", "uniform-moved", "scale", "scale-moved", "axes-changed", "far", "half", "bool", "tiles",
        "large-tile", "root-tile", "level-set", "inactive-values", "vectors",
    ],
)  # fmt: skip
def test_values_and_places_are_those_of_the_library(theirs, name):
    same(read_volume(theirs / f"{name}.vdb"), theirs / f"{name}.npz")


def test_the_samples_of_a_turned_grid_are_where_the_library_puts_them(theirs, vertices):
    volume = read_volume(theirs / "turned.vdb")
    values = volume.numpy()[0]
    world = volume.in_world(vertices(volume)).reshape(-1, 3).numpy()
    with np.load(theirs / "turned.npz") as said:
        place = np.linalg.solve(said["axes"], (world - said["origin"]).T)
        assert np.abs(place - place.round()).max() < 1e-6
        inside = ((place >= 0) & (place <= np.array(said["dense"].shape)[:, None] - 3)).all(0)
        right = map_coordinates(said["dense"], (place - said["low"][:, None])[:, inside], order=1)
    assert inside.sum() > 500
    assert np.allclose(values.ravel()[inside], right, rtol=1e-5)


def test_grids_are_chosen_by_name(theirs):
    several = theirs / "several.vdb"
    same(read_volume(several, key="heat"), theirs / "several.npz")
    same(read_volume(several, key="smoke[0]"), theirs / "several-second.npz")
    same(read_volume(several, key="smoke[1]"), theirs / "several-third.npz")
    same(read_volume(theirs / "instance.vdb", key="copy"), theirs / "instance.npz")
    with pytest.raises(InputError, match=r"heat, smoke\[0\], smoke\[1\]"):
        read_volume(several, key="smoke")


def test_what_is_no_grid_of_numbers_in_boxes_is_named(theirs):
    for name, key, message in (
        ("vectors", "velocity", r"velocity holds vec3s, not one number per voxel\nchoose another with --key: density"),
        ("frustum", "density", r"NonlinearFrustumMap"),
        ("nothing", "density", r"no active voxels"),
    ):
        with pytest.raises(InputError, match=message):
            read_volume(theirs / f"{name}.vdb", key=key)


def test_the_library_reads_what_we_write(peer, tmp_path):
    rng = np.random.default_rng(0)
    sparse = rng.random((40, 9, 300)) - 0.5
    sparse[rng.random(sparse.shape) < 0.6] = 0
    sparse[:, :, 20:200] = 0
    full = rng.random((3, 130, 17)) + 1
    bounds = {"sparse": [[-3, -2, -1], [10, 20, 30]], "full": [[0, 0, 0], [4, 32.25, 0.5]]}
    for name, values in (("sparse", sparse), ("full", full)):
        write_volume(tmp_path / f"{name}.vdb", Volume.from_numpy(values.astype(np.float32), np.array(bounds[name])))
    peer("read", tmp_path / "sparse.vdb", tmp_path / "full.vdb")
    for name, values in (("sparse", sparse.astype(np.float32)), ("full", full.astype(np.float32))):
        low, high = np.array(bounds[name])
        with np.load(tmp_path / f"{name}.npz") as said:
            assert (str(said["name"]), int(said["count"])) == ("density", np.count_nonzero(values))
            assert np.array_equal(said["origin"], low)
            assert np.allclose(said["axes"], np.diag((high - low) / (np.array(values.shape[::-1]) - 1)), rtol=1e-15)
            whole = np.pad(values, 1).T
            first = said["low"] + 1
            chosen = tuple(slice(a, a + n) for a, n in zip(first, said["dense"].shape, strict=True))
            assert np.array_equal(said["dense"], whole[chosen])
            assert said["dense"].any((1, 2)).sum() == values.any((0, 1)).sum()
        same(read_volume(tmp_path / f"{name}.vdb"), tmp_path / f"{name}.npz")


def test_the_library_agrees_about_every_way_to_keep_inactive_values(cases):
    """Its module writes Blosc alone; so this is what else it reads, and that the files made by hand are right."""
    for path in cases:
        same(read_volume(path), path.with_suffix(".npz"))
