import numpy as np
import pytest

from tissuesim.run import FieldDescription
from tissuesim.tissue import Tissue, build_graph


@pytest.fixture(scope="session")
def ball() -> Tissue:
    """A ball of two regions, 9 x 10 x 12 voxels of 2 mm, off the origin."""
    z, y, x = np.meshgrid(*(np.arange(extent) + 0.5 for extent in (9, 10, 12)), indexing="ij")
    radius = np.sqrt((z - 4.5) ** 2 + (y - 5.0) ** 2 + (x - 6.0) ** 2)
    fraction = np.clip(4.8 - radius, 0.0, 1.0)
    region = (radius < 2.5).astype(np.uint8)
    vessels = {"vascular_density": 1.0 + 0.1 * z}
    return build_graph("ball", fraction, region, 2.0, (1.0, -2.0, 3.0), ("cortex", "medulla"), vessels)


@pytest.fixture(scope="session")
def fields() -> tuple[FieldDescription, ...]:
    """One field of each kind and dtype."""
    return (
        FieldDescription("cxcl10", "CXCL10", "pM", "float32", "signal"),
        FieldDescription("autoreactive_b", "Autoreactive B", "cell", "int32", "cells"),
        FieldDescription("damage", "Damage", "1", "float64", "state"),
    )
