"""A model's expression trees turned into programs, and programs into text for NumPy, Numba and CUDA."""
