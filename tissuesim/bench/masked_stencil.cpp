// One explicit diffusion step on a box of which a mask says what is tissue, as one writes it by hand with OpenMP.
// Two layouts: fields side by side in each voxel (rows), and each field a box of its own (planes).
#include <cstdint>

#if defined(REAL_IS_FLOAT64)
typedef double real;
#else
typedef float real;
#endif

#ifndef FIELDS
#define FIELDS 16
#endif

extern "C" void rows_step(real* __restrict after, const real* __restrict before, const uint8_t* __restrict mask,
                          const real* __restrict face, int64_t side) {
    const int64_t plane = side * side;
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t z = 0; z < side; ++z)
        for (int64_t y = 0; y < side; ++y)
            for (int64_t x = 0; x < side; ++x) {
                const int64_t i = (z * side + y) * side + x;
                if (!mask[i]) continue;
                // a face to a voxel that is not tissue, or to none, leads back to the voxel itself: a closed wall
                const int64_t west = x > 0 && mask[i - 1] ? i - 1 : i, east = x + 1 < side && mask[i + 1] ? i + 1 : i;
                const int64_t south = y > 0 && mask[i - side] ? i - side : i;
                const int64_t north = y + 1 < side && mask[i + side] ? i + side : i;
                const int64_t below = z > 0 && mask[i - plane] ? i - plane : i;
                const int64_t above = z + 1 < side && mask[i + plane] ? i + plane : i;
#pragma omp simd
                for (int s = 0; s < FIELDS; ++s) {
                    const real own = before[i * FIELDS + s];
                    real total = own;
                    total += face[s] * (before[west * FIELDS + s] - own);
                    total += face[s] * (before[east * FIELDS + s] - own);
                    total += face[s] * (before[south * FIELDS + s] - own);
                    total += face[s] * (before[north * FIELDS + s] - own);
                    total += face[s] * (before[below * FIELDS + s] - own);
                    total += face[s] * (before[above * FIELDS + s] - own);
                    after[i * FIELDS + s] = total;
                }
            }
}

// Arrays here have a margin of one empty voxel on every side: side counts it.
extern "C" void planes_step(real* __restrict after, const real* __restrict before, const real* __restrict mask,
                            const real* __restrict face, int64_t side) {
    const int64_t plane = side * side, box = plane * side;
#pragma omp parallel for collapse(2) schedule(static)
    for (int s = 0; s < FIELDS; ++s)
        for (int64_t z = 1; z < side - 1; ++z)
            for (int64_t y = 1; y < side - 1; ++y) {
                const int64_t row = (z * side + y) * side;
                const real* u = before + s * box + row;
                const real* m = mask + row;
                real* v = after + s * box + row;
                const real c = face[s];
#pragma omp simd
                for (int64_t x = 1; x < side - 1; ++x) {
                    const real own = u[x];
                    real total = own;
                    total += c * m[x - 1] * (u[x - 1] - own);
                    total += c * m[x + 1] * (u[x + 1] - own);
                    total += c * m[x - side] * (u[x - side] - own);
                    total += c * m[x + side] * (u[x + side] - own);
                    total += c * m[x - plane] * (u[x - plane] - own);
                    total += c * m[x + plane] * (u[x + plane] - own);
                    v[x] = m[x] * total;
                }
            }
}
