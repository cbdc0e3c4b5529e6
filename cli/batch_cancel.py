"""`invrender batch cancel`: let jobs rest; those at work save what they have and end."""

from __future__ import annotations

from invrender.cli.batch_status import FolderArgument, NamesArgument
from invrender.cli.options import QuietOption, console

EXAMPLES = (
    "invrender batch cancel outputs/batch",
    'invrender batch cancel outputs/batch "mug, from all sides"',
)


def batch_cancel(folder: FolderArgument, jobs: NamesArgument = None, quiet: QuietOption = False) -> None:
    """Let jobs that are not done rest, wherever they run; all of them, or those that are named.

    What is at work is saved: `invrender batch retry` goes on with it.
    """
    from invrender.batch.folder import read_batch
    from invrender.batch.place import cancel
    from invrender.batch.table import names

    resting = cancel(read_batch(folder), jobs or [])
    if not quiet:
        console.print(f"cancelled: {names(resting)}" if resting else "no job waits or runs", markup=False)
