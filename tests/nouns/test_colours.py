"""Colours kept in bytes are those of the files that they come from."""

from __future__ import annotations

import numpy as np
import torch

from invrender.colour import linear_to_srgb, srgb_to_linear
from invrender.nouns.colours import AT_ONCE, encoded, in_bytes, linear


def test_bytes_of_files_come_back_as_they_are():
    stored = np.arange(256, dtype=np.uint8)
    light = srgb_to_linear(stored.astype(np.float32) / np.float32(255))
    assert np.array_equal(in_bytes(light), stored)
    assert np.array_equal(linear(torch.from_numpy(stored)).numpy(), light)
    assert torch.equal(encoded(torch.from_numpy(stored)), torch.from_numpy(stored) / 255)


def test_light_between_bytes_is_half_a_level_off_at_most():
    light = np.linspace(-0.1, 1.2, AT_ONCE + 5, dtype=np.float32)
    off = in_bytes(light) / 255 - linear_to_srgb(light.astype(np.float64))
    assert np.abs(off).max() <= (0.5 + 0.026) / 255


def test_floats_stay_linear_and_are_encoded_when_asked():
    light = torch.rand(4, 5, 3)
    assert linear(light) is light
    assert np.allclose(encoded(light).numpy(), linear_to_srgb(light.numpy()))
    assert torch.equal(linear(torch.full((2, AT_ONCE), 255, dtype=torch.uint8)), torch.ones(2, AT_ONCE))
