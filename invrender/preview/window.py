"""The preview's window: what mouse and keys do in it, and pictures that are coarse while the camera moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from invrender.io.cameras_file import write_viewpoint
from invrender.preview.chart import Chart, Hit
from invrender.preview.editor import Editor
from invrender.preview.scene import Stage, font_size, viewpoint
from invrender.preview.volumes import Cloud
from invrender.render.transfer_file import write_transfer

FIRST = 10.0  # priority of observers that come before those that turn the camera
REST = 250  # milliseconds of rest after which the picture becomes finer
FINEST = 2  # of `Cloud.refine`


def open_window(stage: Stage, folder: Path) -> None:
    """Show the window until it is closed.

    Args:
        stage: what it shows.
        folder: where keys write files.
    """
    connect(stage, folder)
    stage.plotter.show(title="invrender", auto_close=False)


def connect(stage: Stage, folder: Path) -> Window:
    """Let mouse and keys do what they do in the window."""
    window = Window(stage, folder)
    window.connect()
    return window


class Window:
    """The state of a window: its status line, how fine its picture is, and the transfer function being edited."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage, self.folder = stage, folder
        self.step = FINEST
        self.editing: Editing | None = None
        if stage.editor is not None:
            self.editing = Editing(stage, next(iter(stage.clouds.values())))

    def connect(self) -> None:
        """Observe the window's events."""
        plotter: Any = self.stage.plotter
        interaction = plotter.iren
        interaction.initialize()
        style = interaction.interactor.GetInteractorStyle()
        style.AddObserver("StartInteractionEvent", lambda *_: self.moving())
        style.AddObserver("InteractionEvent", lambda *_: self.measured())
        style.AddObserver("EndInteractionEvent", lambda *_: self.resting())
        interaction.interactor.AddObserver("TimerEvent", lambda *_: self.refine())
        plotter.add_key_event("c", self.save_camera)
        if self.editing is not None:
            self.editing.connect(self)
            plotter.add_key_event("t", self.save_transfer)
            plotter.add_key_event("l", self.lighting)
            plotter.add_key_event("m", self.recolour)
            plotter.add_key_event("r", self.reset)
        self.say("c saves the camera" + (", t the transfer function" if self.editing else ""))

    def moving(self) -> None:
        """Draw coarsely, so that the picture follows the mouse."""
        self._refined(0)

    def measured(self) -> None:
        """Tell how fast pictures come."""
        seconds = sum(r.GetLastRenderTimeInSeconds() for r in self.stage.plotter.renderers)
        rate = 1 / max(seconds, 1e-3)
        self.say(f"{rate:.0f} frames per second" if rate > 9.5 else f"{rate:.1f} frames per second")

    def resting(self) -> None:
        """Refine the picture after a moment, in steps that further moves interrupt."""
        if self.stage.clouds:
            plotter: Any = self.stage.plotter
            plotter.iren.interactor.CreateOneShotTimer(REST)

    def refine(self) -> None:
        """One step finer, and the next after a moment."""
        if self.step >= FINEST:
            return
        self._refined(self.step + 1)
        self.stage.plotter.render()
        if self.step < FINEST:
            self.resting()

    def edit(self, editor: Editor) -> None:
        """Draw with another transfer function: at once coarsely, and finely after a moment of rest."""
        if self.editing is None:
            return
        self._refined(min(self.step, 1))
        self.editing.show(editor)
        self.stage.plotter.render()
        self.measured()
        self.resting()

    def recolour(self) -> None:
        """Take the next colormap."""
        if self.editing is not None:
            self.edit(self.editing.editor.recoloured())

    def reset(self) -> None:
        """Take the transfer function that the window was opened with."""
        if self.editing is not None:
            self.edit(self.editing.opened)

    def lighting(self) -> None:
        """Light the cloud, or let it glow."""
        for cloud in self.stage.clouds.values():
            cloud.actor.prop.SetShade(not cloud.actor.prop.GetShade())
        self.stage.plotter.render()

    def save_camera(self) -> None:
        """Write the camera to the next free camera.json."""
        path = free(self.folder / "camera.json")
        write_viewpoint(path, viewpoint(self.stage))
        self.say(f"wrote {path.name}, for render --camera")
        self.stage.plotter.render()

    def save_transfer(self) -> None:
        """Write the transfer function to the next free transfer.json."""
        if self.editing is None:
            return
        path = free(self.folder / "transfer.json")
        write_transfer(path, self.editing.editor.transfer)
        self.say(f"wrote {path.name}, for render --transfer")
        self.stage.plotter.render()

    def say(self, text: str) -> None:
        """Show a text at the right end of the lower strip."""
        plotter = self.stage.plotter
        active = plotter.renderers.active_index
        plotter.subplot(0, 0)
        height = plotter.window_size[1]
        size = font_size(height)
        where = (round(self.stage.size[1] * len(self.stage.panels) - 1.05 * size * len(text) - 8), max(3, size // 2))
        plotter.add_text(text, position=where, font_size=size, color=self.stage.ink, name="status", render=False)
        plotter.subplot(0, active)

    def _refined(self, step: int) -> None:
        self.step = step
        for cloud in self.stage.clouds.values():
            cloud.refine(step)


class Editing:
    """The editor's column: its picture, and what the mouse drags in it."""

    def __init__(self, stage: Stage, cloud: Cloud) -> None:
        import vtk

        assert stage.editor is not None
        self.stage, self.cloud = stage, cloud
        self.editor = self.opened = Editor.of(cloud.transfer, cloud.volume)
        self.dragged: Hit | None = None
        self.mapper = vtk.vtkImageMapper()
        self.mapper.SetColorWindow(255)
        self.mapper.SetColorLevel(127.5)
        actor = vtk.vtkActor2D()
        actor.SetMapper(self.mapper)
        stage.editor.AddViewProp(actor)
        self.chart = Chart.of(cloud.volume, self.editor, self._size())
        self.show(self.editor)

    def connect(self, window: Window) -> None:
        """Observe the mouse, before those that turn the camera do."""
        plotter: Any = self.stage.plotter
        for event, react in (
            ("LeftButtonPressEvent", self.press), ("MouseMoveEvent", self.drag),
            ("LeftButtonReleaseEvent", self.release), ("RightButtonPressEvent", self.remove),
        ):  # fmt: skip
            self._observe(plotter.iren.interactor, event, react, window)

    def _observe(self, interactor: Any, event: str, react: Any, window: Window) -> None:
        tag = 0

        def seen(*_: Any) -> None:
            if react(window, *self._at(interactor.GetEventPosition())):
                interactor.GetCommand(tag).SetAbortFlag(1)  # the camera stays

        tag = interactor.AddObserver(event, seen, FIRST)

    def press(self, window: Window, x: float, y: float) -> bool:
        """Take what lies under the mouse, or add a point. Each of these returns whether the event was the chart's."""
        hit = self.chart.hit(self.editor, x, y)
        if hit is not None and hit.kind == "bar":
            window.edit(self.editor.recoloured())
        elif hit is not None and hit.kind == "plot":
            place = self.editor.place(self.chart.value(self.editor, x))
            editor, number = self.editor.added(place, self.chart.opacity(y))
            self.dragged = Hit("point", number)
            window.edit(editor)
        else:
            self.dragged = hit
        return x >= 0

    def drag(self, window: Window, x: float, y: float) -> bool:
        """Move what was taken."""
        if self.dragged is None:
            return x >= 0
        value = self.chart.value(self.editor, x)
        if self.dragged.kind == "low":
            window.edit(self.editor.windowed(low=value))
        elif self.dragged.kind == "high":
            window.edit(self.editor.windowed(high=value))
        else:
            window.edit(self.editor.moved(self.dragged.number, self.editor.place(value), self.chart.opacity(y)))
        return True

    def release(self, _: Window, x: float, y: float) -> bool:
        """Let go."""
        held, self.dragged = self.dragged is not None, None
        return held or x >= 0

    def remove(self, window: Window, x: float, y: float) -> bool:
        """Take a point away."""
        hit = self.chart.hit(self.editor, x, y)
        if hit is not None and hit.kind == "point":
            window.edit(self.editor.removed(hit.number))
        return x >= 0

    def show(self, editor: Editor) -> None:
        """Draw chart and cloud with another transfer function."""
        import pyvista

        self.editor = editor
        self.cloud.show(editor.transfer)
        if self.chart.size != self._size():
            self.chart = Chart(self._size(), self.chart.counts)
        pixels = self.chart.draw(editor)
        image = pyvista.ImageData(dimensions=(pixels.shape[1], pixels.shape[0], 1))
        image.point_data["chart"] = np.ascontiguousarray(pixels[::-1]).reshape(-1, 3)
        self.mapper.SetInputData(image)

    def _size(self) -> tuple[int, int]:
        """(H, W) of the column in pixels."""
        assert self.stage.editor is not None
        width, height = self.stage.plotter.window_size
        left, bottom, right, top = self.stage.editor.viewport
        return round((top - bottom) * height), round((right - left) * width)

    def _at(self, position: tuple[int, int]) -> tuple[float, float]:
        """The chart's column and row of a position in the window; the column is negative beside it."""
        assert self.stage.editor is not None
        width, height = self.stage.plotter.window_size
        return position[0] - self.stage.editor.viewport[0] * width, height - 1 - position[1]


def free(path: Path) -> Path:
    """A path that does not exist yet: this one, or with a number."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_stem(f"{path.stem}-{number}")
    return candidate
