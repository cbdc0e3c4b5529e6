"""CPU time of differentiable silhouettes and pictures against peers, as a table.

    pip install 'invrender[bench]'
    DRJIT_LIBLLVM_PATH=/usr/lib/x86_64-linux-gnu/libLLVM.so.19.1 python benchmarks/rasterizer.py [--rounds 15]

Twelve orbit views of 256 x 256 pixels of a bumpy sphere, from world vertices to the gradient with respect to them, one
thread. Everything runs in one process, in turns, after a warm-up; each figure is the median of its rounds. CPU time is
the main thread's, for Mitsuba the whole process's, as it has threads of its own. Run it on an idle machine.

- `mitsuba`: Mitsuba 3's `direct_projective` at 1 sample per pixel on a glowing mesh, for the silhouette alone (no
  indirect boundary samples), forward and backward. It compiles through LLVM and needs a recent shared library of it,
  named in DRJIT_LIBLLVM_PATH: `apt install libllvm19` does, version 15 fails. Left out where it cannot be imported.
- `embree`: primary rays alone, no gradients, on a scene built beforehand.
- `torch`: the reference backend. `cpu`: Numba, as an operation of its own. `fused`: with projection, loss and its
  gradient in one kernel, as reconstruction uses it.
- `cuda`: the same kernels on a GPU, in milliseconds of wall time; where there is one.
- `pictures`: depth, normals and an antialiased 3-channel image, forward and backward.
- `two threads`: wall time on one thread over wall time on two, of `fused` silhouettes and others.
"""

from __future__ import annotations

import invrender  # noqa: F401  isort: skip - before torch, whose threads then wait without spinning

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from trimesh.creation import icosphere

from invrender import ops
from invrender.backends import select
from invrender.cameras.rigs import rig
from invrender.kernels import Backend
from invrender.nouns import Cameras
from invrender.nouns.topology import Topology, topology

VIEWS, SIZE = 12, (256, 256)
CLOCKS: dict[str, Callable[[], float]] = {"mitsuba": time.process_time, "cuda": time.perf_counter}
Work = Callable[[], object]


@dataclass(frozen=True)
class Scene:
    """A mesh before twelve cameras, and a random gradient for its silhouettes."""

    vertices: torch.Tensor
    faces: torch.Tensor
    edges: Topology
    cameras: Cameras
    matrix: torch.Tensor
    grad: torch.Tensor


def scene(subdivisions: int) -> Scene:
    """A bumpy sphere of 20 * 4^subdivisions triangles."""
    mesh = icosphere(subdivisions)
    unit, faces = torch.tensor(np.asarray(mesh.vertices)), torch.tensor(np.asarray(mesh.faces), dtype=torch.int64)
    x, y, z = (unit * unit.new_tensor([5.0, 7.0, 6.0])).unbind(-1)
    vertices = unit * (1 + 0.05 * torch.sin(x + 1) * torch.sin(y) * torch.cos(z))[:, None]
    cameras = rig("orbit", VIEWS, torch.zeros(3), 1.1, SIZE)
    matrix = (cameras.projection.double() @ cameras.world_to_camera.double()).float()
    grad = torch.randn(VIEWS, *SIZE, generator=torch.Generator().manual_seed(0))
    return Scene(vertices.float(), faces, topology(faces), cameras, matrix, grad)


