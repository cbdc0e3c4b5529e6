"""What can be turned, cut and watched in report.html: the 3-D viewer, slices of volumes, films and views compared."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import numpy as np

from invrender.nouns import Mesh, Scene, Volume
from invrender.report.cameras import camera_rows, first_look, up_of
from invrender.report.compared import Compared
from invrender.report.grid import sheet
from invrender.report.media import filmed, jpegs, last_frame, still, whole_gif
from invrender.report.story import Story
from invrender.report.surface import packed, shape_of

PROGRESS, TURNTABLE = "progress.gif", "turntable.gif"
SIDE = 360  # pixels of the pictures of a view that is compared


def held(name: str, table: Any) -> str:
    """Data for the page's scripts; nothing in it can end the element."""
    text = json.dumps(table, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'


def viewer(story: Story, budget: int) -> str:
    """A mesh or the meshes of a scene to turn, with the cameras; nothing for other results."""
    if not isinstance(story.asset, Mesh | Scene):
        return ""
    shape = shape_of(story.asset)
    if shape is None:
        return ""
    low, high = shape.vertices.min(0), shape.vertices.max(0)
    centre, scale = (low + high) / 2, max(float((high - low).max()) / 2, 1e-30)
    rows = [] if story.cameras is None else camera_rows(story.cameras, centre, scale)
    radius = float(np.linalg.norm((shape.vertices - centre) / scale, axis=1).max())
    table = packed(shape, centre, scale) | {
        "cameras": rows,
        "up": up_of(story.cameras).tolist(),
        "view": first_look(story.cameras, centre),
        "radius": radius,
        "reach": max([radius, *(float(np.linalg.norm(row["eye"])) * 1.3 for row in rows)]),
    }
    fewer = _fewer(story.asset, len(shape.faces))
    names = "".join(f'<option value="{k}">{escape(row["name"])}</option>' for k, row in enumerate(rows))
    select = (
        f'<select aria-label="Look from a camera"><option value="">look from a camera…</option>{names}</select>'
        if rows
        else ""
    )
    cameras = '<button type="button" name="cameras">Cameras</button>' if rows else ""
    return (
        f'<figure class="viewer" data-from="mesh-data"><div class="stage"><canvas tabindex="0" role="img" '
        f'aria-label="3-D view of the result: turn with the arrow keys, zoom with + and -, reset with Home">'
        f'</canvas><span class="tip" hidden></span><div class="instead"><p class="why"></p>{_turning(story, budget)}'
        f'</div></div><div class="bar"><button type="button" name="reset">Reset</button>'
        f'<button type="button" name="shaded">Shading</button><button type="button" name="wires">Wireframe</button>'
        f'{cameras}{select}</div><p class="hint">Drag to turn, scroll or pinch to zoom, shift-drag to move.{fewer}</p>'
        f"</figure>{held('mesh-data', table)}"
    )


def _fewer(asset: Mesh | Scene, shown: int) -> str:
    total = len(asset.faces) if isinstance(asset, Mesh) else sum(len(mesh.faces) for mesh in asset.meshes)
    return f" Shown with {shown:,} of {total:,} triangles." if shown < total * 0.98 else ""


def _turning(story: Story, budget: int) -> str:
    """What stands in where nothing can be turned."""
    source = whole_gif(story.folder / TURNTABLE, budget)
    if source is None and story.still is not None:
        source = still(story.still, budget=budget)
    if source is None:
        return "<p>The result is in the files listed below.</p>"
    return f'<img src="{source}" alt="The result, turning">'


def slices(story: Story, budget: int) -> str:
    """A volume's slices along three axes, with sliders; nothing for other results."""
    found = sheet(story.asset, budget) if isinstance(story.asset, Volume) else None
    if found is None:
        return ""
    source, table = found
    cuts = "".join(_cut(axis, table["size"]["xyz".index(axis)]) for axis in "xyz")
    return (
        f'<figure class="slices" data-from="grid-data"><img class="sheet" src="{source}" '
        f'alt="All slices of the volume along z, side by side"><div class="cuts">{cuts}</div>'
        f'<div class="window"><label>darkest value<input type="range" name="low" min="0" max="254" value="0"></label>'
        f'<label>brightest value<input type="range" name="high" min="1" max="255" value="255"></label>'
        f'<label>colours <select name="map"><option>magma</option><option>grey</option></select></label>'
        f'<p class="told"></p></div><p class="why"></p></figure>{held("grid-data", table)}'
    )


def _cut(axis: str, count: int) -> str:
    across = {"x": "y to the right, z up", "y": "x to the right, z up", "z": "x to the right, y up"}[axis]
    return (
        f'<div><canvas data-axis="{axis}" role="img" aria-label="Slice across {axis}: {across}"></canvas>'
        f'<label><output data-axis="{axis}">{axis}</output>, {across}<input type="range" name="{axis}" min="0" '
        f'max="{count - 1}" value="{(count - 1) // 2}"></label></div>'
    )


def watched(story: Story, name: str, told: str, budget: int) -> str:
    """A film of the run's folder, still for those who want no motion; nothing where there is none.

    It is the GIF where that is small, else an excerpt with a slider.
    """
    path, alt = story.folder / name, escape(told, quote=True)
    if not path.is_file():
        return ""
    caption = f'<figcaption>{escape(told)} <a href="{name}">{name}</a></figcaption>'
    whole = whole_gif(path, budget)
    if whole is not None:
        last = last_frame(path)
        calm = "" if last is None else still(last, 480, 24_000)
        return (
            f'<figure class="film"><picture><source media="(prefers-reduced-motion: reduce)" srcset="{calm}">'
            f'<img src="{whole}" alt="{alt}"></picture>{caption}</figure>'
        )
    film = story.film if story.film is not None and name == PROGRESS else filmed(path)
    frames = [] if film is None else jpegs(film, budget)
    if film is None or not frames:
        return ""
    *before, last_one = frames
    key = f"film-{name.partition('.')[0]}"
    return (
        f'<figure class="film" data-from="{key}"><img src="{last_one}" alt="{alt}">'
        f'<input type="range" aria-label="Where in the film" min="0" max="{len(before)}" value="{len(before)}" hidden>'
        f"{caption}</figure>{held(key, {'frames': before, 'pause': film.pause})}"
    )


def pictured(story: Story, name: str, told: str, budget: int) -> str:
    """A picture of the run's folder; nothing where there is none."""
    found = last_frame(story.folder / name) if (story.folder / name).is_file() else None
    if found is None:
        return ""
    source = still(found, 1000, budget)
    return (
        f'<figure class="film"><img src="{source}" alt="{escape(told, quote=True)}">'
        f'<figcaption>{escape(told)} <a href="{name}">{name}</a></figcaption></figure>'
    )


def compared_views(views: tuple[Compared, ...], budget: int) -> str:
    """Target, estimate and difference of each view, in the order given."""
    each = budget // max(3 * len(views), 1)
    return f'<div class="views">{"".join(_view(view, each) for view in views)}</div>'


def scored(view: Compared) -> str:
    """How well a view is explained, as in "IoU 0.987" or "PSNR 31.2 dB"."""
    name, _, unit = view.measure.partition(", ")
    score = f"{view.score:.3f}" if abs(view.score) < 2 and not unit else f"{view.score:.1f}"
    return f"{name} {score} {unit}".strip()


def _view(view: Compared, budget: int) -> str:
    pictures = (("input", view.target), ("result", view.estimate), ("difference", view.difference))
    three = "".join(
        f'<div><img src="{still(picture, SIDE, budget)}" alt="{kind} of {escape(view.name, quote=True)}">'
        f"<span>{kind}</span></div>"
        for kind, picture in pictures
    )
    badge = ' <span class="badge">not learnt from</span>' if view.unseen else ""
    return (
        f'<div class="view"><h3><span>{escape(view.name)}{badge}</span><span class="quiet">'
        f'{escape(scored(view))}</span></h3><div class="three">{three}</div></div>'
    )
