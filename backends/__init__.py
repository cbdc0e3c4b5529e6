"""Geometric kernels, one folder or file per backend; `select` picks one."""

from invrender.backends.select import BACKENDS, select
from invrender.backends.self_test import self_test

__all__ = ["BACKENDS", "select", "self_test"]
