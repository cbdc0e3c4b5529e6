"""Memory that the cpu backend uses again: never while somebody holds it, and no more than it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.backends.cpu import memory

SHAPE = (2, 512, 1024)  # 4 MiB of float32


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(memory, "_pieces", [])


def address(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def test_memory_is_used_again_once_nobody_holds_it():
    first = memory.empty(SHAPE, torch.float32)
    place = address(first)
    del first
    again = memory.empty((3, 500, 600), torch.int64)  # 1.2 times the bytes would not fit
    assert address(again) != place
    smaller = memory.empty((900, 1000), torch.float32)
    assert address(smaller) == place
    assert smaller.shape == (900, 1000)
    assert smaller.dtype == torch.float32


@pytest.mark.parametrize("hold", [lambda t: t[1, 5:7], lambda t: t.numpy()[0], lambda t: t.view(torch.int32).mT])
def test_memory_that_a_view_looks_at_is_left_alone(hold):
    first = memory.zeros(SHAPE, torch.float32)
    place = address(first)
    held = hold(first)
    del first
    second = memory.empty(SHAPE, torch.float32)
    second.fill_(7.0)
    assert address(second) != place
    assert (np.asarray(held) == 0).all()


def test_gradients_hold_memory_too():
    image = memory.zeros(SHAPE, torch.float32)
    weight = torch.ones(SHAPE, requires_grad=True)
    place = address(image)
    product = (weight * image).sum()
    del image
    assert address(memory.empty(SHAPE, torch.float32)) != place
    product.backward()
    assert (weight.grad == 0).all()


def test_zeros_are_zeros_in_memory_used_before():
    memory.empty(SHAPE, torch.float32).fill_(3.0)
    assert (memory.zeros(SHAPE, torch.float32) == 0).all()


def test_no_more_is_kept_than_said(monkeypatch):
    monkeypatch.setattr(memory, "KEPT", 10 * 2**20)
    held = [memory.empty(SHAPE, torch.float32) for _ in range(4)]
    assert len({address(tensor) for tensor in held}) == 4
    del held[1:]
    memory.empty((6 * 2**20,), torch.uint8)  # takes the place of a free piece
    memory.empty((20 * 2**20,), torch.uint8)  # more than everything
    memory.empty((10,), torch.uint8)  # too little to matter
    kept = [len(piece.memory) for piece in memory._pieces]
    assert sum(kept) <= 10 * 2**20
    assert 6 * 2**20 in kept


def test_pictures_do_not_change_when_others_are_drawn(icosphere, project):
    vertices, faces = icosphere(2)
    backend = select("cpu")
    clips = [torch.cat([project(vertices, d) for d in (2.0, 2.2)]).float() for d in (0, 0.3)]
    drawn = [backend.rasterize(clip, faces, (512, 512)) for clip in (clips[0], clips[1] * 1.5, clips[0])]
    copies = [ids.clone() for ids, _ in drawn]
    for clip in clips:
        backend.rasterize(clip * torch.tensor([0.5, 1, 1, 1]), faces, (512, 512))
    assert all(torch.equal(ids, copy) for (ids, _), copy in zip(drawn, copies, strict=True))
