// The probability of leaving within a step; formulas in tissuesim/backends/numpy/exits.py.
#pragma once
#include "real.cuh"

struct Exit {
    real survivors, g, phi, psi;
};

// For hazard times step x >= 0: E = about exp(-x), g = 1 - E, phi = g/x, psi = 1 - phi, none by cancellation.
DEVICE Exit exit_probability(real x) {
    const real y = x * REAL(0.0625);
    const real s = y + y * y * REAL(0.5);
    const real whole = s + REAL(1.0);
    Exit e;
    e.survivors = REAL(1.0) / whole;
    e.g = s / whole;
    e.phi = (y * REAL(0.5) + REAL(1.0)) / whole;
    e.psi = (y * REAL(0.5) + y * y * REAL(0.5)) / whole;
    for (int doubling = 0; doubling < 4; ++doubling) {
        e.psi = e.psi + e.phi * e.g * REAL(0.5);
        e.phi = e.phi * (REAL(1.0) - e.g * REAL(0.5));
        e.g = e.g * (REAL(2.0) - e.g);
        e.survivors = e.survivors * e.survivors;
    }
    return e;
}
