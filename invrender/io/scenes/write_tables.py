"""Materials, lights and cameras as tables of a scene file: plain numbers, whatever tensors they were."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import torch

from invrender.nouns import Camera, DirectionalLight, Light, Material, SpotLight
from invrender.nouns.appearance import plain_colour

_FIELDS = {
    "Kd": "albedo", "Ks": "specular", "Ns": "shininess", "mirror": "mirror", "Ke": "emission",
    "roughness": "roughness", "metallic": "metallic", "transmission": "transmission", "ior": "ior",
    "opacity": "opacity", "unlit": "unlit",
}  # fmt: skip
_SAME = 1e-12  # relative difference of numbers that are the same


def floats(value: Any) -> list[float]:
    """Numbers of a colour or place."""
    return [float(each) for each in (value.detach().tolist() if isinstance(value, torch.Tensor) else value)]


def number(value: Any) -> float:
    """A number, with the digits that its precision has."""
    return float(value.detach()) if isinstance(value, torch.Tensor) else float(value)


def plain(material: Material) -> Material:
    """The material with numbers in place of tensors, but for its pictures."""
    return replace(
        material,
        albedo=plain_colour(material.albedo),
        specular=plain_colour(material.specular),
        mirror=plain_colour(material.mirror),
        emission=plain_colour(material.emission),
        transmission=plain_colour(material.transmission),
        roughness=None if material.roughness is None else number(material.roughness),
        metallic=number(material.metallic),
        shininess=number(material.shininess),
        ior=number(material.ior),
        opacity=number(material.opacity),
    )


def material_table(material: Material, base: Material, stated: Collection[str]) -> dict[str, Any]:
    """What a scene file must say so that the base becomes the material, and what it said before (`stated`).

    Args:
        material: with plain numbers.
        base: what is known without the table, with plain numbers.
        stated: keys.
    """
    (keys, kind), before = _keys(material), _keys(base)
    needed = {*stated, *(kind if before != (keys, kind) else ())}
    table: dict[str, Any] = {}
    for key in keys:
        value = getattr(material, _FIELDS[key])
        if value is not None and (key in needed or not _same(value, getattr(base, _FIELDS[key]))):
            table[key] = list(value) if isinstance(value, tuple) else value
    return table


def _keys(material: Material) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is said of a kind of surface, and what of it tells the kind."""
    if material.unlit:
        return ("Kd", "unlit", "opacity"), ("unlit",)
    if material.refracts:
        return ("Kd", "transmission", "ior", "Ke", "opacity"), ("transmission", "ior")
    if material.glossy:
        return ("Kd", "roughness", "metallic", "Ke", "opacity"), ("roughness", "metallic")
    return ("Kd", "Ks", "Ns", "mirror", "Ke", "opacity"), ("Ks",)


def _same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    ours, theirs = (each if isinstance(each, tuple) else (each,) for each in (one, other))
    return all(abs(a - b) <= _SAME * max(abs(a), abs(b)) for a, b in zip(ours, theirs, strict=True))


def light_table(light: Light) -> dict[str, Any]:
    """A light as a table."""
    kind = "directional" if isinstance(light, DirectionalLight) else "spot" if isinstance(light, SpotLight) else "point"
    table: dict[str, Any] = {"type": kind, "name": light.name}
    if not isinstance(light, DirectionalLight):
        table["position"] = floats(light.position)
    if not isinstance(light, DirectionalLight | SpotLight):
        return table | {"intensity": _intensity(light.intensity)}
    table |= {"direction": floats(light.direction), "intensity": _intensity(light.intensity)}
    return table | (
        {"inner": number(light.inner), "outer": number(light.outer)} if isinstance(light, SpotLight) else {}
    )


def _intensity(value: Any) -> Any:
    several = value.ndim > 0 if isinstance(value, torch.Tensor) else isinstance(value, tuple | list)
    return floats(value) if several else number(value)


def camera_table(camera: Camera) -> dict[str, Any]:
    """A camera as a table, by its position and directions."""
    pose = camera.pose.detach().cpu().double()
    table: dict[str, Any] = {
        "name": camera.name,
        "position": pose[:3, 3].tolist(),
        "direction": (0.0 - pose[:3, 2]).tolist(),
        "up": pose[:3, 1].tolist(),
    }
    table |= {"fov": number(camera.fov)} if camera.extent is None else {"extent": number(camera.extent)}
    if number(camera.aperture):
        table["aperture"] = number(camera.aperture)
    if number(camera.focus) != 1.0:
        table["focus"] = number(camera.focus)
    return table | ({} if camera.size is None else {"size": [camera.size[1], camera.size[0]]})
