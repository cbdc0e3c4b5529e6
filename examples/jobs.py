"""The pictures of the README's table: what came of one run of each kind, cut out of their report.png.

python examples/jobs.py docs/gallery silhouette=outputs/mug photometric=outputs/vase
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from invrender.report.card import HEIGHT, MARGIN

SIDE = 180  # pixels


def main(folder: Path, runs: dict[str, Path]) -> None:
    """One picture for each run."""
    for name, run in runs.items():
        side = HEIGHT - 2 * MARGIN
        picture = Image.open(run / "report.png").convert("RGB").crop((MARGIN, MARGIN, MARGIN + side, MARGIN + side))
        picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(folder / f"job_{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), {name: Path(run) for name, _, run in (text.partition("=") for text in sys.argv[2:])})
