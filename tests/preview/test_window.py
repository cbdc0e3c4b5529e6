"""What mouse and keys do in the preview's window, by VTK's own events, off-screen in a child process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from invrender.io.cameras_file import read_viewpoint
from invrender.render.transfer_file import read_transfer

SCRIPT = """
import json, sys
from pathlib import Path
from invrender.preview.scene import Panel, build
from invrender.preview.window import connect
from invrender.samples import make

stage = build([Panel("", make("cloud", 20))], ("cloud",), (300, 620), True, editor=True)
window = connect(stage, Path(sys.argv[1]))
stage.plotter.render()
mouse, edit = stage.plotter.iren.interactor, window.editing
left, height = stage.editor.viewport[0] * stage.plotter.window_size[0], stage.plotter.window_size[1]
camera = stage.plotter.renderers[1].camera

def event(name, x, y, key=""):
    mouse.SetEventInformation(round(x), round(height - 1 - y), 0, 0, key or chr(0), 0, key or None)
    mouse.InvokeEvent(name)

def drag(start, end):
    event("LeftButtonPressEvent", *start)
    event("MouseMoveEvent", *end)
    event("LeftButtonReleaseEvent", *end)

def place(number):
    where, opacity = edit.editor.points[number]
    return left + edit.chart.x(edit.editor, edit.editor.value(where)), edit.chart.y(opacity)

said = {"before": edit.editor.points, "eye": camera.position, "viewport": stage.plotter.renderers[1].viewport}
x, y = place(1)
drag((x, y), (x, y + 40))
said["after"], said["still"] = edit.editor.points, camera.position
event("RightButtonPressEvent", *place(1))
event("RightButtonReleaseEvent", 5, 5)
said["removed"] = edit.editor.points
high = left + edit.chart.x(edit.editor, edit.editor.high), edit.chart.box[3] + 8
drag(high, (high[0] - 60, high[1]))
said["high"] = edit.editor.high
said["drawn"] = [edit.cloud.transfer.low, edit.cloud.transfer.high]
event("LeftButtonPressEvent", 60, 100)
event("MouseMoveEvent", 110, 120)
said["moving"] = window.step
event("LeftButtonReleaseEvent", 110, 120)
said["turned"] = camera.position
while window.step < 2:
    window.refine()
said["status"] = str(stage.plotter.renderers[0].actors["status"].input)
for key in "mtc":
    event("KeyPressEvent", 60, 100, key)
said["colormap"] = edit.editor.colormap
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the child found; files lie beside."""
    folder = tmp_path_factory.mktemp("keys")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)], capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode < 0:
        pytest.skip(f"no OpenGL driver: signal {-done.returncode}")
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout.splitlines()[-1]), "folder": folder}


def test_points_and_the_window_follow_the_mouse_and_the_camera_stays(said: dict[str, Any]) -> None:
    assert said["still"] == said["eye"]
    assert said["after"][1][1] < said["before"][1][1]
    assert said["after"][1][0] == pytest.approx(said["before"][1][0], abs=0.01)
    assert len(said["removed"]) == len(said["before"]) - 1
    assert said["drawn"][1] == said["high"] < 1.3


def test_beside_the_chart_the_camera_turns_coarsely_and_then_rests_finely(said: dict[str, Any]) -> None:
    assert said["turned"] != said["eye"]
    assert said["moving"] == 0
    assert "frames per second" in said["status"]


def test_keys_save_what_is_seen(said: dict[str, Any]) -> None:
    transfer = read_transfer(said["folder"])
    assert transfer.high == pytest.approx(said["high"])
    assert said["colormap"] == "inferno"
    assert read_viewpoint(said["folder"] / "camera.json").eye == pytest.approx(said["turned"])


def test_text_has_a_strip_of_its_own(said: dict[str, Any]) -> None:
    left, bottom, right, top = said["viewport"]
    assert bottom > 0.03
    assert (left, top) == (0, pytest.approx(1, abs=0.02))
    assert right == pytest.approx(300 / 620, abs=0.01) or right == pytest.approx(0.55, abs=0.01)


def test_saved_names_do_not_replace_each_other(tmp_path: Path) -> None:
    from invrender.preview.window import free

    assert free(tmp_path / "camera.json").name == "camera.json"
    (tmp_path / "camera.json").touch()
    (tmp_path / "camera-2.json").touch()
    assert free(tmp_path / "camera.json").name == "camera-3.json"
