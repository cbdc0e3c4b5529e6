"""The difference between a scene's pictures and the targets, as solvers ask for it.

It is a `NonlinearLeastSquares` with forward-mode columns, and a `ValueAndGrad` with the adjoint kernel. The loss is
1/2 sum r^2, with residuals r in units of the targets' root mean square over all of them, so that a loss of 1/2 says
that nothing is explained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.autograd.functional import jacobian

from invrender.methods.scene.blur import blurred
from invrender.methods.scene.renderer import Renderer
from invrender.methods.scene.targets import Target, resized
from invrender.nouns import Scene
from invrender.parameters.scene_place import Place
from invrender.parameters.scene_values import SceneValues
from invrender.render.scene_edges import SceneEdges
from invrender.solve.protocol import Params, Terms

Tensor = torch.Tensor

FINE = 1.5  # pixels of a level, at least, in the standard deviation of its blur
LARGEST_SEED = 2**31 - 1
ENOUGH = 4  # rays a pixel for derivatives where cameras move, so that outlines do it smoothly
MOST_TANGENTS = 2**19  # rays times columns that are followed at once


@dataclass(frozen=True)
class Compared:
    """What is compared at one level of a pyramid.

    Attributes:
        targets: of the size of the level.
        sigma: of the blur, in their pixels.
        pixels: for each target the numbers of those that count, or None for all.
        unit: of the residuals.
    """

    targets: tuple[Target, ...]
    sigma: float
    pixels: tuple[Tensor | None, ...]
    unit: float

    @property
    def count(self) -> int:
        """How many numbers are compared."""
        pairs = zip(self.targets, self.pixels, strict=True)
        return sum(target.weight.numel() if chosen is None else len(chosen) for target, chosen in pairs) * 3

    def difference(self, shown: Tensor, number: int) -> Tensor:
        """A picture [H,W,3] (or [P,3]) less a target, weighed and blurred, flat; beyond a file's end it is no error."""
        target, chosen = self.targets[number], self.pixels[number]
        image, weight, full = target.image, target.weight[..., None], target.full
        if chosen is not None:
            image, weight, full = (part.reshape(-1, part.shape[-1])[chosen] for part in (image, weight, full))
        off = torch.where(full & (shown.detach() > image), 0.0, shown - image) * weight
        return (off if chosen is not None else blurred(off, self.sigma)).reshape(-1) / self.unit


def compared(
    targets: Sequence[Target],
    sigma: float = 0.0,
    pixels: Sequence[Tensor | None] | None = None,
    most: int | None = None,
) -> Compared:
    """The targets at one level.

    Args:
        targets: at full size.
        sigma: of the blur, in their pixels; half of it in size is left out of the pictures.
        pixels: for each target those that count, or None for all; of targets that are compared at full size.
        most: pixels of the longer side.
    """
    factor = max(1.0, sigma / FINE)
    if most is not None:
        factor = max(factor, max(max(target.size) for target in targets) / most)
    level = tuple(_shrunk(target, factor) for target in targets)
    chosen = tuple(pixels) if pixels is not None else (None,) * len(level)
    squares = sum(float((target.image.square() * target.weight[..., None]).sum()) for target in targets)
    mean = squares / max(sum(float(target.weight.sum()) * 3 for target in targets), 1e-12)
    made = Compared(level, sigma / factor, chosen, mean**0.5 or 1.0)
    return replace(made, unit=made.unit * max(made.count, 1) ** 0.5)


def _shrunk(target: Target, factor: float) -> Target:
    height, width = (max(1, round(side / factor)) for side in target.size)
    return target if (height, width) == target.size else resized(target, (height, width))


