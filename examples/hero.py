"""The moving picture on the README: a run's progress.gif, small enough for a page.

invrender demo && python examples/hero.py outputs/demo/run docs/hero.gif
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageSequence

from invrender.io.gif import write_gif

WIDTH, SPEED, LAST = 640, 10.0, 2.0  # pixels, pictures a second, seconds of the last one


def main(run: Path, picture: Path) -> None:
    """Every frame while the shape forms, every other one afterwards."""
    with Image.open(run / "progress.gif") as film:
        frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(film)]
    kept = frames[: len(frames) // 3] + frames[len(frames) // 3 :: 2]
    height = round(WIDTH * kept[0].height / kept[0].width)
    small = [np.asarray(frame.resize((WIDTH, height), Image.Resampling.LANCZOS)) for frame in kept]
    write_gif(picture, small, SPEED, last=LAST)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
