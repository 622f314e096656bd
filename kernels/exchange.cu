// Arrivals from the blood placed in voxels; the binary tree of tissuesim/backends/numpy/exchange.py, eight levels at a
// time. Only every eighth level of sums is kept: a block of 256 children adds up the seven between them again.
#include "random.cuh"

// Sums of the pairs of pairs of ... of 256 children: tree[1] is their sum, tree[256 + k] child k.
DEVICE void build_tree(double *tree, int64 first, int64 count, const double *children) {
    FOR_EACH_THREAD(thread) tree[BLOCK + thread] = first + thread < count ? children[first + thread] : 0.0;
    BARRIER;
    for (int width = BLOCK / 2; width > 0; width /= 2) {
        FOR_EACH_THREAD(thread) {
            if (thread < width) tree[width + thread] = tree[2 * (width + thread)] + tree[2 * (width + thread) + 1];
        }
        BARRIER;
    }
}

// (rows, count) to (rows, ceil(count / 256)).
KERNEL add_pairs(int64 rows, int64 count, const double *RESTRICT children, double *RESTRICT parents) {
    SHARED double tree[2 * BLOCK];
    const int64 blocks = (count + BLOCK - 1) / BLOCK;
    FOR_EACH_BLOCK(item, rows * blocks) {
        build_tree(tree, item % blocks * BLOCK, count, children + item / blocks * count);
        FOR_EACH_THREAD(thread) {
            if (thread == 0) parents[item] = tree[1];
        }
        BARRIER;
    }
}

// What arrives at each parent divided among its 256 children. A node is known to the random generator by its number in
// the whole tree: its place in its level, behind the leading 1 of `leaves >> height`. `height` is that of the parents.
DEVICE void divide(int64 *number, const double *tree, int64 parent, int64 leaves, int height, uint32 stream,
                   uint32 tick, uint32 k0, uint32 k1) {
    for (int depth = 0; depth < 8; ++depth) {
        FOR_EACH_THREAD(thread) {
            if (thread < 1 << depth) {
                const int node = (1 << depth) + thread;
                const int64 held = number[node];
                int64 left = 0;
                if (held > 0) {
                    const double share = tree[node] > 0.0 ? tree[2 * node] / tree[node] : 0.0;
                    const int64 name = (leaves >> (height - depth)) + (parent << depth) + thread;
                    left = draw_binomial(held, share, (uint32)name, stream, tick, 0, k0, k1);
                }
                number[2 * node] = left;
                number[2 * node + 1] = held - left;
            }
        }
        BARRIER;
    }
}

KERNEL place_counts(int64 count, int64 leaves, int64 height, const double *RESTRICT children,
                    const int64 *RESTRICT arriving, int64 *RESTRICT placed, uint32 stream, uint32 tick, uint32 k0,
                    uint32 k1) {
    SHARED double tree[2 * BLOCK];
    SHARED int64 number[2 * BLOCK];
    FOR_EACH_BLOCK(parent, (count + BLOCK - 1) / BLOCK) {
        if (arriving[parent] == 0) {
            FOR_EACH_THREAD(thread) {
                if (parent * BLOCK + thread < count) placed[parent * BLOCK + thread] = 0;
            }
            continue;
        }
        FOR_EACH_THREAD(thread) {
            if (thread == 0) number[1] = arriving[parent];
        }
        build_tree(tree, parent * BLOCK, count, children);
        divide(number, tree, parent, leaves, (int)height, stream, tick, k0, k1);
        FOR_EACH_THREAD(thread) {
            if (parent * BLOCK + thread < count) placed[parent * BLOCK + thread] = number[BLOCK + thread];
        }
        BARRIER;
    }
}

// The last level: children are voxels.
KERNEL enter_counts(int64 n, int64 leaves, const double *RESTRICT weights, const int64 *RESTRICT arriving,
                    int32 *RESTRICT cells, uint32 stream, uint32 tick, uint32 k0, uint32 k1) {
    SHARED double tree[2 * BLOCK];
    SHARED int64 number[2 * BLOCK];
    FOR_EACH_BLOCK(parent, (n + BLOCK - 1) / BLOCK) {
        if (arriving[parent] == 0) continue;
        FOR_EACH_THREAD(thread) {
            if (thread == 0) number[1] = arriving[parent];
        }
        build_tree(tree, parent * BLOCK, n, weights);
        divide(number, tree, parent, leaves, 8, stream, tick, k0, k1);
        FOR_EACH_THREAD(thread) {
            const int64 i = parent * BLOCK + thread;
            if (i < n) cells[i] = (int32)(cells[i] + number[BLOCK + thread]);
        }
        BARRIER;
    }
}

// An expected amount shared out in proportion to the weights.
KERNEL enter_amounts(int64 n, const double *RESTRICT weights, const double *RESTRICT root, double amount,
                     double *RESTRICT cells) {
    FOR_EACH(i, n) {
        if (root[0] > 0.0) cells[i] = cells[i] + weights[i] / root[0] * amount;
    }
}
