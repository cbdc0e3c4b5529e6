"""What OpenVDB's own module writes and reads; runs in the interpreter that has it, with numpy and nothing of ours.

openvdb_peer.py write FOLDER      files of many kinds, and beside each what it holds as NAME.npz
openvdb_peer.py read FILE...      what the library finds in each, as FILE.npz
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

try:
    vdb: Any = importlib.import_module("openvdb")
except ImportError:
    vdb = importlib.import_module("pyopenvdb")

FOLDER = Path(sys.argv[2]) if len(sys.argv) > 2 else Path()


def expected(path: Path, grid: Any) -> None:
    """Dense values over the box and one voxel around it, the box, and the affine map from indices to the world."""
    low, high = (np.array(corner) for corner in grid.evalActiveVoxelBoundingBox())
    low, high = low - 1, high + 1
    dense = np.zeros(tuple(high - low + 1), bool if isinstance(grid, vdb.BoolGrid) else np.float32)
    grid.copyToArray(dense, ijk=tuple(int(n) for n in low))
    corners = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]
    world = np.array([grid.transform.indexToWorld(corner) for corner in corners])
    np.savez(
        path, dense=dense.astype(np.float32), low=low, origin=world[0], axes=(world[1:] - world[0]).T,
        count=grid.activeVoxelCount(), name=grid.name, background=float(grid.background),
    )  # fmt: skip


def save(name: str, grid: Any, *others: Any) -> None:
    """Write a file, the first grid of which is described."""
    grid.name = grid.name or "density"
    vdb.write(str(FOLDER / f"{name}.vdb"), grids=[grid, *others])
    expected(FOLDER / f"{name}.npz", vdb.readAll(str(FOLDER / f"{name}.vdb"))[0][0])  # halves are rounded by now


def block(seed: int = 0, shape: tuple[int, ...] = (21, 10, 13), ijk: tuple[int, ...] = (0, 0, 0)) -> Any:
    """A grid of numbers, some of them zero and so inactive."""
    values = np.random.default_rng(seed).random(shape, np.float32)
    values[values < 0.3] = 0
    grid = vdb.FloatGrid()
    grid.copyFromArray(values, ijk=ijk)
    return grid


def transforms() -> None:
    """One file for each kind of linear transform; `turned` holds a linear function of the indices."""
    moved = vdb.createLinearTransform(0.5)
    moved.translate((1, -2, 3))
    kinds = {
        "uniform": vdb.createLinearTransform(0.25),
        "uniform-moved": moved,
        "scale": vdb.createLinearTransform([[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0.5, 0], [0, 0, 0, 1]]),
        "scale-moved": vdb.createLinearTransform([[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0.5, 0], [4, 5, 6, 1]]),
        "axes-changed": vdb.createLinearTransform([[0, 2, 0, 0], [0, 0, -3, 0], [0.5, 0, 0, 0], [4, 5, 6, 1]]),
    }
    for name, transform in kinds.items():
        grid = block()
        grid.transform = transform
        save(name, grid)
    turned = vdb.FloatGrid()
    i, j, k = np.mgrid[:12, :13, :14].astype(np.float32)
    turned.copyFromArray(1 + i + 20 * j + 300 * k)
    turned.transform = vdb.createLinearTransform(0.5)
    turned.transform.rotate(0.4, vdb.Axis.Z)
    turned.transform.translate((3, 2, 1))
    save("turned", turned)
    frustum = block()
    frustum.transform = vdb.createFrustumTransform((0, 0, 0), (1, 1, 1), 0.5, 1)
    vdb.write(str(FOLDER / "frustum.vdb"), grids=[frustum])


def trees() -> None:
    """Tiles of every level, backgrounds, halves, bools, places far from 0."""
    save("far", block(1, ijk=(-5000, 4090, 123456)))
    half = block(2)
    half.saveFloatAsHalf = True
    save("half", half)
    bools = vdb.BoolGrid()
    bools.copyFromArray(np.random.default_rng(3).random((9, 17, 5)) < 0.5)
    save("bool", bools)
    boxes = vdb.FloatGrid(0.5)
    boxes.fill((0, 0, 0), (127, 127, 127), 3.0, False)
    boxes.fill((128, 0, 0), (150, 30, 30), 2.0)
    boxes.fill((128, 40, 40), (143, 71, 71), 7.0, False)
    boxes.fill((-20, 0, 0), (-10, 10, 10), -0.5, False)
    boxes.fill((-29, 3, 3), (-28, 4, 4), 1.0)
    boxes.fill((0, 128, 0), (7, 135, 7), 4.0)
    large = vdb.FloatGrid()
    large.fill((0, 0, 128), (127, 127, 255), 2.0)
    save("large-tile", large)
    save("tiles", boxes)
    long = vdb.FloatGrid(0.25)
    long.fill((4096, 0, 0), (8191, 4095, 4095), 5.0, False)
    long.fill((4090, 0, 0), (4095, 2, 2), 1.0)
    long.fill((8192, 1, 1), (8200, 1, 1), 2.0)
    save("root-tile", long)
    save("level-set", vdb.createLevelSetSphere(radius=15.0, center=(3.0, 4.0, 5.0), voxelSize=1.0, halfWidth=3.0))
    odd = block(4)
    odd.mapOff(lambda value: 9.0)
    save("inactive-values", odd)


def many() -> None:
    """Several grids in a file; one that shares its voxels with another; vectors beside numbers; nothing active."""
    first, second, same = block(5), block(6), block(7)
    first.name, second.name, same.name = "heat", "smoke", "smoke"
    save("several", first, second, same)
    expected(FOLDER / "several-second.npz", second)
    expected(FOLDER / "several-third.npz", same)
    shared = first.copy()
    shared.name, shared.transform = "copy", vdb.createLinearTransform(2.0)
    vdb.write(str(FOLDER / "instance.vdb"), grids=[first, shared])
    expected(FOLDER / "instance.npz", shared)
    vectors = vdb.Vec3SGrid()
    vectors.fill((0, 0, 0), (3, 3, 3), (1.0, 2.0, 3.0))
    vectors.name = "velocity"
    numbers = block(8)
    save("vectors", numbers, vectors)
    vdb.write(str(FOLDER / "nothing.vdb"), grids=[vdb.FloatGrid()])


if sys.argv[1] == "write":
    transforms()
    trees()
    many()
elif sys.argv[1] == "read":
    for file in map(Path, sys.argv[2:]):
        expected(file.with_suffix(".npz"), vdb.readAll(str(file))[0][0])
