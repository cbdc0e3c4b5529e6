"""Seeds of scenes: a scene.toml and the files that it names."""

from __future__ import annotations

import io

from PIL import Image

from seeds.seed import Seed

SCENE = b"""# a small scene
background = [0.2, 0.3, 0.4]

[environment]
colour = [0.5, 0.5, 0.6]
picture = "sky.png"
rotation = 30

[[camera]]
name = "front"
position = [0, 1, 5]
target = [0, 0.5, 0]
fov = 40
size = [16, 12]

[[camera]]
name = "plan"
matrix = [[1, 0, 0, 0], [0, 0, 1, 4], [0, -1, 0, 0], [0, 0, 0, 1]]
extent = 3.0

[[light]]
name = "lamp"
type = "point"
position = [1, 3, 2]
intensity = [20, 18, 15]

[[light]]
type = "spot"
position = [0, 3, 0]
target = [0, 0, 0]
inner = 10
outer = 30

[[mesh]]
name = "pyramid"
file = "pyramid.obj"
scale = 0.5
rotate = [0, 30, 0]
translate = [-1, 0, 0]

[[plane]]
normal = [0, 1, 0]
size = [4, 4]
material = "floor"

[[box]]
center = [1, 0.5, 0]
rotate = [30, 0, 1, 0]
material = "glass"

[material.floor]
Kd = 0.5
texture = "sky.png"

[material.glass]
transmission = [0.9, 1, 0.9]
ior = 1.5

[material.clay]
Ks = 0.25
Ns = 50
"""
PYRAMID = b"""mtllib pyramid.mtl
v -1 0 -1
v 1 0 -1
v 1 0 1
v -1 0 1
v 0 1.5 0
usemtl clay
f 1 2 3 4
f 2 1 5
f 3 2 5
f 4 3 5
usemtl lamp
f 1 4 5
"""
MATERIALS = b"newmtl clay\nKd 0.6 0.3 0.2\nNi 1.45\nd 1\nillum 2\nnewmtl lamp\nKd 0 0 0\nKe 2 2 1\nTf 1 1 1\nillum 4\n"


def seeds() -> list[Seed]:
    """The only one."""
    sky = io.BytesIO()
    Image.new("RGB", (8, 4), (120, 140, 200)).save(sky, "PNG")
    files = {"scene.toml": SCENE, "pyramid.obj": PYRAMID, "pyramid.mtl": MATERIALS, "sky.png": sky.getvalue()}
    draw = ("render", "scene.toml", "-o", "out.png", "--backend", "torch", "--spp", "1")
    looks = (("inspect", "scene.toml"), ("inspect", "scene.toml", "--json"))
    return [Seed("scene", files, (*looks, draw, (*draw, "--mode", "path")))]
