"""Scene files that cannot be: each is refused by a message that names the place, the cause and the remedy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from invrender.errors import InputError
from invrender.io.scenes.read import read_scene
from tests.io.scenes.made import refused, squares

BALL = "[[sphere]]\n"
POINT = '[[light]]\ntype = "point"\nposition = [0, 5, 0]\n'
SPOT = '[[light]]\ntype = "spot"\nposition = [0, 5, 0]\n'
CAMERA = "[[camera]]\nposition = [0, 0, 5]\n"
LOOK = CAMERA + "target = [0, 0, 0]\n"
PAINT = '[[sphere]]\nmaterial = "paint"\n[material.paint]\n'


@pytest.mark.parametrize(
    ("text", *("cause", "remedy")),
    [
        ("", "holds nothing to see", "[[sphere]]"),
        (POINT, "holds nothing to see", "[[mesh]]"),
        ("a =", "is not TOML", "key = value"),
        ("[[sphere]\nradius = 1", "is not TOML", "line 1"),
        ("radius = 1\nradius = 2", "is not TOML", "overwrite"),
        ("spere = 1\n", "the top level has 'spere'", "did you mean 'sphere'?"),
        (BALL + "raduis = 1", "[[sphere]] number 1 has 'raduis'", "did you mean 'radius'?"),
        (BALL + "zzz = 1", "has 'zzz', which is not known there", "known are name, center, radius"),
        (BALL + "background = 1", "has 'background', which belongs to the whole file", "above the first [table]"),
        (BALL + "radius = 0", "has radius = 0", "above 0"),
        (BALL + "radius = -1", "has radius = -1", "above 0"),
        (BALL + "radius = 1e-300", "has radius = 1e-300", "above 0"),
        (LOOK + "up = [0, 1e-200, 0]\n" + BALL, "up = [0, 1e-200, 0], which is no direction", "length"),
        (CAMERA + "target = [0, 1e-200, 5]\n" + BALL, "stands on its target", "move"),
        (BALL + "radius = inf", "has radius = inf", "finite"),
        (BALL + "radius = true", "has radius = True", "a number"),
        (BALL + "radius = '1'", "has radius = '1'", "a number"),
        (BALL + "center = [0, nan, 0]", "has center = [0, nan, 0]", "finite"),
        (BALL + "center = [0, 1e30, 0]", "has center", "1e+18"),
        (BALL + f"center = [0, 1{'0' * 400}, 0]", "has center", "1e+18"),
        (BALL + "center = [0, 0]", "has center = [0, 0]", "a list of 3 numbers"),
        (BALL + "scale = 0", "scale of 0", "negative ones mirror"),
        (BALL + "rotate = 90", "'rotate' that is not understood", "[angle, x, y, z]"),
        (BALL + "rotate = [90, 0, 0, 0]", "rotation about [0, 0, 0]", "some length"),
        ("sphere = 3", "has sphere = 3", "[[sphere]]"),
        ("material = 3\n" + BALL, "materials without a name", "[material.NAME]"),
        ("[[material]]\nKd = 1\n" + BALL, "materials without a name", "[material.NAME]"),
        ("[[plane]]\nnormal = [0, 0, 0]", "normal = [0, 0, 0], which is no direction", "length"),
        ("[[plane]]\nup = [0, 3, 0]", "'up' along its normal", "leave it out"),
        ("[[plane]]\nsize = [1, -1]", "has size = [1.0, -1.0]", "above 0"),
        ("[[box]]\nsize = 0", "has size = 0", "above 0"),
        (BALL + "name = 'a'\n[[box]]\nname = 'a'", "[[box]] 'a' has a name that another one has", "its own name"),
        (BALL + "name = ''", "has name = ''", "a text in quotes"),
        (BALL + "material = 'glas'\n[material.glass]", "is made of 'glas'", "did you mean 'glass'?"),
        ("[[mesh]]\nname = 'a'", "[[mesh]] 'a' has no 'file'", "a text"),
        ("[[mesh]]\nfile = 'a.obx'", "a.obx, which is no mesh file", ".obj"),
        ("[[mesh]]\nfile = 'b.obj'", "names b.obj, which is missing", "did you mean a.obj?"),
        ("[[mesh]]\nfile = 'no/b.obj'", "names no/b.obj, which is missing", "there is no folder"),
        ("[[mesh]]\nfile = 'a.obj'\nmatrix = [1, 2]", "has matrix = [1, 2]", "16 numbers"),
        ("[[mesh]]\nfile = 'a.obj'\nmatrix = [1,0,0,0, 0,1,0,0, 0,0,0,0, 0,0,0,1]", "makes things flat", "columns"),
        ("[[mesh]]\nfile = 'a.obj'\nmatrix = [1,0,0,0, 0,1,0,0, 0,0,1,0, 1,2,3,1]", "last row is [1.0", "row by row"),
        (
            "[[mesh]]\nfile = 'a.obj'\nscale = 2\nmatrix = [1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1]",
            "has both 'matrix' and 'scale'",
            "leave one of them out",
        ),
        ("[[light]]\nposition = [0, 1, 0]\n" + BALL, "has no 'type'", "point, spot, directional"),
        ("[[light]]\ntype = 'sopt'\n" + BALL, "has type = 'sopt'", "did you mean 'spot'?"),
        ("[[light]]\ntype = 'area'\n" + BALL, "has type = 'area'", "a material with Ke"),
        ("[[light]]\ntype = 'point'\n" + BALL, "has no 'position'", "3 numbers"),
        (POINT + "intensity = -1\n" + BALL, "negative number in intensity", "from 0"),
        (POINT + "intensity = [1, nan, 0]\n" + BALL, "has intensity = [1, nan, 0]", "finite"),
        (POINT + "intensity = [1, 2]\n" + BALL, "has intensity = [1, 2]", "a number or three"),
        (POINT + "outer = 3\n" + BALL, "has 'outer', which is not known", "position, intensity"),
        (POINT + "name = 'a'\n" + POINT + "name = 'a'\n" + BALL, "[[light]] 'a' has a name that another", "own name"),
        (SPOT + BALL, "has no 'direction'", "3 numbers"),
        (SPOT + "target = [0, 5, 0]\n" + BALL, "shines at the place where it stands", "move 'target'"),
        (SPOT + "direction = [0, -1, 0]\ninner = 45\n" + BALL, "inner = 45, which is not below outer = 45", "larger"),
        (SPOT + "direction = [0, -1, 0]\nouter = 100\n" + BALL, "has outer = 100", "above 0 and up to 90"),
        ("[[light]]\ntype = 'directional'\ndirection = [0, 0, 0]\n" + BALL, "is no direction", "upwards"),
        (POINT + "[lights]\nambient = 1\n" + BALL, "has both 'lights' and 'light'", "leave one"),
        ("[lights]\nambiant = 1\n" + BALL, "'ambiant'", "did you mean 'ambient'?"),
        (CAMERA + BALL, "has no 'target'", "3 numbers"),
        (CAMERA + "target = [0, 0, 5]\n" + BALL, "stands on its target", "move"),
        (LOOK + "up = [0, 0, -2]\n" + BALL, "looks along its 'up' direction", "straight down"),
        (LOOK + "up = [0, 0, 0]\n" + BALL, "up = [0, 0, 0], which is no direction", "length"),
        (LOOK + "direction = [0, 0, 1]\n" + BALL, "has both 'direction' and 'target'", "leave one"),
        (LOOK + "fov = 180\n" + BALL, "has fov = 180", "above 0 and below 180"),
        (LOOK + "fov = 0\n" + BALL, "has fov = 0", "above 0"),
        (LOOK + "fov = 10\nextent = 2\n" + BALL, "has both 'fov' and 'extent'", "leave one"),
        (LOOK + "aperture = 1\nextent = 2\n" + BALL, "is orthographic", "leave one"),
        (LOOK + "aperture = -1\n" + BALL, "has aperture = -1", "from 0"),
        (LOOK + "size = [640, 480.5]\n" + BALL, "size of 480.5 pixels", "whole numbers"),
        (LOOK + "size = [0, 480]\n" + BALL, "size of 0 pixels", "whole numbers"),
        (LOOK + "width = 640\n" + BALL, "only one of 'width' and 'height'", "give both"),
        ("[[camera]]\nmatrix = [1,0,0,0, 0,1,0,0, 0,0,2,0, 0,0,0,1]\n" + BALL, "stretches or shears", "unit length"),
        ("[[camera]]\nmatrix = [1,0,0,0, 0,1,0,0, 0,0,-1,0, 0,0,0,1]\n" + BALL, "mirrors", "negate"),
        ("[environment]\npicture = 'sky.exr'\n" + BALL, "names sky.exr, which is missing", "put it into"),
        ("[environment]\npicture = 'bad.npy'\n" + BALL, "bad.npy, 4 of int64", "[h,w,3]"),
        ("[environment]\npicture = 'nan.npy'\n" + BALL, "nan.npy, which holds NaN", "from 0"),
        ("[environment]\npicture = 'a.obj'\n" + BALL, "a.obj, which cannot be read as a picture", "PNG"),
        ("[environment]\nintensity = -1\n" + BALL, "has intensity = -1", "from 0"),
        ("background = 'environment'\n" + BALL, "but there is none", "add [environment]"),
        ("background = 'white'\n" + BALL, "has background = 'white'", "[red, green, blue]"),
        (PAINT + "Kd = 1.5", "[material.paint] has Kd = 1.5", "from 0 to 1"),
        (PAINT + "kd = 1", "has 'kd'", "did you mean 'Kd'?"),
        (PAINT + "Ns = -1", "has Ns = -1", "from 0"),
        (PAINT + "roughness = 2", "has roughness = 2", "from 0 and up to 1"),
        (PAINT + "roughness = 0.5\nKs = 1", "has 'roughness' beside 'Ks'", "leave one out"),
        (PAINT + "transmission = 1\nmirror = 1", "has 'transmission' beside 'mirror'", "Fresnel"),
        (PAINT + "unlit = true\nKe = 1", "has 'unlit' beside 'Ke'", "leave one out"),
        (PAINT + "unlit = 1", "has unlit = 1", "true or false"),
        (PAINT + "ior = 1.5", "has 'ior' but no light goes through it", "add `transmission = 1`"),
        (PAINT + "transmission = 1\nior = 0", "has ior = 0", "above 0"),
        (PAINT + "texture = 'p.png'", "names p.png, which is missing", "put it into"),
        (PAINT + "texture = true", "has texture = True", "text in quotes"),
        (PAINT + "texture = '.'", "names ., which is a folder", "name a picture file"),
        (PAINT + "Ke = 1\nemission = 1", "has both 'emission' and 'Ke'", "leave one"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, cause: str, remedy: str) -> None:
    squares(tmp_path, "Kd 1 0 0")
    np.save(tmp_path / "bad.npy", np.arange(4))
    np.save(tmp_path / "nan.npy", np.full((1, 1, 3), np.nan))
    message = refused(tmp_path, text)
    assert cause in message and remedy in message
    assert len(message) < 600


def test_files_that_are_no_scenes(tmp_path: Path) -> None:
    squares(tmp_path, "Kd 1 0 0")
    (tmp_path / "picture.toml").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (tmp_path / "wide.toml").write_bytes("[[sphere]]".encode("utf-16"))
    (tmp_path / "deep.toml").write_text("a = " + "[" * 5000)
    for name, cause, remedy in (
        ("picture.toml", "is not text in UTF-8", "save it as UTF-8"),
        ("wide.toml", "is not text in UTF-8", "save it as UTF-8"),
        ("deep.toml", "is not TOML", "key = value"),
        ("pictur.toml", "there is no file", "picture.toml?"),
        ("", "is a folder, not a scene file", "name the scene.toml"),
        ("a.mtl", "is not a known scene format", ".toml"),
    ):
        with pytest.raises(InputError) as caught:
            read_scene(tmp_path / name)
        assert cause in caught.value.cause and remedy in caught.value.remedy


def test_a_byte_order_mark_is_no_part_of_a_scene(tmp_path: Path) -> None:
    (tmp_path / "scene.toml").write_text("[environment]\n[[sphere]]\n", encoding="utf-8-sig")
    assert len(read_scene(tmp_path / "scene.toml").meshes) == 1
