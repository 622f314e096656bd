"""Diffusion in a round organ made of voxels, with partial volumes at its surface, converges."""

from __future__ import annotations

import numpy as np

from tissuesim.verification.diffusion import ball, signal_model, steady


def test_order_on_a_voxelized_ball() -> None:
    """Claim: c = 6 + cos(pi r^2), flat at the surface, is met with order above 1 in the max norm and near 2 in volume.

    The steady state of D = 0.1 mm^2/day, loss 1/day and the source that belongs to it.
    """
    errors = []
    for cells in (12, 24, 48):
        tissue = ball(cells)
        square = ((tissue.centers() - 1.1) ** 2).sum(axis=1)
        wave, slope = np.cos(np.pi * square), np.sin(np.pi * square)
        source = 6.0 + wave + 0.1 * (6 * np.pi * slope + 4 * np.pi**2 * square * wave)
        model = signal_model({"diffusivity": "0.1 mm^2/day", "loss": "1 1/day"})
        error = steady(model, tissue, source).signal("signal") - 6.0 - wave
        weight = tissue.volume / tissue.volume.sum()
        errors.append([np.abs(error).max(), abs(weight @ error), np.sqrt(weight @ error**2)])
        tissue.maps.pop("production")  # the ball is shared
    greatest, mean, root = np.log2(np.array(errors[:-1]) / errors[1:]).T
    assert np.all(greatest > 1.0), greatest
    assert mean[-1] > 1.8 and np.all(root > 1.8), (mean, root)
