"""The loop's state as named arrays, and back: what checkpoints hold.

Tensors are arrays by their dotted path, which begins with `loop`. One JSON text, `loop.json`, holds the rest: numbers,
texts, which dataclass stands where, and which path an array belongs to.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import CheckpointError
from invrender.solve.loop import LoopState

Arrays = Mapping[str, NDArray[Any]]

LOOP, STATE = "loop", "loop.json"
TENSOR, CLASS, PARTS = "tensor", "class", "parts"


def pack(state: LoopState) -> dict[str, NDArray[Any]]:
    """All of a state as arrays in main memory."""
    arrays: dict[str, NDArray[Any]] = {}
    plain = _plain(state, LOOP, arrays)
    return {STATE: np.array(json.dumps(plain)), **arrays}


def unpack(arrays: Arrays, device: torch.device) -> LoopState:
    """The state that was packed, on a device.

    Raises:
        CheckpointError: the arrays hold no such state.
    """
    try:
        state = _made(json.loads(str(arrays[STATE])), arrays, device)
        if not isinstance(state, LoopState):
            raise TypeError(f"{type(state).__name__} is no state of the loop")
    except (KeyError, ValueError, TypeError, AttributeError, ImportError) as error:
        raise CheckpointError(
            f"the checkpoint holds no state of this version: {type(error).__name__}: {error}", "start over with --fresh"
        ) from error
    return state


def _plain(value: Any, path: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """What JSON can hold of a value; tensors go to `arrays`."""
    if value is None or isinstance(value, int | float | str):
        return value
    if isinstance(value, torch.Tensor):
        arrays[path] = value.detach().cpu().numpy()
        return {TENSOR: path, "cpu": value.device.type == "cpu"}
    if isinstance(value, tuple):
        return [_plain(part, f"{path}.{i}", arrays) for i, part in enumerate(value)]
    parts = value if isinstance(value, Mapping) else {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    plain = {PARTS: {name: _plain(part, f"{path}.{name}", arrays) for name, part in parts.items()}}
    kind = type(value)
    return plain if isinstance(value, Mapping) else {CLASS: f"{kind.__module__}:{kind.__qualname__}", **plain}


def _made(plain: Any, arrays: Arrays, device: torch.device) -> Any:
    """The value that `_plain` was given."""
    if isinstance(plain, list):
        return tuple(_made(part, arrays, device) for part in plain)
    if not isinstance(plain, dict):
        return plain
    if TENSOR in plain:
        tensor = torch.from_numpy(arrays[plain[TENSOR]])
        return tensor if plain["cpu"] else tensor.to(device)
    parts = {name: _made(part, arrays, device) for name, part in plain[PARTS].items()}
    return _class(plain[CLASS])(**parts) if CLASS in plain else parts


def _class(kind: str) -> Any:
    """A state's class by its name, among modules that are loaded: a file shall not have any imported."""
    module, _, name = kind.partition(":")
    found = getattr(sys.modules.get(module), name, None)
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise ValueError(f"{kind} is no state of a solver in use")
    return found
