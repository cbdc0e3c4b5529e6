"""A picture of a dataset: every view with its mask and the hull's silhouette, and the cameras around the hull."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from invrender.cameras.parallel import standpoints
from invrender.cameras.projection import common_point, look_at, perspective
from invrender.cameras.rays import rays_through
from invrender.cameras.rigs import evenly
from invrender.colour import linear_to_srgb
from invrender.errors import InputError
from invrender.evaluate.mesh import hard_masks, silhouette_iou
from invrender.evaluate.posed_views import view_names
from invrender.geometry.carving import known_pixels
from invrender.geometry.hull import visual_hull
from invrender.kernels import Backend
from invrender.nouns import Cameras, Lights, Material, Mesh, Scene, Views
from invrender.render.raster import render

Tensor = torch.Tensor
Picture = NDArray[np.uint8]
Pen = ImageDraw.ImageDraw

THUMBNAIL, MOST = 176, 60  # longer side in pixels, and how many
ROOM = (640, 880)  # (H, W) of the picture of the cameras
LINE_HEIGHT, GAP = 14, 6
PAPER, INK, GREY = (255, 255, 255), (25, 30, 40), (110, 116, 128)
MASK, HULL, WRONG = (0, 150, 255), (255, 130, 0), (215, 25, 40)
FOV, TILT = 40.0, (0.55, 0.42, 1.0)  # of the camera that sees the cameras, and the direction to it
CLAY = Material(albedo=(0.46, 0.5, 0.57), name="clay")
LEGEND = (("outline of the mask", MASK), ("silhouette of the hull of all views", HULL), ("views in doubt", WRONG))


@dataclass(frozen=True)
class Sheet:
    """A contact sheet [H,W,3] in sRGB bytes, and the IoU of the hull with each mask (None: there is no hull)."""

    picture: Picture
    hull_iou: tuple[float, ...] | None


def contact_sheet(views: Views, doubted: tuple[str, ...], backend: Backend, resolution: int = 64) -> Sheet:
    """Draw a dataset.

    Args:
        views: posed masks, with or without images.
        doubted: names of views to mark.
        backend: draws the hull.
        resolution: of the hull.
    """
    small = _scaled(views)
    names = view_names(views)
    hull = _hull(small, resolution)
    silhouettes = None if hull is None else hard_masks(*hull.numpy(), small.cameras, backend)
    iou = None if silhouettes is None else _ious(silhouettes, small)
    marked = [name in doubted for name in names]
    tiles = [
        _tile(small, view, None if silhouettes is None else silhouettes[view].numpy(),
              names[view] + ("" if iou is None else f"  IoU {iou[view]:.2f}"), marked[view])
        for view in evenly(len(names), MOST)
    ]  # fmt: skip
    return Sheet(_arranged(_room(small.cameras, hull, marked, backend), tiles), iou)


def _ious(silhouettes: torch.Tensor, views: Views) -> tuple[float, ...]:
    """The IoU of silhouettes [N,H,W] bool with the masks, where those are known."""
    known = known_pixels(torch.ones_like(views.masks) if views.confidence is None else views.confidence)
    return tuple(silhouette_iou(silhouettes & known, (views.masks >= 0.5) & known).tolist())


def _scaled(views: Views) -> Views:
    """The views with a longer side of THUMBNAIL pixels."""
    height, width = views.cameras.size
    share = THUMBNAIL / max(height, width)
    size = (max(1, round(height * share)), max(1, round(width * share)))
    masks = _by_area(views.masks, size)
    confidence = None if views.confidence is None else _by_area(views.confidence, size)
    images = None
    if views.images is not None:
        images = torch.nn.functional.interpolate(views.images.permute(0, 3, 1, 2), size, mode="area").permute(
            0, 2, 3, 1
        )
    cameras = Cameras(views.cameras.world_to_camera, views.cameras.projection, size)
    return replace(views, cameras=cameras, masks=masks, images=images, confidence=confidence)


def _by_area(planes: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return torch.nn.functional.interpolate(planes[:, None].float(), size, mode="area")[:, 0]


def _hull(views: Views, resolution: int) -> Mesh | None:
    try:
        return visual_hull(views.masks, views.cameras, resolution, confidence=views.confidence, bounds=views.bounds)
    except InputError:  # the masks have nothing in common: the sheet shows it
        return None


def _tile(views: Views, view: int, silhouette: NDArray[np.bool_] | None, text: str, doubted: bool) -> Picture:
    """One view, with its name below."""
    from scipy.ndimage import binary_dilation, binary_erosion

    mask = (views.masks[view] >= 0.5).numpy()
    if views.images is None:
        shown = np.repeat(views.masks[view].numpy()[..., None] * 0.55 + 0.25, 3, 2) * 255
    else:
        shown = linear_to_srgb(views.images[view].numpy()) * 255
    if silhouette is not None:
        shown[silhouette] = 0.7 * shown[silhouette] + 0.3 * np.array(HULL)
        shown[silhouette & ~binary_erosion(silhouette)] = HULL
    shown[binary_dilation(mask) & ~mask] = MASK
    height, width = mask.shape
    tile = Image.new("RGB", (width, height + LINE_HEIGHT), PAPER)
    tile.paste(Image.fromarray(shown.clip(0, 255).astype(np.uint8)), (0, 0))
    pen = ImageDraw.Draw(tile)
    pen.text((1, height), _fitting(text, width, pen), WRONG if doubted else INK)
    if doubted:
        pen.rectangle((0, 0, width - 1, height - 1), outline=WRONG, width=2)
    return np.asarray(tile)


def _fitting(text: str, width: int, pen: Pen) -> str:
    """The end of a text that is too long, which is where names differ."""
    plain = text.encode("ascii", "replace").decode()
    while pen.textlength(plain) > width and len(plain) > 4:
        plain = "..." + plain[4:]
    return plain


def _room(cameras: Cameras, hull: Mesh | None, marked: list[bool], backend: Backend) -> Image.Image:
    """The cameras as pyramids around the hull, with their numbers and a red line along the top of their images."""
    target = common_point(cameras)[0]
    reach = float((standpoints(cameras) - target).norm(dim=1).max()) or 1.0
    up = cameras.world_to_camera[:, 1, :3].mean(0)
    seen_from = _watching(target, reach, up)
    picture = Image.new("RGB", ROOM[::-1], PAPER)
    if hull is not None:
        scene = Scene(
            Mesh(hull.vertices, hull.faces, material=CLAY), Lights(intensity=0.85, ambient=0.22), (1.0, 1.0, 1.0)
        )
        drawn = render(scene, seen_from, "shaded", backend, 2)[0].cpu().numpy()
        picture = Image.fromarray((linear_to_srgb(drawn[..., :3]) * 255).round().clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    corners = _pyramids(cameras, 0.22 * reach)
    for view, pyramid in enumerate(_on_picture(corners.reshape(-1, 3), seen_from).reshape(-1, 5, 2).tolist()):
        colour = WRONG if marked[view] else GREY
        eye, *image = (tuple(point) for point in pyramid)
        for first, second in zip(image, [*image[1:], image[0]], strict=True):
            pen.line([eye, first], colour)
            pen.line([first, second], colour)
        pen.line([image[0], image[1]], WRONG if marked[view] else INK, 3)
        pen.text((eye[0] + 3, eye[1] - 5), str(view), colour)
    for row, (words, ink) in enumerate(LEGEND):
        pen.text((8, 8 + row * LINE_HEIGHT), words, ink)
    words = "cameras by number, a thick line along the top of their images" + (
        "" if hull else "; there is no common hull"
    )
    pen.text((8, 8 + len(LEGEND) * LINE_HEIGHT), words, INK)
    return picture


def _watching(target: Tensor, reach: float, up: Tensor) -> Cameras:
    """A camera that sees all cameras."""
    axis = up / up.norm() if float(up.norm()) > 1e-3 else torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    side = torch.zeros(3, dtype=torch.float64)
    side[int(axis.abs().argmin())] = 1.0
    side = torch.linalg.cross(axis, side)
    side = side / side.norm()
    direction = TILT[0] * side + TILT[1] * axis + TILT[2] * torch.linalg.cross(side, axis)
    distance = 1.25 * reach / math.sin(math.radians(FOV / 2))
    eye = target + distance * direction / direction.norm()
    projection = perspective(FOV, ROOM, distance - 1.2 * reach, distance + 1.2 * reach)
    return Cameras(look_at(eye, target, axis.tolist()), projection[None], ROOM)


def _pyramids(cameras: Cameras, depth: float) -> Tensor:
    """[N,5,3]: the eye, and the corners of the image at a depth: top left, top right, bottom right, bottom left.

    Parallel rays have no eye; a line from the middle of their picture tells where they come from.
    """
    height, width = cameras.size
    corners = torch.tensor([[0, 0], [width, 0], [width, height], [0, height]], dtype=torch.float64)
    start, way = rays_through(cameras, corners.expand(len(cameras), 4, 2))
    return torch.cat([standpoints(cameras)[:, None], start + depth * way], 1)


def _on_picture(points: Tensor, camera: Cameras) -> Tensor:
    """[P,2] pixel positions (x, y) of world points [P,3]."""
    clip = torch.cat([points, torch.ones(len(points), 1).double()], 1) @ camera.clip_from_world[0].T
    height, width = camera.size
    w = clip[:, 3].clamp(min=1e-9)
    return torch.stack([(clip[:, 0] / w + 1) / 2 * width, (1 - clip[:, 1] / w) / 2 * height], 1)


def _arranged(room: Image.Image, tiles: list[Picture]) -> Picture:
    height, width = tiles[0].shape[:2]
    columns = max(1, (room.width + GAP) // (width + GAP))
    rows = math.ceil(len(tiles) / columns)
    sheet = Image.new("RGB", (max(room.width, columns * (width + GAP)), room.height + rows * (height + GAP)), PAPER)
    sheet.paste(room, (0, 0))
    for at, tile in enumerate(tiles):
        place = (at % columns * (width + GAP), room.height + at // columns * (height + GAP))
        sheet.paste(Image.fromarray(tile), place)
    return np.asarray(sheet)
