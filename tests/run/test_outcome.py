"""How a run stands, for those who look at its folder."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from invrender.cli.app import run
from invrender.errors import InputError
from invrender.io.meshes.write import write_mesh
from invrender.preview.subject import describe
from invrender.run.folder import RunFolder
from invrender.samples import SAMPLES

TABLE = {"window": "0,1", "colormap": "0:#000000,1:#ffffff", "opacity": "0:0,1:0.5"}


def note(folder: Path, **changes: object) -> None:
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**record, **changes}))


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    """The folder of a run that has written its mesh, and of whose end nothing is noted."""
    folder = RunFolder.create(tmp_path / "run", command="reconstruct", config='input = "a.glb"\n')
    write_mesh(folder.file("mesh.ply"), SAMPLES["sphere"]())
    return tmp_path / "run"


def test_a_dead_process_is_told_from_a_living_one(unfinished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        note(unfinished, pid=other.pid, began="", host=socket.gethostname())
        assert describe(unfinished)[1][0] == "run: running"
        if Path("/proc/self/stat").exists():  # the number is that of another process by now
            note(unfinished, began="1")
            assert "ended without a word" in describe(unfinished)[1][0]
        note(unfinished, began="")
        other.communicate(b"\n")
    assert f"process {other.pid} ended without a word" in describe(unfinished)[1][0]
    assert run(["inspect", str(unfinished)]) == 0
    assert "ended without a word" in capsys.readouterr().out
    note(unfinished, host="elsewhere")
    assert "running on elsewhere" in describe(unfinished)[1][0]


def test_a_run_without_a_result_says_how_it_stands(unfinished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (unfinished / "mesh.ply").unlink()
    note(unfinished, status="failed")
    assert run(["inspect", str(unfinished)]) == 0
    assert "failed" in capsys.readouterr().out
    with pytest.raises(InputError, match="it is failed"):
        describe(unfinished)


def test_a_transfer_function_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with RunFolder.create(tmp_path / "run", command="reconstruct", config='known = "cloud.npz"\n') as folder:
        folder.file("transfer.json").write_text(json.dumps(TABLE))
    assert run(["inspect", str(tmp_path / "run"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown.pop("run")["status"] == "finished"
    assert shown == {"kind": "transfer function", "path": str(tmp_path / "run"), "volume": "cloud.npz", **TABLE}
    assert run(["inspect", str(tmp_path / "run")]) == 0
    assert "invrender render cloud.npz -o picture.png --window '0,1'" in capsys.readouterr().out
    with pytest.raises(InputError, match="there is no file cloud"):
        describe(tmp_path / "run")
    (tmp_path / "run" / "transfer.json").write_text("[]")
    assert run(["inspect", str(tmp_path / "run")]) == 3
