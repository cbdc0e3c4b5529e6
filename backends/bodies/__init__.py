"""Kernel bodies: scalar functions written once and compiled for CPUs and for CUDA.

They touch numbers and single array elements only, allocate nothing and never raise, so that Numba can compile them for
either machine. Imported as `invrender.backends.bodies` they are compiled for the CPU; `invrender.backends.cuda` loads
the same files a second time under another package name, with another `target.device`. Import siblings relatively here,
or the second copy would call into the first.

Arithmetic that decides which pixel belongs to what is float64 or integer in a fixed order, without fused
multiply-adds, so that every backend draws the same pixels.
"""
