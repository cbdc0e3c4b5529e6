"""`invrender convert` from the command line."""

from __future__ import annotations

import json

from invrender.cli.app import run
from tests.io.datasets.made import write_poses, write_rgba


def test_a_dataset_is_converted_and_it_is_said_how(tmp_path, run_cli, capsys):
    source = tmp_path / "set"
    write_poses(source, ["a.png", "b.png"], k1=-0.1, w=32, h=24)
    for name in "ab":
        write_rgba(source / f"{name}.png")
    done = run_cli("convert", str(source), str(tmp_path / "new"), "--to", "middlebury")
    assert done.code == 0
    assert "new_par.txt; 2 pictures (2 undistorted), 0 masks" in done.stderr
    assert run(["convert", str(source), str(tmp_path / "new"), "--to", "colmap"]) == 6
    assert run(["convert", str(source), str(tmp_path / "other"), "--to", "colmap", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["views"] == 2
