"""`invrender batch retry`: run jobs again that failed or were cancelled."""

from __future__ import annotations

from invrender.cli.batch_status import FolderArgument, NamesArgument
from invrender.cli.options import JsonOption, QuietOption, console

EXAMPLES = (
    "invrender batch retry outputs/batch",
    'invrender batch retry outputs/batch "mug, from all sides"',
)


def batch_retry(
    folder: FolderArgument, jobs: NamesArgument = None, json: JsonOption = False, quiet: QuietOption = False
) -> None:
    """Run jobs again that failed or were cancelled, from where they were; with names, those alone.

    Where somebody runs the batch, the jobs are left to them.
    """
    from invrender.batch.folder import read_batch
    from invrender.batch.place import is_run, revive
    from invrender.batch.table import names
    from invrender.cli.batch_work import again

    revived = revive(read_batch(folder), jobs or [])
    if not quiet:
        console.print(f"again: {names(revived)}" if revived else "no job has failed or was cancelled", markup=False)
    if is_run(folder):
        if not quiet:
            console.print("the process that runs the batch takes them up", markup=False)
        return
    again(folder, json=json, quiet=quiet)
