// Where the amount of each signal went in one implicit step; formulas in tissuesim/backends/numpy/ledger.py.
// A block of 256 voxels goes through the signals one after the other: four sums and two maxima each.
#include "sums.cuh"

#define LINES 4

// partial: rows decay, imbalance, clipped, after, then |residual / diagonal| and |c'|, (fields) each, of every block.
KERNEL signal_ledger(int64 n, int64 fields, int64 regions, const real *RESTRICT right_hand_side,
                     const real *RESTRICT diagonal, const real *RESTRICT after, const real *RESTRICT coefficient,
                     const uint8 *RESTRICT region, const int32 *RESTRICT neighbors, const real *RESTRICT geometry,
                     const real *RESTRICT volume, double *RESTRICT partial) {
    SHARED Shelf shelf;
    const int64 blocks = (n + BLOCK - 1) / BLOCK;
    FOR_EACH_BLOCK(block, blocks) {
        for (int64 s = 0; s < fields; ++s) {
            PRIVATE(double, term, LINES + 2);
            FOR_EACH_THREAD(thread) {
                const int64 i = block * BLOCK + thread;
#pragma unroll
                for (int line = 0; line < LINES + 2; ++line) OF_THREAD(term, line, thread) = 0.0;
                if (i < n) {
                    double off_diagonal = 0.0, inflow = 0.0;
#pragma unroll
                    for (int k = 0; k < 6; ++k) {
                        const int32 j = neighbors[AT(i, k)];
                        const int64 row = regions == 1 ? 0 : region[i] * regions + region[j];
                        const double face = (double)(coefficient[row * fields + s] * geometry[AT(i, k)]);
                        off_diagonal = off_diagonal + face;
                        inflow = inflow + face * (double)after[AT(j, s)];
                    }
                    const double value = (double)after[AT(i, s)], size = (double)volume[i];
                    const double wide = (double)diagonal[AT(i, s)];
                    const double residual = (double)right_hand_side[AT(i, s)] - wide * value + inflow;
                    const double kept = value < FAINT ? 0.0 : value;
                    const double scaled = residual / wide;
                    OF_THREAD(term, 0, thread) = size * ((wide - 1.0 - off_diagonal) * value);
                    OF_THREAD(term, 1, thread) = size * residual;
                    OF_THREAD(term, 2, thread) = size * (kept - value);
                    OF_THREAD(term, 3, thread) = size * kept;
                    OF_THREAD(term, 4, thread) = scaled < 0.0 ? -scaled : scaled;
                    OF_THREAD(term, 5, thread) = value < 0.0 ? -value : value;
                }
            }
            reduce_block<LINES + 2>(
                shelf, LINES, [&](int line, int thread) { (void)thread; return OF_THREAD(term, line, thread); },
                [&](int line) { return (line * fields + s) * blocks + block; }, partial);
        }
    }
}
