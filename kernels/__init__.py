"""CUDA sources, complete and readable; ``host.h`` compiles the same text as plain C++."""
