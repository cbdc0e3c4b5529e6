"""Solvers: `init(params) -> state` and `step(gradients, params, state) -> (params, state)`, one file each."""
