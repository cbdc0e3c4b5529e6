"""What is rendered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from invrender.nouns.appearance import WHITE, Colour, Lights
from invrender.nouns.camera import Camera
from invrender.nouns.light import Environment, Light
from invrender.nouns.medium import Medium
from invrender.nouns.mesh import Mesh

Tensor = torch.Tensor


@dataclass(frozen=True)
class Scene:
    """Meshes under lights, and the cameras that see them.

        Scene(mesh)                                          # one mesh, under a light that moves with the camera
        Scene([floor, ball], [PointLight((0, 3, 0), 20)])    # several, each with a material of its own

        Scene(media=Medium(volume, albedo=0.9), environment=Environment())           # a cloud under a grey sky

    Attributes:
        meshes: what is seen, in world units: one, or several, which become a tuple.
        lights: named lights in radiometric units (`nouns.light`), which become a tuple; or the plain `Lights` of one
            look, which the rasterizer knows as well. None: a light that moves with the camera, but where there are
            media and an environment, which then is all the light there is.
        background: linear RGB where a camera sees nothing, as three numbers or a tensor [3]; None: the environment.
        environment: light from far away, from every side; None: there is none.
        cameras: by name; none: placed around the scene.
        media: what light passes through: none or one. A scene of a medium needs no mesh.
    """

    meshes: tuple[Mesh, ...]
    lights: Lights | tuple[Light, ...] = field(default_factory=Lights)
    background: Colour | Tensor | None = (1.0, 1.0, 1.0)
    environment: Environment | None = None
    cameras: tuple[Camera, ...] = ()
    media: tuple[Medium, ...] = ()

    def __init__(
        self,
        meshes: Mesh | Sequence[Mesh] = (),
        lights: Lights | Sequence[Light] | None = None,
        background: Colour | Tensor | None = (1.0, 1.0, 1.0),
        environment: Environment | None = None,
        cameras: Sequence[Camera] = (),
        media: Medium | Sequence[Medium] = (),
    ) -> None:
        several = (media,) if isinstance(media, Medium) else tuple(media)
        if lights is None:
            lights = () if several and environment is not None else Lights()
        values = {
            "meshes": (meshes,) if isinstance(meshes, Mesh) else tuple(meshes),
            "lights": lights if isinstance(lights, Lights) else tuple(lights),
            "background": background,
            "environment": environment,
            "cameras": tuple(cameras),
            "media": several,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def mesh(self) -> Mesh:
        """The only mesh.

        Raises:
            ValueError: there are several, or none.
        """
        if len(self.meshes) != 1:
            raise ValueError(f"a scene of {len(self.meshes)} meshes has no single one")
        return self.meshes[0]

    @property
    def look(self) -> Lights:
        """The plain lights; of a scene with named ones, those that move with the camera."""
        return self.lights if isinstance(self.lights, Lights) else Lights()

    @property
    def backdrop(self) -> Colour | Tensor:
        """The background as a colour; white where it is the environment."""
        return WHITE if self.background is None else self.background
