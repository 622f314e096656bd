"""Gather, scatter, regions, digest and the saved file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tissuesim.errors import InputError
from tissuesim.tissue import Tissue, build_graph


@pytest.fixture
def tissue() -> Tissue:
    """Return a speckle of random fractions in two regions."""
    random = np.random.default_rng(7)
    fraction = random.random((4, 5, 6)) * (random.random((4, 5, 6)) > 0.4)
    region = random.integers(0, 2, fraction.shape)
    return build_graph(
        "speckle",
        fraction,
        region,
        2.0,
        (1.0, 2.0, 3.0),
        ("cortex", "medulla"),
        {"vascular_density": random.random(fraction.shape)},
        {"anatomy": "random"},
    )


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int32, np.uint8])
def test_scatter_then_gather_gives_the_values_back(tissue: Tissue, kind: type) -> None:
    """Claim: gather(scatter(v)) is v for every dtype and for fields as trailing axes."""
    values = (np.random.default_rng(3).random((tissue.n, 3)) * 100).astype(kind)
    assert np.array_equal(tissue.gather(tissue.scatter(values, fill=0)), values)
    assert tissue.scatter(values, fill=0).dtype == kind
    assert np.array_equal(tissue.gather(tissue.scatter(values[:, 0])), values[:, 0])


def test_scatter_fills_only_the_outside(tissue: Tissue) -> None:
    """Claim: outside voxels, and only they, hold the fill value; gather(dense) picks by box index."""
    dense = tissue.scatter(np.ones(tissue.n))
    assert dense.shape == tissue.shape == (4, 5, 6)
    assert np.isnan(dense).sum() == dense.size - tissue.n
    index = np.arange(dense.size).reshape(tissue.shape)
    assert np.array_equal(tissue.gather(index), tissue.box_index)


def test_wrong_shapes_are_refused(tissue: Tissue) -> None:
    """Claim: scatter and gather refuse arrays of another size instead of broadcasting them."""
    with pytest.raises(ValueError, match="does not begin with"):
        tissue.scatter(np.ones(tissue.n + 1))
    with pytest.raises(ValueError, match="is not the box"):
        tissue.gather(np.ones((6, 5, 4)))


def test_regions_are_masks_and_unknown_names_are_refused(tissue: Tissue) -> None:
    """Claim: in_regions is the union of the named regions; a misspelt one is answered with the nearest."""
    assert np.array_equal(tissue.in_regions(["medulla"]), tissue.region == 1)
    assert tissue.in_regions(["cortex", "medulla"]).all()
    assert not tissue.in_regions([]).any()
    assert sum(tissue.region_volumes().values()) == pytest.approx(tissue.volume.sum())
    with pytest.raises(InputError, match="did you mean 'cortex'"):
        tissue.in_regions(["cortx"])


def test_saved_tissue_is_the_same(tissue: Tissue, tmp_path: Path) -> None:
    """Claim: load(save(t)) has the same digest, report and read-only arrays."""
    path = tmp_path / "t.npz"
    tissue.save(path)
    again = Tissue.load(path)
    assert again.digest() == tissue.digest()
    assert again.report == tissue.report
    assert again.origin == tissue.origin
    with pytest.raises(ValueError, match="read-only"):
        again.volume[0] = 1


def test_digest_sees_what_matters(tissue: Tissue) -> None:
    """Claim: the digest changes with any map, region, name or spacing and not with the report."""
    assert replace(tissue, report={}).digest() == tissue.digest()
    others = [
        replace(tissue, name="other"),
        replace(tissue, spacing=2.5),
        replace(tissue, region=1 - tissue.region),
        replace(tissue, maps={"vascular_density": tissue.maps["vascular_density"] + 1e-12}),
        replace(tissue, maps={"niche_site": tissue.maps["vascular_density"]}),
    ]
    assert len({tissue.digest(), *(other.digest() for other in others)}) == 6


def test_missing_foreign_and_damaged_files_are_refused(tissue: Tissue, tmp_path: Path) -> None:
    """Claim: a missing file, text, a cut file and a foreign .npz are InputErrors that name the file."""
    with pytest.raises(InputError, match=r"none\.npz' does not exist"):
        Tissue.load(tmp_path / "none.npz")
    whole = tmp_path / "whole.npz"
    tissue.save(whole)
    contents = {"text": b"hello", "cut": whole.read_bytes()[:-200], "empty": b""}
    for name, content in contents.items():
        path = tmp_path / f"{name}.npz"
        path.write_bytes(content)
        with pytest.raises(InputError, match=f"{name}.npz' is not a readable tissue file"):
            Tissue.load(path)
    np.savez(tmp_path / "foreign.npz", a=np.ones(3))
    with pytest.raises(InputError, match="not a readable tissue file"):
        Tissue.load(tmp_path / "foreign.npz")


def test_check_finds_a_tampered_graph(tissue: Tissue) -> None:
    """Claim: a one-sided conductance, a stray neighbor and a negative volume do not pass the check."""
    conductance, neighbors, volume = (
        array.copy() for array in (tissue.conductance, tissue.neighbors, tissue.volume)
    )
    voxel, face = np.argwhere(conductance > 0)[0]
    conductance[voxel, face] *= 2
    neighbors[voxel, face] = (neighbors[voxel, face] + 1) % tissue.n
    volume[3] = -1
    for broken, sentence in (
        (replace(tissue, conductance=conductance), "not symmetric"),
        (replace(tissue, neighbors=neighbors), "neighbor that does not see|conducts through a wall"),
        (replace(tissue, volume=volume), "not a positive number"),
    ):
        with pytest.raises(InputError, match=sentence):
            broken.check()


def test_tissue_prints_as_a_short_tree(tissue: Tissue) -> None:
    """Claim: str(tissue) names the organ, its size, regions and maps."""
    text = str(tissue)
    assert "speckle" in text and "region cortex" in text and "map vascular_density" in text
    assert len(text.splitlines()) == 4