@dataclass(frozen=True)
class Misfit:
    """See the module.

    Attributes:
        values: what is free.
        level: what is compared.
        renderer: what draws.
        paths: whether rays are random: then gradients need other ones than the difference that they are weighed by.
        hold: weight of the prior, in units of the residuals; 0: none.
    """

    values: SceneValues
    level: Compared
    renderer: Renderer
    paths: bool = False
    hold: float = 0.0

    def residual(self, params: Params) -> Tensor:
        """r [R] float64, by the kernels."""
        scene = self.values.decode(params)
        with torch.no_grad():
            drawn = [self._difference(scene, k) for k in range(len(self.level.targets))]
        return torch.cat([*drawn, *self._held(params)])

    def _held(self, params: Params) -> list[Tensor]:
        """How far from the start [n] the numbers are, in standard deviations of the prior and weighed."""
        if not self.hold:
            return []
        off = self.values.joined(params) - self.values.joined(self.values.encode())
        return [self.hold * off / self.values.spreads()]

    def linearised(self, params: Params) -> tuple[Tensor, Tensor]:
        """r [R] and its derivatives [R,n] by all free numbers, which the reference twin gives in forward mode.

        A few rays a pixel are enough for these: they say which way to go, the residual how far.
        """
        enough = ENOUGH if any(place.kind.startswith("camera.") for place in self.values.places) else 1
        few = replace(self, renderer=self.renderer.finer(min(self.renderer.shot.spp, enough)))
        columns = [few.columns(params, number) for number in range(len(self.level.targets))]
        prior = [torch.diag(self.hold / self.values.spreads())] if self.hold else []
        return self.residual(params), torch.cat([*columns, *prior])

    def columns(self, params: Params, number: int) -> Tensor:
        """The derivatives [R,n] of one target's residual; those by numbers of other cameras are 0."""
        numbers, moves = self.values.joined(params), self._moving(number)
        edges = self._edges(params, number)

        def difference(free: Tensor) -> Tensor:
            scene = self.values.decode(self.values.split(numbers.index_put((part,), free)))
            return self._difference(scene, number, in_torch=True, edges=edges)

        # Tangents of all columns go through the picture together, or as many as memory takes.
        columns = numbers.new_zeros(3 * self._rays(number), len(numbers))
        with torch.no_grad():
            for part in moves.split(max(1, MOST_TANGENTS // self._rays(number))):
                columns[:, part] = jacobian(difference, numbers[part], strategy="forward-mode", vectorize=True)
        return columns

    def _edges(self, params: Params, number: int) -> SceneEdges | None:
        """Points on the edges of a picture, if something is free that moves them."""
        if not any(self._moves_edges(place) for place in self.values.places):
            return None
        target = self.level.targets[number]
        return self.renderer.edges(self.values.decode(params), target.camera, target.size)

    def _moves_edges(self, place: Place) -> bool:
        shadows = self.renderer.shot.shadows and place.kind in ("light.position", "light.direction")
        return shadows or place.kind in ("camera.pose", "camera.position", "camera.fov", "camera.extent")

    def _rays(self, number: int) -> int:
        chosen = self.level.pixels[number]
        return self.level.targets[number].weight.numel() if chosen is None else len(chosen)

    def _moving(self, number: int) -> Tensor:
        """Free numbers [K] int64 that a target can depend on: not those of other cameras."""
        own = [
            torch.arange(columns.start, columns.stop)
            for place, columns in zip(self.values.places, self.values.columns, strict=True)
            if not place.kind.startswith("camera.") or place.owner == self.level.targets[number].name
        ]
        return torch.cat(own) if own else torch.zeros(0, dtype=torch.int64)

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        """The loss and its gradient, by the kernels; of paths both without bias."""
        raw = {name: value.detach().requires_grad_(True) for name, value in params.items()}
        scene = self.values.decode(raw)
        loss = 0.0
        total = {name: torch.zeros_like(value) for name, value in raw.items()}
        for number in range(len(self.level.targets)):
            seeds = self._seeds(random)
            shown = self._difference(scene, number, seed=seeds[0])
            other = shown.detach() if not self.paths else self._again(scene, number, seeds[1])
            loss += float((shown.detach() * other).sum()) / 2
            found = torch.autograd.grad((other * shown).sum(), list(raw.values()), retain_graph=True, allow_unused=True)
            for name, part in zip(raw, found, strict=True):
                total[name] = total[name] if part is None else total[name] + part
        return {"loss": loss}, total

    def _seeds(self, random: torch.Generator) -> tuple[int | None, int | None]:
        if not self.paths:
            return None, None
        first, second = torch.randint(LARGEST_SEED, (2,), generator=random).tolist()
        return first, second

    def _again(self, scene: Scene, number: int, seed: int | None) -> Tensor:
        with torch.no_grad():
            return self._difference(scene, number, seed=seed).detach()

    def _difference(self, scene: Scene, number: int, **how: Any) -> Tensor:
        """One target's part of the residual; see `Renderer.picture` for how it is drawn."""
        target, chosen = self.level.targets[number], self.level.pixels[number]
        shown = self.renderer.picture(scene, target.camera, target.size, chosen, **how)
        return self.level.difference(shown, number)
