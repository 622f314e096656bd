"""Sizes of a built-in organ are chosen in a config."""

from __future__ import annotations

import pytest

from tissuesim.anatomy import CATALOGUE, build_tissue
from tissuesim.config import load_config_text
from tissuesim.errors import InputError
from tissuesim.scenario import build_scenario

CONFIG = """
model: autoimmune
organs: {kidney: {anatomy: kidney, spacing: 6 mm, shape: SHAPE}}
time: {start: 0 day, end: 1 day}
"""


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_built_in_organ_tells_its_sizes(name: str) -> None:
    """Claim: each size that is told is a number, and whole organs scale with the subject."""
    sizes = CATALOGUE[name].sizes(name)
    assert all(isinstance(value, float) for value in sizes.values()) and sizes
    assert CATALOGUE[name].kind == "patch" or sizes["scale"] == 1.0


def test_volume_goes_with_the_cube_of_the_scale() -> None:
    """Claim: a kidney of scale 1.2, cut as much more coarsely, has the same voxels and 1.728 times the volume."""
    one, other = build_tissue("kidney", "a", 5.0), build_tissue("kidney", "b", 6.0, shape={"scale": 1.2})
    assert other.n == pytest.approx(one.n, rel=0.01)
    assert other.volume.sum() == pytest.approx(1.2**3 * one.volume.sum(), rel=0.01)


def test_a_config_chooses_sizes() -> None:
    """Claim: `organs.<name>.shape` reaches the organ."""
    volumes = []
    for shape in ("{}", "{scale: 0.9}"):
        scenario = build_scenario(load_config_text(CONFIG.replace("SHAPE", shape)))
        volumes.append(scenario.tissues["kidney"].volume.sum())
    assert volumes[1] == pytest.approx(0.9**3 * volumes[0], rel=0.02)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ("{scal: 1.1}", r"organs\.kidney\.anatomy: 'scal' is no size of the built-in 'kidney'.*scale"),
        ("{scale: -1}", r"organs\.kidney\.anatomy: .*scale"),
    ],
)
def test_a_size_that_cannot_be_is_refused(shape: str, sentence: str) -> None:
    """Claim: an unknown name or a size that no organ has gets one sentence with its place."""
    with pytest.raises(InputError, match=sentence):
        build_scenario(load_config_text(CONFIG.replace("SHAPE", shape)))
