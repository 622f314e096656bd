// Counter-based random numbers and samplers; formulas and reasons in tissuesim/backends/numpy/random.py.
#pragma once
#include "real.cuh"

struct Words {
    uint32 w0, w1, w2, w3;
};

// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC11, 2011).
DEVICE Words philox(uint32 c0, uint32 c1, uint32 c2, uint32 c3, uint32 k0, uint32 k1) {
    for (int round = 0; round < 10; ++round) {
        const uint64 product0 = (uint64)0xD2511F53u * c0;
        const uint64 product1 = (uint64)0xCD9E8D57u * c2;
        c0 = (uint32)(product1 >> 32) ^ c1 ^ k0;
        c1 = (uint32)product1;
        c2 = (uint32)(product0 >> 32) ^ c3 ^ k1;
        c3 = (uint32)product0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    Words words = {c0, c1, c2, c3};
    return words;
}

// 53 random bits in [0, 1).
DEVICE double uniform(uint32 w0, uint32 w1) {
    return ((double)(w0 >> 5) * 67108864.0 + (double)(w1 >> 6)) * 0x1p-53;
}

// (popcount(w0 w1 w2) - 48 + u - 1/2) / sqrt(24 + 1/12)
DEVICE double normal(uint32 w0, uint32 w1, uint32 w2, uint32 w3) {
    const int heads = POPCOUNT(w0) + POPCOUNT(w1) + POPCOUNT(w2);
    const double dither = ((double)w3 + 0.5) * 0x1p-32 - 0.5;
    return ((double)(heads - 48) + dither) / 4.907477288111819;
}

// (1 - p)^n by repeated squaring, of the complement while the base is near 1.
DEVICE double survival_power(double p, int64 n) {
    double g = p;
    double survivors = 1.0 - g;
    double result = 1.0;
    for (int64 left = n; left > 0; left >>= 1) {
        if (left & 1) result = result * survivors;
        if (g <= 0.5) {
            g = g * (2.0 - g);
            survivors = 1.0 - g;
        } else {
            survivors = survivors * survivors;
        }
    }
    return result;
}

// exp(-x) for x >= 0: s = exp(x/1024) - 1 from Taylor, then ten squarings.
DEVICE double exp_neg(double x) {
    const double y = x * 0.0009765625;
    double series = 1.0 + y / 8.0;
    for (int k = 7; k >= 2; --k) series = 1.0 + y / (double)k * series;
    const double s = y * series;
    return survival_power(s / (1.0 + s), 1024);
}

// Binomial(n, p): inversion up to a mean of 30, beyond it a rounded normal with skew.
DEVICE int64 binomial(int64 n, double p, uint32 c0, uint32 c1, uint32 c2, uint32 c3, uint32 k0, uint32 k1) {
    if (n <= 0 || !(p > 0.0)) return 0;
    if (p >= 1.0) return n;
    const Words w = philox(c0, c1, c2, c3, k0, k1);
    const bool mirrored = p > 0.5;
    const double chance = mirrored ? 1.0 - p : p;
    const double mean = (double)n * chance;
    int64 count = 0;
    if (mean <= 30.0) {
        const double u = uniform(w.w0, w.w1);
        if (u < 1.0 - mean) return mirrored ? n : 0;  // (1-p)^n >= 1 - n p
        const int64 last = n < 200 ? n : 200;
        const double odds = chance / (1.0 - chance);
        double term = survival_power(chance, n);
        double cumulated = term;
        while (u >= cumulated && count < last) {
            term = term * (odds * ((double)(n - count) * (1.0 / ((double)count + 1.0))));
            cumulated = cumulated + term;
            ++count;
            if (!(term > 0x1p-64)) break;
        }
    } else {
        const double z = normal(w.w0, w.w1, w.w2, w.w3);
        const double skew = (1.0 - 2.0 * chance) * (z * z - 1.0) / 6.0;
        const double value = FLOOR(mean + SQUARE_ROOT(mean * (1.0 - chance)) * z + skew + 0.5);
        if (!(value > 0.0)) count = 0;
        else if (value < (double)n) count = (int64)value;
        else count = n;
    }
    return mirrored ? n - count : count;
}

// Poisson(mean): inversion up to a mean of 30, beyond it a rounded normal with skew.
DEVICE int64 poisson(double mean, uint32 c0, uint32 c1, uint32 c2, uint32 c3, uint32 k0, uint32 k1) {
    if (!(mean > 0.0)) return 0;
    const Words w = philox(c0, c1, c2, c3, k0, k1);
    int64 count = 0;
    if (mean <= 30.0) {
        const double u = uniform(w.w0, w.w1);
        if (u < 1.0 - mean) return 0;  // exp(-mean) >= 1 - mean
        double term = exp_neg(mean);
        double cumulated = term;
        while (u >= cumulated && count < 200) {
            term = term * (mean * (1.0 / ((double)count + 1.0)));
            cumulated = cumulated + term;
            ++count;
            if (!(term > 0x1p-64)) break;
        }
    } else {
        const double z = normal(w.w0, w.w1, w.w2, w.w3);
        const double value = FLOOR(mean + SQUARE_ROOT(mean) * z + (z * z - 1.0) / 6.0 + 0.5);
        if (value > 0.0) count = (int64)value;
    }
    return count;
}

// One copy of each sampler, called: in line, a program with a hundred draws would compile for a minute.
#ifndef SAMPLER
#define SAMPLER __device__ __noinline__
#endif
SAMPLER int64 draw_binomial(int64 n, double p, uint32 c0, uint32 c1, uint32 c2, uint32 c3, uint32 k0, uint32 k1) {
    return binomial(n, p, c0, c1, c2, c3, k0, k1);
}
SAMPLER int64 draw_poisson(double mean, uint32 c0, uint32 c1, uint32 c2, uint32 c3, uint32 k0, uint32 k1) {
    return poisson(mean, c0, c1, c2, c3, k0, k1);
}
