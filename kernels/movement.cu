// Movement of cells between neighboring control volumes; formulas in tissuesim/backends/numpy/movement.py.
// One thread per voxel: first what leaves through each face, then every voxel gathers what its neighbors sent.
#include "random.cuh"
#include "sums.cuh"

// Hazard [1/day] of leaving voxel i through face k; a motility below zero closes the face.
DEVICE real movement_hazard(int64 i, int k, int64 n, int64 regions, const real *motility, real chemotaxis,
                            const real *attractant, real half_saturation, const uint8 *region,
                            const int32 *neighbors, const real *geometry) {
    const int64 j = neighbors[AT(i, k)];
    real speed = motility[region[i] * regions + region[j]];
    if (speed < REAL(0.0)) {
        speed = REAL(0.0);
    } else if (chemotaxis != REAL(0.0)) {
        const real u = attractant[i] / half_saturation;
        const real behind = attractant[j] / half_saturation;
        const real mean = REAL(1.0) + (u + behind) * REAL(0.5);
        const real drift = chemotaxis * (behind - u) / (mean * mean);
        if (drift > REAL(0.0)) speed = speed + drift;
    }
    return geometry[AT(i, k)] * speed;
}

// Expected cells that leave through each face in a step.
KERNEL movement_outflow_deterministic(int64 n, int64 regions, real *RESTRICT outflow, const double *RESTRICT cells,
                                      real dt, const real *RESTRICT motility, real chemotaxis,
                                      const real *RESTRICT attractant, real half_saturation,
                                      const uint8 *RESTRICT region, const int32 *RESTRICT neighbors,
                                      const real *RESTRICT geometry) {
    FOR_EACH(i, n) {
#pragma unroll
        for (int k = 0; k < 6; ++k) {
            const real hazard = movement_hazard(i, k, n, regions, motility, chemotaxis, attractant, half_saturation,
                                                region, neighbors, geometry);
            outflow[AT(i, k)] = (real)((double)(dt * hazard) * cells[i]);
        }
    }
}

// Whole cells that leave: a binomial for those that go (channel 0), conditional binomials for the faces (k + 1).
KERNEL movement_outflow_stochastic(int64 n, int64 regions, int32 *RESTRICT outflow, const int32 *RESTRICT cells,
                                   real dt, const real *RESTRICT motility, real chemotaxis,
                                   const real *RESTRICT attractant, real half_saturation,
                                   const uint8 *RESTRICT region, const int32 *RESTRICT neighbors,
                                   const real *RESTRICT geometry, const uint32 *RESTRICT box_index, uint32 word,
                                   uint32 tick, uint32 draw, uint32 k0, uint32 k1) {
    FOR_EACH(i, n) {
        const int64 count = (int64)cells[i];
        real hazard[6], rest[6];
#pragma unroll
        for (int k = 0; k < 6; ++k) {
            hazard[k] = REAL(0.0);
            outflow[AT(i, k)] = 0;
        }
        if (count <= 0) continue;
#pragma unroll
        for (int k = 0; k < 6; ++k)
            hazard[k] = movement_hazard(i, k, n, regions, motility, chemotaxis, attractant, half_saturation, region,
                                        neighbors, geometry);
        real total = hazard[0];
#pragma unroll
        for (int k = 1; k < 6; ++k) total = total + hazard[k];
        const double leave = (double)(dt * total);
        const uint32 box = box_index[i];
        int64 left = draw_binomial(count, leave, box, word, tick, draw, k0, k1);
        if (left == 0) continue;
        rest[5] = hazard[5];
#pragma unroll
        for (int k = 4; k >= 0; --k) rest[k] = hazard[k] + rest[k + 1];
#pragma unroll
        for (int k = 0; k < 6; ++k) {
            if (hazard[k] > REAL(0.0)) {
                const double share = (double)hazard[k] / (double)rest[k];
                const int64 through = draw_binomial(left, share, box, word | (uint32)(k + 1), tick, draw, k0, k1);
                outflow[AT(i, k)] = (int32)through;
                left -= through;
            }
        }
    }
}

// m - sum_k outflow_k + sum_k what the neighbors sent through the opposite face, left to right.
template <typename Cells, typename Outflow>
DEVICE Cells gathered(int64 i, int64 n, Cells total, const Outflow *outflow, const int32 *neighbors) {
#pragma unroll
    for (int k = 0; k < 6; ++k) total = total - outflow[AT(i, k)];
#pragma unroll
    for (int k = 0; k < 6; ++k) {
        const int64 j = neighbors[AT(i, k)];
        if (j != i) total = total + outflow[AT(j, k ^ 1)];
    }
    return total;
}

KERNEL movement_gather_deterministic(int64 n, double *RESTRICT cells, const real *RESTRICT outflow,
                                     const int32 *RESTRICT neighbors) {
    FOR_EACH(i, n) cells[i] = gathered(i, n, cells[i], outflow, neighbors);
}

KERNEL movement_gather_stochastic(int64 n, int32 *RESTRICT cells, const int32 *RESTRICT outflow,
                                  const int32 *RESTRICT neighbors) {
    FOR_EACH(i, n) cells[i] = (int32)gathered(i, n, (int64)cells[i], outflow, neighbors);
}

// The largest hazard of leaving a voxel, per block of 256 voxels.
KERNEL largest_movement_hazard(int64 n, int64 regions, double *RESTRICT partial, const real *RESTRICT motility,
                               real chemotaxis, const real *RESTRICT attractant, real half_saturation,
                               const uint8 *RESTRICT region, const int32 *RESTRICT neighbors,
                               const real *RESTRICT geometry) {
    SHARED Shelf shelf;
    FOR_EACH_BLOCK(block, (n + BLOCK - 1) / BLOCK) {
        PRIVATE(double, leaving, 1);
        FOR_EACH_THREAD(thread) {
            const int64 i = block * BLOCK + thread;
            real total = REAL(0.0);
            if (i < n) {
#pragma unroll
                for (int k = 0; k < 6; ++k) {
                    const real hazard = movement_hazard(i, k, n, regions, motility, chemotaxis, attractant,
                                                        half_saturation, region, neighbors, geometry);
                    total = k == 0 ? hazard : total + hazard;
                }
            }
            OF_THREAD(leaving, 0, thread) = (double)total;
        }
        reduce_block<1>(
            shelf, 0, [&](int, int thread) { (void)thread; return OF_THREAD(leaving, 0, thread); },
            [&](int) { return block; }, partial);
    }
}
