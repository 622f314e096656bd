// One generated program of a model: every voxel loads its fields, computes, stores. The hole is filled by
// tissuesim/codegen/print_text.py; layout, sizes and the name of the program stand in macros before this file.
//
// order[rank] is the voxel at a place of the canonical order (rising box index); voxel_sums are added up afterwards in
// that order, blocks of 256 left to right, so that a sum has the same bits on every backend.
#include "real.cuh"
#include "random.cuh"
#include "exits.cuh"

#ifdef __CUDACC__
// The bits of numbers that are not negative order like the numbers, NaN (its sign taken off) above all.
DEVICE void raise_maximum(float *address, float value) {
    if (!(value <= 0.0f)) atomicMax((uint32 *)address, (uint32)__float_as_uint(value) & 0x7FFFFFFFu);
}
DEVICE void raise_maximum(double *address, double value) {
    if (!(value <= 0.0)) atomicMax((uint64 *)address, (uint64)__double_as_longlong(value) & 0x7FFFFFFFFFFFFFFFull);
}
// One copy of each sampler, called: in line, a program with a hundred draws would compile for a minute.
#define SAMPLER __device__ __noinline__
#else
DEVICE void raise_maximum(real *address, real value) {
    if (value > *address || value != value) *address = value;
}
#define SAMPLER static
#endif

SAMPLER int64 draw_binomial(int64 n, double p, uint32 c0, uint32 c1, uint32 c2, uint32 c3, uint32 k0, uint32 k1) {
    return binomial(n, p, c0, c1, c2, c3, k0, k1);
}
SAMPLER int64 draw_poisson(double mean, uint32 c0, uint32 c1, uint32 c2, uint32 c3, uint32 k0, uint32 k1) {
    return poisson(mean, c0, c1, c2, c3, k0, k1);
}

#define AT(i, column, COLUMNS) ((int64)(i) * (COLUMNS) + (column))

KERNEL voxel_program(int64 n, real *RESTRICT signals, cell_count *RESTRICT cells, real *RESTRICT states,
                     const real *RESTRICT maps, real *RESTRICT loss, real *RESTRICT right_hand_side,
                     double *RESTRICT out, const real *RESTRICT volume, const real *RESTRICT inverse_volume,
                     const region_index *RESTRICT region, const real *RESTRICT parameters, const real *RESTRICT scalars,
                     const int64 *RESTRICT box_index, const int64 *RESTRICT order, real dt, int64 program_operator,
                     int64 tick, int64 substep, int64 key0, int64 key1, int64 *RESTRICT totals,
                     double *RESTRICT voxel_sums, real *RESTRICT maxima) {
    [[maybe_unused]] const uint32 stream = (uint32)program_operator << 24;
    [[maybe_unused]] const uint32 draw = (uint32)substep << 8;
    FOR_EACH(rank, n) {
        [[maybe_unused]] const int64 i = order[rank];
        [[maybe_unused]] const uint32 voxel = (uint32)box_index[i];
        // GENERATED PROGRAM
    }
}
