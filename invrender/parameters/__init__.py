"""Parameterisations: what the solver moves, and how it becomes a scene."""
