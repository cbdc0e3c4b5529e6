"""How much light glTF materials let through. Source: glTF 2.0 specification, section 3.9.4 (alpha coverage).

Pictures here know surfaces that are there or not. What is transparent as a whole is left out, as every viewer does;
what is so in places is shown whole, in silhouettes too, and a warning says so.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.io.meshes.gltf_json import Item
from invrender.io.meshes.gltf_wrap import nearest

log = logging.getLogger(__name__)

Array = NDArray[np.float64]
Faces = NDArray[np.int64]
Plane = NDArray[np.uint8]
Range = tuple[float, float]

SOLID: Range = (1.0, 1.0)
_FULL = 1 - 1.5 / 255  # what 8 bits do not tell from opaque
_ORDER = 8  # of the places within each face that are looked up, 45 of them
_LOOKUPS = 2**21  # of all faces together, beyond which small faces have fewer places


@dataclass(frozen=True)
class Opacity:
    """The alpha of a material.

    Attributes:
        path: the file, for messages.
        name: of the material, likewise.
        mode: OPAQUE, MASK or BLEND.
        cutoff: the least alpha of a MASK that is there.
        factor: of the base colour.
        picture: [h,w] alpha of the base colour's picture, or None where it has none.
        wrap: the modes of its u and v.
    """

    path: Path
    name: str
    mode: str
    cutoff: float
    factor: float
    picture: Plane | None
    wrap: tuple[int, int]
    _said: set[str] = field(default_factory=set)

    def shows(self, faces: Faces, uv: Array | None, vertices: Array | None) -> bool:
        """Whether something of a primitive is seen; warns, once, of what is shown otherwise than it is meant.

        Args:
            faces: [F,3].
            uv: [V,2] in the picture, v down, or None.
            vertices: [V] the alpha of the vertex colours, or None.
        """
        if self.mode not in ("MASK", "BLEND"):
            return True
        with np.errstate(over="ignore", invalid="ignore"):  # what is infinite is refused later
            low, high = SOLID if self.picture is None or uv is None else self._looked_up(self.picture, uv[faces])
        if vertices is not None:
            own = vertices[faces]
            low, high = low * float(own.min()), high * float(own.max())
        return self._judged(low * self.factor, high * self.factor)

    def _looked_up(self, picture: Plane, corners: Array) -> Range:
        """The least alpha on faces whose corners [F,3,2] lie in the picture, and the largest of the picture."""
        low = 255
        order = min(_ORDER, math.isqrt(2 * _LOOKUPS // len(corners)))
        a, b, c = corners.transpose(1, 2, 0)  # [2,F] each
        for i in range(order + 1):
            for j in range(order + 1 - i):
                first, second = (i + 1 / 3) / (order + 1), (j + 1 / 3) / (order + 1)
                u, v = first * a + second * b + (1 - first - second) * c
                row, column = nearest(v, picture.shape[0], self.wrap[1]), nearest(u, picture.shape[1], self.wrap[0])
                low = min(low, int(picture[row, column].min()))
        return low / 255, int(picture.max()) / 255  # places between those looked up may be opaque

    def _judged(self, low: float, high: float) -> bool:
        if self.mode == "MASK":
            least, full, what = self.cutoff, self.cutoff, "its cut-outs (alphaMode MASK) are not made"
        else:
            least, full, what = 1e-9, _FULL, "its alpha (alphaMode BLEND) is not used"
        if high < least:
            self._say("is transparent, and what has it is left out")
        elif low < full:
            self._say(f"is shown opaque, in silhouettes too: {what}")
        return high >= least

    def _say(self, what: str) -> None:
        if what not in self._said:
            self._said.add(what)
            log.warning("%s: material '%s' %s", self.path.name, self.name, what)


def read_opacity(source: Item, name: str, factor: float, picture: Plane | None, wrap: tuple[int, int]) -> Opacity:
    """The alpha of an element of `materials`; the other arguments are as in `Opacity`."""
    mode, cutoff = source.text("alphaMode", "OPAQUE"), source.number("alphaCutoff", 0.5)
    return Opacity(source.path, name, mode, cutoff, factor, picture, wrap)
