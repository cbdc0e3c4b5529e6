"""How Numba compiles a kernel here: with what it calls linked into it, and machine code made once, of the whole.

Numba optimises every function that a kernel calls, makes machine code of it, and then links it into its callers and
does the same with those, up to the kernel. Only the kernel's own machine code is ever run or kept, so the rest is left
out here: it was half of the time. What comes out are the same operations in the same order.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from numba.core import compiler, types
from numba.core.codegen import JITCodeLibrary
from numba.core.registry import cpu_target

_STEPS: Any = compiler.DefaultPassBuilder
_COMPLETE: Any = JITCodeLibrary
_unliteral: Any = types.unliteral
PATIENCE = 100.0
"""Seconds for which a process waits for another that compiles the same kernel."""

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


def link_parts(kernel: Any, folder: Path | None) -> None:
    """Have all that a kernel calls compiled as its parts, by one process at a time, which keeps it in a folder.

    `kernel` is compiled by `Whole`, and kept where there is a folder.
    """
    made_by, kept = vars(kernel)["_compiler"], vars(kernel)["_cache"]
    usual, save = made_by.compile, kept.save_overload

    def compile_whole(arguments: Any, returned: Any) -> Any:  # Numba holds its lock: no other thread compiles
        with _alone(folder and folder / f"{kernel.__qualname__}.lock"), _libraries(_Part), _without_collections():
            found = _made_meanwhile(kept, arguments) if folder else None
            if found is None:
                found = usual(arguments, returned)
                for environment in found._find_referenced_environments():
                    found.library.codegen.set_env(environment.env_name, environment)
                save(arguments, found)
        return found

    made_by.compile = compile_whole
    kept.save_overload = lambda arguments, found: None  # it has been, before another process could look for it


def _made_meanwhile(kept: Any, arguments: Any) -> Any:
    """What another process has compiled since this one looked for it; or None."""
    target: Any = cpu_target.target_context
    found = kept.load_overload(arguments, target)
    if found is not None:
        target.insert_user_function(found.entry_point, found.fndesc, [found.library])
    return found


@contextmanager
def _alone(file: Path | None) -> Iterator[None]:
    """Wait until no other process is in such a block for this file.

    Nobody waits where there are no such locks (Windows, some networks), nor for longer than any kernel takes: for a
    process that has been stopped, say. The lock ends with the process, however that ends; see flock(2).
    """
    descriptor = None
    if file is not None and sys.platform != "win32":
        with suppress(OSError):
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            _wait_for(descriptor)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _wait_for(descriptor: int) -> None:
    import fcntl

    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)


def share_among_literals(part: Any) -> None:
    """Compile a part once for all constants that it is called with: LLVM puts them in where it pays."""
    usual = part.get_call_template

    def without_literals(arguments: Any, named: Any) -> Any:
        return usual(tuple(map(_unliteral, arguments)), {name: _unliteral(given) for name, given in named.items()})

    part.get_call_template = without_literals


@contextmanager
def changed(owner: Any, name: str, value: Any) -> Iterator[None]:
    """An attribute for a moment: other users of Numba in this process keep theirs."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _libraries(kind: type[JITCodeLibrary]) -> AbstractContextManager[None]:
    """Have Numba make libraries of this kind."""
    return changed(cpu_target.target_context.codegen(), _LIBRARIES, kind)


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
