"""When is a network worth it? Quality against time of a picture, for voxels and meshes of scenes that nobody has seen.

    python benchmarks/neural.py FOLDER [--count 400] [--iterations 8000] [--plot docs/neural.png]

Makes a data set of scenes with bounces and glossy surfaces (kept in FOLDER), trains the networks on it, and draws the
test scenes by marching their voxels, by rays and paths from their meshes, and by the networks. Quality is the mean PSNR
of what a screen shows, against paths of many rays; time is the CPU's, one thread, without what is done once a scene
(voxelising, building trees of meshes). A star marks what nothing else beats in both.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import invrender
from invrender.backends import select
from invrender.io.pairs.dataset import Split, decoded, read_pairs
from invrender.io.pairs.meta import is_pairs
from invrender.kernels import Backend
from invrender.networks.names import NETWORKS
from invrender.networks.trained import TrainedNetwork
from invrender.nouns import Mesh
from invrender.nouns.scene import Scene
from invrender.render import scene_arrays, scenes
from invrender.stages import draw
from invrender.stages.make import make
from invrender.stages.marching import marched
from invrender.stages.pool import pool_of
from invrender.stages.recipe import Recipe
from invrender.stages.scene import Objects, objects

RAYS = (("rays", 1), ("rays", 4), ("paths", 1), ("paths", 4), ("paths", 16), ("paths", 64))
REFERENCE = 1024  # rays a pixel of what all are held against
REPEATS = 3
Row = tuple[str, float, float]  # what, milliseconds, dB


def main() -> None:
    """Print the table, and draw it."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("folder", type=Path)
    given.add_argument("--count", type=int, default=400)
    given.add_argument("--iterations", type=int, default=8000)
    given.add_argument("--scenes", type=int, default=24, help="test scenes to measure on")
    given.add_argument("--plot", type=Path)
    options = given.parse_args()
    torch.set_num_threads(1)
    recipe = Recipe(
        kind="mixed", count=options.count, size=(64, 64), bounces=3, gloss=0.5, spp=64, shares=(0.86, 0.04, 0.1)
    )
    data = options.folder / "data"
    backend = select("cpu", needs=("scenes",))
    if not is_pairs(data):
        make(recipe, data, _cpu, processes=1)
    split = read_pairs(data).split("test")
    chosen = range(min(options.scenes, len(split)))
    reference = _reference(recipe, split, chosen, backend)
    rows = [
        *_marching(split, chosen, reference, recipe),
        *_traced(recipe, split, chosen, reference, backend),
        *_networks(options.folder, data, split, chosen, reference, options.iterations),
    ]
    mean = decoded(read_pairs(data).split("train").read(range(200)).pictures)[..., 0].mean(0)
    print(
        f"{len(chosen)} test scenes of 64^3 voxels, 64^2 pixels; the mean picture has {_psnr(mean, reference):.1f} dB"
    )
    _print(rows)
    if options.plot:
        _plot(rows, options.plot)


def _cpu() -> Backend:
    return select("cpu", needs=("scenes",))


def _reference(recipe: Recipe, split: Split, chosen: range, backend: Backend) -> torch.Tensor:
    pictures = [_shown(_picture(recipe, split, k, backend, "paths", REFERENCE, 7)[0]) for k in chosen]
    return torch.stack(pictures)


def _objects(recipe: Recipe, number: int) -> Objects:
    return objects(recipe, number, pool_of(recipe, None))


def _picture(
    recipe: Recipe, split: Split, sample: int, backend: Backend, how: str, spp: int, seed: int
) -> tuple[torch.Tensor, float]:
    """Linear RGB [H,W,3] of a test scene, and the CPU-seconds for it once the scene is packed."""
    found = _objects(recipe, split.objects[sample])
    meshes = [
        Mesh(
            torch.from_numpy(body.vertices), torch.from_numpy(body.faces),
            material=draw.material(colour, recipe.gloss, f"object {k}"),
        )
        for k, (body, colour) in enumerate(zip(found.bodies, found.colours, strict=True))
    ]  # fmt: skip
    stage = recipe.stage
    assert stage.ground is not None
    meshes.append(draw.ground_mesh(stage, stage.ground))
    scene = Scene(meshes, invrender.Lights(stage.light, draw.SUN, draw.SKY), background=draw.HORIZON)
    shot = draw.shot_of(recipe.bounces if how == "paths" else 0, recipe.gloss, spp, seed)
    packed = scene_arrays.geometry(scene.meshes, backend.device)
    camera = draw.camera(stage, recipe.size)
    start = time.process_time()
    drawn = scenes.picture(scene, camera, recipe.size, backend, shot, geometry=packed)
    return drawn.float(), time.process_time() - start


