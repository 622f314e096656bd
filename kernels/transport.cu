// Diffusion of signals on a graph of control volumes; formulas in tissuesim/backends/numpy/transport.py.
// One thread per voxel and field: rows (n, fields) are then read and written without gaps.
#include "real.cuh"

// coefficient x geometry of face k of voxel i; one region for all where regions == 1.
DEVICE real face(const real *table, int64 regions, int64 fields, const uint8 *region, int64 i, int64 j, int64 s,
                 real geometry) {
    if (regions == 1) return table[s] * geometry;
    return table[(region[i] * regions + region[j]) * fields + s] * geometry;
}

// b + sum_k coefficient geometry_k x_k, left to right.
DEVICE real inflow(const real *x, real b, int64 i, int64 s, int64 fields, int64 regions, const real *table,
                   const uint8 *region, const int32 *neighbors, const real *geometry) {
    real total = b;
#pragma unroll
    for (int k = 0; k < 6; ++k) {
        const int64 j = neighbors[i * 6 + k];
        total = total + face(table, regions, fields, region, i, j, s, geometry[i * 6 + k]) * x[j * fields + s];
    }
    return total;
}

// One Chebyshev sweep: next is x_{k-1} on entry and x_{k+1} on exit.
KERNEL signal_sweep(int64 n, int64 fields, int64 regions, real *RESTRICT next, const real *RESTRICT current,
                    const real *RESTRICT right_hand_side, const real *RESTRICT inverse_diagonal,
                    const real *RESTRICT omega, const real *RESTRICT coefficient, const uint8 *RESTRICT region,
                    const int32 *RESTRICT neighbors, const real *RESTRICT geometry) {
    FOR_EACH(entry, n * fields) {
        const int64 i = entry / fields, s = entry % fields;
        const real total = inflow(current, right_hand_side[entry], i, s, fields, regions, coefficient, region,
                                  neighbors, geometry);
        const real old = next[entry];
        next[entry] = omega[s] * (total * inverse_diagonal[entry] - old) + old;
    }
}

// One explicit step, x_i + sum_k coefficient geometry_k (x_k - x_i).
KERNEL diffuse_explicit(int64 n, int64 fields, int64 regions, real *RESTRICT next, const real *RESTRICT current,
                        const real *RESTRICT coefficient, const uint8 *RESTRICT region,
                        const int32 *RESTRICT neighbors, const real *RESTRICT geometry) {
    FOR_EACH(entry, n * fields) {
        const int64 i = entry / fields, s = entry % fields;
        const real own = current[entry];
        real total = own;
#pragma unroll
        for (int k = 0; k < 6; ++k) {
            const int64 j = neighbors[i * 6 + k];
            const real weight = face(coefficient, regions, fields, region, i, j, s, geometry[i * 6 + k]);
            total = total + weight * (current[j * fields + s] - own);
        }
        next[entry] = total;
    }
}

// 1 + dt loss + sum_k coefficient geometry_k and its inverse.
KERNEL signal_diagonal(int64 n, int64 fields, int64 regions, real *RESTRICT diagonal, real *RESTRICT inverse,
                       const real *RESTRICT loss, real dt, const real *RESTRICT coefficient,
                       const uint8 *RESTRICT region, const int32 *RESTRICT neighbors,
                       const real *RESTRICT geometry) {
    FOR_EACH(entry, n * fields) {
        const int64 i = entry / fields, s = entry % fields;
        real total = REAL(1.0) + dt * loss[entry];
#pragma unroll
        for (int k = 0; k < 6; ++k) {
            const int64 j = neighbors[i * 6 + k];
            total = total + face(coefficient, regions, fields, region, i, j, s, geometry[i * 6 + k]);
        }
        diagonal[entry] = total;
        inverse[entry] = REAL(1.0) / total;
    }
}

// Largest |residual / diagonal| and |x| per signal, as the bits of non-negative numbers (set to 0 before the call):
// these order like the numbers, so the maximum needs no float atomics. Few threads suffice; each goes over many voxels.
KERNEL signal_residual(int64 n, int64 fields, int64 regions, real_bits *RESTRICT largest_residual,
                       real_bits *RESTRICT largest_value, const real *RESTRICT x,
                       const real *RESTRICT right_hand_side, const real *RESTRICT diagonal,
                       const real *RESTRICT inverse_diagonal, const real *RESTRICT coefficient,
                       const uint8 *RESTRICT region, const int32 *RESTRICT neighbors,
                       const real *RESTRICT geometry) {
    for (int64 s = 0; s < fields; ++s) {
        real_bits most_left = 0, most = 0;
        FOR_EACH(i, n) {
            const int64 entry = i * fields + s;
            const real residual = inflow(x, right_hand_side[entry], i, s, fields, regions, coefficient, region,
                                         neighbors, geometry) -
                                  diagonal[entry] * x[entry];
            const real_bits left = bits_of(magnitude(residual * inverse_diagonal[entry]));
            const real_bits size = bits_of(magnitude(x[entry]));
            most_left = left > most_left ? left : most_left;
            most = size > most ? size : most;
        }
        ATOMIC_MAX(&largest_residual[s], most_left);
        ATOMIC_MAX(&largest_value[s], most);
    }
}

// Sum over voxels of residual x volume per signal as fixed point (total set to 0 before the call).
KERNEL signal_audit(int64 n, int64 fields, int64 regions, int64 *RESTRICT total, const real *RESTRICT x,
                    const real *RESTRICT right_hand_side, const real *RESTRICT diagonal,
                    const double *RESTRICT volume, const double *RESTRICT scale,
                    const real *RESTRICT coefficient, const uint8 *RESTRICT region,
                    const int32 *RESTRICT neighbors, const real *RESTRICT geometry) {
    for (int64 s = 0; s < fields; ++s) {
        int64 sum = 0;
        FOR_EACH(i, n) {
            const int64 entry = i * fields + s;
            const real residual = inflow(x, right_hand_side[entry], i, s, fields, regions, coefficient, region,
                                         neighbors, geometry) -
                                  diagonal[entry] * x[entry];
            sum += (int64)FLOOR((double)residual * volume[i] * scale[s] + 0.5);
        }
        ATOMIC_ADD(&total[s], sum);
    }
}

// Negative values and -0 become 0.
KERNEL clip_signals(int64 n, int64 fields, real *x) {
    FOR_EACH(entry, n * fields) {
        if (x[entry] <= REAL(0.0)) x[entry] = REAL(0.0);
    }
}
