"""What became of cameras that a run refined: how far each has moved, and which moved much more than the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.findings import Finding
from invrender.nouns import Cameras

Floats = NDArray[np.float64]

MUCH, NOTABLE = 4.0, 1.5  # times the median motion, and pixels, from which on a camera moved much more than the rest
SHOWN = 5


@dataclass(frozen=True)
class Change:
    """How N cameras moved.

    Attributes:
        position: [N] in percent of the distance from the object's middle.
        angle: [N] degrees between the directions of view, turns about them included.
        pixels: [N] by which the object's middle and the picture about it move, roughly.
        focal: factor on the focal lengths.
    """

    position: Floats
    angle: Floats
    pixels: Floats
    focal: float

    def of(self, names: Sequence[str]) -> dict[str, Any]:
        """As metrics.json holds it, by the views' names."""
        each = {
            name: {"position_percent": float(p), "angle_degrees": float(a), "pixels": float(x)}
            for name, p, a, x in zip(names, self.position, self.angle, self.pixels, strict=True)
        }
        return {
            "position_percent_mean": float(self.position.mean()),
            "position_percent_max": float(self.position.max()),
            "angle_degrees_mean": float(self.angle.mean()),
            "angle_degrees_max": float(self.angle.max()),
            "focal_factor": self.focal,
            "moved_much_more": [names[i] for i in self.apart()],
            "each": each,
        }

    def apart(self) -> list[int]:
        """The cameras that moved much more than the rest, the farthest first."""
        least = max(MUCH * float(np.median(self.pixels)), NOTABLE)
        order = np.argsort(-self.pixels)
        return [int(i) for i in order if self.pixels[i] > least]


def change(before: Cameras, after: Cameras, middle: Floats) -> Change:
    """How cameras moved, seen from the object's middle [3] in the world."""
    a, b = (torch.linalg.inv(cameras.world_to_camera).numpy() for cameras in (before, after))
    distance = np.linalg.norm(a[:, :3, 3] - middle, axis=1)
    position = np.linalg.norm(b[:, :3, 3] - a[:, :3, 3], axis=1) / distance
    # |R - S| = 2 sqrt(2) sin(angle / 2), which keeps its digits for small angles
    chord = np.linalg.norm(a[:, :3, :3] - b[:, :3, :3], axis=(1, 2)) / (2 * np.sqrt(2))
    angle = 2 * np.arcsin(np.clip(chord, 0, 1))
    focal = float((after.projection[:, 1, 1] / before.projection[:, 1, 1]).mean())
    return Change(100 * position, np.degrees(angle), _pixels(before, after, middle), focal)


def _pixels(before: Cameras, after: Cameras, middle: Floats) -> Floats:
    """Motion [N] in the pictures of a cross about the middle, a quarter of the distance wide; root mean square."""
    there = torch.linalg.inv(before.world_to_camera)[:, :3, 3]
    reach = 0.125 * float((there - torch.from_numpy(middle)).norm(dim=1).mean())
    cross = torch.cat([torch.zeros(1, 3), reach * torch.eye(3), -reach * torch.eye(3)]).double()
    points = torch.cat([cross + torch.from_numpy(middle), torch.ones(7, 1, dtype=torch.float64)], 1)
    first, second = (points @ cameras.clip_from_world.transpose(1, 2) for cameras in (before, after))
    apart = first[..., :2] / first[..., 3:] - second[..., :2] / second[..., 3:]
    scale = torch.tensor([before.size[1] / 2, before.size[0] / 2], dtype=torch.float64)
    found: Floats = (apart * scale).square().sum(-1).mean(1).sqrt().numpy()
    return found


def told(m: dict[str, Any]) -> str:
    """A change, as `Change.of` has it, in a line of the summary."""
    focal = "" if abs(m["focal_factor"] - 1) < 1e-6 else f"; focal lengths times {m['focal_factor']:.4f}"
    return (
        f"moved by {m['position_percent_mean']:.2f} % of the distance and {m['angle_degrees_mean']:.2f} degrees"
        f" (at most {m['position_percent_max']:.2f} %, {m['angle_degrees_max']:.2f}){focal}"
    )


def finding(m: dict[str, Any]) -> list[Finding]:
    """Cameras that moved much more than the rest."""
    names = m["moved_much_more"]
    if not names:
        return []
    shown = ", ".join(f"{name} ({m['each'][name]['pixels']:.1f} pixels)" for name in names[:SHOWN])
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return [
        Finding(
            f"cameras moved much more than the rest: {shown}{more}",
            "look at these pictures: a camera that was far off may have gone astray; leave them out, or find the"
            " cameras anew with `invrender poses`",
            tuple(names),
        )
    ]
