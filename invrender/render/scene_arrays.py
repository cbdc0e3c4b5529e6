"""Scenes as the plain arrays that kernels take: `kernels.radiance.SceneArrays`.

What meshes are (`geometry`) is prepared once. What changes while a scene is fitted (`arrays`) takes a few small
operations: numbers of materials, lights, environment and background; differentiable in all of them, both ways.

The frame is about the middle of the small things. A ground that reaches far makes the frame's unit large, but float32
is the finer the nearer to 0, so that what stands on the ground keeps its digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from invrender.errors import InputError
from invrender.kernels.radiance import SceneArrays
from invrender.nouns import Material, Mesh
from invrender.nouns.medium import Medium
from invrender.nouns.scene import Scene
from invrender.nouns.topology import topology
from invrender.render.edges import Lines, lines_of
from invrender.render.scene_boundary import boundary_of
from invrender.render.scene_environment import environment_arrays
from invrender.render.scene_lights import ambient_of, light_rows
from invrender.render.scene_materials import Textures, material_kinds, material_rows, pack_textures, same_material
from invrender.render.scene_medium import box_of, medium_arrays, the_medium
from invrender.render.screen import Frame
from invrender.shading.surface import Surface, surface_on

Tensor = torch.Tensor


_NOTHING = Mesh(torch.zeros(0, 3, dtype=torch.float64), torch.zeros(0, 3, dtype=torch.int64))


@dataclass(frozen=True)
class Geometry:
    """The meshes of a scene, made ready; nothing here depends on numbers of materials, lights, cameras or media.

    Attributes:
        vertices: [V,3] in the frame: (world - centre) / unit; of each mesh those that are different.
        faces: [F,3] int64.
        normals, uv, colours, face_material: as `SceneArrays` has them.
        surface: the same in the world, float64, with its topology; of all meshes together.
        centre: [3] float64, in the world.
        unit: world units per unit of the frame, a power of two.
        materials: their names, in the order of the rows; a name that stands for different materials comes repeatedly.
        row_of: the row of the material of each mesh.
        textures: those that the materials had, packed.
        boundary: as `SceneArrays` has it.
    """

    vertices: Tensor
    faces: Tensor
    normals: Tensor
    uv: Tensor
    colours: Tensor
    face_material: Tensor
    surface: Surface
    centre: Tensor
    unit: float
    materials: tuple[str, ...]
    row_of: tuple[int, ...]
    textures: Textures
    boundary: Tensor

    @cached_property
    def lines(self) -> Lines:
        """Of the surface, in the frame, as gradients of edges need them."""
        return lines_of(self.surface, Frame(self.centre, self.unit))

    def local(self, points: Tensor) -> Tensor:
        """Points [...,3] of the world in the frame, float64."""
        return (points.to(self.centre) - self.centre) / self.unit


def geometry(
    meshes: Sequence[Mesh], device: torch.device, dtype: torch.dtype = torch.float32, media: Sequence[Medium] = ()
) -> Geometry:
    """Make the meshes of a scene, and what bounds its medium, ready for rays.

    Meshes are smooth up to creases (`shading.surface`), each by itself. The frame holds the medium's box as well.

    Raises:
        InputError: there are no faces and no medium, or several; a mesh has several materials in one, or a vertex that
            is no finite number; or the mesh around the medium is open.
    """
    check_meshes(meshes, media)
    medium = the_medium(media)
    parts = [surface_on(device, mesh) for mesh in meshes] or [surface_on(device, _NOTHING)]
    whole = _joined(parts)
    boxes = [] if medium is None else [(low.to(device), high.to(device)) for low, high in [box_of(medium)]]
    centre, unit = _frame([*(_box(part) for part in parts if len(part.faces)), *boxes])
    row_of = _rows_of(meshes)
    first = [row_of.index(row) for row in range(max(row_of, default=-1) + 1)]
    return Geometry(
        vertices=((whole.positions - centre) / unit).to(dtype),
        faces=whole.faces,
        normals=_upright(whole).to(dtype),
        uv=_corners(parts, "uv", 2, 0.0).to(dtype),
        colours=_corners(parts, "colours", 3, 1.0).to(dtype),
        face_material=torch.cat(
            [
                torch.full((len(part.faces),), row, device=device)
                for part, row in zip(parts, row_of or (0,), strict=True)
            ]
        ),
        surface=whole,
        centre=centre,
        unit=unit,
        materials=tuple(meshes[k].material.name for k in first),
        row_of=row_of,
        textures=pack_textures([meshes[k] for k in first], device, dtype),
        boundary=boundary_of(medium, centre, unit, dtype),
    )


def arrays(geometry: Geometry, scene: Scene) -> SceneArrays:
    """The scene for kernels; its meshes are those of the geometry, but for the numbers of their materials.

    Lights have directions of their own (`shading.lights.fixed`). The numbers of the medium are anyone's; what bounds it
    is that of the geometry.

    Raises:
        ValueError: the lights move with the camera; meshes that shared a material do so no more; or the geometry was
            made without the medium's closed mesh.
        InputError: the medium's grids do not belong together; see `scene_medium`.
    """
    meshes = _owners(geometry, scene)
    vertices = geometry.vertices
    environment, turn = environment_arrays(scene, vertices)
    lights, kinds = light_rows(scene.lights, geometry.centre, geometry.unit, vertices)
    textures = geometry.textures.current(meshes)
    if any(medium.inside is not None for medium in scene.media) and not len(geometry.boundary):
        raise ValueError("the geometry was made without the mesh that bounds the medium")
    medium = medium_arrays(the_medium(scene.media), geometry.centre, geometry.unit, vertices)
    return SceneArrays(
        vertices=vertices,
        faces=geometry.faces,
        normals=geometry.normals,
        uv=geometry.uv,
        colours=geometry.colours,
        face_material=geometry.face_material,
        materials=material_rows(meshes, vertices),
        material_kinds=material_kinds(meshes, textures, vertices.device),
        texels=textures.texels,
        textures=textures.table,
        lights=lights,
        light_kinds=kinds,
        environment=environment,
        turn=turn,
        ambient=ambient_of(scene.lights, vertices),
        backdrop=torch.as_tensor(0.0 if scene.background is None else scene.background).to(vertices).expand(3),
        boundary=geometry.boundary,
        **medium,
    )


def check_meshes(meshes: Sequence[Mesh], media: Sequence[Medium] = ()) -> None:
    """
    Raises:
        InputError: there are no faces and no medium; a mesh has several materials in one, or a vertex that is no finite
            number.
    """
    if not media and not any(len(mesh.faces) for mesh in meshes):
        raise InputError("the scene has no faces", "give it at least one mesh with triangles, or a medium")
    for number, mesh in enumerate(meshes):
        if mesh.finish is not None:
            raise InputError(
                f"mesh {number} of the scene was joined from several materials, which rays here cannot tell apart",
                "read its file as a scene (`invrender.io.scenes.read_scene`), which keeps them as separate meshes",
            )
        if not bool(torch.isfinite(mesh.vertices.detach()).all()):
            raise InputError(f"mesh {number} of the scene has vertices that are no finite numbers", "repair the mesh")


def _owners(geometry: Geometry, scene: Scene) -> list[Mesh]:
    """For each row of materials the first mesh that has it."""
    if len(scene.meshes) != len(geometry.row_of):
        raise ValueError(f"the geometry is of {len(geometry.row_of)} meshes, and the scene has {len(scene.meshes)}")
    first: dict[int, Mesh] = {}
    for mesh, row in zip(scene.meshes, geometry.row_of, strict=True):
        owner = first.setdefault(row, mesh)
        if mesh.material is not owner.material and not same_material(mesh, owner):
            raise ValueError(f"meshes shared the material {owner.material.name!r}, and now it differs between them")
    return [first[row] for row in range(len(first))]


def _rows_of(meshes: Sequence[Mesh]) -> tuple[int, ...]:
    """The row of each mesh's material: one for each that is different."""
    rows: list[int] = []
    different: list[Mesh] = []
    for mesh in meshes:
        row = next((k for k, other in enumerate(different) if same_material(mesh, other)), len(different))
        if row == len(different):
            different.append(mesh)
        rows.append(row)
    return tuple(rows)


