"""Pictures of meshes and volumes, from any backend's kernels."""
