"""What pictures of a mesh measure, as data: depths, normals and coverage in arrays, and depths with a scale beside.

| mode | array | where nothing is seen |
|---|---|---|
| depth | distance from the camera along its viewing axis (z-depth), in world units | inf |
| normal | unit normal in the world's axes, towards the camera | 0, 0, 0 |
| silhouette | covered share of the pixel | 0 |

Depths and normals are those at pixels' centres, never mixed over an outline. The distance along a pixel's own ray is
its z-depth divided by the cosine of the ray with the viewing axis.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch

from invrender.errors import UsageError
from invrender.io.exr import write_exr
from invrender.io.files.atomic import atomic_path
from invrender.kernels import Backend
from invrender.nouns import Cameras, Mesh, Scene
from invrender.render.images import FARTHEST_GREY, contact_sheet
from invrender.render.modes import Mode
from invrender.render.raster import normals, render
from invrender.report.lettering import INK, PAPER, font, letters
from invrender.run.pictures import Written

Tensor = torch.Tensor

SMALLEST = 96  # rows of a picture with a scale: letters are no smaller


def write_measured(path: Path, mesh: Mesh, cameras: Cameras, mode: Mode, backend: Backend) -> Written:
    """Write what a mode measures as .npy (float32 [H,W] or [H,W,3]; of several views [N,H,W(,3)]), or as .exr.

    An .exr of depth or coverage has the channel Y, one of normals R, G, B; several views are a sheet.
    """
    values = measured(mesh, cameras, mode, backend)
    count, (height, width) = len(values), cameras.size
    if path.suffix.lower() == ".npy":
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.save(file, (values[0] if count == 1 else values).numpy())
    else:
        sheet = contact_sheet(values if values.ndim == 4 else values[..., None])
        write_exr(path, (sheet if values.ndim == 4 else sheet[..., 0]).numpy())
    note = f"{width} x {height}{f', {count} views' if count > 1 else ''}, floats"
    if mode.name != "depth":
        return Written(path, [path], note)
    seen = values[torch.isfinite(values)]
    near, far = (float(seen.min()), float(seen.max())) if len(seen) else (math.nan, math.nan)
    return Written(path, [path], f"{note}, depth {near:.4g} to {far:.4g}", {"depth_range": [near, far]})


def measured(mesh: Mesh, cameras: Cameras, mode: Mode, backend: Backend) -> Tensor:
    """[N,H,W] float32 of depth or coverage, or normals [N,H,W,3], on the CPU; see above."""
    if mode.name == "normal":
        return normals(mesh, cameras, backend).cpu()
    return render(Scene(mesh), cameras, mode.name, backend)[..., 0].cpu()


def depth_with_scale(grey: Tensor, near: float, far: float, colours: str, scale: bool) -> Tensor:
    """Pictures of depth as files hold them: [N,H,W,1], or [N,H,W,3] in colours; a still with a scale on its right.

    Args:
        grey: [N,H,W,1] of `images.depth_picture`.
        near, far: the distances that are white and dark.
        colours: "grey", or the name of a colormap.
        scale: whether there is one; pictures too small for letters have none.

    Raises:
        UsageError: there is no such colormap.
    """
    picture = _coloured(grey, colours)
    if not scale or grey.shape[1] < SMALLEST or not math.isfinite(near):
        return picture
    return torch.cat([picture, _strip(picture.shape[1], near, far, colours).to(picture)], 2)


def _coloured(grey: Tensor, colours: str) -> Tensor:
    """Depths in a colormap, whose bright end is near; nothing is black."""
    if colours == "grey":
        return grey
    import matplotlib

    if colours not in matplotlib.colormaps:
        raise UsageError(f"--colormap is {colours!r}", "use grey, or a name of matplotlib's, such as viridis or magma")
    share = ((grey[..., 0] - FARTHEST_GREY) / (1 - FARTHEST_GREY)).clamp(0, 1)
    drawn = torch.from_numpy(matplotlib.colormaps[colours](share.numpy())[..., :3]).to(grey)
    return torch.where(grey > 0, drawn, 0)


def _strip(height: int, near: float, far: float, colours: str) -> Tensor:
    """[1,height,W,C] on paper: a bar from near (above) to far, with numbers, and what they are."""
    from PIL import Image, ImageDraw

    size = letters(height)
    pen_font = font(size)
    texts = _numbers(near, far)
    bar = max(8, size)
    caption = "depth, units of the scene" if height >= 20 * size else "depth"
    wide = max(pen_font.getlength(text) for _, text in texts)
    width = round(3 * size / 2 + bar + wide + size / 2)
    across = Image.new("L", (height, round(1.6 * size)), PAPER[0])  # the caption, before it is turned upright
    ImageDraw.Draw(across).text((height / 2, 0.75 * size), caption, INK[0], pen_font, anchor="mm")
    paper = Image.new("L", (width + across.size[1], height), PAPER[0])
    paper.paste(across.rotate(90, expand=True), (width, 0))
    pen, top, length = ImageDraw.Draw(paper), size, height - 2 * size
    for share, text in texts:
        y = top + share * (length - 1)
        pen.line([(size // 2 + bar, y), (size // 2 + bar + size // 3, y)], INK[0])
        pen.text((size // 2 + bar + size // 2 + 1, y), text, INK[0], pen_font, anchor="lm")
    written = torch.from_numpy(np.array(paper, np.float32) / 255)[None, ..., None]
    ramp = 1 - (1 - FARTHEST_GREY) * torch.linspace(0, 1, length)
    painted = _coloured(ramp[None, :, None, None], colours)
    strip = written.repeat(1, 1, 1, painted.shape[-1])
    strip[:, top : top + length, size // 2 : size // 2 + bar] = painted
    return strip


def _numbers(near: float, far: float) -> list[tuple[float, str]]:
    """Where numbers stand on the scale, from 0 to 1, and their text: round ones between both ends."""
    if far - near <= 1e-5 * abs(far):
        return [(0.0, f"{near:.4g}")]
    step = 10 ** math.floor(math.log10((far - near) / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if (far - near) / (factor * step) <= 6)
    first, last = math.ceil(near / step - 1e-9), math.floor(far / step + 1e-9)
    digits = max(0, -math.floor(math.log10(step)))
    form = f".{digits}f" if digits <= 4 and abs(far) < 1e6 else ".5g"
    return [((k * step - near) / (far - near), f"{k * step:{form}}") for k in range(first, last + 1)]
