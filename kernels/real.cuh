// Types and the dictionary of CUDA words that the other sources use; host.h holds the same words for plain C++.
#pragma once

typedef int int32;
typedef long long int64;
typedef unsigned char uint8;
typedef unsigned int uint32;
typedef unsigned long long uint64;

#ifdef REAL_IS_FLOAT64
typedef double real;
#else
typedef float real;
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
