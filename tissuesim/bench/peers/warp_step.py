# mypy: ignore-errors
"""The kernel of ``warp_kernels``: Warp reads its text, so that it stands in a file of its own without annotations."""

from typing import Any

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.kernel
def explicit_step(before: wp.array4d(dtype=Any), after: wp.array4d(dtype=Any), face: Any):
    """Write one explicit step of one field in one voxel."""
    s, z, y, x = wp.tid()
    own = before[s, z, y, x]
    last_z, last_y, last_x = before.shape[1] - 1, before.shape[2] - 1, before.shape[3] - 1
    flux = before[s, z, y, wp.max(x - 1, 0)] - own
    flux += before[s, z, y, wp.min(x + 1, last_x)] - own
    flux += before[s, z, wp.max(y - 1, 0), x] - own
    flux += before[s, z, wp.min(y + 1, last_y), x] - own
    flux += before[s, wp.max(z - 1, 0), y, x] - own
    flux += before[s, wp.min(z + 1, last_z), y, x] - own
    after[s, z, y, x] = own + face * flux
