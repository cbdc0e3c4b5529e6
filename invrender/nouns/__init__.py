"""The nouns of the library: the frozen dataclasses that all parts exchange, with shapes and units.

Conventions (also in the README): world coordinates are the user's own. Cameras follow OpenGL: +X right, +Y up, looking
down -Z. Pixel centres lie at (column + 0.5, row + 0.5); row 0 is the top. Images are linear floats.
"""

from invrender.nouns.appearance import Lights, Material
from invrender.nouns.camera import Camera
from invrender.nouns.cameras import Cameras, Rays
from invrender.nouns.light import DirectionalLight, Environment, Light, PointLight, SpotLight
from invrender.nouns.medium import Medium
from invrender.nouns.mesh import Mesh
from invrender.nouns.scene import Scene
from invrender.nouns.transfer import TransferFunction
from invrender.nouns.views import Views
from invrender.nouns.volume import Volume

__all__ = [
    "Camera",
    "Cameras",
    "DirectionalLight",
    "Environment",
    "Light",
    "Lights",
    "Material",
    "Medium",
    "Mesh",
    "PointLight",
    "Rays",
    "Scene",
    "SpotLight",
    "TransferFunction",
    "Views",
    "Volume",
]
