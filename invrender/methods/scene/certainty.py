"""How certain values are that were found: standard errors, and what the pictures cannot tell apart, in plain words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from invrender.methods.scene.misfit import Misfit
from invrender.methods.scene.rounding import with_rounding
from invrender.parameters.scene_places import XYZ, Place
from invrender.parameters.scene_values import SceneValues
from invrender.solve.laplace import CONFOUNDED, Laplace, laplace
from invrender.solve.protocol import Params

Tensor = torch.Tensor

BRIGHTER = "a stronger light from"
MEANINGS = {
    ("light.intensity", "light.position"): f"{BRIGHTER} a nearer one",
    ("light.intensity", "light.direction"): f"{BRIGHTER} one that stands steeper",
    ("light.intensity", "light.intensity"): "the light of one lamp from that of the other",
    ("light.intensity", "material.Kd"): f"{BRIGHTER} a brighter surface",
    ("light.intensity", "material.Ks"): f"{BRIGHTER} a stronger highlight",
    ("light.intensity", "light.angle"): f"{BRIGHTER} a wider cone",
    ("light.intensity", "ambient"): "the lamp from the light from everywhere",
    ("environment.colour", "material.Kd"): "a brighter sky from a brighter surface",
    ("environment.intensity", "material.Kd"): "a brighter sky from a brighter surface",
    ("environment.intensity", "light.intensity"): "the lamp from the sky",
    ("environment.colour", "light.intensity"): "the lamp from the sky",
    ("ambient", "material.Kd"): "more light from everywhere from a brighter surface",
    ("material.Kd", "material.emission"): "a brighter surface from one that glows",
    ("material.Kd", "material.Kd"): "one surface from the other",
    ("material.Kd", "material.Ks"): "diffuse from mirrored light",
    ("material.Ks", "material.Ns"): "a stronger highlight from a wider one",
    ("camera.fov", "camera.pose"): "a longer lens from a nearer camera",
    ("camera.fov", "camera.position"): "a longer lens from a nearer camera",
    ("camera.extent", "camera.pose"): "a wider picture from another place of the camera",
    ("camera.pose", "light.position"): "a turned camera from a moved light",
    ("camera.aperture", "camera.focus"): "a wider lens from another focus",
    ("material.metallic", "material.roughness"): "a rougher surface from one that is less metallic",
}
"""What two kinds of values that move together cannot be told apart as: `the pictures cannot tell ...`."""


@dataclass(frozen=True)
class Confounded:
    """Two values, or two numbers of one, that the pictures do not tell apart."""

    first: str
    second: str
    correlation: float
    meaning: str

    def __str__(self) -> str:
        """In plain words."""
        return f"{self.first} and {self.second} move together ({self.correlation:.2f}): {self.meaning}"


@dataclass(frozen=True)
class Certainty:
    """What is known of the values.

    Attributes:
        laplace: the Gaussian about them, of each place's numbers by themselves (`SceneValues.plain`).
        errors: standard errors [K] of readable numbers by path; infinite where they are not determined.
        confounded: what moves together, the strongest first.
        undetermined: names of free numbers that the pictures do not determine better than the prior does.
        sigma: standard deviation of the targets' values that was used or found, linear.
    """

    laplace: Laplace
    errors: dict[str, Tensor]
    confounded: tuple[Confounded, ...]
    undetermined: tuple[str, ...]
    sigma: float


def certainty(misfit: Misfit, params: Params, noise: float | None) -> Certainty:
    """Of values where the misfit is least.

    Args:
        misfit: without a prior, of pictures that are not blurred.
        params: the free numbers there.
        noise: of the targets' linear values; None: as large as what is left.
    """
    values, unit = misfit.values, misfit.level.unit
    plain = values.plain()
    residual, columns = misfit.linearised(params)
    slopes = columns @ torch.linalg.inv(plain)
    around = laplace(
        values.free_names(),
        plain @ values.joined(params),
        residual,
        slopes,
        None if noise is None else noise / unit,
    )
    around = replace(around, covariance=with_rounding(around.covariance, misfit.level, residual, slopes))
    wide = around.standard_error > values.spreads()
    loose = tuple(name for name, lost in zip(around.names, wide.tolist(), strict=True) if lost)
    errors = values.errors(params, around.covariance)
    return Certainty(around, errors, pairs(values, around), loose, around.sigma * unit)


def pairs(values: SceneValues, around: Laplace) -> tuple[Confounded, ...]:
    """Pairs of places whose numbers move together in some combination, and of numbers of one place."""
    found = []
    slices = list(zip(values.places, values.columns, strict=True))
    for i, (first, own) in enumerate(slices):
        found += _within(first, own, around)
        for second, other in slices[i + 1 :]:
            value = _together(around, own, other)
            if abs(value) >= CONFOUNDED:
                found.append(Confounded(first.path, second.path, value, meaning(first, second)))
    return tuple(sorted(found, key=lambda pair: -abs(pair.correlation)))


def _within(place: Place, own: slice, around: Laplace) -> list[Confounded]:
    names = [name.rpartition(".")[2] for name in around.names[own]]
    block = around.correlation[own, own]
    return [
        Confounded(
            around.names[own][i], names[j], float(block[i, j]),
            "the pictures determine a combination of the two alone",
        )
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if abs(float(block[i, j])) >= CONFOUNDED and place.labels == XYZ and not place.moves
    ]  # fmt: skip


def _together(around: Laplace, own: slice, other: slice) -> float:
    """The strongest correlation of two blocks: of single numbers, with its sign, or of combinations of them."""
    block = around.correlation[own, other]
    single = float(block.reshape(-1)[block.abs().argmax()])
    joint = _canonical(around.covariance, own, other)
    return single if abs(single) >= joint else joint if single >= 0 else -joint


def _canonical(covariance: Tensor, own: slice, other: slice) -> float:
    """The first canonical correlation (Hotelling 1936); 0 where a number has no finite variance."""
    chosen = torch.cat([torch.arange(own.start, own.stop), torch.arange(other.start, other.stop)])
    joint = covariance[chosen][:, chosen]
    scale = joint.diagonal().sqrt()
    if not bool(torch.isfinite(joint).all() and (scale > 0).all()):
        return 0.0
    joint, count = joint / scale[:, None] / scale, own.stop - own.start
    first, second = _root(joint[:count, :count]), _root(joint[count:, count:])
    return min(1.0, float(torch.linalg.svdvals(first @ joint[:count, count:] @ second)[0]))


def _root(block: Tensor) -> Tensor:
    """The inverse root of a correlation matrix; directions that are hardly there are left out."""
    values, vectors = torch.linalg.eigh(block)
    inverse = torch.where(values > 1e-9, values.clamp(min=1e-9).rsqrt(), 0.0)
    root: Tensor = vectors * inverse @ vectors.T
    return root


def meaning(first: Place, second: Place) -> str:
    """What it means that two values move together."""
    told = MEANINGS.get((first.kind, second.kind)) or MEANINGS.get((second.kind, first.kind))
    return f"the pictures cannot tell {told}" if told else "the pictures cannot tell one change from the other"
