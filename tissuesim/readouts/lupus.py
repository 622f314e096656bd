"""SLEDAI-2K, DORIS remission and low disease activity (LLDAS)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tissuesim.readouts.course import Course, Series, added, earlier, held

Signs = dict[str, NDArray[np.bool_]]

GROUPS: dict[str, tuple[str, ...]] = {
    "renal": ("haematuria", "proteinuria", "casts", "pyuria"),
    "skin": ("rash",),
    "joints": ("arthritis",),
    "serosal": ("pleurisy", "pericarditis"),
    "immunologic": ("low_complement", "anti_dsdna"),
}
"""Items of SLEDAI-2K the model can show. Not in it: nerves, vessels, muscle, fever, blood counts, mucosa, hair."""

SAMPLED = (*GROUPS["renal"], *GROUPS["immunologic"])
"""Items read from urine and blood: one sample at the visit decides. The others count when seen in the days before."""

MAJOR = ("renal", "serosal")
"""Groups in which LLDAS allows no activity (kidney, heart, lungs), of those the model has."""


def lupus(course: Course, known: Mapping[str, Series]) -> dict[str, Series]:
    """SLEDAI-2K by group and in total, PGA, prednisone, DORIS and LLDAS; ``known`` are readouts made before."""
    now = signs(course, known)
    if not now:
        return {}
    constants = course.constants
    counted = {
        name: present if name in SAMPLED else held(course.days, present, constants["sign_window"])
        for name, present in now.items()
    }
    found = {
        f"sledai_{group}": _weighted(counted, items, constants)
        for group, items in GROUPS.items()
        if any(item in counted for item in items)
    }
    found["sledai"] = added(*found.values())
    prednisone = constants["prednisone_at_full_effect"] * course.level("drug_glucocorticoid")
    found["prednisone"] = prednisone
    inflammation = course.whole_inflammation
    if inflammation is None:
        return found
    found["pga"] = np.clip(constants["pga_untreated"] * inflammation, 0.0, 3.0)
    zero = np.zeros(course.days.shape)
    clinical = found["sledai"] - found.get("sledai_immunologic", zero)
    found["doris"] = doris_remission(clinical, found["pga"], prednisone, constants)
    major = added(*(found.get(f"sledai_{group}", zero) for group in MAJOR))
    fresh = new_sign(course.days, counted, constants["visit_interval"])
    found["lldas"] = low_disease_activity(found["sledai"], major, fresh, found["pga"], prednisone, constants)
    return found


def signs(course: Course, known: Mapping[str, Series]) -> Signs:
    """Which items are present now. An item whose organ or pool is not in the run is left out."""
    limit, found = course.constants["sign_limit"], {}
    kidney = course.inflammation(course.of_kind("kidney"))
    if "upcr" in known:
        found["proteinuria"] = known["upcr"] > course.constants["upcr_active"]
    if kidney is not None:
        found["haematuria"] = kidney > limit
        found["casts"] = found["pyuria"] = kidney > course.constants["severe_sign_limit"]
    for item, kind in (("rash", "skin"), ("pleurisy", "lungs"), ("pericarditis", "heart")):
        inflammation = course.inflammation(course.of_kind(kind))
        if inflammation is not None:
            found[item] = inflammation > limit
    if "swollen_joints" in known:
        both = np.minimum(known["swollen_joints"], known["tender_joints"])
        found["arthritis"] = both >= course.constants["arthritis_joints"]
    if "c3" in known:
        found["low_complement"] = known["c3"] < course.constants["c3_low"]
    if "autoantibody" in known:
        found["anti_dsdna"] = known["autoantibody"] > course.constants["dsdna_positive"]
    return found


def _weighted(counted: Signs, items: tuple[str, ...], constants: Mapping[str, float]) -> Series:
    parts = [np.where(counted[item], constants[f"weight_{item}"], 0.0) for item in items if item in counted]
    return added(*parts)


def doris_remission(
    clinical: Series, pga: Series, prednisone: Series, constants: Mapping[str, float]
) -> Series:
    """1 where clinical SLEDAI-2K is 0, PGA below 0.5 and prednisone at most 5 mg/day, whatever the serology."""
    held_back = (pga < constants["doris_pga"]) & (prednisone <= constants["doris_prednisone"])
    return np.where((clinical == 0.0) & held_back, 1.0, 0.0)


def low_disease_activity(
    sledai: Series,
    major: Series,
    fresh: NDArray[np.bool_],
    pga: Series,
    prednisone: Series,
    constants: Mapping[str, float],
) -> Series:
    """1 where SLEDAI-2K is at most 4, no major organ is active, no sign is new, PGA <= 1, prednisone <= 7.5 mg/day."""
    quiet = (sledai <= constants["lldas_sledai"]) & (major == 0.0) & ~fresh
    allowed = (pga <= constants["lldas_pga"]) & (prednisone <= constants["lldas_prednisone"])
    return np.where(quiet & allowed, 1.0, 0.0)


def new_sign(days: Series, counted: Signs, interval: float) -> NDArray[np.bool_]:
    """Whether a sign is present that was not at the visit before."""
    found = np.zeros(days.shape, bool)
    for present in counted.values():
        found |= present & ~earlier(days, present, interval)
    return found
