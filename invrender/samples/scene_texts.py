"""The scene files of the sample scenes, as people would write them; "@NAME" stands for a file beside them."""

TREE = """# A tree on a meadow by the light of a lamp.

background = [0.55, 0.7, 0.9]

[[camera]]
name = "front"
position = [0, 1.7, 7.4]
target = [0, 1.95, 0]
fov = 36
size = [512, 512]

[[light]]
name = "lamp"
type = "point"
position = [3.5, 6, 5.5]
intensity = [220, 200, 165]

[[light]]
name = "sky"
type = "directional"
direction = [-0.5, 1, 0.6]      # towards it
intensity = [0.7, 0.85, 1.1]

[[mesh]]
name = "bark"
file = "@bark.obj"
material = "bark"

[[mesh]]
name = "leaves"
file = "@leaves.obj"
material = "leaves"

[[plane]]
name = "meadow"
normal = [0, 1, 0]
size = 60
material = "meadow"

[material.bark]
Kd = [0.30, 0.19, 0.11]

[material.leaves]
Kd = [0.16, 0.38, 0.07]
Ks = [0.06, 0.06, 0.05]
Ns = 20

[material.meadow]
Kd = [0.30, 0.42, 0.16]
"""

CLOUD = """# A cloud on a fair afternoon, by sun and sky. One unit is a kilometre.

[environment]
sky = {sun = [0.75, 0.55, 0.35], turbidity = 2.0}

[[light]]
name = "sun"
type = "directional"
direction = [0.75, 0.55, 0.35]      # towards it
intensity = [SUN]   # what the air leaves of it

[[camera]]
name = "front"
position = [0, 0.1, 4.6]
target = [0, 1.38, 0]
fov = 23
size = [512, 384]

[medium]
name = "cloud"
file = "@cumulus.npz"
box = [[-1, 1, -0.75], [1, 2, 0.75]]
extinction = 30                     # per kilometre
albedo = 0.999
g = 0.7
"""

BOX = """# A box two units wide, open to the front, under a square lamp.

background = [0, 0, 0]

[[camera]]
name = "front"
position = [0, 1, 4.4]
target = [0, 1, 0]
fov = 36
size = [512, 512]

[[plane]]
name = "lamp"
center = [0, 1.985, 0]
normal = [0, -1, 0]
size = [0.6, 0.6]
material = "lamp"

[[box]]
name = "housing"                # surfaces shine to both sides: this keeps the lamp's light off the ceiling
center = [0, 1.995, 0]
size = [0.62, 0.018, 0.62]
material = "black"

[[plane]]
name = "floor"
center = [0, 0, 0]
normal = [0, 1, 0]
size = 2
material = "white"

[[plane]]
name = "ceiling"
center = [0, 2, 0]
normal = [0, -1, 0]
size = 2
material = "white"

[[plane]]
name = "back"
center = [0, 1, -1]
normal = [0, 0, 1]
size = 2
material = "white"

[[plane]]
name = "left"
center = [-1, 1, 0]
normal = [1, 0, 0]
size = 2
material = "orange"

[[plane]]
name = "right"
center = [1, 1, 0]
normal = [-1, 0, 0]
size = 2
material = "blue"

[[box]]
name = "block"
center = [-0.35, 0.55, -0.3]
size = [0.6, 1.1, 0.6]
rotate = [0, 20, 0]
material = "white"

[[sphere]]
name = "ball"
center = [0.42, 0.36, 0.3]
radius = 0.36
material = "porcelain"

[material.lamp]
Kd = 0
Ke = [17, 14, 10]

[material.black]
Kd = 0

[material.white]
Kd = 0.75

[material.orange]
Kd = [0.75, 0.28, 0.08]

[material.blue]
Kd = [0.10, 0.30, 0.62]

[material.porcelain]
Kd = [0.7, 0.68, 0.62]
Ks = 0.25
Ns = 200
"""

TABLE = """# A ball of glass, one of silver and a pot on a chequered table, under a square lamp and an evening sky.

[environment]
picture = "@sky.png"
intensity = 0.8

[[camera]]
name = "front"
position = [0.3, 1.75, 5.6]
target = [-0.05, 0.5, 0]
fov = 31
size = [640, 480]

[[plane]]
name = "lamp"
center = [-2.2, 3.6, 1.2]
normal = [0.55, -1, -0.25]
size = [1.4, 1.4]
material = "lamp"

[[plane]]
name = "board"
center = [0, 0, 0]
normal = [0, 1, 0]
size = [4.4, 3.3]
repeat = [1, 0.75]
material = "chequers"

[[box]]
name = "table"
center = [0, -0.101, 0]
size = [4.6, 0.2, 3.5]
material = "wood"

[[sphere]]
name = "glass ball"
center = [-0.65, 0.5, 0.6]
radius = 0.5
material = "glass"

[[sphere]]
name = "silver ball"
center = [0.55, 0.6, -0.45]
radius = 0.6
material = "silver"

[[mesh]]
name = "pot"
file = "@pot.obj"
scale = 0.55
translate = [-1.6, 0, -0.6]
material = "glaze"

[[sphere]]
name = "marble"
center = [0.75, 0.22, 0.8]
radius = 0.22
material = "brass"

[material.lamp]
Kd = 0
Ke = [14, 12.5, 10]

[material.chequers]
texture = "@chequers.png"
Ks = 0.05
Ns = 60

[material.wood]
Kd = [0.20, 0.09, 0.04]

[material.glass]
transmission = [0.97, 0.99, 0.98]
ior = 1.5

[material.silver]
Kd = 0
mirror = [0.92, 0.91, 0.88]

[material.glaze]
Kd = [0.08, 0.30, 0.36]
Ks = 0.3
Ns = 300

[material.brass]
Kd = [0.9, 0.65, 0.25]
roughness = 0.25
metallic = 1.0
"""
