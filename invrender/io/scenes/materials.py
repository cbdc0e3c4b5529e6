"""Materials of a scene file: `[material.NAME]` is a new one, or changes the one of that name in a mesh file.

What a table says decides the kind: Ks, Ns and mirror make it classic, roughness and metallic metallic-roughness (which
ends the other's values), transmission and ior a dielectric, which reflects by Fresnel's law alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from invrender.io.scenes.pictures import read_picture
from invrender.io.scenes.table import Table
from invrender.nouns import Material
from invrender.nouns.appearance import BLACK, IOR, SHININESS

_CLASSIC, _GLOSSY, _CLEAR = ("Ks", "Ns", "mirror"), ("roughness", "metallic", "gloss"), ("transmission", "ior")
KEYS = ("Kd", *_CLASSIC, "Ke", *_GLOSSY, *_CLEAR, "opacity", "texture", "unlit")
_SHARPEST, _DENSEST = 1e5, 10.0


def material_of(table: Table, base: Material) -> Material:
    """The material that a table describes.

    Args:
        table: its keys.
        base: the material of that name in a mesh file, or a new one.

    Raises:
        InputError: a key or value is not known, a picture is missing, or two keys contradict each other.
    """
    if "emission" in table.values:
        table.check_alone("emission", ["Ke"])
        table = replace(table, values={{"emission": "Ke"}.get(key, key): value for key, value in table.values.items()})
    table.check_keys(KEYS)
    _check_kinds(table, base)
    found = _pictured(table, _of_kind(table, base))
    changes = _values(table)
    if "transmission" in changes and changes["transmission"] == BLACK:
        changes.pop("ior", None)
    return replace(found, **changes)


def _check_kinds(table: Table, base: Material) -> None:
    """Refuse keys of two kinds of surface beside each other."""
    clear = table.has("transmission") and table.colour("transmission", most=1.0) != BLACK
    if table.flag("unlit", False):
        _refuse(table, "unlit", (*_CLASSIC, *_GLOSSY, *_CLEAR, "Ke"), "an unlit surface shows Kd alone")
    if clear:
        _refuse(table, "transmission", (*_CLASSIC, *_GLOSSY), "a dielectric is smooth, and reflects by Fresnel's law")
    for key in _GLOSSY:
        _refuse(table, key, _CLASSIC, "a surface has a highlight (Ks, Ns, mirror) or is metallic-roughness")
    if table.has("ior") and not clear and not (base.refracts and not table.has("transmission")):
        raise table.wrong("has 'ior' but no light goes through it", "add `transmission = 1`, or leave 'ior' out")


def _refuse(table: Table, key: str, others: tuple[str, ...], why: str) -> None:
    beside = [other for other in others if table.has(other)]
    if table.has(key) and beside:
        raise table.wrong(f"has '{key}' beside '{beside[0]}', which contradict each other", f"{why}: leave one out")


def _of_kind(table: Table, base: Material) -> Material:
    """The base without what belongs to another kind of surface than the table's."""
    if any(table.has(key) for key in _CLASSIC):
        base = replace(base, roughness=None, metallic=0.0, gloss=None, transmission=BLACK, unlit=False)
    if any(table.has(key) for key in _GLOSSY):
        base = _dull(replace(base, transmission=BLACK, unlit=False))
    if table.has("transmission") and table.colour("transmission", most=1.0) != BLACK:
        base = _dull(replace(base, roughness=None, metallic=0.0, gloss=None, unlit=False))
    if table.flag("unlit", False):
        base = _dull(replace(base, roughness=None, metallic=0.0, gloss=None, transmission=BLACK, emission=BLACK))
    return base


def _dull(base: Material) -> Material:
    return replace(base, specular=BLACK, shininess=SHININESS, mirror=BLACK)


def _pictured(table: Table, base: Material) -> Material:
    """The base with the pictures that the table names; `false` takes the base's own away."""
    for key, channels in (("texture", 3), ("gloss", 2)):
        if table.has(key):
            found = None if table.values[key] is False else read_picture(table, key, channels)
            base = replace(base, texture=found) if key == "texture" else replace(base, gloss=found)
    return base


def _values(table: Table) -> dict[str, Any]:
    """The numbers that a table states, by field of `Material`."""
    found: dict[str, Any] = {}
    for key, field in (("Kd", "albedo"), ("Ks", "specular"), ("mirror", "mirror"), ("transmission", "transmission")):
        if table.has(key):
            found[field] = table.colour(key, most=1.0)
    if table.has("Ke"):
        found["emission"] = table.colour("Ke")
    if table.has("Ns"):
        found["shininess"] = table.number("Ns", least=0.0, most=_SHARPEST)
    for key in ("roughness", "metallic", "opacity"):
        if table.has(key):
            found[key] = table.number(key, least=0.0, most=1.0)
    if table.has("ior"):
        found["ior"] = table.number("ior", IOR, above=0.0, most=_DENSEST)
    if table.has("unlit"):
        found["unlit"] = table.flag("unlit", False)
    return found


def alike(first: Material, second: Material) -> bool:
    """Whether two materials are the same but for their names."""
    if first is second:
        return True
    names = [name for name in vars(first) if name != "name"]
    return all(_equal(getattr(first, name), getattr(second, name)) for name in names)


def _equal(first: Any, second: Any) -> bool:
    if first is second:
        return True
    if isinstance(first, torch.Tensor) or isinstance(second, torch.Tensor):
        if first is None or second is None:
            return False
        one, other = torch.as_tensor(first).detach().cpu().double(), torch.as_tensor(second).detach().cpu().double()
        return one.shape == other.shape and bool(torch.equal(one, other))
    return bool(first == second)
