"""The drawing child: it reads a job from stdin, draws it and prints a report as one line of JSON.

Started by `invrender.preview.guard` as `python -m invrender.preview.worker`, never called in the parent's process. What
draws is imported late, so that a package that is missing or broken ends up in the report too.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from invrender.errors import BackendError, InvrenderError
from invrender.preview.guard import Job


def main() -> None:
    """Do the one job and report."""
    job = Job(**json.load(sys.stdin))
    try:
        from invrender.preview.draw import draw

        report: dict[str, Any] = {"driver": draw(job)}
    except InvrenderError as error:
        report = {"cause": error.cause, "remedy": error.remedy, "exit_code": error.exit_code}
    except ImportError as error:
        report = {
            "cause": f"the preview lacks a package: {error}",
            "remedy": f"run `pip install --force-reinstall {error.name or 'pyvista'}`, or use `invrender render`",
            "exit_code": BackendError.exit_code,
        }
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
