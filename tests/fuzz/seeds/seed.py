"""What a seed is: the files of a valid input, and the command lines that are tried on it."""

from __future__ import annotations

from dataclasses import dataclass

Command = tuple[str, ...]

TINY = ("--views", "4", "--iterations", "3", "--set", "gif_frames=0", "--backend", "cpu", "-q", "-o", "run")
TINY_MESH = (
    *TINY,
    "--method",
    "silhouette",
    "--set",
    "hull_resolution=10",
    "--set",
    "smoothness=1",
    "--set",
    "edge_pixels=6",
)
SMALL = ("--size", "24", "--samples", "1", "--backend", "cpu")


@dataclass(frozen=True)
class Seed:
    """A valid input.

    Attributes:
        kind: a short name, unique.
        files: contents by path relative to the folder in which the commands run; the first is damaged most often.
        commands: the arguments after `invrender`, from cheap to dear. Results go to `out.*`, `set` and `run`.
    """

    kind: str
    files: dict[str, bytes]
    commands: tuple[Command, ...]


def mesh_seed(kind: str, name: str, files: dict[str, bytes]) -> Seed:
    """A mesh, looked at, drawn and reconstructed from its own views."""
    commands = (
        ("inspect", name),
        ("inspect", name, "--json"),
        ("render", name, "-o", "out.png", *SMALL),
        ("render", name, "-o", "out.png", "--mode", "depth", *SMALL),
        ("render", name, "--dataset", "set", "--views", "2", *SMALL),
        ("reconstruct", name, "--size", "24", *TINY_MESH),
    )
    return Seed(kind, files, commands)


def volume_seed(kind: str, name: str, files: dict[str, bytes], *options: str) -> Seed:
    """A volume, looked at, drawn and reconstructed from its own views; `options` say what its file does not."""
    plain = not options  # reconstruct takes no --shape
    commands = (
        ("inspect", name, *options),
        ("inspect", name, "--json", *options),
        ("render", name, "-o", "out.png", *options, *SMALL),
        ("render", name, "-o", "out.png", "--mode", "transmittance", *options, *SMALL),
        ("render", name, "--dataset", "set", "--mode", "transmittance", "--floats", "--views", "2", *options, *SMALL),
        *((("reconstruct", name, "--size", "12", "--set", "smoothing=0.001", *TINY),) if plain else ()),
    )
    return Seed(kind, files, commands)