def _shown(linear: torch.Tensor) -> torch.Tensor:
    return decoded(torch.from_numpy(draw.encoded(linear, False)))[..., 0]


def _psnr(drawn: torch.Tensor, reference: torch.Tensor) -> float:
    error = (drawn.clamp(0, 1) - reference).square().flatten(1).mean(1)
    return float((-10 * torch.log10(error)).mean())


def _timed(draw_one: Callable[[torch.Tensor], torch.Tensor], split: Split, chosen: range) -> tuple[torch.Tensor, float]:
    """What voxels one at a time become, and the median milliseconds of one."""
    pictures, spent = [], []
    with torch.no_grad():
        for sample in chosen:
            voxels = decoded(split.read([sample]).voxels)
            for _ in range(REPEATS):
                start = time.process_time()
                picture = draw_one(voxels)
                spent.append(1000 * (time.process_time() - start))
            pictures.append(
                picture.reshape(picture.shape[-2:] if picture.ndim == 4 and picture.shape[1] == 1 else (64, 64))
            )
    return torch.stack(pictures), float(np.median(spent))


def _marching(split: Split, chosen: range, reference: torch.Tensor, recipe: Recipe) -> list[Row]:
    rows = []
    for name, shadows in (("marching", False), ("marching with shadow rays", True)):
        drawn, spent = _timed(lambda voxels, s=shadows: marched(voxels, recipe.stage, s), split, chosen)
        rows.append((name, spent, _psnr(drawn, reference)))
    return rows


def _traced(recipe: Recipe, split: Split, chosen: range, reference: torch.Tensor, backend: Backend) -> list[Row]:
    rows = []
    for how, spp in RAYS:
        drawn = [_picture(recipe, split, k, backend, how, spp, 1) for k in chosen]
        pictures = torch.stack([_shown(picture) for picture, _ in drawn])
        spent = 1000 * float(np.median([seconds for _, seconds in drawn]))
        rows.append((f"{how} from meshes, {spp} a pixel", spent, _psnr(pictures, reference)))
    return rows


def _networks(
    folder: Path, data: Path, split: Split, chosen: range, reference: torch.Tensor, iterations: int
) -> list[Row]:
    """Networks, each trained for as many steps; the original at a quarter of its width, which takes as long a step."""
    rows = []
    for name, width in (("slices", 12.0), ("slices", 32.0), ("conv-deconv", 0.25), ("conv-deconv-apart", 0.25)):
        run = folder / f"{name}-{width:g}"
        if not (run / "metrics.json").exists():
            steps = iterations if name == "slices" else iterations // 12
            invrender.train(data, run, network=name, width=width, iterations=steps, device="cpu", quiet=False)
        network: TrainedNetwork = invrender.read_network(run)
        drawn, spent = _timed(lambda voxels, n=network: n.pictures(voxels), split, chosen)
        count = sum(weights.numel() for weights in network.module.parameters())
        assert name in NETWORKS
        rows.append((f"{name} of {count / 1e6:.2g} M parameters", spent, _psnr(drawn, reference)))
    return rows


def _best(rows: list[Row]) -> list[bool]:
    return [not any(t <= spent and q >= quality and (t, q) != (spent, quality) for _, t, q in rows)
            for _, spent, quality in rows]  # fmt: skip


def _print(rows: list[Row]) -> None:
    print(f"{'':38}{'ms':>9}{'dB':>8}")
    for (name, spent, quality), best in zip(rows, _best(rows), strict=True):
        print(f"{name:<38}{spent:>9.1f}{quality:>8.1f}{' *' if best else ''}")


def _plot(rows: list[Row], file: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    kinds = {"marching": "C7", "rays": "C1", "paths": "C3", "slices": "C0", "conv-deconv": "C2"}
    for name, spent, quality in rows:
        colour = next(c for kind, c in kinds.items() if name.startswith(kind))
        axes.plot(spent, quality, "o", color=colour)
        crowded = any(0 < q - quality < 1.5 and spent / 2.5 < t < 3 * spent for _, t, q in rows)
        axes.annotate(name, (spent, quality), textcoords="offset points", xytext=(6, -11 if crowded else 4), fontsize=8)
    front = sorted((spent, quality) for (_, spent, quality), best in zip(rows, _best(rows), strict=True) if best)
    axes.step([spent for spent, _ in front], [quality for _, quality in front], where="post", color="0.7", zorder=0)
    axes.set(xscale="log", xlabel="milliseconds a picture, one thread", ylabel="PSNR in dB")
    axes.grid(alpha=0.3, which="both")
    low, high = axes.get_xlim()
    axes.set_xlim(low, 4 * high)
    figure.savefig(file)


if __name__ == "__main__":
    main()
