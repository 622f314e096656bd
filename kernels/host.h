// Reads the CUDA text as plain C++: one thread does every voxel. Put in front of a source, it replaces the CUDA words of
// real.cuh. Compile with -ffp-contract=off: the results are then those of the GPU, bit for bit.
#pragma once
#include <cmath>

#define DEVICE static inline
#define KERNEL extern "C" void
#define GLOBAL_ID 0
#define GLOBAL_SIZE 1
#define RESTRICT __restrict__
#define POPCOUNT(word) __builtin_popcount(word)
#define FLOOR(x) std::floor(x)
#define SQUARE_ROOT(x) std::sqrt(x)
#define ATOMIC_ADD(address, amount) (*(address) += (amount))
#define ATOMIC_MAX(address, value) (*(address) = *(address) < (value) ? (value) : *(address))