def middle_of(meshes: Sequence[Mesh]) -> Tensor:
    """The middle [3] float64 of meshes, of which the smaller count more."""
    boxes = [_span(mesh.vertices.detach().double(), mesh.faces) for mesh in meshes if len(mesh.faces)]
    return _frame(boxes)[0]


def _frame(boxes: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, float]:
    """Middle [3] of boxes, the smaller the more they count, and a power of two that holds all of them."""
    low, high = torch.stack([box[0] for box in boxes]), torch.stack([box[1] for box in boxes])
    size = (high - low).amax(1)
    largest = float(size.max())
    weight = 1 / size.clamp(min=1e-6 * largest) if largest > 0 else torch.ones_like(size)
    centre = ((low + high) / 2 * (weight / weight.sum())[:, None]).sum(0)
    reach = float(torch.maximum((high - centre).abs(), (low - centre).abs()).max())
    return centre, math.ldexp(1.0, math.frexp(reach)[1]) if reach > 0 else 1.0


def _box(part: Surface) -> tuple[Tensor, Tensor]:
    return _span(part.positions.detach(), part.faces)


def _span(vertices: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
    """The lower and upper corner [3] of the box about the vertices in use."""
    used = vertices[faces.reshape(-1)]
    return used.amin(0), used.amax(0)


def _joined(parts: Sequence[Surface]) -> Surface:
    """All surfaces as one, whose parts have no vertex in common; its material stands for none."""
    if len(parts) == 1:
        return parts[0]
    faces = torch.cat(list(_offset([part.faces for part in parts], [len(part.positions) for part in parts])))
    rows = [len(part.normals) for part in parts]
    positions = [len(part.positions) for part in parts]
    return Surface(
        positions=torch.cat([part.positions for part in parts]),
        faces=faces,
        topology=topology(faces),
        attribute_faces=torch.cat(list(_offset([part.attribute_faces for part in parts], rows))),
        position_of=torch.cat(list(_offset([part.position_of for part in parts], positions))),
        normals=torch.cat([part.normals for part in parts]),
        face_normals=torch.cat([part.face_normals for part in parts]),
        uv=_rows(parts, "uv", 2, 0.0),
        colours=_rows(parts, "colours", 3, 1.0),
        material=Material(),
    )


def _offset(indices: Sequence[Tensor], counts: Sequence[int]) -> Iterable[Tensor]:
    """Each index tensor moved on by the counts of those before it."""
    start = 0
    for index, count in zip(indices, counts, strict=True):
        yield index + start
        start += count


def _rows(parts: Sequence[Surface], name: str, columns: int, missing: float) -> Tensor | None:
    """An attribute's rows of all parts; a value where a part has none, None where none has it."""
    if all(getattr(part, name) is None for part in parts):
        return None
    return torch.cat([_or(getattr(part, name), part.normals, columns, missing) for part in parts])


def _or(values: Tensor | None, like: Tensor, columns: int, missing: float) -> Tensor:
    return like.new_full((len(like), columns), missing) if values is None else values


def _corners(parts: Sequence[Surface], name: str, columns: int, missing: float) -> Tensor:
    """An attribute at the corners of faces, [F,3,columns], or [0,3,columns] where no part has it."""
    rows = _rows(parts, name, columns, missing)
    if rows is None:
        return parts[0].normals.new_zeros(0, 3, columns)
    index = torch.cat(list(_offset([part.attribute_faces for part in parts], [len(part.normals) for part in parts])))
    return rows[index]


def _upright(whole: Surface) -> Tensor:
    """Unit normals [F,3,3] at the corners; those of the face, or up, where a corner has none."""
    normals = whole.normals[whole.attribute_faces]
    up = normals.new_tensor([0.0, 1.0, 0.0])
    flat = torch.where((whole.face_normals == 0).all(-1, keepdim=True), up, whole.face_normals)
    return torch.where((normals == 0).all(-1, keepdim=True), flat[:, None], normals)
