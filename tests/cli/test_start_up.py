"""What a command imports before its first step: nothing heavy that it does not need."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from invrender.cli.uncollected import uncollected

ROOT = Path(__file__).parents[2]
UNNEEDED = (
    "pydantic", "trimesh", "h5py", "pydicom", "matplotlib", "pyvista", "vtk", "pandas", "imageio", "slangpy", "cv2",
    "scipy.ndimage", "scipy.linalg", "scipy.spatial", "scipy.cluster", "numpy.f2py", "PIL.PdfImagePlugin",
    "torch._dynamo", "torch._inductor", "torch.onnx", "sympy",
    "invrender.poses.find", "invrender.run.told", "invrender.backends.torch.radiance",
    "invrender.backends.cpu.radiance", "invrender.backends.vulkan.device",
    "skimage.measure._regionprops", "numba.np.arraymath",
    "invrender.io.scenes.read", "invrender.io.volumes.dicom", "invrender.io.meshes.obj",
)  # fmt: skip
OF_MESHES = (
    "invrender.backends.cpu.projector", "scipy.sparse", "invrender.io.volumes.read", "invrender.io.volumes.write",
)  # fmt: skip
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
        (("data/mug.glb", "--views", "12", "--size", "64", "--preset", "draft"), UNNEEDED),
        (("{cloud}", "--method", "transmittance", "--views", "8", "--size", "16"), (*UNNEEDED, *OF_VOLUMES)),
    ],
    ids=["silhouette", "handles", "transmittance"],
)
def test_the_first_step_comes_without_what_it_does_not_need(
    arguments: tuple[str, ...], unneeded: tuple[str, ...], tmp_path: Path
) -> None:
    cloud = tmp_path / "cloud.npz"
    if "{cloud}" in arguments:
        called(tmp_path, "-m", "invrender", "sample", "cloud", "-o", str(cloud), "--resolution", "16")
    words = [word.format(cloud=cloud) for word in arguments]
    program = TO_THE_FIRST_STEP.format(names=unneeded)
    command = ("-c", program, "reconstruct", *words, "--quiet", "--output", str(tmp_path / "run"))
    called(tmp_path, *command)  # compiles what is not kept, with all that this takes
    shown = called(tmp_path, *command)
    assert shown.splitlines()[-1].strip() == "loaded:"


@pytest.mark.parametrize("before", [True, False])
def test_garbage_is_collected_again_after_the_imports(before: bool) -> None:
    try:
        (gc.enable if before else gc.disable)()
        with pytest.raises(ImportError), uncollected():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() == before
    finally:
        gc.enable()


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
