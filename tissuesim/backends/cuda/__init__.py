"""The GPU backend: the texts of kernels/, compiled by NVRTC."""
