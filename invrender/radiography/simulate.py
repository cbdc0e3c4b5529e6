"""A scan as a detector would have recorded it: photons that are counted, and all that goes wrong on the way.

A pixel integrates the light over its area, and that is what rays at several places of it are averaged as: light, not
line integrals. What a reconstruction is tried with has to come from finer rays than its own (the "inverse crime").
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch

from invrender.cameras.scan import scan_cameras
from invrender.errors import InputError, UsageError
from invrender.kernels import Backend
from invrender.nouns import Cameras, Volume
from invrender.nouns.scan import Flat, ScanGeometry
from invrender.render.absorption import auto_extinction, optical_depth

Tensor = torch.Tensor

FULL = 60_000.0  # counts of the brightest pixel without an object; 16 bits hold 65535
OFFSET, OFFSETS, READOUT = 300.0, 10.0, 6.0  # dark counts, how they differ, and noise of reading out, in counts
VIGNETTING, GAINS = 0.35, 0.02  # light that corners lack, and how pixels' gains differ
FLAT_FRAMES = 10  # that are averaged, before and after
DRIFT = 0.02  # of the source's light from frame to frame
AGED = 0.01  # by which gains change between the flat frames before and after
RING_PIXELS, RING_GAIN = 0.02, 0.03  # share of pixels whose gain no flat frame knows, and how far it is off
ZINGERS, ZINGER = 2e-4, 0.5  # share of a frame's pixels that are hit, and by about how much of the full light
DEAD, HOT = 5e-4, 2e-4  # shares of the pixels that see nothing, and that are always full


@dataclass(frozen=True)
class Defects:
    """What is wrong with a detector; each is left out by False.

    Attributes:
        flat: light that falls off to the corners, and pixels of different gains, which change until the end.
        dark: counts without light, and noise of reading out.
        drift: a source whose light changes from frame to frame.
        zingers: pixels of single frames that are hit besides.
        dead: pixels that see nothing, and others that are always full.
        rings: pixels, and whole columns, whose gain is not what it was in the flat frames.
    """

    flat: bool = True
    dark: bool = True
    drift: bool = True
    zingers: bool = True
    dead: bool = True
    rings: bool = True


@dataclass(frozen=True)
class Recorded:
    """What a detector wrote.

    Attributes:
        frames: [N,H,W] uint16 counts.
        flats: averaged frames without an object; before and after.
        dark: [H,W] float32, averaged frames without light.
        gain: counts of a photon.
    """

    frames: np.ndarray
    flats: tuple[Flat, ...]
    dark: Tensor
    gain: float


def parse_defects(text: str) -> Defects:
    """`all`, `none`, or names of `Defects` with commas between them.

    Raises:
        UsageError: a name is none of these.
    """
    known = [field.name for field in fields(Defects)]
    names = known if text == "all" else [] if text == "none" else [name.strip() for name in text.split(",")]
    strange = [name for name in names if name not in known]
    if strange:
        raise UsageError(f"--defects has {strange[0]!r}", f"use all, none, or some of {', '.join(known)}")
    return Defects(**{name: name in names for name in known})


def light_through(
    volume: Volume, geometry: ScanGeometry, backend: Backend, across: int = 2, extinction: float | None = 1.0
) -> tuple[Tensor, float]:
    """Exact transmittances [N,H,W] float32 of a density, and the factor on it.

    Args:
        volume: a density.
        geometry: of source and detector; frames of a fan come in the order of the projections.
        backend: what computes the line integrals.
        across: rays on each side of a pixel.
        extinction: the factor on the density; None makes it well visible.

    Raises:
        InputError: the volume is no density, or no projection sees anything of it.
    """
    cameras = scan_cameras(geometry)
    fine = Cameras(cameras.world_to_camera, cameras.projection, (across * cameras.size[0], across * cameras.size[1]))
    seen, light = [], torch.empty(len(cameras), *cameras.size)
    if extinction is None:
        extinction = auto_extinction(torch.cat([optical_depth(volume, fine[[i]], backend) for i in range(len(fine))]))
    for number in range(len(fine)):
        depth = optical_depth(volume, fine[[number]], backend)
        seen.append(float(depth.max()) > 0)
        light[number] = torch.nn.functional.avg_pool2d(torch.exp(-extinction * depth), across)[0]
    if not any(seen):
        raise InputError(
            "no projection sees anything of the volume",
            "check that the volume and the scan are in the same units and about the same origin",
        )
    height, width = geometry.size
    if geometry.beam == "fan" and height > 1:
        light = light.reshape(height, len(geometry), width).transpose(0, 1)
    return light, float(extinction)


def recorded(light: Tensor, photons: float, defects: Defects, seed: int) -> Recorded:
    """Counts of transmittances [N,H,W] with so many photons per pixel, on average, without an object."""
    random = np.random.default_rng(seed)
    count, height, width = light.shape
    detector = _detector(random, (height, width), photons, defects)
    source = 1 + DRIFT * _wander(random, count) if defects.drift else np.ones(count)
    frames = np.empty((count, height, width), dtype=np.uint16)
    for number in range(count):
        time = number / max(1, count - 1)
        counts = detector.counts(source[number] * light[number].double().numpy(), time, random)
        frames[number] = _written(counts)
    flats = tuple(
        Flat(torch.from_numpy(detector.average(1.0, time, random).astype(np.float32)), time) for time in (0.0, 1.0)
    )
    dark = torch.from_numpy(detector.average(0.0, 0.0, random).astype(np.float32))
    return Recorded(frames, flats, dark, detector.gain)


@dataclass(frozen=True)
class _Detector:
    """Pixels [H,W]: photons that they get without an object, offsets, gains that no flat knows, what they read."""

    photons: np.ndarray
    aged: np.ndarray
    offset: np.ndarray
    readout: float
    gain: float
    off: np.ndarray
    off_growth: np.ndarray
    stuck: np.ndarray
    zingers: float

    def counts(
        self, light: np.ndarray | float, time: float, random: np.random.Generator, flat: bool = False
    ) -> np.ndarray:
        beam = self.photons * (1 + self.aged * time)
        photons = random.poisson(np.broadcast_to(light * beam, beam.shape)).astype(np.float64)
        if not flat:
            photons *= self.off + self.off_growth * time
        counts = photons * self.gain + self.offset + self.readout * random.standard_normal(beam.shape)
        if self.zingers and not flat:
            hit = random.random(beam.shape) < self.zingers
            counts += hit * FULL * ZINGER * random.exponential(size=beam.shape)
        stuck: np.ndarray = np.where(np.isnan(self.stuck), counts, self.stuck)
        return stuck

    def average(self, light: float, time: float, random: np.random.Generator) -> np.ndarray:
        frames = [_written(self.counts(light, time, random, True)).astype(np.float64) for _ in range(FLAT_FRAMES)]
        mean: np.ndarray = np.mean(frames, 0)
        return mean


def _detector(random: np.random.Generator, size: tuple[int, int], photons: float, defects: Defects) -> _Detector:
    beam, aged = np.ones(size), np.zeros(size)
    if defects.flat:
        row, column = (np.linspace(-1, 1, side) if side > 1 else np.zeros(1) for side in size)
        beam = 1 - VIGNETTING / 2 * (row[:, None] ** 2 + column**2)
        beam = beam * (1 + GAINS * random.standard_normal(size))
        aged = AGED * random.standard_normal(size)
        beam /= beam.mean()
    offset = OFFSET + OFFSETS * random.standard_normal(size) if defects.dark else np.zeros(size)
    off, growth, stuck = np.ones(size), np.zeros(size), np.full(size, np.nan)
    if defects.rings:
        some = random.random(size) < RING_PIXELS
        off = off + some * RING_GAIN * random.standard_normal(size)
        columns = random.random(size[1]) < RING_PIXELS / 2
        off = off + columns * RING_GAIN * random.standard_normal(size[1])
        growth = some * (random.random(size) < 0.25) * RING_GAIN * random.standard_normal(size)
    if defects.dead:
        dice = random.random(size)
        stuck = np.where(dice < DEAD, OFFSET if defects.dark else 0.0, np.where(dice < DEAD + HOT, 65535.0, np.nan))
    gain = FULL * 0.9 / photons
    return _Detector(
        photons * beam, aged, offset, READOUT if defects.dark else 0.0, gain, off, growth, stuck,
        ZINGERS if defects.zingers else 0.0,
    )  # fmt: skip


def _wander(random: np.random.Generator, count: int) -> np.ndarray:
    """[N] values of deviation 1 that go up and down together for a few frames."""
    steps = random.standard_normal(count + 8)
    wander: np.ndarray = np.convolve(steps, np.ones(8) / 8**0.5, "valid")[:count]
    return wander


def _written(counts: np.ndarray) -> np.ndarray:
    return np.clip(np.round(counts), 0, 65535).astype(np.uint16)
