"""Scenes as files: scene.toml, and mesh files with the materials, cameras and lights in them."""

from invrender.io.scenes.join import joined
from invrender.io.scenes.read import is_scene_path, read_scene
from invrender.io.scenes.write import write_scene

__all__ = ["is_scene_path", "joined", "read_scene", "write_scene"]
