"""Photographs ready for comparison: colours as people see them, masks, and cameras in the normalised frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import torch

from invrender.cameras.parallel import far_pinholes
from invrender.errors import InputError
from invrender.nouns import Views
from invrender.nouns.colours import encoded
from invrender.nouns.coverage import coverage
from invrender.parameters.frame import Frame

Tensor = torch.Tensor


@dataclass(frozen=True)
class Photos:
    """N photographs of one object.

    Attributes:
        images: [N,H,W,3] float32, sRGB-encoded: differences of these are what people see and what PSNR counts.
        masks: [N,H,W] float32 coverage; 1 is object.
        confidence: [N,H,W] float32 in [0, 1]; 0: the mask is unknown there.
        clip_from_object: [N,4,4] float64, normalised frame to clip space.
        eye: [N,3] float64, where the cameras stand, in the normalised frame.
        pixel: [N] float64, size of a pixel at the frame's origin, in normalised units.
        principal: [N,2] float64, the principal points in clip space (x/w, y/w).
    """

    images: Tensor
    masks: Tensor
    confidence: Tensor
    clip_from_object: Tensor
    eye: Tensor
    pixel: Tensor
    principal: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Sequence[int]) -> Photos:
        """Some of the photographs."""
        i = list(index)
        return Photos(*(getattr(self, field.name)[i] for field in fields(self)))

    def __iter__(self) -> Iterator[Photos]:
        """One photograph at a time."""
        return (self[[i]] for i in range(len(self)))

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.images.shape[1], self.images.shape[2]


@dataclass(frozen=True)
class EachPhoto:
    """Views as photographs, made from them one at a time: of all at once floats would take many times their memory.

    Attributes:
        frame: the normalised one.
        views: with images, in floats or in bytes.
    """

    frame: Frame
    views: Views

    def __iter__(self) -> Iterator[Photos]:
        """One photograph at a time, see `photos_in`."""
        return (photos_in(self.frame, self.views[[i]]) for i in range(len(self.views)))


def photos_in(frame: Frame, views: Views) -> Photos:
    """The views as photographs in a normalised frame, those of parallel cameras as if from far away.

    Raises:
        InputError: the views hold no colours.
    """
    if views.images is None:
        raise InputError("the views hold no colours", "use a dataset of pictures, or --method silhouette")
    cameras = far_pinholes(views.cameras, torch.from_numpy(frame.centre), frame.scale)
    eye = torch.from_numpy(frame.normalise(cameras.position.numpy()))
    masks = coverage(views.masks).float()
    known = torch.ones_like(masks) if views.confidence is None else coverage(views.confidence).float()
    matrices = frame.clip_matrices(cameras)
    principal = -cameras.projection[:, :2, 2]
    return Photos(encoded(views.images), masks, known, matrices, eye, frame.pixel(cameras), principal)


def smaller(photos: Photos, factor: int) -> Photos:
    """The photographs averaged over blocks of `factor` pixels a side; rows and columns that are left over are cut off.

    Colours are averaged where they are the object's: what lies behind it does not bleed in.
    """
    if factor == 1:
        return photos
    height, width = (n // factor * factor for n in photos.size)
    cover = _blocks(photos.masks[:, :height, :width, None], factor)
    lit = _blocks((photos.images * photos.masks[..., None])[:, :height, :width], factor)
    plain = _blocks(photos.images[:, :height, :width], factor)
    images = torch.where(cover > 0, lit / cover.clamp(min=1e-6), plain)
    change = cropping(photos.size, factor)
    known = _blocks(photos.confidence[:, :height, :width, None], factor)[..., 0]
    return replace(
        photos,
        images=images,
        masks=cover[..., 0],
        confidence=known,
        clip_from_object=change @ photos.clip_from_object,
        pixel=photos.pixel * factor,
        principal=photos.principal @ change[:2, :2].T + change[:2, 3],
    )


def _blocks(values: Tensor, factor: int) -> Tensor:
    """Means [N,h,w,C] over blocks of values [N,H,W,C]."""
    count, height, width, channels = values.shape
    return values.reshape(count, height // factor, factor, width // factor, factor, channels).mean((2, 4))


def cropping(size: tuple[int, int], factor: int) -> Tensor:
    """[4,4] float64 in clip space: from pictures of `size` to their part that blocks of `factor` pixels fill."""
    along, across = (n / (n // factor * factor) for n in size)
    change = torch.eye(4, dtype=torch.float64)
    change[0, 0], change[0, 3] = across, across - 1
    change[1, 1], change[1, 3] = along, 1 - along
    return change
