"""Messages between ranks: any value that pickles, its tensors and arrays sent beside it without copies in between."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import distributed

Tensor = torch.Tensor

HEAD = 1 << 14  # bytes of the first transfer, which hold most messages
LEAST = 1 << 10  # bytes of an array that is sent by itself
EVERYBODY = -1


def send(value: Any, to: int, here: Mapping[str, Any]) -> None:
    """Send a value to a rank, or, from the leader, to everybody.

    Args:
        value: anything that pickles.
        to: the rank; EVERYBODY: each of the others has to receive it.
        here: what stands for itself: an object that each rank has its own of, by its name.
    """

    def hand(buffer: Tensor) -> None:
        if to == EVERYBODY:
            distributed.broadcast(buffer, 0)
        else:
            distributed.send(buffer, to)

    stream = io.BytesIO()
    pickler = _Pickler(stream, here)
    pickler.dump(value)
    text = stream.getvalue()
    head = np.zeros(HEAD, np.uint8)
    head[:8] = np.array([len(text)], np.int64).view(np.uint8)
    head[8 : 8 + len(text)] = np.frombuffer(text[: HEAD - 8], np.uint8)
    hand(torch.from_numpy(head))
    if len(text) > HEAD - 8:
        hand(torch.frombuffer(bytearray(text[HEAD - 8 :]), dtype=torch.uint8))
    for buffer in pickler.buffers:
        hand(buffer)


def receive(source: int, here: Mapping[str, Any], device: torch.device) -> Any:
    """The value that a rank sends, or, where `source` is EVERYBODY, the leader sends to all; tensors on a device."""

    def take(size: int) -> Tensor:
        buffer = torch.empty(size, dtype=torch.uint8)
        if source == EVERYBODY:
            distributed.broadcast(buffer, 0)
        else:
            distributed.recv(buffer, source)
        return buffer

    head = take(HEAD).numpy()
    size = int(head[:8].view(np.int64)[0])
    text = head[8 : 8 + size].tobytes()
    if size > len(text):
        text += take(size - len(text)).numpy().tobytes()
    return _Unpickler(io.BytesIO(text), here, take, device).load()


class _Pickler(pickle.Pickler):
    """Takes tensors and large arrays out of what it pickles."""

    def __init__(self, stream: io.BytesIO, here: Mapping[str, Any]) -> None:
        super().__init__(stream, protocol=5)
        self._names = {id(value): name for name, value in here.items()}
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []  # an object's id is its own as long as it lives
        self.buffers: list[Tensor] = []

    def persistent_id(self, value: Any) -> Any:
        """Names of what stands for itself; numbers and types of what is sent beside."""
        if id(value) in self._names:
            return "here", self._names[id(value)]
        if isinstance(value, Tensor):
            there = value.device.type != "cpu"
            return "tensor", self._number(value, value), value.dtype, tuple(value.shape), there
        if isinstance(value, np.ndarray) and value.dtype.kind in "iufb" and value.nbytes > LEAST:
            given = np.ascontiguousarray(value)
            given = given if given.flags.writeable else given.copy()
            plain = torch.from_numpy(given.reshape(-1).view(np.uint8))
            return "array", self._number(value, plain), value.dtype, value.shape
        return None

    def _number(self, value: Any, tensor: Tensor) -> int:
        """Of the buffer that holds a tensor's numbers; where it was seen before, of that one."""
        if id(value) not in self._numbers:
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            self._numbers[id(value)] = len(self.buffers) if flat.numel() else EVERYBODY
            self._kept.append(value)
            if flat.numel():
                self.buffers.append(flat.view(torch.uint8))
        return self._numbers[id(value)]


class _Unpickler(pickle.Unpickler):
    """Puts tensors and arrays back, which are taken in the order in which they first appear: that of sending."""

    def __init__(
        self, stream: io.BytesIO, here: Mapping[str, Any], take: Callable[[int], Tensor], device: torch.device
    ) -> None:
        super().__init__(stream)
        self._here, self._take, self._device = here, take, device
        self._taken: list[Tensor] = []

    def persistent_load(self, told: Any) -> Any:
        """What `_Pickler.persistent_id` stands for."""
        kind, *rest = told
        if kind == "here":
            return self._here[rest[0]]
        if kind == "array":
            number, dtype, shape = rest
            return self._buffer(number, int(np.prod(shape)) * dtype.itemsize).numpy().view(dtype).reshape(shape)
        number, dtype, shape, there = rest
        plain = self._buffer(number, int(np.prod(shape)) * dtype.itemsize)
        tensor = plain.view(dtype).reshape(shape) if plain.numel() else torch.empty(shape, dtype=dtype)
        return tensor.to(self._device) if there else tensor

    def _buffer(self, number: int, size: int) -> Tensor:
        if number == EVERYBODY:
            return torch.empty(0, dtype=torch.uint8)
        while len(self._taken) <= number:
            self._taken.append(self._take(size))
        return self._taken[number]
