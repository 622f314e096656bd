// Movement of cells between neighboring control volumes; formulas in tissuesim/backends/numpy/movement.py.
// One thread per voxel. Cells sit in rows of real numbers; whole ones are exact to 2^24 in float32.
#include "random.cuh"
#include "real.cuh"

// Hazard [1/day] of leaving voxel i through face k.
DEVICE real movement_hazard(int64 i, int k, int64 regions, int64 fields, const real *motility, real chemotaxis,
                            const real *signals, int64 attractant, real half_saturation, const uint8 *region,
                            const int32 *neighbors, const real *geometry) {
    const int64 j = neighbors[i * 6 + k];
    real speed = motility[region[i] * regions + region[j]];
    if (chemotaxis != REAL(0.0)) {
        const real u = signals[i * fields + attractant] / half_saturation;
        const real behind = signals[j * fields + attractant] / half_saturation;
        const real mean = REAL(1.0) + (u + behind) * REAL(0.5);
        const real drift = chemotaxis * (behind - u) / (mean * mean);
        if (drift > REAL(0.0)) speed = speed + drift;
    }
    return geometry[i * 6 + k] * speed;
}

// Cells that leave through each face in a step.
KERNEL movement_outflow_deterministic(int64 n, int64 types, int64 fields, int64 regions, real *RESTRICT outflow,
                                      const real *RESTRICT cells, int64 column, real dt,
                                      const real *RESTRICT motility, real chemotaxis,
                                      const real *RESTRICT signals, int64 attractant, real half_saturation,
                                      const uint8 *RESTRICT region, const int32 *RESTRICT neighbors,
                                      const real *RESTRICT geometry) {
    FOR_EACH(i, n) {
#pragma unroll
        for (int k = 0; k < 6; ++k) {
            const real hazard = movement_hazard(i, k, regions, fields, motility, chemotaxis, signals, attractant,
                                                half_saturation, region, neighbors, geometry);
            outflow[i * 6 + k] = dt * hazard * cells[i * types + column];
        }
    }
}

// Whole cells that leave: a binomial for those that go (channel 0), conditional binomials for the faces (k + 1).
KERNEL movement_outflow_stochastic(int64 n, int64 types, int64 fields, int64 regions, int32 *RESTRICT outflow,
                                   const real *RESTRICT cells, int64 column, real dt,
                                   const real *RESTRICT motility, real chemotaxis,
                                   const real *RESTRICT signals, int64 attractant, real half_saturation,
                                   const uint8 *RESTRICT region, const int32 *RESTRICT neighbors,
                                   const real *RESTRICT geometry, const int64 *RESTRICT box_index, uint32 word,
                                   uint32 tick, uint32 draw, uint32 k0, uint32 k1) {
    FOR_EACH(i, n) {
        const int64 count = (int64)cells[i * types + column];
        real hazard[6], rest[6];
#pragma unroll
        for (int k = 0; k < 6; ++k) {
            hazard[k] = REAL(0.0);
            outflow[i * 6 + k] = 0;
        }
        if (count <= 0) continue;
#pragma unroll
        for (int k = 0; k < 6; ++k)
            hazard[k] = movement_hazard(i, k, regions, fields, motility, chemotaxis, signals, attractant,
                                        half_saturation, region, neighbors, geometry);
        real total = hazard[0];
#pragma unroll
        for (int k = 1; k < 6; ++k) total = total + hazard[k];
        const double leave = (double)(dt * total);
        const uint32 box = (uint32)box_index[i];
        int64 left = binomial(count, leave, box, word, tick, draw, k0, k1);
        if (left == 0) continue;
        rest[5] = hazard[5];
#pragma unroll
        for (int k = 4; k >= 0; --k) rest[k] = hazard[k] + rest[k + 1];
#pragma unroll
        for (int k = 0; k < 6; ++k) {
            if (hazard[k] > REAL(0.0)) {
                const double share = (double)hazard[k] / (double)rest[k];
                const int64 through = binomial(left, share, box, word | (uint32)(k + 1), tick, draw, k0, k1);
                outflow[i * 6 + k] = (int32)through;
                left -= through;
            }
        }
    }
}

// m - sum_k outflow_k + sum_k what the neighbors sent through the opposite face, left to right.
KERNEL movement_gather(int64 n, int64 types, real *RESTRICT cells, int64 column, const real *RESTRICT outflow,
                       const int32 *RESTRICT neighbors) {
    FOR_EACH(i, n) {
        real total = cells[i * types + column];
#pragma unroll
        for (int k = 0; k < 6; ++k) total = total - outflow[i * 6 + k];
#pragma unroll
        for (int k = 0; k < 6; ++k) {
            const int64 j = neighbors[i * 6 + k];
            if (j != i) total = total + outflow[j * 6 + (k ^ 1)];
        }
        cells[i * types + column] = total;
    }
}

// The same for whole cells, exactly.
KERNEL movement_gather_counts(int64 n, int64 types, real *RESTRICT cells, int64 column,
                              const int32 *RESTRICT outflow, const int32 *RESTRICT neighbors) {
    FOR_EACH(i, n) {
        int64 total = (int64)cells[i * types + column];
#pragma unroll
        for (int k = 0; k < 6; ++k) total = total - outflow[i * 6 + k];
#pragma unroll
        for (int k = 0; k < 6; ++k) {
            const int64 j = neighbors[i * 6 + k];
            if (j != i) total = total + outflow[j * 6 + (k ^ 1)];
        }
        cells[i * types + column] = (real)total;
    }
}

// The largest hazard of leaving a voxel, as the bits of a non-negative number (set to 0 before the call).
KERNEL largest_movement_hazard(int64 n, int64 fields, int64 regions, real_bits *RESTRICT largest,
                               const real *RESTRICT motility, real chemotaxis, const real *RESTRICT signals,
                               int64 attractant, real half_saturation, const uint8 *RESTRICT region,
                               const int32 *RESTRICT neighbors, const real *RESTRICT geometry) {
    real_bits most = 0;
    FOR_EACH(i, n) {
        real total = REAL(0.0);
#pragma unroll
        for (int k = 0; k < 6; ++k) {
            const real hazard = movement_hazard(i, k, regions, fields, motility, chemotaxis, signals, attractant,
                                                half_saturation, region, neighbors, geometry);
            total = k == 0 ? hazard : total + hazard;
        }
        const real_bits bits = bits_of(magnitude(total));
        most = bits > most ? bits : most;
    }
    ATOMIC_MAX(largest, most);
}
