// Types and the dictionary of CUDA words that the other sources use; host.h holds the same words for plain C++.
#pragma once

typedef int int32;
typedef long long int64;
typedef unsigned char uint8;
typedef unsigned int uint32;
typedef unsigned long long uint64;

#ifdef REAL_IS_FLOAT64
typedef double real;
typedef uint64 real_bits;
#else
typedef float real;
typedef uint32 real_bits;
#endif
#define REAL(x) ((real)(x))

#ifndef DEVICE
#define DEVICE __device__ __forceinline__
#define KERNEL extern "C" __global__ void
#define GLOBAL_ID ((int64)blockIdx.x * blockDim.x + threadIdx.x)
#define GLOBAL_SIZE ((int64)gridDim.x * blockDim.x)
#define RESTRICT __restrict__
#define POPCOUNT(word) __popc(word)
#define FLOOR(x) floor(x)
#define SQUARE_ROOT(x) sqrt(x)
#define ATOMIC_ADD(address, amount) atomicAdd((unsigned long long *)(address), (unsigned long long)(amount))
#define ATOMIC_MAX(address, value) atomicMax(address, value)
#endif

// Every kernel body runs over voxels with this loop: any grid size gives the same result.
#define FOR_EACH(index, count) for (int64 index = GLOBAL_ID; index < (count); index += GLOBAL_SIZE)

// |x| without a library, 0 for -0.
DEVICE real magnitude(real x) { return x > REAL(0.0) ? x : REAL(0.0) - x; }

// The bits of a number. Those of non-negative numbers are in the order of the numbers, NaN above all.
DEVICE real_bits bits_of(real x) {
    union {
        real number;
        real_bits bits;
    } pun;
    pun.number = x;
    return pun.bits;
}
