// Partial sums of blocks joined to partial sums of blocks of blocks, and the sums of plain columns.
#include "sums.cuh"

// (rows, count) to (rows, ceil(count / 256)); the first `added` rows are sums, the others maxima.
KERNEL join_partials(int64 rows, int64 count, int64 added, const double *RESTRICT partial, double *RESTRICT joint) {
    SHARED Shelf shelf;
    const int64 blocks = (count + BLOCK - 1) / BLOCK;
    FOR_EACH_BLOCK(item, rows * blocks) {
        const int64 row = item / blocks, first = item % blocks * BLOCK;
        reduce_block<1>(
            shelf, row < added ? 1 : 0,
            [&](int, int thread) { return first + thread < count ? partial[row * count + first + thread] : 0.0; },
            [&](int) { return item; }, joint);
    }
}

// Per column: sum, sum weighted with volume, max(-x, 0), max(x, 0); four rows of partials each.
template <typename Number>
DEVICE void facts_of_columns(int64 n, int64 columns, const Number *values, const real *volume, double *partial) {
    SHARED Shelf shelf;
    const int64 blocks = (n + BLOCK - 1) / BLOCK;
    FOR_EACH_BLOCK(item, columns * blocks) {
        const int64 column = item / blocks, block = item % blocks;
        reduce_block<4>(
            shelf, 2,
            [&](int row, int thread) {
                const int64 i = block * BLOCK + thread;
                if (i >= n) return 0.0;
                const double value = (double)values[AT(i, column)];
                if (row == 1) return (double)volume[i] * value;
                return row == 2 ? -value : value;
            },
            [&](int row) { return (row * columns + column) * blocks + block; }, partial);
    }
}

KERNEL column_facts_of_fields(int64 n, int64 columns, const real *RESTRICT values, const real *RESTRICT volume,
                              double *RESTRICT partial) {
    facts_of_columns(n, columns, values, volume, partial);
}

KERNEL column_facts_of_cells(int64 n, int64 columns, const cell_count *RESTRICT values,
                             const real *RESTRICT volume, double *RESTRICT partial) {
    facts_of_columns(n, columns, values, volume, partial);
}
