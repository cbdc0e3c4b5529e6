"""Damage to the structure of JSON: values of another type, lost and renamed fields, depth, numbers out of range."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any

from mutations.text import mutate_text

Place = tuple[Any, Any]
"""A container, and the key or index of a value in it."""

DEEP, DIGITS = "@deep@", "@digits@"  # written as what Python's encoder cannot write

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 3, 255, 1e25, -1e25, 1e308, 1e11, 1e-30, 0.5, 10**30, 2**31, 2**32, 2**63,
    float("nan"), float("inf"), "", "0", "x", "nan", "\u0000", "\x1b[31mred", "../" * 9 + "etc/passwd", "/dev/zero",
    "a" * 5000, "\ud800", "data:,", "data:application/octet-stream;base64,AAAA", "é\u202e", [], {}, [[]], [None], [0],
    [1, 2, 3], {"a": 1}, [1e25] * 4, ["x"] * 3, [[1, 0, 0, 0]] * 4, DEEP, DEEP, DIGITS,
)  # fmt: skip


def mutate_json(text: bytes, rng: Random) -> bytes:
    """One change of one value, or of a field's name; what is no JSON (any more) is damaged as text."""
    if rng.random() < 0.2:
        return mutate_text(text, rng)
    try:
        root = [json.loads(text)]
        rng.choice(OPERATIONS)(_pick(root, rng), root, rng)
        return _written(root[0] if root else {}, rng)
    except (ValueError, RecursionError):
        return mutate_text(text, rng)


def _written(value: Any, rng: Random) -> bytes:
    depth = rng.choice((20, 300, 2000, 100000))
    text = json.dumps(value, separators=(",", ":")).replace(f'"{DEEP}"', "[" * depth + "]" * depth)
    return text.replace(f'"{DIGITS}"', "7" * 5000).encode()


def _pick(root: list[Any], rng: Random) -> Place:
    """Any place; those of few siblings are as likely as those of many, since containers are picked first."""
    if rng.random() < 0.02:
        return root, 0
    container, key = rng.choice(_containers(root[0])) if isinstance(root[0], dict | list) else root, None
    if not container:
        return root, 0
    key = rng.choice(list(container)) if isinstance(container, dict) else rng.randrange(len(container))
    return container, key


def _containers(value: Any) -> list[Any]:
    """All lists and objects; long lists of numbers count once, so that the fields above them get their turn."""
    inner = value.values() if isinstance(value, dict) else value[:8]
    return [value, *(found for part in inner if isinstance(part, dict | list) for found in _containers(part))]


def _retype(at: Place, _root: list[Any], rng: Random) -> None:
    at[0][at[1]] = rng.choice(VALUES)


def _delete(at: Place, _root: list[Any], _rng: Random) -> None:
    del at[0][at[1]]


def _rename(at: Place, root: list[Any], rng: Random) -> None:
    container, key = at
    if not isinstance(container, dict):
        return _repeat(at, root, rng)
    container[rng.choice((key.upper(), key[:-1], key + "s", "extras"))] = container.pop(key)
    return None


def _repeat(at: Place, _root: list[Any], rng: Random) -> None:
    container, key = at
    if isinstance(container, list):
        container[key:key] = [copy.deepcopy(container[key])] * rng.choice((1, 1, 300))
    else:
        container[key] = [copy.deepcopy(container[key])] * rng.choice((1, 2))


def _swap(at: Place, root: list[Any], rng: Random) -> None:
    other = _pick(root, rng)
    if root not in (at[0], other[0]):
        at[0][at[1]] = copy.deepcopy(other[0][other[1]])


def _scale(at: Place, root: list[Any], rng: Random) -> None:
    value = at[0][at[1]]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _retype(at, root, rng)
    scaled = (-value, value + 1, value - 1, value * 2, value * 1e9, value * 1e-9, value + 0.5, str(value))
    at[0][at[1]] = rng.choice(scaled)
    return None


OPERATIONS: tuple[Callable[[Place, list[Any], Random], None], ...] = (
    _retype, _retype, _retype, _delete, _delete, _rename, _repeat, _swap, _scale, _scale,
)  # fmt: skip
