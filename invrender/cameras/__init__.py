"""Cameras: projections, the rigs that stand around an object, and the rays of their pixels."""
