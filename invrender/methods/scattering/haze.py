"""What a thin medium shows, without paths: what is behind it as far as it comes through, and a light of its own.

Light that a medium scatters once comes from all along a ray and differs little there: a pixel shows T bare + (1 - T)
own, with T the transmittance. What `own` is follows from pictures by paths of light, as a linear function of the place
in each of them, whatever scattered how often. This model's derivatives have no noise; those along paths have so much
in a thin medium that little else is left of them. What it leaves out is measured, by paths, as the mean of what they
show above it, which changes little while the medium does: the two together show what paths show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from invrender.kernels.radiance import SceneArrays
from invrender.methods.scattering.renderer import Renderer
from invrender.ops.volume import line_integral

Tensor = torch.Tensor

FACTOR = 1.5  # by which a medium is made denser and thinner to see what the model foresees of it
TRIED_SPP, BARE_SPP = 2, 1  # rays a pixel of each of those pictures, and of the one without a medium
DOUBTED, TRUSTED = 0.12, 0.2  # shares of what is shown that the model must foresee to count at all, and alone
FAINT = 1e-6  # of the mean: how much a plane that nothing tells is drawn to 0


@dataclass(frozen=True)
class Haze:
    """The model of some views.

    Attributes:
        above: [P,3] how much brighter the medium's own light is than what is behind it.
        share: how much the model counts, from 0 to 1; paths tell the rest of the derivatives.
    """

    above: Tensor
    share: float

    def of(self, pixels: Tensor) -> Haze:
        """The model of some pixels."""
        return replace(self, above=self.above[pixels])

    def gain(self, hidden: Tensor) -> Tensor:
        """What the medium adds to the pixels by the share, [P,3], where it hides the shares [P] of what is behind."""
        return self.share * self.above * hidden[:, None]

    def rest(self, layers: Tensor) -> Tensor:
        """Of pixels [P,4] along paths, what the model does not tell, [P,3]: by the same paths, so with less noise."""
        return layers[:, :3] - self.gain(layers[:, 3])


def hidden(renderer: Renderer, arrays: SceneArrays, rays: tuple[Tensor, Tensor]) -> Tensor:
    """Shares [R] of the light that rays [R,3] lose in the medium; differentiable in its extinction."""
    return 1 - torch.exp(-line_integral(renderer.backend, arrays.extinction[..., 0], renderer.base.box, *rays))


def fits(renderer: Renderer) -> bool:
    """Whether alpha along paths tells of the medium alone, and the medium fills its grid."""
    return not len(renderer.base.faces) and not len(renderer.base.boundary)


@torch.no_grad()
def fitted(renderer: Renderer, arrays: SceneArrays, layers: Tensor, share: float, seed: int) -> Haze:
    """The model that explains a medium's pictures [P,4] along paths best."""
    bare = renderer.layers(times(arrays, 0.0), BARE_SPP, seed)
    return Haze(own_light(renderer, hidden(renderer, arrays, renderer.middles()), (layers - bare)[:, :3]), share)


@torch.no_grad()
def foreseen(renderer: Renderer, arrays: SceneArrays, seed: int) -> float:
    """How much of what more and less of a medium show the model foresees, from 0 to 1."""
    haze = fitted(renderer, arrays, renderer.layers(arrays, 2 * TRIED_SPP, seed), 1.0, seed)
    denser, thinner = times(arrays, FACTOR), times(arrays, 1 / FACTOR)
    missed = [
        haze.rest(renderer.layers(denser, TRIED_SPP, number)) - haze.rest(renderer.layers(thinner, TRIED_SPP, -number))
        for number in (seed + 1, seed + 2)
    ]
    rays = renderer.middles()
    told = haze.gain(hidden(renderer, denser, rays) - hidden(renderer, thinner, rays))
    right, wrong = float(told.square().sum()), float((missed[0] * missed[1]).sum())  # the noise of one knows no other
    return right / max(right + max(wrong, 0.0), 1e-12)


def trusted(share: float) -> float:
    """How much a model counts that foresees a share of what is shown."""
    return min(max((share - DOUBTED) / (TRUSTED - DOUBTED), 0.0), 1.0)


def times(arrays: SceneArrays, factor: float) -> SceneArrays:
    """A scene whose medium is denser."""
    return replace(arrays, extinction=factor * arrays.extinction)


def own_light(renderer: Renderer, hides: Tensor, gain: Tensor) -> Tensor:
    """How much brighter the medium is than what is behind, [P,3], by a linear function of the place in each picture.

    Args:
        renderer: of the views.
        hides: [P] shares of light that the pixels' rays lose in the medium.
        gain: [P,3] what the pixels show with it above what they show without.
    """
    height, width = renderer.size
    row, column = (torch.linspace(-1, 1, n, dtype=torch.float64) for n in (height, width))
    y, x = torch.meshgrid(row, column, indexing="ij")
    place = torch.stack([torch.ones_like(x), x, y], -1).reshape(-1, 3)
    known = hides.cpu().reshape(-1, height * width, 1).double() * place
    normal = known.mT @ known
    least = FAINT * normal.diagonal(dim1=1, dim2=2).mean(1).clamp(min=1e-12)
    normal = normal + least[:, None, None] * torch.eye(3, dtype=torch.float64)
    plane = torch.linalg.solve(normal, known.mT @ gain.cpu().reshape(-1, height * width, 3).double())
    above: Tensor = (place @ plane).reshape(-1, 3).to(gain)
    return above
