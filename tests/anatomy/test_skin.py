"""The built-in patch of skin against anatomy's numbers."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tissuesim.anatomy.lattice import Lattice
from tissuesim.anatomy.organ import Organ, make_atlas
from tissuesim.anatomy.skin import EPIDERMIS, FOLLICLE, HYPODERMIS, REGIONS, skin
from tissuesim.anatomy.voxelize import voxelize
from tissuesim.errors import InputError


@cache
def patch() -> Organ:
    """Return the default patch."""
    return skin()


def column(organ: Organ, x: float, y: float, spacing: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    """Return heights and regions inside the skin along a needle at (x, y)."""
    lattice = Lattice(spacing, (x - spacing / 2, y - spacing / 2, -4.0), (round(4.2 / spacing), 1, 1))
    inside = organ.inside(lattice).ravel()
    region = organ.region_at(lattice, np.zeros(lattice.shape)).ravel()
    return lattice.axes()[0].ravel()[inside], region[inside]


def shares(organ: Organ, spacing: float) -> dict[str, float]:
    """Return the share of each region by points ``spacing`` mm apart."""
    lattice = Lattice.covering(organ.lower, organ.upper, spacing)
    count: np.ndarray = np.zeros(len(REGIONS))
    for _, slab in lattice.slabs():
        count += np.bincount(
            organ.region_at(slab, np.zeros(slab.shape))[organ.inside(slab)], minlength=len(REGIONS)
        )
    return dict(zip(REGIONS, count / count.sum(), strict=True))


def test_volume_is_20_by_20_by_4_mm() -> None:
    """Claim: 1.6 mL within 1 %, and voxels of 0.5 and 0.25 mm hold it within 1 %."""
    reference = float(str(patch().report["reference_volume_ml"]))
    assert reference == pytest.approx(1.6, rel=0.01)
    for spacing in (0.5, 0.25):
        sampled = voxelize(patch(), make_atlas(patch()), spacing)
        assert sampled.fraction.sum() * spacing**3 / 1000 == pytest.approx(reference, rel=0.01)


def test_shares_are_those_of_trunk_skin() -> None:
    """Claim: epidermis 0.08 of 4 mm, papillary dermis to 0.35 mm, dermis to 1.9 mm, follicles 0.5-3 %."""
    found = shares(patch(), 0.05)
    assert found["epidermis"] == pytest.approx(0.08 / 4, rel=0.10)
    assert found["papillary_dermis"] == pytest.approx(0.27 / 4, rel=0.15)
    assert found["reticular_dermis"] == pytest.approx(1.55 / 4, rel=0.05)
    assert found["hypodermis"] == pytest.approx(2.1 / 4, rel=0.05)
    assert 0.005 < found["follicle"] < 0.03


def test_shares_do_not_depend_on_spacing() -> None:
    """Claim: points 0.05 and 0.03 mm apart give every region the same share within a twentieth."""
    coarse, fine = shares(skin(size=6), 0.05), shares(skin(size=6), 0.03)
    for name in REGIONS:
        assert coarse[name] == pytest.approx(fine[name], rel=0.05)


def test_layers_follow_each_other() -> None:
    """Claim: down every needle that meets no follicle come epidermis, papillary and reticular dermis, fat."""
    seen = 0
    for x, y in np.random.default_rng(3).uniform(-9, 9, (40, 2)):
        height, region = column(patch(), x, y)
        if (region == FOLLICLE).any():
            continue
        seen += 1
        assert (np.diff(region[::-1].astype(int)) >= 0).all()
        assert set(region) == {0, 1, 2, 3}
        assert 0.03 <= 0.01 * np.count_nonzero(region == EPIDERMIS) <= 0.13
        assert 1.5 < height.max() - height[region == HYPODERMIS].max() < 2.3
    assert seen > 25


def test_rete_ridges() -> None:
    """Claim: the lower border of the epidermis has about as many ridges as 0.2 mm between them give: 25 per mm^2."""
    lattice = Lattice(0.02, (-2.0, -2.0, -0.25), (18, 200, 200))
    region = patch().region_at(lattice, np.zeros(lattice.shape))
    thickness = ((region == EPIDERMIS) & patch().inside(lattice)).sum(axis=0) * 0.02
    spectrum = np.abs(np.fft.rfft2(thickness - thickness.mean())) ** 2
    waves = np.hypot(*np.meshgrid(np.fft.rfftfreq(200, 0.02), np.fft.fftfreq(200, 0.02)))
    ridges = spectrum[(waves > 5.5) & (waves < 9)].sum()  # sqrt(2) / 0.2 mm = 7.1 per mm
    assert ridges > 0.3 * spectrum.sum()


def test_follicles_lean_and_end_in_the_fat() -> None:
    """Claim: one to two follicles per 3 mm^2; each leans, so its mouth and bulb are 0.5-1.2 mm apart sideways."""
    lattice = Lattice.covering(patch().lower, patch().upper, 0.1)
    follicle = patch().region_at(lattice, np.zeros(lattice.shape)) == FOLLICLE
    height = lattice.axes()[0].ravel()
    assert follicle[np.abs(height + 2.3) < 0.3].any()
    number = int(str(patch().report["anatomy"]).split(" with ")[1].split()[0])
    assert 20 * 20 / 3 < number < 20 * 20 / 1.5
    upper, lower = (follicle[np.argmin(np.abs(height - level))] for level in (-0.2, -1.4))
    lag = max(range(20), key=lambda step: (upper[:, : 200 - step] & lower[:, step:]).sum() / (200 - step))
    assert 0.3 <= 0.1 * lag <= 0.6  # 1.2 mm down at 20 degrees


def test_exchange_follows_two_plexuses() -> None:
    """Claim: none in the epidermis, and by depth two peaks: below the papillae and at the border to the fat."""
    assert patch().exchange is not None
    organ = skin(size=10)
    assert organ.exchange is not None
    lattice = Lattice.covering(organ.lower, organ.upper, 0.1)
    exchange = organ.exchange(lattice)
    profile = exchange.mean(axis=(1, 2))
    height = lattice.axes()[0].ravel()
    band = {
        name: profile[(height > low) & (height < high)]
        for name, low, high in (
            ("upper", -0.55, -0.3),
            ("middle", -1.5, -0.8),
            ("lower", -2.1, -1.7),
            ("fat", -3.5, -2.5),
        )
    }
    assert band["upper"].max() > 1.5 * band["middle"].max()
    assert band["lower"].max() > 1.2 * band["middle"].max()
    assert band["lower"].max() > 1.2 * band["fat"].max()
    assert exchange[:, 20:80, 20:80][(height > -1.5) & (height < -0.8)].max() > 2  # ascending vessels
    fine = Lattice(0.02, (0.0, 0.0, -0.2), (15, 50, 50))
    epidermis = organ.region_at(fine, np.zeros(fine.shape)) == EPIDERMIS
    assert epidermis.any()
    assert organ.exchange(fine)[epidermis].max() == 0


def test_exchange_of_coarse_cells_is_the_mean_of_fine_ones() -> None:
    """Claim: cells of 0.4 mm hold the mean of the 0.1 mm cells in them, to the last decimal kept."""
    organ = skin(size=4)
    assert organ.exchange is not None
    coarse = organ.exchange(Lattice(0.4, (-2.0, -2.0, -4.0), (10, 10, 10)))
    fine = organ.exchange(Lattice(0.1, (-2.0, -2.0, -4.0), (40, 40, 40)))
    assert np.abs(fine.reshape(10, 4, 10, 4, 10, 4).mean(axis=(1, 3, 5)) - coarse).max() < 3e-6


def test_same_seed_same_skin() -> None:
    """Claim: one seed gives one skin to the bit; another one other follicles and another relief."""
    lattice = Lattice(0.1, (-2.0, -2.0, -4.0), (42, 40, 40))
    first, again, other = (skin(seed=seed).region_at(lattice, np.zeros(lattice.shape)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_scale_and_sizes() -> None:
    """Claim: a scale of 2 gives eight times the volume; a thicker dermis leaves less fat."""
    twice = skin(size=5, scale=2.0)
    once = skin(size=5)
    ratio = float(str(twice.report["reference_volume_ml"])) / float(str(once.report["reference_volume_ml"]))
    assert ratio == pytest.approx(8)
    assert shares(skin(size=5, dermis=2.5), 0.1)["hypodermis"] < shares(once, 0.1)["hypodermis"] - 0.1


@pytest.mark.parametrize(
    "sizes",
    [
        {"size": 0.0},
        {"dermis": 5.0},
        {"dermis": 0.5},
        {"follicle_spacing": 0.0},
        {"scale": 0.0},
        {"depth": float("nan")},
    ],
)
def test_impossible_skin_is_refused(sizes: dict[str, float]) -> None:
    """Claim: sizes that make no skin are an InputError that names it."""
    with pytest.raises(InputError, match="skin"):
        skin(**sizes)  # type: ignore[arg-type]
