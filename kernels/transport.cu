// Diffusion of signals on a graph of control volumes; formulas in tissuesim/backends/numpy/transport.py.
// One thread per voxel and group of fields: neighbors and geometry are read once for all fields of the group.
#include "real.cuh"

// The six faces of a voxel: neighbor, geometry, and row of the coefficient table (0 with one region for all).
struct Faces {
    int32 neighbor[6];
    real geometry[6];
    int32 pair[6];
};

DEVICE Faces faces_of(int64 i, int64 n, int64 fields, int64 regions, const uint8 *region, const int32 *neighbors,
                      const real *geometry) {
    Faces face;
#pragma unroll
    for (int k = 0; k < 6; ++k) {
        face.neighbor[k] = neighbors[AT(i, k)];
        face.geometry[k] = geometry[AT(i, k)];
    }
#pragma unroll
    for (int k = 0; k < 6; ++k)
        face.pair[k] = regions == 1 ? 0 : (int32)((region[i] * regions + region[face.neighbor[k]]) * fields);
    return face;
}

// Two fields at a time keep enough loads on their way; four need so many registers that some spill.
#define FOR_EACH_FIELD(s)                                                                                             \
    FOR_EACH_GROUP(group, (fields + per_thread - 1) / per_thread)                                                     \
    _Pragma("unroll 2") for (int64 s = group * per_thread; s < (group + 1) * per_thread && s < fields; ++s)

// One Chebyshev sweep: next is x_{k-1} on entry and x_{k+1} on exit.
KERNEL signal_sweep(int64 n, int64 fields, int64 regions, int64 per_thread, real *RESTRICT next,
                    const real *RESTRICT current, const real *RESTRICT right_hand_side,
                    const real *RESTRICT diagonal, const real *RESTRICT omega, const real *RESTRICT coefficient,
                    const uint8 *RESTRICT region, const int32 *RESTRICT neighbors, const real *RESTRICT geometry) {
    FOR_EACH(i, n) {
        const Faces face = faces_of(i, n, fields, regions, region, neighbors, geometry);
        FOR_EACH_FIELD(s) {
            const real *x = current + AT(0, s);
            real total = right_hand_side[AT(i, s)];
#pragma unroll
            for (int k = 0; k < 6; ++k)
                total = total + (coefficient[face.pair[k] + s] * face.geometry[k]) * x[face.neighbor[k]];
            const real old = next[AT(i, s)];
            next[AT(i, s)] = omega[s] * (total / diagonal[AT(i, s)] - old) + old;
        }
    }
}

// One explicit step, x_i + sum_k coefficient geometry_k (x_k - x_i).
KERNEL diffuse_explicit(int64 n, int64 fields, int64 regions, int64 per_thread, real *RESTRICT next,
                        const real *RESTRICT current, const real *RESTRICT coefficient,
                        const uint8 *RESTRICT region, const int32 *RESTRICT neighbors,
                        const real *RESTRICT geometry) {
    FOR_EACH(i, n) {
        const Faces face = faces_of(i, n, fields, regions, region, neighbors, geometry);
        FOR_EACH_FIELD(s) {
            const real *x = current + AT(0, s);
            const real own = x[i];
            real total = own;
#pragma unroll
            for (int k = 0; k < 6; ++k)
                total = total + (coefficient[face.pair[k] + s] * face.geometry[k]) * (x[face.neighbor[k]] - own);
            next[AT(i, s)] = total;
        }
    }
}

// The loss in diagonal becomes 1 + dt loss + sum_k coefficient geometry_k.
KERNEL signal_diagonal(int64 n, int64 fields, int64 regions, int64 per_thread, real *RESTRICT diagonal, real dt,
                       const real *RESTRICT coefficient, const uint8 *RESTRICT region,
                       const int32 *RESTRICT neighbors, const real *RESTRICT geometry) {
    FOR_EACH(i, n) {
        const Faces face = faces_of(i, n, fields, regions, region, neighbors, geometry);
        FOR_EACH_FIELD(s) {
            real total = REAL(1.0) + dt * diagonal[AT(i, s)];
#pragma unroll
            for (int k = 0; k < 6; ++k) total = total + coefficient[face.pair[k] + s] * face.geometry[k];
            diagonal[AT(i, s)] = total;
        }
    }
}

// Negative and faint values become 0; NaN stays to be found.
KERNEL clip_signals(int64 count, real *values) {
    FOR_EACH(entry, count) {
        if (values[entry] < REAL(FAINT)) values[entry] = REAL(0.0);
    }
}
