"""Many runs: a file of jobs, whoever runs them, and what came of them.

    jobs.py      a job, and files of jobs: .jsonl, .csv, .toml with a matrix
    folder.py    what lies on the disk: batch.json, and in each job's folder its job.json
    work.py      what a worker does with one job, wherever it runs
    engines.py   who runs jobs: processes of this machine, Slurm, Dask
    runner.py    hands jobs out, tries again what failed in passing, and keeps batch.json up to date
    collection/  what came of them: a table, a sheet of pictures and a page

The state lies in the jobs' folders: whoever runs a job claims it there first, so that a runner may be killed, and
another engine go on, at any moment.
"""
