"""Face conductances of a tissue whose fibers let molecules through more easily along than across."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

_FACE_AXIS = (0, 0, 1, 1, 2, 2)  # x, y or z, of -x +x -y +y -z +z
_UNIT_TOLERANCE = 1e-4  # of the squared length: directions are rounded to six decimals


def anisotropic_conductance(
    conductance: NDArray[np.float64],
    fibre: NDArray[np.float64],
    neighbors: NDArray[np.int32],
    along: float,
    across: float,
    only: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return (n, 6) conductances times n.D.n, the mean of both voxels, in the order -x +x -y +y -z +z.

    D = across I + (along - across) f f^T, so a face with normal e has e.D.e = along (f.e)^2 + across
    (1 - (f.e)^2). ``fibre`` (n, 3) are unit vectors f with components x, y, z; ``along`` and ``across`` are
    diffusivities relative to the one that the conductance will be multiplied with (dimensionless, positive).
    Voxels outside of ``only`` (n,) have no fibers: their factor is 1.

    A two-point flux has no place for the off-diagonal part of D. Fibers along an axis have none and are exact.
    Oblique ones spread less along and more across than they should: at an angle a to one of two axes by (along -
    across) sin^2(2 a) / 2. For 1 to 0.64 (heart muscle) and 45 degrees that is -18 % along, +28 % across, the most
    there is, and up to 6.4 % of the peak of a Gaussian; along the diagonal of a cube -24 % along, the most there is,
    and +19 % across (tests measure it). The mean over all directions is right, and the matrix stays symmetric and
    an M-matrix, which full tensors on a regular lattice do not grant.

    Raises InputError if a diffusivity is not positive or a fiber is no unit vector.
    """
    for name, value in (("along", along), ("across", across)):
        if not (np.isfinite(value) and value > 0):
            raise InputError(f"diffusivity {name} fibers is {value}; it must be positive and finite")
    if fibre.shape != (len(conductance), 3):
        raise InputError(f"fiber directions are {fibre.shape}; they must be ({len(conductance)}, 3)")
    squares = np.square(fibre.astype(np.float64))
    lengths = squares.sum(axis=1)
    wrong = ~(np.abs(lengths - 1) <= _UNIT_TOLERANCE)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise InputError(
            f"{int(wrong.sum())} fiber directions are no unit vectors, the first in voxel {first} "
            f"(length {np.sqrt(lengths[first]):.4g})"
        )
    factor = (along * squares + across * (1.0 - squares))[:, _FACE_AXIS]
    if only is not None:
        factor = np.where(only[:, None], factor, 1.0)
    there = np.stack([factor[neighbors[:, face], face] for face in range(6)], axis=1)
    return np.asarray(conductance * (0.5 * (factor + there)))
