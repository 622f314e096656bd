"""The EUSTAR activity index of systemic sclerosis."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tissuesim.readouts.course import Course, Series, added


def sclerosis(course: Course, known: Mapping[str, Series]) -> dict[str, Series]:
    """The revised index (Valentini 2017), 0 to 10, active from 2.5; ``known`` are readouts made before.

    Skin that got worse in a month is taken as skin that is inflamed, friction rubs as joints (with their tendons)
    that are. Digital ulcers (1.5) are not in the model, so that 8.5 is the most there can be.
    """
    constants = course.constants
    present: dict[str, NDArray[np.bool_]] = {}
    for item, kind in (("skin_worse", "skin"), ("friction_rubs", "joint")):
        inflammation = course.inflammation(course.of_kind(kind))
        if inflammation is not None:
            present[item] = inflammation > constants["sign_limit"]
    if "mrss" in known:
        present["mrss_high"] = known["mrss"] > constants["eustar_mrss"]
    if "crp" in known:
        present["crp_high"] = known["crp"] > constants["eustar_crp"]
    if "dlco" in known:
        present["dlco_low"] = known["dlco"] < constants["eustar_dlco"]
    if not present:
        return {}
    parts = [np.where(seen, constants[f"weight_{item}"], 0.0) for item, seen in present.items()]
    return {"eustar": added(*parts)}
