"""A GPU for tests: the CUDA texts compiled by g++ behind the calls of CuPy that the backend makes."""
