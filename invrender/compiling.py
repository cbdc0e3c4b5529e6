"""How Numba compiles a kernel here: with what it calls linked into it, and machine code made once, of the whole.

Numba optimises every function that a kernel calls, makes machine code of it, and then links it into its callers and
does the same with those, up to the kernel. Only the kernel's own machine code is ever run or kept, so the rest is left
out here: it was half of the time. What comes out are the same operations in the same order.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from numba.core import compiler, types
from numba.core.codegen import JITCodeLibrary
from numba.core.registry import cpu_target

_STEPS: Any = compiler.DefaultPassBuilder
_COMPLETE: Any = JITCodeLibrary
_unliteral: Any = types.unliteral
_LIBRARIES = "_library_class"  # Numba's name for what its code generator makes libraries of


class _Part(JITCodeLibrary):
    """Code that becomes a part of kernels: neither optimised as a whole nor made machine code of."""

    def _optimize_final_module(self) -> None:
        """The kernel is, with all its parts in it."""

    def _finalize_final_module(self) -> None:
        library: Any = super()
        library._finalize_dynamic_globals()
        library._verify_declare_only_symbols()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """None, as for functions without wrappers: nobody calls a part from Python."""
        library: Any = super()
        library._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        """For Numba to hand its environment to: a part's is that of the kernels that it becomes a part of."""
        return SimpleNamespace(set_env=lambda name, environment: None)

    @classmethod
    def _unserialize(cls, codegen: Any, state: Any) -> Any:
        """A kernel from the disk is complete, even where another one asks for it."""
        with _libraries(JITCodeLibrary):
            return _COMPLETE._unserialize(codegen, state)


class Whole(compiler.CompilerBase):
    """The usual steps of a compilation, of a kernel that is made machine code of."""

    def define_pipelines(self) -> list[Any]:
        """The one way: without Python's objects."""
        state = self.state
        state.library = _COMPLETE(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return [_STEPS.define_nopython_pipeline(state)]


def link_parts(kernel: Any) -> None:
    """Have all that a kernel calls compiled as its parts. `kernel` is compiled by `Whole`."""
    made_by = vars(kernel)["_compiler"]
    usual = made_by.compile

    def compile_whole(arguments: Any, returned: Any) -> Any:  # Numba holds its lock: no other thread compiles
        with _libraries(_Part), _without_collections():
            found = usual(arguments, returned)
        for environment in found._find_referenced_environments():
            found.library.codegen.set_env(environment.env_name, environment)
        return found

    made_by.compile = compile_whole


def share_among_literals(part: Any) -> None:
    """Compile a part once for all constants that it is called with: LLVM puts them in where it pays."""
    usual = part.get_call_template

    def without_literals(arguments: Any, named: Any) -> Any:
        return usual(tuple(map(_unliteral, arguments)), {name: _unliteral(given) for name, given in named.items()})

    part.get_call_template = without_literals


@contextmanager
def _libraries(kind: type[JITCodeLibrary]) -> Iterator[None]:
    """Have Numba make libraries of this kind."""
    generator: Any = cpu_target.target_context.codegen()
    before = getattr(generator, _LIBRARIES)
    setattr(generator, _LIBRARIES, kind)
    try:
        yield
    finally:
        setattr(generator, _LIBRARIES, before)


@contextmanager
def _without_collections() -> Iterator[None]:
    """Leave garbage until later: looking for it among all that a compiler makes took a seventh of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
