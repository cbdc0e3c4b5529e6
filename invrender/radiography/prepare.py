"""From a scan's frames to transmittances and how much each is worth.

In this order: dark counts and flats; full and broken pixels masked; the source's drift; zingers masked; averaging;
rings; the noise, which decides logarithms and weights; beam hardening. Frames are read block by block, and only the
result is held as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from invrender.cameras.projection import common_point
from invrender.cameras.scan import by_camera, scan_cameras
from invrender.errors import InputError
from invrender.findings import Finding
from invrender.nouns import Cameras
from invrender.nouns.scan import Scan, ScanGeometry, ScanSetup
from invrender.radiography.air import find_air
from invrender.radiography.downscale import coarser, coarser_geometry, coarser_setup
from invrender.radiography.exposure import lit_by, rough_level
from invrender.radiography.flats import Beam, beam_of, blocks, sampled
from invrender.radiography.logarithm import hardened, positive
from invrender.radiography.noise import CountNoise, estimated
from invrender.radiography.outliers import broken_pixels, zingers
from invrender.radiography.rings import take_off_rings

Tensor = torch.Tensor

MUCH_BROKEN, MUCH_NEGATIVE = 0.02, 0.01  # shares of the pixels from which on people are warned
MOST_FULL = 0.5  # share of full pixels that leaves nothing to work with
AXIS = 4.5  # columns around the axis that keep their rings


@dataclass(frozen=True)
class Prepared:
    """What a reconstruction takes of a scan.

    Attributes:
        cameras: N of them; see `invrender.cameras.scan.scan_cameras`.
        transmittance: [N,H,W] float32; NaN: masked.
        weight: [N,H,W] float32, inverse variances of -log of these up to a common factor; None: by the kind of noise.
        photons: per pixel without an object, as far as the frames tell, whose noise alone would be that of a pixel of
            weight 1; 0: they are exact.
        log: what was done, a line for each step.
        names: of the views.
        findings: what looks wrong.
        geometry, setup: of the frames as they now are, averaged maybe.
    """

    cameras: Cameras
    transmittance: Tensor
    weight: Tensor | None = None
    photons: float = 0.0
    log: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    geometry: ScanGeometry | None = None
    setup: ScanSetup | None = None


@dataclass(frozen=True)
class Survey:
    """What some frames say of all.

    Attributes:
        beam: how frames become transmittances.
        noise: of the pixels, before any averaging.
        broken: [H,W] bool.
        usual: [H,W] by how much pixels are brighter than their neighbours in all frames.
    """

    beam: Beam
    noise: CountNoise
    broken: Tensor
    usual: Tensor


def prepared(scan: Scan) -> Prepared:
    """Transmittances of a scan, prepared as it asks for.

    Raises:
        InputError: flats without light or of another exposure, no air where it has to say what light there is, frames
            that are full nearly everywhere.
    """
    wanted = scan.preparation
    geometry = coarser_geometry(scan.geometry, wanted.downscale)
    setup = None if scan.setup is None else coarser_setup(scan.setup, wanted.downscale)
    beam, log = beam_of(scan)
    survey, said = _survey(beam)
    log += said
    light, said, findings = _masked(survey)
    log += said
    cameras = scan_cameras(geometry)
    if wanted.rings:
        log.append(_without_rings(light, cameras, geometry))
    brightness = _brightness(beam, wanted.downscale)
    noise = estimated(light[sampled(len(scan), geometry.size)], brightness)
    weight = _weighed(light, noise, brightness, wanted.beam_hardening)
    log += _noise_said(noise, wanted.beam_hardening)
    views, weights = by_camera(light, geometry), None if weight is None else by_camera(weight, geometry)
    return Prepared(cameras, views, weights, noise.equivalent, tuple(log), scan.names, findings, geometry, setup)


def _survey(beam: Beam) -> tuple[Survey, list[str]]:
    """Look at some frames for broken pixels, noise and air; the beam with the level and drift of its light."""
    scan, log = beam.scan, []
    wanted, size = scan.preparation, scan.geometry.size
    chosen = sampled(len(scan), size)
    unlit = scan.values == "counts" and not scan.flats
    sample = beam.light(chosen)
    rough = replace(beam, level=rough_level(sample)) if unlit else beam
    sample = sample / rough.level
    broken, usual = broken_pixels(sample)
    if not wanted.dead_pixels:
        broken = torch.zeros_like(broken)
    else:
        log.append(f"broken pixels: {int(broken.sum())} of {broken.numel()} masked in all frames")
        sample = torch.where(broken, torch.nan, sample)
    noise = estimated(sample, beam.brightness)
    air = find_air(sample, noise, not unlit)
    lit, said = lit_by(rough, air, noise)
    scale = lit.level / rough.level
    return Survey(lit, CountNoise(noise.photons * scale, noise.detector / scale), broken, usual / scale), log + said


def _masked(survey: Survey) -> tuple[Tensor, list[str], tuple[Finding, ...]]:
    """All frames as transmittances [N,H,W], averaged as asked for, with what is no good as NaN; what was masked."""
    scan = survey.beam.scan
    wanted, size = scan.preparation, scan.geometry.size
    factor = wanted.downscale
    light = torch.empty(len(scan), size[0] // factor, size[1] // factor)
    full = negative = spots = 0
    deviation = float(survey.noise.variance(torch.zeros(1, 1)).sqrt())
    for frames in blocks(len(scan), size):
        values = survey.beam.light(frames)
        values[:, survey.broken] = torch.nan
        full += _count_full(survey.beam, frames)
        negative += int((values < -6 * deviation - 1e-6).sum())
        if wanted.zingers:
            spot = zingers(values - survey.usual, survey.noise, survey.beam.brightness)
            spots += int(spot.sum())
            values = torch.where(spot, torch.nan, values)
        light[frames[0] : frames[-1] + 1] = coarser(values, factor)
    total = len(scan) * size[0] * size[1]
    log = [f"zingers: {spots} pixels of single frames masked ({spots / total:.3%})"] if wanted.zingers else []
    if full:
        log.append(f"saturated: {full} pixels of {survey.beam.saturation:g} counts masked ({full / total:.3%})")
    if negative:
        log.append(f"negative: {negative} pixels below the dark, kept as no light ({negative / total:.3%})")
    if factor > 1:
        log.append(f"downscaled: {factor} x {factor} pixels averaged, {light.shape[2]} x {light.shape[1]} are left")
    return light, log, _findings(full / total, negative / total, float(survey.broken.float().mean()))


def _count_full(beam: Beam, frames: Tensor) -> int:
    if beam.saturation is None:
        return 0
    return sum(int((beam.scan.frames[number].float() >= beam.saturation).sum()) for number in frames.tolist())


def _findings(full: float, negative: float, broken: float) -> tuple[Finding, ...]:
    """What people should know of the detector, from shares of its pixels.

    Raises:
        InputError: most pixels are full.
    """
    if full > MOST_FULL:
        raise InputError(
            f"{full:.0%} of the pixels are saturated: nothing is left to work with",
            "scan with a shorter exposure; or say what a full pixel reads, if it is not this: saturation = COUNTS",
        )
    found = []
    if negative > MUCH_NEGATIVE:
        found.append(
            Finding(
                f"{negative:.1%} of the pixels are darker than the dark frame",
                "check that the dark frame is of this detector, gain and exposure",
            )
        )
    if broken > MUCH_BROKEN:
        found.append(
            Finding(
                f"{broken:.1%} of the detector's pixels do not answer as those around them, and were left out",
                "keep them with dead_pixels = false (--no-dead-pixels) if that is the object",
            )
        )
    return tuple(found)


def _without_rings(light: Tensor, cameras: Cameras, geometry: ScanGeometry) -> str:
    rings = take_off_rings(light, _around_axis(cameras, geometry))
    if not rings.pixels:
        return "rings: none beyond noise"
    share = rings.pixels / (geometry.size[0] * geometry.size[1])
    drifting = f", {rings.drifting} of them drifting" if rings.drifting else ""
    return (
        f"rings: {rings.pixels} pixels of the detector ({share:.1%}) were off by {rings.size:.2g} in line integrals"
        f" (root mean square){drifting}"
    )


def _around_axis(cameras: Cameras, geometry: ScanGeometry) -> Tensor | None:
    """[W] bool: columns where all projections see the axis, or None where it wanders."""
    if len(cameras) < 2:
        return None
    point, _ = common_point(cameras)
    seen = cameras.projection @ cameras.world_to_camera @ torch.cat([point.double(), point.new_ones(1).double()])
    column = (seen[:, 0] / seen[:, 3] + 1) / 2 * geometry.size[1] - 0.5
    if not float(column.std()) < 1:
        return None
    return (torch.arange(geometry.size[1]) - column.mean()).abs() < AXIS


def _brightness(beam: Beam, factor: int) -> Tensor | None:
    return None if beam.brightness is None else coarser(beam.brightness[None], factor)[0].nan_to_num(1.0)


def _weighed(
    light: Tensor, noise: CountNoise, brightness: Tensor | None, coefficients: tuple[float, ...]
) -> Tensor | None:
    """Give transmittances [N,H,W] fair logarithms, in place, correct these for beam hardening; their weights."""
    bent = tuple(coefficients) != (1.0,)
    if not noise.photons and not bent:
        return None
    weight = torch.ones_like(light) if noise.photons else None
    beam = 1.0 if brightness is None else brightness
    for frames in blocks(*_count_and_size(light)):
        part = slice(int(frames[0]), int(frames[-1]) + 1)
        if weight is not None:
            light[part], weight[part] = positive(light[part], noise, beam)
        if bent:
            light[part], slope = hardened(light[part], coefficients)
            if weight is not None:
                weight[part] /= slope.square().clamp(min=1e-6)
    return weight


def _count_and_size(light: Tensor) -> tuple[int, tuple[int, int]]:
    return len(light), (light.shape[1], light.shape[2])


def _noise_said(noise: CountNoise, coefficients: tuple[float, ...]) -> list[str]:
    said = "noise: none found, all pixels count alike"
    if noise.photons:
        said = f"noise: {noise.photons:.3g} photons per pixel without an object"
        said += f", the detector's own {noise.detector:.2g} of I0" if noise.detector else ""
        said += "; pixels are weighed by it"
    bent = " + ".join(f"{c:g} p^{k}" if k > 1 else f"{c:g} p" for k, c in enumerate(coefficients, 1) if c)
    return [said] + ([f"beam hardening: line integrals p become {bent}"] if tuple(coefficients) != (1.0,) else [])
