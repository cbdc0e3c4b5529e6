"""How good a result is, and what is in a file. The package is also the function `compare.evaluate`:

print(invrender.evaluate("outputs/mug", "data/mug.glb").chamfer)
"""

from invrender.callable_package import make_callable

make_callable(__name__, "invrender.evaluate.compare")
