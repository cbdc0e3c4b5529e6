"""The shared kernel bodies, compiled for CUDA: the files of `invrender.backends.bodies` under another package name.

This module is a package whose files lie elsewhere: `__path__` is what makes one. In it, `target` is ours. Type
checkers do not follow `__path__`: the annotations are for them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from invrender.backends.cuda import target

__path__ = [str(Path(__file__).parents[1] / "bodies")]
sys.modules[f"{__name__}.target"] = target

backproject: Any
blend: Any
clip: Any
composite: Any
contour: Any
field: Any
line_integral: Any
lines: Any
medium_grid: Any
medium_path: Any
medium_replay: Any
pieces: Any
projector: Any
radiance_laws: Any
radiance_path: Any
radiance_replay: Any
raster: Any
sight: Any
smooth_step: Any
bvh: Any
vectors: Any
weights: Any
