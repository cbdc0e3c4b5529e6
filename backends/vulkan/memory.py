"""Buffers on the device: what goes up, and what comes back. Copies are explicit, whatever device a tensor lives on."""

from __future__ import annotations

from typing import Any

import numpy as np
import slangpy as spy
import torch
from numpy.typing import DTypeLike, NDArray

from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import lost, submit
from invrender.errors import MemoryLimitError

Tensor = torch.Tensor

MOST_BYTES = 2**32 - 1  # shaders count bytes in 32 bits

_USAGE = spy.BufferUsage
READ_WRITE = _USAGE.unordered_access | _USAGE.shader_resource | _USAGE.copy_source | _USAGE.copy_destination
GEOMETRY = READ_WRITE | _USAGE.acceleration_structure_build_input


def upload(vulkan: Vulkan, values: Tensor | NDArray[Any], dtype: DTypeLike, usage: Any = READ_WRITE) -> Any:
    """A buffer with the values, converted to a dtype; of one element where there are none, which Vulkan needs."""
    array = values.detach().cpu().numpy() if isinstance(values, Tensor) else values
    array = np.ascontiguousarray(array, dtype).reshape(-1)
    if not array.size:
        array = np.zeros(1, dtype)
    with vulkan.lock:
        return _buffer(vulkan, array.nbytes, array.itemsize, usage, array)


def zeros(vulkan: Vulkan, count: int, dtype: DTypeLike = np.float32) -> Any:
    """A buffer of zeros."""
    item = np.dtype(dtype).itemsize
    with vulkan.lock:
        buffer = _buffer(vulkan, max(count, 1) * item, item, READ_WRITE)
        encoder = vulkan.device.create_command_encoder()
        encoder.clear_buffer(buffer)
        submit(vulkan, encoder)
    return buffer


def empty(vulkan: Vulkan, count: int, dtype: DTypeLike = np.float32, usage: Any = READ_WRITE) -> Any:
    """A buffer of whatever was there."""
    item = np.dtype(dtype).itemsize
    with vulkan.lock:
        return _buffer(vulkan, max(count, 1) * item, item, usage)


def download(vulkan: Vulkan, buffer: Any, shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """What a buffer holds, once all work on it is done."""
    count = int(np.prod(shape))
    with vulkan.lock:
        vulkan.check()
        try:
            held: NDArray[Any] = buffer.to_numpy()
        except RuntimeError as error:
            raise lost(vulkan) from error
    return held.view(dtype).reshape(-1)[:count].reshape(shape)


def _buffer(vulkan: Vulkan, size: int, item: int, usage: Any, data: NDArray[Any] | None = None) -> Any:
    vulkan.check()
    if size > MOST_BYTES:
        raise too_large(vulkan, size)
    try:
        if data is None:
            return vulkan.device.create_buffer(size=size, struct_size=item, usage=usage)
        return vulkan.device.create_buffer(data=data, struct_size=item, usage=usage)
    except RuntimeError as error:
        raise too_large(vulkan, size) from error


def too_large(vulkan: Vulkan, size: int) -> MemoryLimitError:
    """The error for what a device cannot hold."""
    return MemoryLimitError(
        f"{vulkan.adapter.name} cannot hold {size / 2**30:.2f} GiB at once",
        "use a smaller picture, mesh or volume, or --backend cpu",
    )
