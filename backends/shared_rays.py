"""Kernels on rays, which know nothing of each other: each rank of a run takes a stretch of them; see `shared`."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import torch

from invrender.kernels import Backend
from invrender.kernels.compositing import RaySamples, Rules
from invrender.kernels.field import Field, FieldRays
from invrender.kernels.radiance import RadianceGradient, SceneArrays, Transport
from invrender.ranks.calls import Part, count, shared

Tensor = torch.Tensor

FEWEST = 1 << 12  # rays that are worth sending out


@dataclass(frozen=True)
class SharedRays:
    """The kernels, with what each rank computes by."""

    backend: Backend

    def trace(
        self, vertices: Tensor, faces: Tensor, origin: Tensor, direction: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """See `kernels.mesh.Trace`."""
        found = self._rows("trace", (vertices, faces), (origin, direction))
        return found[0], found[1], found[2], found[3]

    def line_integral(self, grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor) -> Tensor:
        """See `kernels.volume.LineIntegral`."""
        return self._rows("line_integral", (grid, bounds), (origin, direction))[0]

    def line_integral_adjoint(
        self, grad: Tensor, grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """See `kernels.volume.LineIntegralAdjoint`."""
        parts = self._parts(_line_integral_adjoint, (grid, bounds), (grad, origin, direction))
        rows = [_joined([part.own[k] for part in parts]) for k in range(2)]
        return parts[0].sums[0], rows[0], rows[1]

    def composite(self, grid: Tensor, samples: RaySamples, table: Tensor | None, rules: Rules) -> Tensor:
        """See `kernels.volume.Composite`."""
        lights = None if rules.shade is None else rules.shade.lights
        parts = self._parts(_composite, (grid, table, rules), (*_fields(samples), lights), samples.count)
        found = _joined([part.own for part in parts])
        assert found is not None
        return found

    def composite_adjoint(
        self, grad: Tensor, result: Tensor, grid: Tensor, samples: RaySamples, table: Tensor | None, rules: Rules
    ) -> tuple[Tensor, Tensor | None]:
        """See `kernels.volume.CompositeAdjoint`."""
        lights = None if rules.shade is None else rules.shade.lights
        rows = (grad, result, *_fields(samples), lights)
        sums = self._parts(_composite_adjoint, (grid, table, rules), rows, samples.count)[0].sums
        return sums[0], sums[1] if len(sums) > 1 else None

    def field(self, field: Field, rays: FieldRays) -> Tensor:
        """See `kernels.field.RenderField`."""
        found = _joined([part.own for part in self._parts(_field, (field,), _fields(rays))])
        assert found is not None
        return found

    def field_misfit(self, field: Field, rays: FieldRays, target: Tensor) -> tuple[float, Tensor, Tensor]:
        """See `kernels.field.FieldMisfit`."""
        value, density, colours = self._parts(_field_misfit, (field,), (*_fields(rays), target))[0].sums
        return float(value), density, colours

    def field_light(self, field: Field, rays: FieldRays) -> Tensor:
        """See `kernels.field.FieldLight`."""
        parts = self._parts(_field_light, (field,), _fields(rays))
        light: Tensor = parts[0].own
        for part in parts[1:]:
            light = torch.maximum(light, part.own.to(light.device))
        return light

    def radiance(
        self, scene: SceneArrays, origin: Tensor, direction: Tensor, seed: int, transport: Transport
    ) -> Tensor:
        """See `kernels.radiance.Radiance`."""
        parts = self._parts(_radiance, (scene, seed, transport), (origin, direction), origin, numbered=True)
        found = _joined([part.own for part in parts])
        assert found is not None
        return found

    def radiance_adjoint(
        self, grad: Tensor, scene: SceneArrays, origin: Tensor, direction: Tensor, seed: int, transport: Transport,
        radiance: Tensor, needs: frozenset[str],
    ) -> RadianceGradient:  # fmt: skip
        """See `kernels.radiance.RadianceAdjoint`."""
        rows = (grad, origin, direction, radiance)
        parts = self._parts(_radiance_adjoint, (scene, seed, transport, needs), rows, origin, numbered=True)
        names = parts[0].own[0]
        found: dict[str, Tensor | None] = dict(zip(names, parts[0].sums, strict=True))
        for k, name in enumerate(("origin", "direction")):
            found[name] = _joined([part.own[1 + k] for part in parts])
        return RadianceGradient(**{each.name: found.get(each.name) for each in fields(RadianceGradient)})

    def _rows(self, name: str, common: tuple[Any, ...], rows: tuple[Tensor, ...]) -> list[Tensor]:
        """The results [R,...] of a kernel that takes rays last and gives something for each."""
        parts = self._parts(_by_name, (name, *common), rows)
        return [torch.cat([part.own[k] for part in parts]) for k in range(len(parts[0].own))]

    def _parts(
        self, work: Callable[..., Part], common: tuple[Any, ...], rows: tuple[Tensor | None, ...],
        counted: Tensor | None = None, numbered: bool = False,
    ) -> list[Part]:  # fmt: skip
        """`work(backend, *common, *rows)` on every stretch; numbered: it takes the first one's number and count."""
        total = len(next(row for row in (counted, *rows) if row is not None))
        ranks = count() if total >= FEWEST else 1
        cuts = [total * rank // ranks for rank in range(ranks + 1)]
        stretches = list(itertools.pairwise(cuts))
        ahead = [(begin, total) if numbered else () for begin, _ in stretches]
        shares: list[tuple[Any, ...]] = [
            (*before, *(None if row is None else row[a:b] for row in rows))
            for before, (a, b) in zip(ahead, stretches, strict=True)
        ]
        return shared(work, (self.backend, *common), shares)


def _fields(samples: RaySamples | FieldRays) -> tuple[Tensor, ...]:
    return tuple(getattr(samples, each.name) for each in fields(samples))


def _joined(parts: list[Tensor | None]) -> Tensor | None:
    given = [part for part in parts if part is not None]
    return torch.cat([part.to(given[0].device) for part in given]) if given else None


def _by_name(backend: Backend, name: str, *given: Any) -> Part:
    found = getattr(backend, name)(*given)
    return Part((), found if isinstance(found, tuple) else (found,))


def _line_integral_adjoint(backend: Backend, grid: Tensor, bounds: Tensor, grad: Tensor, *rays: Tensor) -> Part:
    found = backend.line_integral_adjoint(grad, grid, bounds, *rays)
    return Part((found[0],), found[1:])


def _lit(rules: Rules, lights: Tensor | None) -> Rules:
    return rules if rules.shade is None or lights is None else replace(rules, shade=replace(rules.shade, lights=lights))


def _composite(backend: Backend, grid: Tensor, table: Tensor | None, rules: Rules, *rows: Any) -> Part:
    *samples, lights = rows
    return Part((), backend.composite(grid, RaySamples(*samples), table, _lit(rules, lights)))


def _composite_adjoint(
    backend: Backend, grid: Tensor, table: Tensor | None, rules: Rules, grad: Tensor, result: Tensor, *rows: Any
) -> Part:
    *samples, lights = rows
    given = (grad, result, grid, RaySamples(*samples), table, _lit(rules, lights))
    return Part(tuple(found for found in backend.composite_adjoint(*given) if found is not None))


def _field(backend: Backend, field: Field, *rays: Tensor) -> Part:
    return Part((), backend.field(field, FieldRays(*rays)))


def _field_misfit(backend: Backend, field: Field, *rows: Tensor) -> Part:
    value, density, colours = backend.field_misfit(field, FieldRays(*rows[:-1]), rows[-1])
    return Part((torch.tensor([value], dtype=torch.float64), density, colours))


def _field_light(backend: Backend, field: Field, *rays: Tensor) -> Part:
    return Part((), backend.field_light(field, FieldRays(*rays)))


def _in_place(first: int, total: int, rows: Tensor, filling: float) -> Tensor:
    """A stretch of rays at its place among all, whose random numbers go by their place."""
    placed = rows.new_full((total, *rows.shape[1:]), filling)
    placed[first : first + len(rows)] = rows
    return placed


def _radiance(
    backend: Backend, scene: SceneArrays, seed: int, transport: Transport, first: int, total: int,
    origin: Tensor, direction: Tensor,
) -> Part:  # fmt: skip
    # Kernels pass over rays that are no numbers.
    rays = [_in_place(first, total, row, torch.nan) for row in (origin, direction)]
    found = backend.radiance(scene, rays[0], rays[1], seed, transport)
    return Part((), found[first : first + len(origin)].contiguous())


def _radiance_adjoint(
    backend: Backend, scene: SceneArrays, seed: int, transport: Transport, needs: frozenset[str], first: int,
    total: int, grad: Tensor, origin: Tensor, direction: Tensor, radiance: Tensor,
) -> Part:  # fmt: skip
    seen, light = (_in_place(first, total, row, 0.0) for row in (grad, radiance))
    rays = [_in_place(first, total, row, torch.nan) for row in (origin, direction)]
    found = vars(backend.radiance_adjoint(seen, scene, rays[0], rays[1], seed, transport, light, needs))
    moved = [None if found[n] is None else found[n][first : first + len(grad)] for n in ("origin", "direction")]
    names = [name for name, value in found.items() if value is not None and name not in ("origin", "direction")]
    return Part(tuple(found[name] for name in names), (names, *moved))
