"""invrender turns images into 3-D assets: meshes, volumes and scene parameters."""

import os

__version__ = "0.1.0"

# By default the threads of torch's OpenMP wait for their next operation by spinning, on cores that our kernels need in
# between. OpenMP reads this when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
