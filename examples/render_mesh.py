"""Four views of a mesh in one picture: python examples/render_mesh.py data/mug.glb mug.png"""

import sys

import invrender
from invrender.io.images import write_png
from invrender.render.images import contact_sheet

asset, picture = sys.argv[1:3]
mesh = invrender.read(asset)
views = invrender.render(mesh, size=128, views=4, supersample=2)
write_png(picture, contact_sheet(views))
