// One generated program of a model: every voxel loads its fields, computes, stores. The hole is filled by
// tissuesim/codegen/print_text.py; layout, sizes and the name of the program stand in macros before this file.
//
// order[rank] is the voxel at a place of the canonical order (rising box index); voxel_sums are added up afterwards in
// that order, blocks of 256 left to right, so that a sum has the same bits on every backend.
#include "real.cuh"
#include "random.cuh"
#include "exits.cuh"

#ifdef __CUDACC__
// The greatest of numbers that are not negative: their bit patterns order like integers, and NaN is above all.
DEVICE void raise_maximum(float *address, float value) { atomicMax((int *)address, __float_as_int(value)); }
DEVICE void raise_maximum(double *address, double value) {
    atomicMax((long long *)address, __double_as_longlong(value));
}
#else
DEVICE void raise_maximum(real *address, real value) {
    if (value > *address || value != value) *address = value;
}
#endif

#define AT(i, column, COLUMNS) ((int64)(i) * (COLUMNS) + (column))

KERNEL voxel_program(int64 n, real *RESTRICT signals, cell_count *RESTRICT cells, real *RESTRICT states,
                     const real *RESTRICT maps, real *RESTRICT loss, real *RESTRICT right_hand_side,
                     double *RESTRICT out, const real *RESTRICT volume, const real *RESTRICT inverse_volume,
                     const uint8 *RESTRICT region, const real *RESTRICT parameters, const real *RESTRICT scalars,
                     const int64 *RESTRICT box_index, const int64 *RESTRICT order, real dt, int64 program_operator,
                     int64 tick, int64 substep, int64 key0, int64 key1, int64 *RESTRICT totals,
                     double *RESTRICT voxel_sums, real *RESTRICT maxima) {
    const uint32 stream = (uint32)program_operator << 24;
    const uint32 draw = (uint32)substep << 8;
    FOR_EACH(rank, n) {
        const int64 i = order[rank];
        const uint32 voxel = (uint32)box_index[i];
        // GENERATED PROGRAM
    }
}
