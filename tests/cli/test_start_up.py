"""What a command imports before its first step: nothing heavy that it does not need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNNEEDED = (
    "pydantic", "trimesh", "h5py", "pydicom", "matplotlib", "pyvista", "vtk", "pandas", "imageio", "slangpy", "cv2",
    "scipy.ndimage", "scipy.linalg", "scipy.spatial", "scipy.cluster", "numpy.f2py", "PIL.PdfImagePlugin",
    "torch._dynamo", "torch._inductor", "torch.onnx", "sympy",
    "invrender.poses.find", "invrender.run.told", "invrender.backends.torch.radiance",
    "invrender.backends.cpu.radiance", "invrender.backends.vulkan.device",
)  # fmt: skip
OF_MESHES = ("invrender.backends.cpu.projector", "scipy.sparse")
OF_VOLUMES = ("invrender.io.meshes.gltf", "invrender.backends.cpu.rasterize")
TO_THE_FIRST_STEP = """
import os, sys
import invrender.solve.loop as loop

def end(*_):
    print("loaded:", *(name for name in {names!r} if name in sys.modules), flush=True)
    os._exit(0)

loop._stepped = end
from invrender.cli import app
sys.exit(app.run(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (("data/blobby.ply", "--views", "6", "--size", "48", "--preset", "draft"), (*UNNEEDED, *OF_MESHES)),
        (("{cloud}", "--method", "transmittance", "--views", "8", "--size", "16"), (*UNNEEDED, *OF_VOLUMES)),
    ],
    ids=["silhouette", "transmittance"],
)
def test_the_first_step_comes_without_what_it_does_not_need(
    arguments: tuple[str, ...], unneeded: tuple[str, ...], tmp_path: Path
) -> None:
    cloud = tmp_path / "cloud.npz"
    if "{cloud}" in arguments:
        called(tmp_path, "-m", "invrender", "sample", "cloud", "-o", str(cloud), "--resolution", "16")
    words = [word.format(cloud=cloud) for word in arguments]
    program = TO_THE_FIRST_STEP.format(names=unneeded)
    shown = called(tmp_path, "-c", program, "reconstruct", *words, "--quiet", "--output", str(tmp_path / "run"))
    assert shown.splitlines()[-1].strip() == "loaded:"


def called(folder: Path, *words: str) -> str:
    """What Python prints, run from the repository's root."""
    ran = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
