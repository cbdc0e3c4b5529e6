"""Trained networks as files: safetensors, with how the network is built in the file's own metadata."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from invrender.errors import InputError
from invrender.io.assets import NETWORK
from invrender.io.files.atomic import atomic_write_bytes
from invrender.io.files.paths import existing_file, is_folder
from invrender.io.pairs.meta import stage_of, stage_table
from invrender.networks.names import NETWORKS, Architecture
from invrender.networks.trained import TrainedNetwork

Tensor = torch.Tensor

FORMAT = "invrender network"
VERSION = 1
ABOUT = "invrender"  # the entry of the metadata, in JSON
_AGAIN = "name the folder of a finished `invrender train`, or train it again"
_LARGEST = 4096


def write_network(path: Path, architecture: Architecture, weights: Mapping[str, Tensor]) -> None:
    """Write a network; the file appears in one piece.

    Raises:
        InputError: weights are NaN or infinite.
        UsageError: the place cannot be written to.
    """
    if not all(bool(value.isfinite().all()) for value in weights.values()):
        raise InputError("the network holds weights that are NaN or infinite", "train it again at a lower --rate")
    stage = architecture.stage
    about = {
        "format": FORMAT,
        "version": VERSION,
        "network": architecture.network,
        "width": float(architecture.width),
        "voxels": architecture.voxels,
        "pictures": architecture.pictures,
        "encoding": architecture.encoding,
        "stage": None if stage is None else stage_table(stage),
    }
    tensors = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    atomic_write_bytes(path, save(tensors, {ABOUT: json.dumps(about)}))  # one entry: several have no order


def network_file(path: Path) -> Path:
    """The file that a path means: itself, or the one in the folder of a run.

    Raises:
        InputError: there is none.
    """
    if is_folder(path) and not (path / NETWORK).is_file():
        raise InputError(f"{path} holds no {NETWORK}", _AGAIN)
    return existing_file(path / NETWORK if is_folder(path) else path, "network")


def read_network(path: str | Path, device: torch.device | str = "cpu") -> TrainedNetwork:
    """Read a network that `invrender train` wrote.

    Args:
        path: the file, or the folder of the run.
        device: to put it on.

    Raises:
        InputError: it is missing, damaged, no network of ours, or written by a later version.
    """
    file = network_file(Path(path))
    try:
        with safe_open(str(file), framework="pt") as opened:
            architecture = _architecture(json.loads((opened.metadata() or {}).get(ABOUT, "{}")), file)
            with torch.device("meta"):
                module = architecture.build()
            _load(module, {name: opened.get_tensor(name) for name in opened.keys()})  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise InputError(f"{file} is damaged: {str(error)[:120]}", _AGAIN) from error
    except (KeyError, TypeError, ValueError) as error:
        cause = f"{error} is missing in it" if isinstance(error, KeyError) else str(error)[:160]
        raise InputError(f"{file} is damaged: {cause}", _AGAIN) from error
    return TrainedNetwork(architecture, module.to(device).eval().requires_grad_(False))


def _architecture(about: Any, file: Path) -> Architecture:
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise InputError(f"{file} holds no network of invrender", _AGAIN)
    if int(about["version"]) > VERSION:
        raise InputError(f"{file} is of version {about['version']}, and up to {VERSION} are known", "update invrender")
    voxels, pictures = _shape(about["voxels"], 4), _shape(about["pictures"], 3)
    width, stage = float(about["width"]), about["stage"]
    if about["network"] not in NETWORKS or not (math.isfinite(width) and 0 < width <= _LARGEST):
        raise ValueError(f"there is no network {about['network']!r} of width {width:g}")
    return Architecture(
        about["network"],
        width,
        (voxels[0], voxels[1], voxels[2], voxels[3]),
        (pictures[0], pictures[1], pictures[2]),
        about["encoding"],
        None if stage is None else stage_of(stage),
    )


def _shape(found: Any, length: int) -> list[int]:
    if not isinstance(found, list) or len(found) != length:
        raise ValueError(f"{found!r} is no shape")
    if not all(isinstance(n, int) and 1 <= n <= _LARGEST for n in found):
        raise ValueError(f"{found!r} is no shape")
    return found


def _load(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put weights in the place of those that have none yet.

    Raises:
        ValueError: they are not this module's.
    """
    wanted = {name: tuple(value.shape) for name, value in module.named_parameters()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    if wanted != found:
        odd = sorted(set(wanted.items()) ^ set(found.items()))[0]
        raise ValueError(f"its weights are not those of its network: {odd[0]} {list(odd[1])}")
    if not all(value.is_floating_point() and bool(value.isfinite().all()) for value in tensors.values()):
        raise ValueError("it holds weights that are no finite numbers")
    module.load_state_dict(dict(tensors), assign=True)
