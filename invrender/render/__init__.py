"""Pictures of meshes and volumes, from any backend's kernels. The package is also the function `pictures.render`:

pictures = invrender.render(mesh, mode="normal", size=256, views=4)
"""

from invrender.callable_package import make_callable

make_callable(__name__, "invrender.render.pictures")
