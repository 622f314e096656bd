// One generated program of a model: every voxel loads its fields, computes, stores. The hole is filled by
// tissuesim/codegen/print_text.py; the numbers of sums, totals and maxima stand in macros before this file.
//
// Voxels lie in the canonical order (rising box index), so that a block of 256 threads is a block of the sums.
#include "exits.cuh"
#include "random.cuh"
#include "sums.cuh"

// Sums (double), totals (whole numbers, exact in a double to 2^53) and maxima of a voxel, in this order.
#define LEAF(index) OF_THREAD(leaf, index, thread)
#define RAISE(index, value) LEAF(index) = joined(LEAF(index), (double)(value), false)

KERNEL voxel_program(int64 n, const real *RESTRICT signals, cell_count *RESTRICT cells, real *RESTRICT states,
                     const real *RESTRICT maps, real *RESTRICT loss, real *RESTRICT right_hand_side,
                     double *RESTRICT out, const real *RESTRICT volume, const uint8 *RESTRICT region,
                     const real *RESTRICT parameters, int64 parameter_count, const real *RESTRICT scalars,
                     const uint32 *RESTRICT box_index, real dt, uint32 program_operator, uint32 tick,
                     uint32 substep, uint32 key0, uint32 key1, double *RESTRICT partial) {
    [[maybe_unused]] const uint32 stream = program_operator << 24;
    [[maybe_unused]] const uint32 draw = substep << 8;
    const int64 blocks = (n + BLOCK - 1) / BLOCK;
#if LEAVES > 0
    SHARED Shelf shelf;
#endif
    FOR_EACH_BLOCK(block, blocks) {
#if LEAVES > 0
        PRIVATE(double, leaf, LEAVES);
#endif
        FOR_EACH_THREAD(thread) {
            const int64 i = block * BLOCK + thread;
#if LEAVES > 0
#pragma unroll
            for (int j = 0; j < LEAVES; ++j) LEAF(j) = 0.0;
#endif
            if (i < n) {
                [[maybe_unused]] const uint32 voxel = box_index[i];
                // GENERATED PROGRAM
            }
        }
#if LEAVES > 0
        reduce_block<LEAVES>(
            shelf, ADDED, [&](int row, int thread) { (void)thread; return LEAF(row); },
            [&](int row) { return row * blocks + block; }, partial);
#endif
    }
}
