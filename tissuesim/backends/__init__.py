"""Backends: the same step in NumPy, Numba and CUDA, mirrored file for file."""
