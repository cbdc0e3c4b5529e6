"""Which glTF extensions a file may require."""

from __future__ import annotations

from invrender.errors import InputError
from invrender.io.files.paths import listing, shown
from invrender.io.meshes.gltf_draco import EXTENSION as DRACO
from invrender.io.meshes.gltf_draco import can_unpack, no_decoder
from invrender.io.meshes.gltf_file import MESHOPT, NO_MESHOPT, Document

_READ = {
    "EXT_mesh_gpu_instancing",
    "EXT_texture_avif",
    "EXT_texture_webp",
    "KHR_mesh_quantization",
    "KHR_node_visibility",
    "MSFT_texture_dds",
    "KHR_texture_basisu",  # as far as a warning
    "KHR_texture_transform",
}
# say nothing about shape, base colour or place: other parts of materials, lights, animation, names and numbers
_HARMLESS = (
    *("KHR_materials_", "EXT_materials_", "KHR_lights_", "EXT_lights_", "KHR_animation_", "KHR_xmp"),
    *("EXT_mesh_features", "EXT_instance_features", "EXT_structural_metadata", "EXT_feature_metadata"),
    *("KHR_audio", "KHR_node_selectability", "KHR_node_hoverability", "KHR_interactivity"),
    *("KHR_physics_", "KHR_implicit_shapes", "OMI_", "ADOBE_materials_", "NV_materials_", "MSFT_packing_"),
    *("MSFT_lod", "CESIUM_primitive_outline", "FB_ngon_encoding", "AGI_", "GODOT_single_root", "VRM"),
)


def check_required(document: Document) -> None:
    """Refuse a file that requires what nothing here understands.

    Raises:
        InputError: with the names of the extensions.
    """
    required = document.root.texts("extensionsRequired")
    if any(name in MESHOPT for name in required):
        raise InputError(f"{document.path} is meshopt-compressed", NO_MESHOPT)
    if DRACO in required and not can_unpack():
        raise no_decoder(document)
    known = _READ | {DRACO}
    unknown = [name for name in required if name not in known and not name.startswith(_HARMLESS)]
    if unknown:
        names = listing(map(shown, unknown))
        raise InputError(
            f"{document.path} requires the glTF extension {names}, which is not known here",
            "export it without that extension, or convert it to plain glTF 2.0 or .ply",
        )
