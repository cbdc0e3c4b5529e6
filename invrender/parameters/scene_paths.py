"""What the names of free values mean: `light.position`, `material.*.Kd` or `camera` to places in a scene."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence

from invrender.errors import UsageError
from invrender.io.files.paths import nearest
from invrender.nouns import Scene
from invrender.parameters.scene_place import Place
from invrender.parameters.scene_places import places

OTHER_WORDS = {
    "color": "colour",
    "albedo": "Kd",
    "base_color": "Kd",
    "diffuse": "Kd",
    "specular": "Ks",
    "shininess": "Ns",
    "Ke": "emission",
    "Ni": "ior",
    "exposure": "intensity",
    "vfov": "fov",
}
"""What other programs call the last word of a path."""

_ANY = "*?["


def chosen_places(scene: Scene, names: Sequence[str]) -> tuple[Place, ...]:
    """The places that names mean, in their order, each once.

    A name is a full path; one that leaves out the name of the only light, camera or material; the path of a light,
    camera or material alone, which means what is usually unknown of it (position, direction and intensity; the pose;
    the colours and what shines); or a pattern with * and ?.

    Raises:
        UsageError: there is no such place, or two places are one; the known ones are listed, the nearest suggested.
    """
    known = places(scene)
    if not names:
        raise UsageError("nothing is free: --optimize names no value", f"name some of {_listed(known)}")
    found = {place.path: place for name in names for place in _meant(name.strip(), known)}
    _check_apart(found.values())
    return tuple(found.values())


def _meant(name: str, known: Mapping[str, Place]) -> list[Place]:
    name = _in_our_words(name)
    if name in known:
        return [known[name]]
    if any(sign in name for sign in _ANY):
        chosen = _usual(fnmatch.filter(known, name), known, name)
    else:
        chosen = [path for path, place in known.items() if name in (place.kind, _long(place))]
        if len(chosen) > 1:
            raise UsageError(f"--optimize {name} may mean {' or '.join(chosen)}", "name one of them, or several")
        chosen = chosen or [path for path, place in known.items() if place.usual and _owned(place, name)]
    if not chosen:
        raise _unknown(name, known)
    return [known[path] for path in chosen]


def _usual(matching: Sequence[str], known: Mapping[str, Place], name: str) -> list[str]:
    """Of what a pattern matches the usual ones, unless it spells the last word out."""
    if not name.endswith("*"):
        return list(matching)
    return [path for path in matching if known[path].usual]


def _long(place: Place) -> str:
    """The path with the owner's name, also of the only light or camera."""
    kind, _, what = place.kind.partition(".")
    return ".".join(filter(None, (kind, place.owner, what)))


def _owned(place: Place, owner: str) -> bool:
    """Whether a place belongs to a light, camera or material that is called so, or to all of a kind."""
    kind, _, what = place.kind.partition(".")
    return bool(what) and owner in (kind, f"{kind}.{place.owner}")


def _in_our_words(name: str) -> str:
    head, dot, last = name.rpartition(".")
    return f"{head}{dot}{OTHER_WORDS.get(last, last)}"


def _check_apart(chosen: Iterable[Place]) -> None:
    slots: dict[str, Place] = {}
    for place in chosen:
        other = slots.setdefault(place.slot or place.path, place)
        if other is not place:
            raise UsageError(
                f"{other.path} and {place.path} change the same numbers", f"leave {other.path} or {place.path} out"
            )


def _unknown(name: str, known: Mapping[str, Place]) -> UsageError:
    """What is not there, the nearest name first."""
    if name.endswith(".opacity"):
        return UsageError(
            f"{name} cannot be optimised: rays go through a surface or not, at random, which has no derivative",
            f"leave it out; the scene has {_listed(known)}",
        )
    owner = name.rpartition(".")[0]
    inside = [path for path, place in known.items() if _owned(place, owner)]
    near = nearest(name, [*known, *(place.kind for place in known.values())]) or nearest(name.lower(), known)
    hint = f"did you mean {near}? " if near else ""
    if inside:
        own = ", ".join(path.rpartition(".")[2] for path in inside)
        return UsageError(f"--optimize {name} is no value: {owner} has {own}", f"{hint}the scene has {_listed(known)}")
    return UsageError(f"the scene has no {name} to optimise", f"{hint}it has {_listed(known)}")


def _listed(known: Iterable[str]) -> str:
    """All paths, those of one owner together: light.position, .intensity."""
    grouped: dict[str, list[str]] = {}
    for path in known:
        owner, _, what = path.rpartition(".")
        grouped.setdefault(owner, []).append(what)
    return ", ".join(
        f"{owner}.{what[0]}" + "".join(f", .{each}" for each in what[1:]) if owner else ", ".join(what)
        for owner, what in grouped.items()
    )
