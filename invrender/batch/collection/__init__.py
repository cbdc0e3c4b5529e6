"""What came of many runs.

results.py   what the runs left, read back; measures.py: metrics in one level; curves.py: losses
collect.py   all of it as results.csv; sheet.py: as pictures, with thumbnails.py
report.py    as a page, with page.py, details.py, matrix.py, plots.py and links.py
"""
