"""How tightly a grid is carved: what lies within a cell of an object is empty, or holds a part of it, as the data say.

Densities that are linear between their samples vanish wherever an empty ray has passed within a cell. Real objects end
between the samples, which then stand for a part of them there. So trials run on a support that holds this rim. Where
the rim is empty, its density fades from pass to pass, and held-out views are predicted as well without it; where it is
needed, the density stays, or is missed. The last passes run on the tight support, or on one that leaves a second cell
for what is linear between samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from invrender.kernels import Backend
from invrender.methods.transmittance.carving import margins
from invrender.methods.transmittance.ladder import HELD_OUT_MISFIT
from invrender.methods.transmittance.measurement import Measurement
from invrender.methods.transmittance.problem import Problem, Shape, prepare
from invrender.solve.phase import Finished

Tensor = torch.Tensor

TIGHT, NEAR, WIDE = 0.0, 1.0, 2.0  # cells around empty rays that may hold something
COARSE = 1.3  # cells across a pixel, from which on it shows too little of a rim
ENOUGH = 12  # passes before a rim's density says anything
FADES = 0.77  # share of the rim's density that is left after a trial, at most, where it is empty
FAINT, PLAIN = 0.03, 0.12  # of the density inside: rims that are empty, and that are not, however they fade
RIM, CUT = "rim", "cut"  # measures that choose phases leave: the rim's density; the held-out misfit without it
# By which the held-out misfit may rise where an empty rim is cut off: one that stays, and one that is still fading.
WORSE, WORSE_FADING = 1.01, 1.2


@dataclass(frozen=True)
class Supports:
    """The same problem on three supports.

    Attributes:
        measurement, shape, bounds, backend: see `prepare`.
        carves: whether anything is carved.
        chooses: whether there are trials, which can decide; else the widest is taken.
        turns: in how many parts the views are taken.
    """

    measurement: Measurement
    shape: Shape
    bounds: Tensor
    backend: Backend
    carves: bool
    chooses: bool
    turns: int = 1

    @cached_property
    def tight(self) -> Problem:
        """Without the rim."""
        return self._carved(TIGHT)

    @cached_property
    def near(self) -> Problem:
        """With the rim and no more."""
        return self._carved(NEAR)

    @cached_property
    def wide(self) -> Problem:
        """With room around the rim."""
        return self._carved(WIDE)

    @cached_property
    def judges(self) -> bool:
        """Whether trials decide: of exact data alone, whose empty rays prove something, and where pixels are fine."""
        exact = self.carves and self.chooses and self.measurement.noise.deviation == 0
        return exact and bool((margins(self.measurement.cameras, self.shape, self.bounds, COARSE / 2) > 0).all())

    def _carved(self, margin: float) -> Problem:
        carved = margin if self.carves else None
        return prepare(self.measurement, self.shape, self.bounds, self.backend, carved, self.turns)

    @property
    def trial(self) -> Problem:
        """What trials run on."""
        return self.near if self.judges else self.wide

    def settled(self, tried: Sequence[Finished]) -> Problem:
        """What the last passes run on, after some trials."""
        return self.tight if self.empties(tried) else self.wide

    def empties(self, tried: Sequence[Finished]) -> bool:
        """Whether trials have found the rim to be empty: the first two, which have the same smoothing."""
        if not self.judges or len(tried) < 2 or tried[0].steps < ENOUGH:
            return False
        first, second = (phase.measures[RIM] for phase in tried[:2])
        fades = second < FADES * first
        if tried[1].measures[CUT] > (WORSE_FADING if fades else WORSE) * tried[1].measures[HELD_OUT_MISFIT]:
            return False  # faint as it is, the views need it
        return second < FAINT or (fades and second < PLAIN)

    def rim(self, estimate: Tensor, misfit: Callable[[Tensor], float]) -> dict[str, float]:
        """The mean density in the rim, as a share of the mean inside of it, and the held-out misfit without the rim."""
        if not self.judges:
            return {}
        inside = self.tight.support
        outside = self.near.support & ~inside
        means = [float(torch.where(part, estimate, 0.0).double().sum()) / max(int(part.sum()), 1)
                 for part in (outside, inside)]  # fmt: skip
        cut = misfit(torch.where(inside, estimate, 0.0))
        return {RIM: means[0] / max(means[1], torch.finfo(torch.float32).tiny), CUT: cut}
