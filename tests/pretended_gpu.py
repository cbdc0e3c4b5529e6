"""A GPU that is pretended: tensors in main memory that say they are elsewhere, and may not be mixed with others.

Code that forgets to bring a tensor to the backend's device, or back, works where all is in main memory and fails on a
GPU. Here it fails without one. The pretended device goes by the name of torch's `meta`, which needs no driver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_flatten, tree_map

from invrender.backends.torch.colour_misfit import colour_misfit_by
from invrender.backends.torch.misfit import misfit_by
from invrender.backends.torch.radiance_over import radiance_by
from invrender.kernels import Backend
from invrender.nouns import Cameras

DEVICE = torch.device("meta")
MAY_BRING = ("_to_copy", "copy_", "_copy_from")
"""Operators of two devices."""
MAY_INDEX = ("index", "index_put_", "index_put", "_index_put_impl_", "_unsafe_index")
"""Operators whose indices may be in main memory."""

BRINGS = ("joseph_rays",)
"""Kernels that bring their tensors to the device themselves."""


class There(torch.Tensor):
    """A tensor on the pretended device."""

    held: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> There:
        made = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, held.shape, strides=held.stride(), storage_offset=held.storage_offset(), dtype=held.dtype,
            device=DEVICE, requires_grad=False,
        )  # fmt: skip
        made.held = held
        return made  # type: ignore[no-any-return]

    def tolist(self) -> Any:
        return self.held.tolist()

    def new_tensor(self, data: Any, **kwargs: Any) -> Any:
        return There(self.held.new_tensor(data, **kwargs))

    def __getitem__(self, index: Any) -> Any:
        return super().__getitem__(_without_lists(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(_without_lists(index), value)

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"There({self.held})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs or {})


def _without_lists(index: Any) -> Any:
    """Torch would bring lists to the device out of sight of operators."""
    if isinstance(index, tuple):
        return tuple(map(_without_lists, index))
    return torch.tensor(list(index), dtype=torch.int64) if isinstance(index, list | range) else index


def held(value: Any) -> Any:
    return value.held if isinstance(value, There) else value


def there(value: Any) -> Any:
    return There(value) if isinstance(value, torch.Tensor) and not isinstance(value, There) else value


def run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """An operator of torch, on the device of its tensors."""
    name = func.__name__.split(".")[0]
    flat = [value for value in tree_flatten((args, kwargs))[0] if isinstance(value, torch.Tensor)]
    away = any(isinstance(value, There) for value in flat)
    assert not any(value.is_meta for value in flat if not isinstance(value, There)), f"{func}: a tensor without values"
    asked = kwargs.get("device")
    if name == "_local_scalar_dense":
        return func(held(args[0]))
    if away and name not in MAY_BRING:
        checked = flat[:1] if name in MAY_INDEX else flat
        mixed = [value for value in checked if not isinstance(value, There) and value.ndim]
        if mixed:
            raise RuntimeError(f"{func}: tensors of two devices")
    target = away if asked is None else torch.device(asked).type == DEVICE.type
    if name == "copy_":
        func(held(args[0]), held(args[1]), *args[2:])
        return args[0]
    given = kwargs
    kwargs = {**kwargs, "device": torch.device("cpu")} if asked is not None else kwargs
    found = func(*tree_map(held, args), **tree_map(held, kwargs))
    if func._schema.name.endswith("_") and flat and isinstance(args[0], torch.Tensor):
        return args[0]
    if "out" in kwargs:
        return given["out"]
    return tree_map(there, found) if target else found


class Pretending(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs or {})


class Making(TorchFunctionMode):
    """`torch.tensor` and `torch.as_tensor`, which copy to a device out of sight of operators."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = dict(kwargs or {})
        if func in (torch.tensor, torch.as_tensor) and given.get("device") is not None:
            device = given.pop("device")
            return func(*args, **given).to(device)
        return func(*args, **given)


@contextmanager
def pretending() -> Iterator[None]:
    with Making(), Pretending():
        yield


def pretended(backend: Backend) -> Backend:
    """A backend of main memory that says it is on the pretended device; what a GPU composes is composed here."""
    names = [field.name for field in fields(backend) if callable(getattr(backend, field.name))]
    own = replace(backend, device=DEVICE, **{name: _on(getattr(backend, name), name) for name in names})
    return replace(
        own,
        silhouette_misfit=misfit_by(own.silhouette_taped, own.silhouette_adjoint),
        colour_misfit=colour_misfit_by(own.rasterize, own.interpolate, own.interpolate_adjoint),
        radiance_torch=radiance_by(own.trace),
    )


def _on(kernel: Callable[..., Any], name: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        given = [_taken(value, name) for value in args]
        named = {key: _taken(value, name) for key, value in kwargs.items()}
        with _disable_current_modes():
            found = kernel(*given, **named)
        return _given(found, name)

    return call


def _taken(value: Any, name: str) -> Any:
    """What a kernel is given, in main memory: its tensors must not have been there, but those it brings itself."""
    if isinstance(value, There):
        return value.held
    if isinstance(value, torch.Tensor):
        if value.ndim and name not in BRINGS:
            raise RuntimeError(f"{name}: a tensor that is not on the device")
        return value
    if isinstance(value, Cameras):  # which are in main memory for all
        return value
    return _each(value, lambda part: _taken(part, name))


def _given(value: Any, name: str) -> Any:
    if isinstance(value, torch.Tensor):
        return There(value)
    if hasattr(value, "adjoint"):
        return _Bundle(value, name)
    if callable(value):
        return _on(value, name)
    return _each(value, lambda part: _given(part, name))


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """Tuples and dataclasses with their parts changed."""
    if isinstance(value, tuple):
        return type(value)(*map(change, value)) if hasattr(value, "_fields") else tuple(map(change, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{field.name: change(getattr(value, field.name)) for field in fields(value) if field.init}
        )
    return value


class _Bundle:
    """Rays that a kernel has prepared."""

    def __init__(self, rays: Any, name: str) -> None:
        self.rays, self.name = rays, f"{name}'s"

    def __getattr__(self, name: str) -> Any:
        return _given(getattr(self.rays, name), self.name)
