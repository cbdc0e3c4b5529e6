"""invrender turns images into 3-D assets: meshes, volumes and scene parameters."""

__version__ = "0.1.0"
