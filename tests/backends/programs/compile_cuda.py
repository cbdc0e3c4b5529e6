"""Compiles every kernel of the cuda backend to PTX and on to machine code, without a GPU; prints what ptxas says.

The PTX of the older generation is what both link: newer GPUs take it as it is.
"""

from __future__ import annotations

import importlib
import json
import re
from typing import Any

import numba.cuda.dispatcher
import torch
from cuda.bindings import nvjitlink
from numba import cuda, from_dtype, typeof, types

from invrender.kernels.compositing import RaySamples, Rules
from invrender.kernels.field import Field, FieldRays
from invrender.kernels.floor import floor
from invrender.kernels.radiance import Transport
from invrender.nouns import Cameras
from invrender.nouns.topology import topology

CAPABILITY, ARCHITECTURES = (8, 0), ("80", "90")
MODULES = (
    "rasterize", "interpolate", "pieces", "antialias", "silhouette", "trace", "radiance",
    "line_integral", "projector", "backproject", "smooth_step", "composite", "field",
)  # fmt: skip


class PretendedDevice:
    """What Numba asks of a device while it types calls between device functions."""

    compute_capability = CAPABILITY
    max_shared_memory_per_block = 49152


def launches() -> dict[str, tuple[Any, tuple[Any, ...]]]:
    """Kernels and the types of their arguments, by calling every driver with `launch` put out of action."""
    calls: dict[str, tuple[Any, tuple[Any, ...]]] = {}

    def record(kernel: Any, threads: int, *arguments: Any) -> None:
        function = kernel.py_func
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        calls[name] = (kernel, tuple(_type(value) for value in arguments))

    drivers = {name: importlib.import_module(f"invrender.backends.cuda.{name}") for name in MODULES}
    for driver in drivers.values():
        driver.launch = record
    clip, faces, size = torch.zeros(2, 3, 4), torch.tensor([[0, 1, 2]]), (4, 4)
    edges, face_id, depth = topology(faces), torch.zeros(2, 4, 4, dtype=torch.int64), torch.zeros(2, 4, 4)
    image, attributes = torch.zeros(2, 4, 4, 3), torch.zeros(3, 3)
    drivers["rasterize"].rasterize(clip, faces, size)
    drivers["interpolate"].interpolate(attributes, faces, face_id, clip)
    drivers["interpolate"].interpolate_adjoint(image, attributes, faces, face_id, clip)
    drivers["antialias"].antialias(image, face_id, depth, clip, faces, edges)
    drivers["antialias"].antialias_adjoint(image, image, face_id, depth, clip, faces, edges)
    drivers["silhouette"].silhouette_adjoint(depth, drivers["silhouette"].silhouette_taped(clip, faces, edges, size)[1])
    drivers["trace"].trace(torch.eye(3), faces, torch.zeros(2, 3), torch.ones(2, 3))
    rays = (floor(torch.device("cpu")), torch.ones(1, 3), torch.ones(1, 3), 1, Transport())
    drivers["radiance"].radiance_adjoint(torch.ones(1, 4), *rays, torch.ones(1, 4), frozenset({"origin"}))
    _volumes(drivers)
    return calls


def _volumes(drivers: dict[str, Any]) -> None:
    grid, bounds = torch.zeros(2, 3, 4), torch.tensor([[0.0, 0, 0], [1, 1, 1]], dtype=torch.float64)
    rays = (bounds, torch.zeros(2, 3), torch.ones(2, 3))
    drivers["line_integral"].line_integral(grid, *rays)
    drivers["line_integral"].line_integral_adjoint(torch.zeros(2), grid, *rays)
    cameras = Cameras(torch.eye(4)[None].double(), torch.eye(4)[None].double(), (2, 2))
    bundle = drivers["projector"].joseph_rays(tuple(grid.shape), bounds, cameras)
    values = torch.zeros(len(bundle.pixels))
    bundle.forward(grid)
    bundle.adjoint(values)
    bundle.normal(grid, values, values)
    drivers["backproject"].backproject(torch.zeros(2, 3, 3), torch.zeros(2, 4, 4).double(), (2, 3, 4))
    drivers["smooth_step"].smooth_step(grid, grid, grid, grid, (0.1, 0.1), 0.5)
    samples = RaySamples(torch.zeros(2, 3), torch.ones(2, 3), torch.ones(2), torch.ones(2, dtype=torch.int32))
    scene = (torch.zeros(2, 3, 4, 1), samples, torch.zeros(5, 4), Rules())
    drivers["composite"].composite(*scene)
    drivers["composite"].composite_adjoint(torch.zeros(2, 4), torch.zeros(2, 4), *scene)
    field = Field(torch.zeros(1), torch.zeros(1, 12), torch.zeros(3, 3, 3, dtype=torch.int32))
    ray = FieldRays(torch.ones(1, 3), torch.ones(1, 3), torch.ones(1), torch.ones(1).int(), torch.ones(1, 4))
    drivers["field"].field(field, ray)
    drivers["field"].field_misfit(field, ray, torch.zeros(1, 4))
    drivers["field"].field_light(field, ray)


def _type(value: Any) -> Any:
    if not isinstance(value, torch.Tensor):
        return typeof(value)
    array = value.detach().numpy()
    return types.Array(from_dtype(array.dtype), array.ndim, "C")


def assemble(ptx: str, name: str, architecture: str) -> dict[str, Any]:
    """Link PTX to machine code; registers and spilled bytes (stores, loads)."""
    linker = nvjitlink.create(2, [f"-arch=sm_{architecture}", "-verbose"])
    code = ptx.encode()
    nvjitlink.add_data(linker, nvjitlink.InputType.PTX, code, len(code), name)
    nvjitlink.complete(linker)
    log = bytearray(nvjitlink.get_info_log_size(linker))
    nvjitlink.get_info_log(linker, log)
    text = log.decode(errors="replace")
    return {
        "registers": int(re.findall(r"Used (\d+) registers", text)[0]),
        "spills": [int(number) for number in re.findall(r"(\d+) bytes spill", text)],
    }


def main() -> None:
    """Print {architecture: {kernel: log}}."""
    numba.cuda.dispatcher.get_current_device = lambda: PretendedDevice
    found: dict[str, dict[str, Any]] = {architecture: {} for architecture in ARCHITECTURES}
    for name, (kernel, signature) in launches().items():
        ptx, _ = cuda.compile_ptx(kernel.py_func, signature, cc=CAPABILITY)
        for architecture, logs in found.items():
            logs[name] = assemble(ptx, name, architecture)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
