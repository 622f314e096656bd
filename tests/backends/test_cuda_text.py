"""The CUDA texts compile without a GPU, round like the CPU and keep their numbers in registers."""

from __future__ import annotations

import numpy as np
import pytest
from emulation.host import library_path

from tissuesim.backends.cuda.compile import ARCHITECTURES, compile_cuda, nvrtc_path
from tissuesim.backends.kernel_source import paste_includes, read_kernel

needs_nvrtc = pytest.mark.skipif(
    nvrtc_path() is None, reason="NVRTC is not installed (pip install nvidia-cuda-nvrtc-cu12)"
)
KERNELS = {
    "transport.cu": {"signal_sweep", "signal_diagonal", "clip_signals", "diffuse_explicit"},
    "movement.cu": {
        "movement_outflow_deterministic",
        "movement_outflow_stochastic",
        "movement_gather_deterministic",
        "movement_gather_stochastic",
        "largest_movement_hazard",
    },
    "exchange.cu": {"add_pairs", "place_counts", "enter_counts", "enter_amounts"},
    "sums.cu": {"join_partials", "column_facts_of_fields", "column_facts_of_cells"},
    "ledger.cu": {"signal_ledger"},
}
DRAW = """
#include "random.cuh"
#include "exits.cuh"
KERNEL draw(int64 n, const int64 *m, const real *x, int64 *out) {
    FOR_EACH(i, n) {
        const double p = exit_probability(x[i]).g;
        out[i] = binomial(m[i], p, i, 0, 0, 0, 1, 2) + poisson(p, i, 0, 0, 0, 1, 2);
    }
}
"""


@needs_nvrtc
@pytest.mark.parametrize("real", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", KERNELS)
def test_kernels_compile(name: str, architecture: str, real: type) -> None:
    """Claim: every kernel compiles for A100 and H100 without fused operations and without spills."""
    compiled = compile_cuda(read_kernel(name), real, architecture, name)
    for kernel in KERNELS[name]:
        assert f".entry {kernel}(" in compiled.ptx
    assert compiled.ptx.count(".entry ") == len(KERNELS[name])
    assert compiled.fused_operations() == ()
    assert compiled.spilled_bytes() == 0
    assert ".local " not in compiled.ptx
    assert compiled.cubin.startswith(b"\x7fELF")


@needs_nvrtc
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_samplers_compile(architecture: str) -> None:
    """Claim: samplers and exit probabilities compile in a generated kernel, IEEE and in registers."""
    compiled = compile_cuda(DRAW, np.float32, architecture)
    assert compiled.fused_operations() == ()
    assert compiled.spilled_bytes() == 0


@needs_nvrtc
def test_fused_operations_are_found() -> None:
    """Claim: the search for fused operations sees one where there is one."""
    text = '#include "real.cuh"\nKERNEL fused(real *x) { x[0] = fmaf(x[0], x[1], x[2]); }'
    assert compile_cuda(text, np.float32).fused_operations() != ()
    plain = '#include "real.cuh"\nKERNEL plain(real *x) { x[0] = x[0] * x[1] + x[2]; }'
    assert compile_cuda(plain, np.float32).fused_operations() == ()


@needs_nvrtc
def test_cuda_errors_name_the_line() -> None:
    """Claim: a mistake is told with the file and line of the text that holds it."""
    with pytest.raises(RuntimeError, match=r"mine\.cu\(3\).*undefined_name"):
        compile_cuda(
            '#include "random.cuh"\n\nKERNEL wrong(real *x) { x[0] = undefined_name; }',
            np.float32,
            name="mine.cu",
        )


def test_host_errors_name_the_line() -> None:
    """Claim: g++ tells the same mistake with the same line."""
    with pytest.raises(RuntimeError, match=r"generated\.cu:3:.*undefined_name"):
        library_path('#include "random.cuh"\n\nKERNEL wrong(real *x) { x[0] = undefined_name; }', np.float32)


def test_includes_are_pasted_once() -> None:
    """Claim: a header included along two ways appears once, and no include of ours is left."""
    text = paste_includes('#include "exits.cuh"\n#include "random.cuh"\n#include "real.cuh"\n')
    assert text.count("typedef long long int64;") == 1
    assert text.count("DEVICE Words philox(") == 1
    assert '#include "' not in text
