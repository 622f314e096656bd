"""Readouts of organs: kidney, lungs, skin, heart, joints, muscle, and what every organ has."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tissuesim.readouts.course import MM3_PER_ML, Course, Series, added

Constants = Mapping[str, float]


def organs(course: Course) -> dict[str, Series]:
    """Every readout of an organ that is in the run; an organ that is missing has none, not zero."""
    found: dict[str, Series] = {}
    for of in (kidney, lungs, skin, heart, joints):
        found |= of(course)
    for organ in course.organs:
        found |= every_organ(course, organ)
    return found


def kidney(course: Course) -> dict[str, Series]:
    """UPCR and eGFR, of both kidneys together."""
    chosen, known = course.of_kind("kidney"), course.constants
    inflammation, damage, scar = course.inflammation(chosen), course.damage(chosen), course.scar(chosen)
    if inflammation is None or damage is None or scar is None:
        return {}
    complexes = course.mean(chosen, "complex_load")
    glomerular = inflammation if complexes is None else inflammation * np.minimum(complexes, 1.0)
    return {
        "upcr": urine_protein(glomerular, damage, scar, known),
        "egfr": filtration(damage, scar, known),
    }


def urine_protein(glomerular: Series, damage: Series, scar: Series, known: Constants) -> Series:
    """UPCR [g/g]: healthy leak + untreated excess x (inflamed share x activity + damage share x damage + rest x scar).

    All three are 0 healthy and 1 in untreated disease. Activity is inflammation where immune complexes are. The scar
    keeps its part when the rest is gone.
    """
    active, damaged = known["upcr_inflammation_share"], known["upcr_damage_share"]
    weighted = active * glomerular + damaged * damage + (1.0 - active - damaged) * scar
    return known["upcr_healthy"] + (known["upcr_untreated"] - known["upcr_healthy"]) * weighted


def filtration(damage: Series, scar: Series, known: Constants) -> Series:
    """eGFR [mL/min/1.73m2]: healthy x what damage leaves x what scar leaves, not below 0."""
    left = np.maximum(1.0 - known["egfr_damage_loss"] * damage, 0.0)
    return known["egfr_healthy"] * left * np.maximum(1.0 - known["egfr_fibrosis_loss"] * scar, 0.0)


def lungs(course: Course) -> dict[str, Series]:
    """FVC, DLCO, and the shares of the lungs with ground glass and with a reticular pattern."""
    chosen, known, found = course.of_kind("lungs"), course.constants, {}
    inflammation, scar = course.inflammation(chosen), course.scar(chosen)
    if inflammation is not None and scar is not None:
        fvc = lung_function(inflammation, scar, "fvc", known)
        found = {"fvc": fvc, "fvc_ml": fvc * known["fvc_predicted"] / 100.0}
        found["dlco"] = lung_function(inflammation, scar, "dlco", known)
    volume = course.total(chosen, "tissue_volume")
    for name, summary in (("ground_glass", "inflamed_volume"), ("reticular", "fibrotic_volume")):
        part = course.total(chosen, summary)
        if part is not None and volume is not None:
            found[name] = 100.0 * part / volume
    return found


def lung_function(inflammation: Series, scar: Series, test: str, known: Constants) -> Series:
    """FVC or DLCO [% predicted]: healthy less what the inflammation and the scar of the lungs take, not below 0."""
    lost = known[f"{test}_inflammation_loss"] * inflammation + known[f"{test}_fibrosis_loss"] * scar
    return np.maximum(known[f"{test}_healthy"] - lost, 0.0)


def skin(course: Course) -> dict[str, Series]:
    """mRSS: 17 sites of 0 to 3."""
    chosen, known = course.of_kind("skin"), course.constants
    inflammation, scar = course.inflammation(chosen), course.scar(chosen)
    if inflammation is None or scar is None:
        return {}
    share = known["mrss_inflammation_share"]
    score = known["mrss_untreated"] * (share * inflammation + (1.0 - share) * scar)
    return {"mrss": np.clip(score, 0.0, 51.0)}


def heart(course: Course) -> dict[str, Series]:
    """Troponin T: leaves the cells that are being damaged, so it follows inflammation and not what is left of it."""
    inflammation, known = course.inflammation(course.of_kind("heart")), course.constants
    if inflammation is None:
        return {}
    excess = known["troponin_untreated"] - known["troponin_healthy"]
    return {"troponin": known["troponin_healthy"] + excess * inflammation}


def joints(course: Course) -> dict[str, Series]:
    """Tender and swollen joints of 28: whole joints, in proportion to the inflammation of those in the run."""
    inflammation, known = course.inflammation(course.of_kind("joint")), course.constants
    if inflammation is None:
        return {}
    return {
        f"{sign}_joints": np.clip(
            np.floor(known[f"{sign}_untreated"] * inflammation + 0.5), 0.0, known["joints_counted"]
        )
        for sign in ("tender", "swollen")
    }


def every_organ(course: Course, organ: str) -> dict[str, Series]:
    """B cells [cell], mean inflammation and fibrosis of the tissue under attack, inflamed volume [mL] of an organ."""
    found: dict[str, Series] = {}
    kinds = [course.column(f"{organ}.{cells}.sum") for cells in ("autoreactive_b", "naive_b")]
    known = [part for part in kinds if part is not None]
    if known:
        found["b_cells"] = added(*known)
    volume = course.summary(organ, "inflamed_volume")
    optional = {
        "inflammation": course.inflammation([organ]),
        "inflamed_volume": None if volume is None else volume / MM3_PER_ML,
        "fibrosis": course.mean([organ], "fibrosis_load"),
    }
    found |= {name: series for name, series in optional.items() if series is not None}
    return {f"{organ}.{name}": series for name, series in found.items()}
