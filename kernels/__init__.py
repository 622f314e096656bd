"""CUDA sources, complete and readable."""
