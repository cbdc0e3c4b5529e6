"""Many runs: a file of jobs, whoever runs them, and what came of them.

    jobs.py      a job, and files of jobs: .jsonl, .csv, .toml with a matrix
    folder.py    what lies on the disk: batch.json, and in each job's folder its job.json
    work.py      what a worker does with one job, wherever it runs
    engines.py   who runs jobs: processes of this machine, Slurm, Dask
    runner.py    hands jobs out, tries again what failed in passing, and keeps batch.json up to date
    results.py   what the runs left, read back; measures.py: metrics in one level; curves.py: losses
    collect.py   all of it as results.csv, sheet.py as pictures, report.py as a page: with page.py, details.py,
                 matrix.py, plots.py, links.py and thumbnails.py

The state lies in the jobs' folders: whoever runs a job claims it there first, so that a runner may be killed, and
another engine go on, at any moment.
"""