def clip_of(vertices: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Clip positions [N,V,4] of vertices [V,3]."""
    points = vertices.expand(len(matrix), -1, -1)
    return torch.baddbmm(matrix[:, None, :, 3], points, matrix[:, :, :3].transpose(1, 2))


def silhouettes(backend: Backend, s: Scene) -> Work:
    """Forward and backward, world vertices to their gradient."""

    def work() -> object:
        vertices = s.vertices.clone().requires_grad_()
        coverage = ops.silhouette(backend, clip_of(vertices, s.matrix), s.faces, s.edges, SIZE)
        return torch.autograd.grad(coverage, vertices, s.grad)

    return work


def comparisons(backend: Backend, s: Scene) -> Work:
    """The same against masks, with the loss and its gradient, as reconstruction does it."""
    masks = (s.grad > 0).float()
    compare = backend.silhouette_misfit(s.faces, s.edges, len(s.vertices), masks, torch.ones(VIEWS))
    vertices, matrix = s.vertices.double(), s.matrix.double()
    return lambda: compare(vertices, matrix)


def pictures(backend: Backend, s: Scene) -> Work:
    """Depth, normals and an antialiased colour image, forward and backward."""
    colours = torch.rand(len(s.vertices), 3, generator=torch.Generator().manual_seed(1)).to(s.grad.device)
    normals = torch.nn.functional.normalize(s.vertices, dim=1)
    grads = [s.grad[..., None].repeat(1, 1, 1, channels) for channels in (4, 3)]

    def work() -> object:
        vertices = s.vertices.clone().requires_grad_()
        clip = clip_of(vertices, s.matrix)
        face_id, depth = ops.rasterize(backend, clip, s.faces, SIZE)
        depths_and_normals = torch.cat([clip[..., 3:], normals.expand(VIEWS, -1, -1)], 2)
        geometry = ops.interpolate(backend, depths_and_normals, s.faces, face_id, clip)
        image = ops.interpolate(backend, colours, s.faces, face_id, clip)
        colour = ops.antialias(backend, image, face_id, depth, clip, s.faces, s.edges)
        return torch.autograd.grad([geometry, colour], vertices, grads)

    return work


def cuda(make: Callable[[Backend, Scene], Work], s: Scene) -> Work | None:
    """Any of the above on a GPU, until it has finished."""
    if not torch.cuda.is_available():
        return None
    backend = select("cuda", needs=("meshes",))
    device = backend.device
    vertices, faces, matrix, grad = (part.to(device) for part in (s.vertices, s.faces, s.matrix, s.grad))
    work = make(backend, Scene(vertices, faces, s.edges.to(device), s.cameras, matrix, grad))

    def finished() -> object:
        result = work()
        torch.cuda.synchronize()
        return result

    return finished


def embree(s: Scene) -> Work | None:
    """Primary rays of all views."""
    try:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene
    except ImportError:
        return None
    built = EmbreeScene()
    TriangleMesh(built, s.vertices.numpy(), s.faces.numpy().astype(np.int32))
    inverse = torch.linalg.inv(s.matrix.double())
    y, x = torch.meshgrid(*(((torch.arange(n) + 0.5) * 2 / n - 1).double() for n in SIZE), indexing="ij")
    ends = [torch.stack([x, -y, torch.full_like(x, z), torch.ones_like(x)], -1) for z in (-1.0, 1.0)]
    near, far = (torch.einsum("nij,hwj->nhwi", inverse, end) for end in ends)
    near, far = near[..., :3] / near[..., 3:], far[..., :3] / far[..., 3:]
    origin = np.ascontiguousarray(near.reshape(-1, 3).float().numpy())
    direction = np.ascontiguousarray((far - near).reshape(-1, 3).float().numpy())
    return lambda: built.run(origin, direction)


def mitsuba(s: Scene) -> Work | None:
    """Forward and backward through `direct_projective`."""
    try:
        import drjit as dr
        import mitsuba as mi

        mi.set_variant("llvm_ad_rgb")
        dr.eval(mi.Float(1.0))
    except (ImportError, RuntimeError) as error:
        print(f"mitsuba is left out: {error}")
        return None
    mesh = mi.Mesh("mesh", len(s.vertices), len(s.faces))
    given = mi.traverse(mesh)
    given["vertex_positions"] = s.vertices.numpy().ravel()
    given["faces"] = s.faces.numpy().ravel().astype(np.uint32)
    given.update()
    path = _write(mesh)
    film = {"type": "hdrfilm", "width": SIZE[1], "height": SIZE[0], "rfilter": {"type": "box"}, "pixel_format": "rgb"}
    sensors = {f"sensor_{k}": _sensor(mi, pose, film) for k, pose in enumerate(s.cameras.world_to_camera)}
    glow = {"type": "area", "radiance": {"type": "rgb", "value": 1.0}}
    loaded: Any = mi.load_dict(
        {
            "type": "scene",
            "integrator": {"type": "direct_projective", "sppi": 0},
            "mesh": {"type": "ply", "filename": path, "emitter": glow, "bsdf": {"type": "diffuse"}},
            **sensors,
        }
    )
    params = mi.traverse(loaded)
    key = "mesh.vertex_positions"
    grads = [mi.TensorXf(s.grad[k, :, :, None].expand(-1, -1, 3).numpy().copy()) for k in range(VIEWS)]

    def work() -> object:
        dr.enable_grad(params[key])
        params.update()
        for k in range(VIEWS):
            image = mi.render(loaded, params, sensor=k, spp=1, seed=k)
            dr.backward(dr.sum(image * grads[k], axis=None))
        gradient = dr.grad(params[key])
        dr.eval(gradient)
        dr.sync_thread()
        return gradient

    return work


def _write(mesh: Any) -> str:
    import tempfile
    from pathlib import Path

    path = str(Path(tempfile.mkdtemp()) / "mesh.ply")
    mesh.write_ply(path)
    return path


def _sensor(mi: Any, world_to_camera: torch.Tensor, film: dict[str, Any]) -> dict[str, Any]:
    """The same camera for Mitsuba, which looks along +Z with X to the left."""
    pose = torch.linalg.inv(world_to_camera.double()) @ torch.diag(torch.tensor([-1.0, 1.0, -1.0, 1.0]).double())
    to_world = mi.ScalarTransform4f(pose.numpy())
    sampler = {"type": "independent"}
    return {"type": "perspective", "fov": 45.0, "to_world": to_world, "film": film, "sampler": sampler}


def medians(contestants: dict[str, Work], rounds: int) -> dict[str, float]:
    """Milliseconds of each, taken in turns; CPU time but for GPUs."""
    for work in contestants.values():
        work()
        work()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            read = CLOCKS.get(name, time.thread_time)
            start = read()
            work()
            seconds[name].append(read() - start)
    return {name: 1e3 * statistics.median(times) for name, times in seconds.items()}


def two_threads(work: Work, rounds: int) -> float:
    """Wall time on one thread over wall time on two, medians of rounds in turns."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for threads, times in seconds.items():
            os.environ["OMP_NUM_THREADS"] = str(threads)
            torch.set_num_threads(threads)
            work()  # torch makes its threads anew
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    return statistics.median(seconds[1]) / statistics.median(seconds[2])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    cpu, reference = (select(name, "cpu", ("meshes",)) for name in ("cpu", "torch"))
    print(f"{VIEWS} views of {SIZE[0]}x{SIZE[1]}, forward + backward, CPU milliseconds (median of {rounds})\n")
    print("| triangles | cpu | fused | torch | cuda | embree | mitsuba | embree / fused | mitsuba / fused |")
    print("|" + "---|" * 9)
    for subdivisions in (3, 5, 6):
        s = scene(subdivisions)
        contestants: dict[str, Work | None] = {
            "cpu": silhouettes(cpu, s), "fused": comparisons(cpu, s), "torch": silhouettes(reference, s),
            "cuda": cuda(silhouettes, s),
            "embree": embree(s), "mitsuba": mitsuba(s),
        }  # fmt: skip
        found = medians({name: work for name, work in contestants.items() if work}, rounds)
        cells = [f"{found[name]:.1f}" if name in found else "-" for name in contestants]
        ratios = [f"{found[name] / found['fused']:.1f}" if name in found else "-" for name in ("embree", "mitsuba")]
        print("| " + " | ".join([str(len(s.faces)), *cells, *ratios]) + " |", flush=True)
    s = scene(5)
    drawn = {"cpu": pictures(cpu, s), "torch": pictures(reference, s), "cuda": cuda(pictures, s)}
    found = medians({name: work for name, work in drawn.items() if work}, rounds)
    print(f"\npictures, {len(s.faces)} triangles: " + ", ".join(f"{name} {ms:.1f}" for name, ms in found.items()))
    clip, big = clip_of(s.vertices, s.matrix), scene(6)
    for name, work in {
        "silhouettes, 20k triangles": comparisons(cpu, s), "82k triangles": comparisons(cpu, big),
        "rasterize, 20k triangles": lambda: cpu.rasterize(clip, s.faces, SIZE), "pictures": pictures(cpu, s),
    }.items():  # fmt: skip
        print(f"two threads, {name}: {two_threads(work, 2 * rounds):.2f} times as fast as one")


if __name__ == "__main__":
    main()
