"""The seam for light transport: what rays see of a scene, as a pair of a kernel and its adjoint.

A scene reaches a kernel as plain arrays (`SceneArrays`). All places are in the scene's frame, in which coordinates are
at most about 1, so that kernels may compute in float32. What light does at a surface, with n its normal on the side
that is seen, l and v unit vectors to the light and to where the ray came from, and h half-way between them:

    classic     (Kd / pi (n . l) + Ks / pi (n . h)^Ns) E   for light of irradiance E across l; the law of .mtl files
                (`shading.blinn_phong`); and mirror times what the mirrored ray sees
    glossy      the metallic-roughness surface of glTF 2.0 (`shading.metallic_roughness`), with Kd the base colour
    dielectric  a smooth surface of refractive index ior: Fresnel's share is reflected, the rest goes on refracted,
                times the transmission colour where it enters or leaves
    unlit       Kd is seen as it is, whatever the light

Every surface is two-sided (a dielectric's normals tell inside from outside), also in what it emits; it is there with
probability `opacity`. Kd is multiplied by the texture and by the colours at the corners, where there are such.

A scene may hold a medium (`nouns.medium`): grids over a box, trilinear between their vertices, and zero outside. Along
a ray, with s the extinction, T(t) = exp(-integral of s from 0 to t), a the albedo, e the emission and p the law of
Henyey and Greenstein,

    L(x, d) = integral of T s (e + a integral of p(d . w) L(., w) dw) dt  +  T L at the surface, or beyond.

Where nobody asks for indirect light (`Transport.indirect`) the medium is not there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

import torch

Tensor = torch.Tensor

Estimator = Literal["differential", "analog", "null", "singular"]
"""How gradients with extinction are estimated; see `Transport`."""

# Columns of SceneArrays.materials [M,20].
KD, KS, NS, MIRROR, EMISSION, TRANSMISSION = 0, 3, 6, 7, 10, 13
IOR, ROUGHNESS, METALLIC, OPACITY, MATERIAL_COLUMNS = 16, 17, 18, 19, 20

# Columns of SceneArrays.material_kinds [M,3]: one of four kinds, and rows of `textures`, -1 for none.
KIND, TEXTURE, GLOSS = 0, 1, 2
CLASSIC, GLOSSY, DIELECTRIC, UNLIT = 0, 1, 2, 3

# Columns of SceneArrays.lights [L,11]; kinds [L].
POSITION, DIRECTION, INTENSITY, COS_INNER, COS_OUTER, LIGHT_COLUMNS = 0, 3, 6, 9, 10, 11
POINT, DIRECTIONAL, SPOT = 0, 1, 2


@dataclass(frozen=True)
class SceneArrays:
    """A scene for kernels. Floats share one dtype and all tensors one device.

    Attributes:
        vertices: [V,3] in the frame.
        faces: [F,3] int64.
        normals: [F,3,3] of the smooth surface at the corners, unit.
        uv: [F,3,2] at the corners, or [0,3,2]; row 0 of a texture is at v = 1, and textures repeat.
        colours: [F,3,3] at the corners, or [0,3,3]; multiply Kd.
        face_material: [F] int64, row of `materials`.
        materials: [M,20], see the columns above.
        material_kinds: [M,3] int64.
        texels: [T,3] of all textures; roughness and metallic factors are the first two columns of a gloss texture's.
        textures: [K,3] int64: first row of `texels`, height, width.
        lights: [L,11]: position; direction, unit: towards a directional light, along a spot's axis; intensity, radiant
            intensity in units of the frame or irradiance; cosines of a spot's angles.
        light_kinds: [L] int64.
        environment: [h,w,3] radiance by latitude and longitude (`nouns.Environment`), or [0,0,3].
        turn: [3,3], the world's directions to those of the environment's picture.
        ambient: [3] radiance that arrives from everywhere besides: where indirect light is not followed it is
            reflected (times Kd; of glossy surfaces, what they reflect of it, where no ray follows their gloss) whatever
            stands in its way; else rays that are reflected diffusely or by rough gloss see it where they meet nothing.
        backdrop: [3] what rays of the camera see that meet nothing after mirrors and glass alone, where there is no
            environment; those of gloss by the share `shading.split_sum.sharp`, and `ambient` for the rest.
        extinction: [D,H,W,C] of the medium per unit of the frame, C = 1 or 3 (RGB); [0,0,0,1] where there is no medium.
        albedo: [d,h,w,3] over the same box with a size of its own; [1,1,1,3] is the same everywhere. Likewise
        asymmetry: [d,h,w,1], and
        emission: [d,h,w,3]; [0,0,0,3] for none.
        box: [2,3]: places of the grids' first and last vertices.
        boundary: [B,3,3]: corners of a closed surface whose faces turn outwards, outside of which there is no medium;
            [0,3,3]: all of the box.
    """

    vertices: Tensor
    faces: Tensor
    normals: Tensor
    uv: Tensor
    colours: Tensor
    face_material: Tensor
    materials: Tensor
    material_kinds: Tensor
    texels: Tensor
    textures: Tensor
    lights: Tensor
    light_kinds: Tensor
    environment: Tensor
    turn: Tensor
    ambient: Tensor
    backdrop: Tensor
    extinction: Tensor = field(default_factory=lambda: torch.zeros(0, 0, 0, 1))
    albedo: Tensor = field(default_factory=lambda: torch.zeros(0, 0, 0, 3))
    asymmetry: Tensor = field(default_factory=lambda: torch.zeros(0, 0, 0, 1))
    emission: Tensor = field(default_factory=lambda: torch.zeros(0, 0, 0, 3))
    box: Tensor = field(default_factory=lambda: torch.zeros(2, 3))
    boundary: Tensor = field(default_factory=lambda: torch.zeros(0, 3, 3))


FLOOR = 2.0  # optical depth of the box's longest side that majorants assume at least, where extinction has a gradient
ENDLESS = 2**16  # depth of paths that end by roulette alone


@dataclass(frozen=True)
class Transport:
    """Which light is followed.

    Attributes:
        depth: how often a path is continued from a surface, at most; 0: what the surfaces that are seen reflect of
            lights directly.
        indirect: whether light that surfaces pass on diffusely is followed (path tracing); else mirrored, refracted and
            glossily reflected rays alone, with `ambient` instead.
        shadows: whether things block the light of lights and environment.
        roulette: paths longer than this end at random, by what they still carry.
        estimator: of gradients with extinction. "differential": differential ratio tracking (Nimier-David et al. 2022):
            one tentative collision of each path, kept by a reservoir, is followed as if it were real. To compare with:
            "analog": real collisions alone (Vicini et al. 2021), wrong where nothing is; "null": null collisions count
            as well; "singular": a point of its own density on one stretch of each path (Leonard and Westermann 2024).
        floor: optical depth of the box's longest side that majorants assume at least. Where it is 0, cells that are
            empty have no gradient; `ops.radiance` raises it to FLOOR where extinction has a gradient.
        behind: whether rays of the camera that meet nothing at all see the backdrop, whatever the environment; alpha
            stays 0. Only so gradients tell how much of a background comes through a medium.
        sky: whether points of the medium look for the environment where it is bright (with multiple importance
            sampling), besides in the directions of their scattering; None: where it is uneven.
    """

    depth: int = 4
    indirect: bool = False
    shadows: bool = True
    roulette: int = 4
    estimator: Estimator = "differential"
    floor: float = 0.0
    sky: bool | None = None
    behind: bool = False


@dataclass(frozen=True)
class RadianceGradient:
    """Gradients shaped like the parts of `SceneArrays` of the same name, and of the rays; None where not asked for.

    How edges of things and shadows move is not part of them; see `render.edges`.
    """

    materials: Tensor | None
    texels: Tensor | None
    colours: Tensor | None
    lights: Tensor | None
    environment: Tensor | None
    ambient: Tensor | None
    backdrop: Tensor | None
    origin: Tensor | None
    direction: Tensor | None
    extinction: Tensor | None = None
    albedo: Tensor | None = None
    asymmetry: Tensor | None = None
    emission: Tensor | None = None


class Radiance(Protocol):
    """What rays see."""

    def __call__(
        self, scene: SceneArrays, origin: Tensor, direction: Tensor, seed: int, transport: Transport
    ) -> Tensor:
        """Rays [R,3] of the frame, directions unit, to [R,4]: linear RGB, and 1 where they meet something.

        Rays that a medium absorbs or scatters meet it: their alpha is 1. One path for each ray, whose random numbers
        depend on the seed and the ray's number alone: the same rays and seed give the same radiance. A ray that meets
        nothing has alpha 0 and the environment's colour, 0 where there is
        none; or the backdrop's (`Transport.behind`). The lights are seen through the medium.
        """
        ...


class RadianceAdjoint(Protocol):
    """Transposed derivative of `Radiance` for the same random numbers, by replaying each path (Vicini et al. 2021).

    Memory does not grow with depth. Directions that a path takes at random count as constant (detached sampling), and
    where a ray of the camera or its mirrored and refracted continuation meets a surface moves with the ray.
    """

    def __call__(
        self,
        grad: Tensor,
        scene: SceneArrays,
        origin: Tensor,
        direction: Tensor,
        seed: int,
        transport: Transport,
        radiance: Tensor,
        needs: frozenset[str],
    ) -> RadianceGradient:
        """Gradient [R,4] (alpha has none) and the radiance [R,4] of the same call to gradients named in `needs`."""
        ...
