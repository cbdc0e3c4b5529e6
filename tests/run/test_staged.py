"""A dataset is replaced as a whole: whatever ends the writing, the old one or the new one is there."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from invrender.cameras.around import around
from invrender.io.datasets.dataset import read_dataset, write_dataset
from invrender.nouns import Mesh, Views
from invrender.render.modes import find_mode
from invrender.run.pictures import check_outputs
from invrender.run.staged import settle_dataset, write_staged
from tests.run.test_place import Killed, killed_at

CORNERS = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]).double()
PYRAMID = Mesh(CORNERS, torch.tensor([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]]))


def views(count: int, grey: float) -> Views:
    """Discs on white."""
    cameras = around(PYRAMID, "orbit", count, (8, 8))
    masks = torch.zeros(count, 8, 8)
    masks[:, 2:6, 2:6] = 1
    return Views(cameras, masks, torch.full((count, 8, 8, 3), grey))


OLD, NEW = views(4, 0.0), views(3, 1.0)


def state(folder: Path) -> str:
    """Which dataset is there."""
    images = read_dataset(folder).images
    assert images is not None
    if len(images) == 4 and float(images[:, 2:6, 2:6].max()) == 0:
        return "old"
    return "new" if len(images) == 3 and float(images[:, 2:6, 2:6].min()) == 1 else "mixed"


def test_a_kill_at_any_operation_leaves_the_old_dataset_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    for operation in range(200):
        folder = tmp_path / str(operation)
        write_staged(folder, lambda place: write_dataset(place, OLD))
        restore = killed_at(operation, monkeypatch)
        try:
            write_staged(folder, lambda place: write_dataset(place, NEW))
            restore()
            break
        except Killed:
            restore()
        settle_dataset(folder)
        seen.append(state(folder))
        check_outputs(None, folder, find_mode("shaded", "mesh"), None, overwrite=True)
        write_staged(folder, lambda place: write_dataset(place, NEW))
        assert state(folder) == "new"
        assert sorted(path.name for path in folder.iterdir()) == [
            "transforms.json",
            *(f"view_00{i}.png" for i in range(3)),
        ]
    assert len(seen) > 8
    assert seen == sorted(seen, reverse=True)
    assert set(seen) == {"old", "new"}


def test_one_that_was_never_completed_does_not_block_its_folder(tmp_path: Path) -> None:
    (tmp_path / ".new").mkdir()
    (tmp_path / ".new" / "view_000.png").write_bytes(b"half")
    check_outputs(None, tmp_path, find_mode("shaded", "mesh"), None, overwrite=False)
    files = write_staged(tmp_path, lambda place: write_dataset(place, OLD))
    assert all(file.parent == tmp_path and file.is_file() for file in files)
    assert state(tmp_path) == "old"


def test_failing_leaves_nothing(tmp_path: Path) -> None:
    def write(place: Path) -> list[Path]:
        write_dataset(place, NEW)
        raise ValueError

    with pytest.raises(ValueError):
        write_staged(tmp_path / "set", write)
    assert not list((tmp_path / "set").iterdir())
