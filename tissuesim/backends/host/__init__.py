"""The CUDA texts compiled as plain C++, for tests of equality without a GPU."""
