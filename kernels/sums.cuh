// Sums and maxima over a block of 256 voxels in the fixed order of tissuesim/backends/numpy/sums.py: chunks of 16 left
// to right, then the 16 chunks left to right. The rows of a block are reduced a few at a time in shared memory.
#pragma once
#include "real.cuh"

#define SHELVES 8

struct Shelf {
    double leaf[SHELVES][BLOCK + BLOCK / CHUNK];  // one empty place per chunk: no two chunks in one memory bank
    double chunk[SHELVES][BLOCK / CHUNK];
};

// The sum, or the greater of two where NaN wins.
DEVICE double joined(double a, double b, bool added) {
    if (added) return a + b;
    return b > a || b != b ? b : a;
}

// partial[place(j)] for j < ROWS, from leaf(j, thread); the first `added` rows are added up, the others maxima.
// May be called again at once: what the next call writes first, the last part of this one does not read.
template <int ROWS, typename Leaf, typename Place>
DEVICE void reduce_block(Shelf &shelf, int added, Leaf leaf, Place place, double *partial) {
#pragma unroll
    for (int first = 0; first < ROWS; first += SHELVES) {
        FOR_EACH_THREAD(thread) {
#pragma unroll
            for (int j = 0; j < SHELVES; ++j)
                if (first + j < ROWS) shelf.leaf[j][thread + thread / CHUNK] = leaf(first + j, thread);
        }
        BARRIER;
        FOR_EACH_THREAD(thread) {
            const int j = thread / CHUNK, c = thread % CHUNK;
            if (j < SHELVES && first + j < ROWS) {
                double total = 0.0;
                for (int k = 0; k < CHUNK; ++k)
                    total = joined(total, shelf.leaf[j][c * (CHUNK + 1) + k], first + j < added);
                shelf.chunk[j][c] = total;
            }
        }
        BARRIER;
        FOR_EACH_THREAD(thread) {
            if (thread < SHELVES && first + thread < ROWS) {
                double total = 0.0;
                for (int c = 0; c < BLOCK / CHUNK; ++c)
                    total = joined(total, shelf.chunk[thread][c], first + thread < added);
                partial[place(first + thread)] = total;
            }
        }
    }
}
