"""The runs by which forecasts are measured: a spread of every method's, those that are fitted and those held out.

Inputs are made in a folder, `{in}`: samples, data sets of voxels and pictures, a scene with its picture.
"""

from __future__ import annotations

from pathlib import Path

INPUTS = (
    "sample cloud -o {in}/cloud.npz",
    "sample gyroid -o {in}/gyroid.npz",
    "sample summer-cloud -o {in}/summer-cloud.toml",
    "sample cornell-box -o {in}/cornell.toml",
    "sample lit-tree -o {in}/tree.toml",
    "render {in}/tree.toml -o {in}/tree.png --size 192",
    "render {in}/cornell.toml -o {in}/cornell.png --size 96",
    "render data/mug.glb --dataset {in}/masks --views 20 --size 160",
    "render data/figure.obj --mode shaded --dataset {in}/shaded --views 36 --size 160 --cameras sphere",
    "render {in}/cloud.npz --mode transmittance --dataset {in}/shadows --views 24 --size 96",
    "render {in}/cloud.npz --mode volume --dataset {in}/colours --views 20 --size 96 --cameras sphere",
    "dataset make --count 40 --resolution 32 --size 32 -o {in}/pairs32 --processes 1",
    "dataset make --count 24 --resolution 64 --size 64 -o {in}/pairs64 --processes 1",
)
"""Commands of the program that make the inputs."""

FITTED = {
    "silhouette-8x64": "reconstruct data/mug.glb --method silhouette --preset draft --views 8 --size 64",
    "silhouette-12x256": "reconstruct data/mug.glb --method silhouette --preset draft",
    "silhouette-24x128": "reconstruct data/figure.obj --method silhouette --preset draft --views 24 --size 128",
    "silhouette-60x128": "reconstruct data/blobby.ply --method silhouette --iterations 90 --views 60 --size 128",
    "silhouette-8x400": "reconstruct data/torus_knot.glb --method silhouette --preset draft --iterations 60 --views 8"
    " --size 400",
    "silhouette-fixed": "reconstruct data/mug.glb --method silhouette --set smoothness=1 --views 16 --size 192",
    "photometric-24x128": "reconstruct data/mug.glb --method photometric --preset draft --size 128",
    "photometric-12x200": "reconstruct data/figure.obj --method photometric --preset draft --views 12 --size 200",
    "photometric-field": "reconstruct data/blobby.ply --method photometric --preset draft --views 34 --size 64",
    "photometric-16x96": "reconstruct data/mug.glb --method photometric --preset draft --views 16 --size 96",
    "transmittance-24x32": "reconstruct {in}/gyroid.npz --method transmittance --preset draft --views 24 --size 64",
    "transmittance-32x96": "reconstruct {in}/shadows --method transmittance --grid 48",
    "transmittance-sirt": "reconstruct {in}/cloud.npz --method transmittance --solver sirt --iterations 30 --size 64",
    "volume-32x96": "reconstruct {in}/cloud.npz --method volume --preset draft",
    "volume-16x64": "reconstruct {in}/gyroid.npz --method volume --preset draft --views 16 --size 64 --grid 32",
    "volume-40x112": "reconstruct {in}/cloud.npz --method volume --preset draft --iterations 60 --views 40 --size 112"
    " --grid 96",
    "scattering-12x32": "reconstruct {in}/summer-cloud.toml --method scattering --iterations 40 --views 12"
    " --size 32 --grid 24 --target-spp 64 --set gif_frames=6",
    "scattering-20x40": "reconstruct {in}/cloud.npz --method scattering --iterations 40 --views 20 --size 40 --grid 32"
    " --target-spp 64 --set gif_frames=6",
    "scattering-16x24": "reconstruct {in}/gyroid.npz --method scattering --iterations 60 --views 16 --size 24 --grid 32"
    " --target-spp 64 --set gif_frames=4",
    "scene-light": "reconstruct {in}/moved.toml --method scene --target {in}/tree.png --size 128"
    " --optimize light.lamp.position,light.lamp.intensity",
    "scene-materials": "reconstruct {in}/moved.toml --method scene --target {in}/tree.png --size 96 --preset draft"
    " --optimize light.lamp.position,material.leaves.Kd,material.meadow.Kd",
    "scene-pose": "reconstruct {in}/moved.toml --method scene --target {in}/tree.png --size 64 --preset draft"
    " --optimize camera.pose",
    "scene-path": "reconstruct {in}/dimmed.toml --method scene --target {in}/cornell.png --size 48 --preset draft"
    " --mode path --optimize material.white.Kd,material.orange.Kd",
    "scene-lbfgs": "reconstruct {in}/dimmed.toml --method scene --target {in}/cornell.png --solver lbfgs"
    " --iterations 30 --optimize material.white.Kd,material.blue.Kd",
    "train-slices": "train {in}/pairs32 --iterations 120",
    "train-64": "train {in}/pairs64 --iterations 25",
    "train-conv": "train {in}/pairs32 --iterations 60 --network conv-deconv-apart",
}
"""Runs that coefficients are fitted to."""

HELD_OUT = {
    "silhouette-held": "reconstruct {in}/masks --method silhouette --preset draft",
    "photometric-held": "reconstruct {in}/shaded --method photometric --preset draft --views 12",
    "transmittance-held": "reconstruct {in}/cloud.npz --method transmittance --views 32 --size 80",
    "volume-held": "reconstruct {in}/colours --method volume --iterations 100 --grid 48",
    "scattering-held": "reconstruct {in}/cloud.npz --method scattering --iterations 30 --views 14 --size 28"
    " --target-spp 64 --grid 24 --set gif_frames=6",
    "scene-held": "reconstruct {in}/moved.toml --method scene --target {in}/tree.png --size 160 --preset draft"
    " --optimize light.lamp.position,light.lamp.intensity,material.bark.Kd",
    "silhouette-large": "reconstruct data/figure.obj --method silhouette --preset draft --views 20 --size 512"
    " --iterations 60",
    "transmittance-large": "reconstruct {in}/cloud.npz --method transmittance --preset draft",
    "train-held": "train {in}/pairs64 --iterations 30 --width 12",
}
"""Runs that they are not fitted to."""


CHANGED = {
    "moved.toml": ("tree.toml", "[3.5, 6, 5.5]", "[2, 5, 6.5]"),
    "dimmed.toml": ("cornell.toml", "Kd = 0.75", "Kd = 0.5"),
}
"""Scenes to start from: by their names another one, and what is replaced in it."""


def filled(command: str, inputs: Path) -> list[str]:
    """A command's words, with the folder of inputs."""
    return command.replace("{in}", str(inputs)).split()
