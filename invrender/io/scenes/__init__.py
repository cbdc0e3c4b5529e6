"""Scenes as files: scene.toml, and mesh files with the materials, cameras and lights in them."""
