"""Numbers, units and colors as text and pixels."""

import numpy as np
import pytest

from tissuesim.viz.style import (
    FIELD_MAPS,
    axis_label,
    color_table,
    count_text,
    day_text,
    nice_ceiling,
    nice_floor,
    split_label,
    title_text,
)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (1354, "1,354"), (1.009e7, "1.01 × 10⁷"), (9.999e6, "1.00 × 10⁷"), (123456, "1.23 × 10⁵")],  # noqa: RUF001
)
def test_counts(count, text):
    """Counts are exact while small and rounded to three digits when large, also next to a power of ten."""
    assert count_text(count) == text


def test_labels_and_units():
    """Units are written as people write them; the number 1 is no unit; a note leaves the label."""
    assert axis_label("CXCL10", "pM") == "CXCL10 [pM]"
    assert axis_label("Inflammation", "1") == "Inflammation"
    assert axis_label("Autoreactive B", "cell/mm^3") == "Autoreactive B [cell/mm³]"
    assert split_label("Damage (0 to 1)").name == "Damage" and split_label("Damage (0 to 1)").note == "0 to 1"
    assert split_label("CXCL10").note == ""
    assert day_text(-120.0) == "day \N{MINUS SIGN}120" and day_text(0.25) == "day 0.25"
    assert title_text("kidney_car_t") == "Kidney CAR T"


@pytest.mark.parametrize("value", [3e-7, 0.0999, 1.0, 1.0001, 7.3, 99.0, 8.1e12])
def test_round_ends_of_scales(value):
    """A scale ends above the value and less than twice it; a bar is shorter and more than a third of it."""
    assert value <= nice_ceiling(value) * (1 + 1e-9) < 1.6 * value
    assert value * (1 + 1e-9) >= nice_floor(value) > 0.39 * value
    assert nice_ceiling(0.0) == 1.0


@pytest.mark.parametrize("kind", FIELD_MAPS)
def test_maps_rise_in_lightness(kind):
    """More is lighter, steadily: the maps read the same in grey and for every kind of color vision."""
    red, green, blue = (color_table(kind) / 255.0).T
    linear = [np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) for c in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert (np.diff(luminance) > -2e-3).all() and luminance[-1] > 5 * luminance[0]
