// Reads the CUDA text as plain C++: one thread of the host does the work of every thread of the device, part by part
// between the barriers. Put in front of a source, it replaces the CUDA words of real.cuh. Compile with
// -ffp-contract=off: the results are then those of the GPU, bit for bit.
#pragma once
#include <cmath>

#define DEVICE static inline
#define SAMPLER static
#define KERNEL extern "C" void
#define RESTRICT __restrict__
#define SHARED static thread_local
#define BARRIER static_cast<void>(0)
#define POPCOUNT(word) __builtin_popcount(word)
#define FLOOR(x) std::floor(x)
#define SQUARE_ROOT(x) std::sqrt(x)

#define FOR_EACH(index, count) for (int64 index = 0; index < (count); ++index)
#define FOR_EACH_GROUP(group, count) for (int group = 0; group < (count); ++group)
#define FOR_EACH_BLOCK(block, count) for (int64 block = 0; block < (count); ++block)
#define FOR_EACH_THREAD(thread) for (int thread = 0; thread < BLOCK; ++thread)
#define PRIVATE(type, name, count) static thread_local type name[count][BLOCK]
#define OF_THREAD(name, index, thread) name[index][thread]
