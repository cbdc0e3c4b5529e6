"""Appearance: how a surface reflects, and the light that falls on it.

Numbers may be plain or tensors; gradients of a picture reach those that are tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

Tensor = torch.Tensor
Colour = tuple[float, float, float]

PLAIN: Colour = (0.8, 0.8, 0.8)
WHITE: Colour = (1.0, 1.0, 1.0)
BLACK: Colour = (0.0, 0.0, 0.0)
IOR = 1.5  # of glass
SHININESS = 30.0  # of a highlight whose file gives none


@dataclass(frozen=True)
class Material:
    """How a surface reflects light: Lambertian, with highlights and mirroring as in .mtl files, metallic-roughness as
    in glTF 2.0, or not at all (unlit).

    Whatever is stated of roughness, metallic or gloss makes it metallic-roughness, without a highlight besides.

    Attributes:
        albedo: linear RGB in [0, 1], as three numbers or a tensor [3]; multiplies the texture. Left out it is white
            under a texture, and else the light grey `PLAIN`.
        texture: [h,w,3] linear float RGB, or None; row 0 is the top (v = 1).
        name: as the file calls it.
        roughness: in [0, 1], a number or a tensor []; None: Lambertian, without any gloss, unless it is metallic.
        metallic: in [0, 1], a number or a tensor [].
        unlit: the colour is what is seen, whatever the light (baked pictures of a real light, for instance).
        gloss: [h,w,2] roughness and metallic over the texture coordinates, or None; multiplies the two numbers.
        specular: Ks, linear RGB of the highlight (`shading.blinn_phong`), as three numbers or a tensor [3].
        shininess: Ns, the exponent of the highlight, a number or a tensor []; the larger, the smaller the highlight.
        mirror: linear RGB, the share of what a mirrored ray sees that is added; of the modes that trace rays.
        emission: Ke, linear RGB that the surface adds by itself, whatever the light.
        transmission: linear RGB, the share of light that goes through a smooth dielectric (glass, water) of those parts
            that its surface does not reflect; black: the surface is opaque. Of the modes that trace scenes.
        ior: the refractive index of such a dielectric against the air around it, a number or a tensor [].
        opacity: the share of rays that meet the surface at all, in [0, 1]; others go straight through.
    """

    albedo: Colour | Tensor = PLAIN
    texture: Tensor | None = None
    name: str = "default"
    roughness: float | Tensor | None = None
    metallic: float | Tensor = 0.0
    unlit: bool = False
    gloss: Tensor | None = None
    specular: Colour | Tensor = BLACK
    shininess: float | Tensor = SHININESS
    mirror: Colour | Tensor = BLACK
    emission: Colour | Tensor = BLACK
    transmission: Colour | Tensor = BLACK
    ior: float | Tensor = IOR
    opacity: float | Tensor = 1.0

    def __post_init__(self) -> None:
        if self.texture is not None and self.albedo is PLAIN:  # not stated: a grey of the same value stays
            object.__setattr__(self, "albedo", WHITE)

    @property
    def glossy(self) -> bool:
        """Whether it is a metallic-roughness surface."""
        metal = isinstance(self.metallic, Tensor) or self.metallic != 0
        return not self.unlit and (self.roughness is not None or metal or self.gloss is not None)

    @property
    def emits(self) -> bool:
        """Whether it adds light of its own."""
        return _some(self.emission)

    @property
    def mirrors(self) -> bool:
        """Whether mirrored rays add to it."""
        return not self.unlit and _some(self.mirror)

    @property
    def refracts(self) -> bool:
        """Whether light goes through it, bent."""
        return not self.unlit and _some(self.transmission)

    @property
    def highlighted(self) -> bool:
        """Whether it has a Blinn-Phong highlight."""
        return not self.unlit and not self.glossy and _some(self.specular)

    @property
    def lambertian(self) -> bool:
        """Whether it reflects diffusely alone (or is unlit)."""
        return not (self.glossy or self.highlighted or self.mirrors or self.refracts)

    @property
    def is_default(self) -> bool:
        """Whether it is the default, as for a file that names no material; a material with a tensor is not."""
        chosen = isinstance(self.albedo, Tensor) or self.albedo != PLAIN or self.unlit or not self.lambertian
        chosen = chosen or self.emits or isinstance(self.opacity, Tensor) or self.opacity != 1
        return not chosen and self.texture is None and self.name == "default"

    @property
    def rgb(self) -> Colour:
        """The albedo as plain numbers, for files and other programs."""
        return plain_colour(self.albedo)


def plain_colour(colour: Colour | Tensor) -> Colour:
    """Three numbers of a colour."""
    values = colour.detach().tolist() if isinstance(colour, Tensor) else colour
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _some(colour: Colour | Tensor) -> bool:
    """Whether a colour may be other than black: a tensor may, since it can change."""
    return isinstance(colour, Tensor) or any(value != 0 for value in colour)


@dataclass(frozen=True)
class Lights:
    """Directional lights, an ambient term, and light from all sides.

    Attributes:
        direction: towards the light, of any length, as three numbers or a tensor [3]; a tensor [K,3] for K lights;
            None: the light moves with the camera, over its left shoulder.
        intensity: radiance of a white Lambertian surface facing the light: a number, a tensor [] or one [3] for RGB;
            [K,3] (or [K,1]) where K lights differ.
        ambient: radiance that arrives from everywhere, hence what it adds relative to the albedo; likewise.
        sh: [9,3] the radiance that arrives from each side, as coefficients of `shading.spherical_harmonics` in the
            world's axes (or [9,1] where it is white); None: there is no such light.
    """

    direction: Colour | Tensor | None = None
    intensity: float | Tensor = 0.75
    ambient: float | Tensor = 0.25
    sh: Tensor | None = None

    @staticmethod
    def around(sh: Tensor) -> Lights:
        """Light from all sides [9,3] alone."""
        return Lights(None, 0.0, 0.0, sh)
