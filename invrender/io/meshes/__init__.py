"""Mesh files: OBJ, PLY, STL, glTF."""
