// Types and the dictionary of CUDA words that the other sources use; the host build puts plain C++ words in their place.
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

// 2^-80: a signal below it is nothing (FAINT in tissuesim/codegen/instructions.py).
#define FAINT 8.271806125530277e-25

// Cells in a voxel: whole numbers, or expected values (double also where fields are float32).
#ifdef CELLS_ARE_EXPECTED
typedef double cell_count;
#else
typedef int32 cell_count;
#endif

// Threads of a block, voxels of a block of a sum, and of a chunk of it: the same on every backend.
#define BLOCK 256
#define CHUNK 16

#ifndef DEVICE
#define DEVICE __device__ __forceinline__
// One block on a processor is enough: to make room for more, the assembler would rather spill registers.
#define KERNEL extern "C" __global__ void __launch_bounds__(BLOCK, 1)
#define RESTRICT __restrict__
#define SHARED __shared__
#define BARRIER __syncthreads()
#define POPCOUNT(word) __popc(word)
#define FLOOR(x) floor(x)
#define SQUARE_ROOT(x) sqrt(x)

// Loops that a grid shares out; any grid gives the same result. A barrier may stand inside FOR_EACH_BLOCK, between
// the parts FOR_EACH_THREAD, never inside one: the host runs every part for all threads before the next one.
#define FOR_EACH(index, count)                                                                                        \
    for (int64 index = (int64)blockIdx.x * blockDim.x + threadIdx.x; index < (count);                                 \
         index += (int64)gridDim.x * blockDim.x)
#define FOR_EACH_GROUP(group, count) for (int group = blockIdx.y; group < (count); group += gridDim.y)
#define FOR_EACH_BLOCK(block, count) for (int64 block = blockIdx.x; block < (count); block += gridDim.x)
#define FOR_EACH_THREAD(thread) if (const int thread = (int)threadIdx.x; true)

// A number of every thread that outlives a part: a register here, an array over the threads on the host.
#define PRIVATE(type, name, count) type name[count]
#define OF_THREAD(name, index, thread) name[index]
#endif

// Fields lie as columns: threads that follow each other read numbers that follow each other.
#define AT(voxel, column) ((int64)(column) * n + (voxel))
