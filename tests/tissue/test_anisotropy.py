"""Conductances of fibrous tissue against the analytic anisotropic Gaussian."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.errors import InputError
from tissuesim.tissue import Tissue, box_tissue, build_graph
from tissuesim.tissue.anisotropy import anisotropic_conductance

ALONG, ACROSS = 1.0, 0.64  # heart muscle: tortuosity 1.6 along, 2 across, so (1.6 / 2)^2
SIGMA, TIME = 3.0, 20.0  # voxels; so that the spread is resolved and far from the walls


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return the vectors scaled to length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def ragged(seed: int) -> tuple[Tissue, np.ndarray]:
    """Return a tissue with partial voxels and holes, and fibers in all directions."""
    rng = np.random.default_rng(seed)
    fraction = rng.uniform(0, 1, (6, 7, 8)) * (rng.uniform(0, 1, (6, 7, 8)) > 0.3)
    tissue = build_graph("ragged", fraction, np.zeros(fraction.shape, np.uint8), 0.5)
    return tissue, unit(rng.normal(size=(tissue.n, 3)))


def spread(tissue: Tissue, conductance: np.ndarray, time: float) -> np.ndarray:
    """Return a Gaussian of width SIGMA in the middle of a plate after diffusing for ``time``, explicit Euler."""
    offset = tissue.centers() - tissue.centers().mean(axis=0)
    amount = np.exp(-0.5 * np.square(offset[:, :2]).sum(axis=1) / SIGMA**2)
    amount /= amount.sum()
    steps = round(time / 0.1)
    for _ in range(steps):
        flux = (conductance * (amount[tissue.neighbors] - amount[:, None])).sum(axis=1)
        amount = amount + 0.1 * flux / tissue.volume
    return amount


def plate(angle: float) -> tuple[Tissue, np.ndarray, np.ndarray]:
    """Return a plate of 91 x 91 voxels, what spread in it with fibers at an angle (degrees) to x, their direction."""
    tissue = box_tissue((1, 91, 91), 1.0)
    along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0.0])
    fibre = np.tile(along, (tissue.n, 1))
    faces = anisotropic_conductance(tissue.conductance, fibre, tissue.neighbors, ALONG, ACROSS)
    return tissue, spread(tissue, faces, TIME), along


def analytic(tissue: Tissue, along: np.ndarray, time: float) -> np.ndarray:
    """Return the anisotropic Gaussian: variances SIGMA^2 + 2 D t along and across the fibers."""
    offset = (tissue.centers() - tissue.centers().mean(axis=0))[:, :2]
    across = np.array([-along[1], along[0]])
    wide, narrow = SIGMA**2 + 2 * ALONG * time, SIGMA**2 + 2 * ACROSS * time
    exponent = (offset @ along[:2]) ** 2 / wide + (offset @ across) ** 2 / narrow
    return np.asarray(np.exp(-0.5 * exponent) / (2 * np.pi * np.sqrt(wide * narrow)))


def diffusivities(tissue: Tissue, amount: np.ndarray, along: np.ndarray) -> tuple[float, float]:
    """Return the diffusivity along and across the fibers by the growth of the second moments."""
    offset = (tissue.centers() - tissue.centers().mean(axis=0))[:, :2]
    start = spread(tissue, tissue.conductance, 0.0)
    across = np.array([-along[1], along[0]])
    first, second = (
        float(((amount - start) * (offset @ way) ** 2).sum() / (2 * TIME)) for way in (along[:2], across)
    )
    return first, second


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_symmetric_to_the_bit(seed: int) -> None:
    """Claim: a face has the same conductance from both sides; walls stay walls."""
    tissue, fibre = ragged(seed)
    faces = anisotropic_conductance(tissue.conductance, fibre, tissue.neighbors, ALONG, ACROSS)
    own = np.arange(tissue.n)
    for face in range(6):
        there = tissue.neighbors[:, face]
        inner = there != own
        assert np.array_equal(faces[there, face ^ 1][inner], faces[inner, face])
        assert (faces[~inner, face] == 0).all()


@pytest.mark.parametrize(("along", "across"), [(1.0, 0.64), (0.3, 2.0), (1.5, 1.5)])
def test_between_along_and_across(along: float, across: float) -> None:
    """Claim: every factor lies between the two diffusivities, and the mean over the axes is their mean."""
    tissue, fibre = ragged(4)
    faces = anisotropic_conductance(tissue.conductance, fibre, tissue.neighbors, along, across)
    inner = tissue.conductance > 0
    factor = faces[inner] / tissue.conductance[inner]
    assert factor.min() >= min(along, across) * (1 - 1e-12)
    assert factor.max() <= max(along, across) * (1 + 1e-12)
    full = box_tissue((3, 3, 3), 1.0)
    fibre = np.tile(unit(np.array([1.0, 2.0, -3.0])), (full.n, 1))
    faces = anisotropic_conductance(full.conductance, fibre, full.neighbors, along, across)
    middle = faces[np.argmax((full.conductance > 0).sum(axis=1))]
    assert middle[::2].sum() == pytest.approx(along + 2 * across)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_fibers_along_an_axis_are_exact(axis: int) -> None:
    """Claim: faces across the fibers carry ``along``, the others ``across``, to the bit; sign is of no account."""
    tissue = box_tissue((3, 4, 5), 1.0)
    fibre = np.zeros((tissue.n, 3))
    fibre[:, axis] = np.where(np.arange(tissue.n) % 2, 1.0, -1.0)
    faces = anisotropic_conductance(tissue.conductance, fibre, tissue.neighbors, ALONG, ACROSS)
    for face in range(6):
        expected = ALONG if face // 2 == axis else ACROSS
        assert np.array_equal(faces[:, face], expected * tissue.conductance[:, face])


@pytest.mark.parametrize("angle", [0.0, 90.0])
def test_spread_along_an_axis_is_the_analytic_gaussian(angle: float) -> None:
    """Claim: with fibers along x or y both diffusivities are met to 1e-6, the field to 0.5 % of its peak."""
    tissue, amount, along = plate(angle)
    measured = diffusivities(tissue, amount, along)
    assert measured == pytest.approx((ALONG, ACROSS), rel=1e-6)
    exact = analytic(tissue, along, TIME)
    assert np.abs(amount - exact).max() / exact.max() < 0.005


@pytest.mark.parametrize(
    ("angle", "along_error", "across_error", "field_error"),
    [(15.0, -0.045, 0.070, 0.032), (30.0, -0.135, 0.211, 0.056), (45.0, -0.180, 0.281, 0.064)],
)
def test_error_of_oblique_fibers(
    angle: float, along_error: float, across_error: float, field_error: float
) -> None:
    """Claim: dropped off-diagonal terms cost what is written: at 45 degrees -18 %, +28 %, 6.4 % of the peak.

    The error is (along - across) sin^2(2 angle) / 2, taken from one and given to the other; the mean is right.
    """
    tissue, amount, along = plate(angle)
    measured = diffusivities(tissue, amount, along)
    assert measured[0] / ALONG - 1 == pytest.approx(along_error, abs=0.001)
    assert measured[1] / ACROSS - 1 == pytest.approx(across_error, abs=0.001)
    assert sum(measured) == pytest.approx(ALONG + ACROSS, rel=1e-6)
    exact = analytic(tissue, along, TIME)
    assert np.abs(amount - exact).max() / exact.max() == pytest.approx(field_error, abs=0.001)


def test_error_of_fibers_along_the_diagonal_of_a_cube() -> None:
    """Claim: the worst case along the fiber: all directions spread with the mean, -24 % along, +19 % across."""
    tissue = box_tissue((3, 3, 3), 1.0)
    fibre = np.tile(unit(np.ones(3)), (tissue.n, 1))
    faces = anisotropic_conductance(tissue.conductance, fibre, tissue.neighbors, ALONG, ACROSS)
    factor = faces[tissue.conductance > 0]
    assert np.ptp(factor) < 1e-12
    assert factor[0] / ALONG - 1 == pytest.approx(-0.24)
    assert factor[0] / ACROSS - 1 == pytest.approx(0.1875)


def test_bad_input_is_refused() -> None:
    """Claim: a diffusivity that is not positive, a direction that is no unit vector: one sentence each."""
    tissue = box_tissue((2, 2, 2), 1.0)
    fibre = np.tile([0.0, 0.0, 1.0], (tissue.n, 1))
    for along, across in ((0.0, 1.0), (1.0, -1.0), (np.nan, 1.0), (1.0, np.inf)):
        with pytest.raises(InputError, match="must be positive"):
            anisotropic_conductance(tissue.conductance, fibre, tissue.neighbors, along, across)
    for bad in (0.0, np.nan, 0.5):
        wrong = fibre.copy()
        wrong[3, 2] = bad
        with pytest.raises(InputError, match="voxel 3"):
            anisotropic_conductance(tissue.conductance, wrong, tissue.neighbors, 1.0, 1.0)
    with pytest.raises(InputError, match="must be"):
        anisotropic_conductance(tissue.conductance, fibre[1:], tissue.neighbors, 1.0, 1.0)
