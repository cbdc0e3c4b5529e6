"""Running shaders: compute kernels over a number of threads, and rays by pipelines or queries."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import slangpy as spy

from invrender.backends.devices import NO_OTHER
from invrender.backends.vulkan.device import Vulkan
from invrender.errors import BackendError, RetryError

WIDTH = 2**16
"""Threads along the first axis; further ones go along the second, since drivers may allow 65,535 groups per axis."""

PART = 2**18
"""Threads of a compute shader in one launch: drivers of displays take a device for hung that is busy for seconds."""

Shader = tuple[str, str]
"""The name of a shader file without its ending, and its entry point."""


def compute(vulkan: Vulkan, shader: Shader, threads: int, **values: Any) -> None:
    """Run a compute shader for a number of threads; what `threads.slang` asks for is bound beside the values."""
    with vulkan.lock:
        vulkan.check()
        for begin in range(0, threads, PART):
            pipeline = _made(vulkan, shader, _compute_pipeline)
            count = min(PART, threads - begin)
            width = min(WIDTH, count)
            encoder = vulkan.device.create_command_encoder()
            with encoder.begin_compute_pass() as work:
                given = {**values, "width": width, "first": begin, "threads": begin + count}
                _bind(work.bind_pipeline(pipeline), given)
                work.dispatch([width, -(-count // width), 1])
            submit(vulkan, encoder)


def precise(vulkan: Vulkan, name: str) -> str:
    """The form of a shader that computes in doubles, or that in floats where the device has no doubles."""
    return name if has_doubles(vulkan) else f"{name}_single"


def has_doubles(vulkan: Vulkan) -> bool:
    """Whether shaders can compute in float64."""
    return "double" in vulkan.adapter.features


def trace_rays(vulkan: Vulkan, name: str, count: int, **values: Any) -> None:
    """Trace a number of rays by the entry points of a shader; by its queries where there are no pipelines.

    The shader has the entry points `generate` (ray generation), `miss` and `hit` in its
    form for pipelines, and `query` in the one for queries.
    """
    if count <= 0:
        return
    if vulkan.by_query:
        compute(vulkan, (f"{name}_query", "query"), count, **values)
        return
    width = min(WIDTH, count)
    with vulkan.lock:
        vulkan.check()
        pipeline, table = _made(vulkan, (name, ""), _ray_pipeline)
        encoder = vulkan.device.create_command_encoder()
        with encoder.begin_ray_tracing_pass() as work:
            _bind(work.bind_pipeline(pipeline, table), {**values, "width": width, "first": 0, "threads": count})
            work.dispatch_rays(0, [width, -(-count // width), 1])
        submit(vulkan, encoder)


def submit(vulkan: Vulkan, encoder: Any) -> None:
    """Hand recorded work to the device.

    Raises:
        RetryError: the device was lost.
    """
    try:
        vulkan.device.submit_command_buffer(encoder.finish())
    except RuntimeError as error:
        raise lost(vulkan) from error


def lost(vulkan: Vulkan) -> RetryError:
    """The error for a device that no longer answers."""
    return RetryError(f"the Vulkan device {vulkan.adapter.name} was lost", "run the same command again")


def _bind(shader_object: Any, values: dict[str, Any]) -> None:
    cursor = spy.ShaderCursor(shader_object)
    for name, value in values.items():  # a name that the shader lacks raises
        cursor[name] = value


def _made(vulkan: Vulkan, shader: Shader, make: Callable[[Vulkan, Shader], Any]) -> Any:
    """A pipeline, compiled at the first call or taken from the cache folder."""
    if shader not in vulkan.made:
        try:
            vulkan.made[shader] = make(vulkan, shader)
        except RuntimeError as error:
            logging.getLogger(__name__).debug("compiling %s failed:\n%s", shader[0], error)
            cause = f"the Vulkan driver of {vulkan.adapter.name} takes no shader called {shader[0]}"
            raise BackendError(cause, NO_OTHER) from error
    return vulkan.made[shader]


def _compute_pipeline(vulkan: Vulkan, shader: Shader) -> Any:
    program = vulkan.device.load_program(f"{shader[0]}.slang", [shader[1]])
    return vulkan.device.create_compute_pipeline(program)


def _ray_pipeline(vulkan: Vulkan, shader: Shader) -> Any:
    name, _ = shader
    program = vulkan.device.load_program(f"{name}_pipeline.slang", ["generate", "miss", "hit"])
    kind = "any_hit_entry_point" if name in ANY_HIT else "closest_hit_entry_point"
    pipeline = vulkan.device.create_ray_tracing_pipeline(
        program=program,
        hit_groups=[spy.HitGroupDesc({"hit_group_name": "hits", kind: "hit"})],
        max_recursion=1,
        max_ray_payload_size=16,
    )
    table = vulkan.device.create_shader_table(
        program=program, ray_gen_entry_points=["generate"], miss_entry_points=["miss"], hit_group_names=["hits"]
    )
    return pipeline, table


ANY_HIT = ("rasterize",)
"""Shaders whose `hit` looks at every face along a ray; those of the others see the closest one."""
