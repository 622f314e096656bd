"""Which panels there are: blood, antibodies, cytokines, clinical scores, organs. Each draws what a run has.

A panel names columns of the totals and of the clinical readouts; a run that lacks a column lacks the curve, and a
panel without curves is left out, so that the same list serves one kidney and a whole patient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tissuesim.readouts import CATALOGUE, RELAPSE, REMISSION

from ..style import (
    ACTIVITY,
    ANTIBODY,
    AUTOREACTIVE,
    B_CELLS,
    BLACK,
    BLUE,
    CAR_T,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    organ_title,
    title_text,
    unit_text,
)
from .courses import Courses
from .panel import LOWEST_COUNT, Curve, Level, LineStyle, Panel

LIMIT_OF_DETECTION = 0.1  # cell/uL, of routine flow cytometry (assumed; below 0.03 with much blood)
BLOOD_RANGE = (0.01, 1000.0)  # cell/uL; what is below the axis was never measured in a patient
ORGAN_COLORS = (VERMILION, BLUE, GREEN, PURPLE, ORANGE, SKY, BLACK, GREY)

DETECTION = Level(LIMIT_OF_DETECTION, "limit of detection (assumed)", above=True)
ACTIVITY_LEVELS = (Level(REMISSION, "remission below"), Level(RELAPSE, "relapse above", above=True))
UNTREATED = Level(1.0, "untreated", above=True)


def blood(runs: Sequence[Courses]) -> list[Panel]:
    """Return CAR T and B cells, and the B subsets, in cells per microliter."""
    both = (
        Curve(("car_t_per_ul",), "CAR T cells", CAR_T),
        Curve(("b_per_ul",), "B cells (CD19+)", B_CELLS),
    )
    subsets = (
        Curve(("naive_b_per_ul",), "naive B", SKY),
        Curve(("memory_b_per_ul",), "memory B", BLUE),
        Curve(("plasmablast_per_ul",), "plasmablasts", PURPLE),
        Curve(("autoreactive_b_per_ul",), "autoreactive B", VERMILION),
    )
    low, high = BLOOD_RANGE
    unit = "cells per µL"
    return [
        Panel(title, unit, curves, True, (DETECTION,), early, low, high)
        for title, curves, early in (
            ("Blood, first weeks", both, True),
            ("Blood", both, False),
            ("B cells by kind, first weeks", subsets, True),
            ("B cells by kind", subsets, False),
        )
    ]


def antibodies(runs: Sequence[Courses]) -> list[Panel]:
    """Return antibodies relative to their start, and complement."""
    relative = (
        Curve(("autoantibody",), "autoantibody", ANTIBODY),
        Curve(("vaccine_igg",), "vaccine IgG", GREY),
        Curve(("total_igg",), "total IgG", ORANGE),
    )
    return [
        Panel("Antibodies", "relative to untreated", relative, False, levels("autoantibody"), low=0.0),
        Panel("Complement C3", "g/L", (Curve(("c3",), "C3", BLUE),), False, levels("c3"), low=0.0),
        Panel("BAFF in plasma", "relative to untreated", (Curve(("baff",), "BAFF", GREEN),), low=0.0),
    ]


def cytokines(runs: Sequence[Courses]) -> list[Panel]:
    """Return cytokines of plasma and of each organ, and what is scored from them."""
    panels = [
        Panel("IL-6 in plasma", "pg/mL", (Curve(("il6_pg_per_ml",), "IL-6", VERMILION),), True),
        Panel(
            "Cytokines in plasma", "pM",
            (
                Curve(("il6_in_plasma",), "IL-6", VERMILION),
                Curve(("ifn_gamma_in_plasma",), "IFN-gamma", BLUE),
            ),
            True,
        ),
        Panel("Cytokine release, first weeks", "grade", (Curve(("crs_grade",), "CRS grade", VERMILION),),
              early=True, low=0.0, high=4.2),
        Panel("Interferon signature", "score", (Curve(("ifn_score",), "IFN score", PURPLE),), low=0.0),
    ]  # fmt: skip
    return panels + [_tissue_signals(organ, runs[0]) for organ in runs[0].run.organs]


def _tissue_signals(organ: str, courses: Courses) -> Panel:
    """Return the mean of every signal of ``organ`` that has a unit of concentration."""
    head = f"{organ}."
    names = [
        str(name)
        for name in courses.run.totals
        if str(name).startswith(head) and str(name).endswith(".mean") and courses.unit(str(name)) == "pM"
    ]
    dashes: tuple[LineStyle, ...] = ("-", "--")
    curves = tuple(
        Curve((name,), courses.label(name).partition(", mean of")[0],
              ORGAN_COLORS[number % len(ORGAN_COLORS)], dashes[number // len(ORGAN_COLORS) % 2])
        for number, name in enumerate(names)
    )  # fmt: skip
    return Panel(f"Cytokines in the {organ_text(organ)}, mean", "pM", curves, True, low=1e-4)


def clinical(runs: Sequence[Courses]) -> list[Panel]:
    """Return disease activity, the scores of the clinic and what each organ is measured by, with their limits."""
    activity = (Curve(("disease_activity",), "disease activity", ACTIVITY),)
    reached = (
        Curve(("remission",), "remission", GREEN),
        Curve(("doris",), "DORIS", BLUE, "--"),
        Curve(("lldas",), "LLDAS", ORANGE, ":"),
    )
    items = ("renal", "skin", "joints", "serosal", "immunologic")
    sledai = tuple(
        Curve((f"sledai_{item}",), item, color)
        for item, color in zip(items, (VERMILION, PURPLE, ORANGE, GREEN, SKY), strict=True)
    )
    return [
        Panel("Disease activity", "relative to untreated", activity, False, ACTIVITY_LEVELS, low=0.0),
        Panel("Low activity and remission reached", "0 no, 1 yes", reached, low=-0.08, high=1.15),
        Panel("SLEDAI-2K", "points", (Curve(("sledai",), "in all", BLACK), *sledai), False,
              levels("sledai", "low_activity"), low=0.0),
        measured("eustar", BLACK),
        measured("tis", BLACK),
        measured("upcr", VERMILION),
        measured("egfr", BLUE),
        measured("mrss", PURPLE),
        Panel("Lungs", "% predicted", (Curve(("fvc",), "FVC", BLUE), Curve(("dlco",), "DLCO", SKY)), False,
              levels("dlco"), low=0.0),
        Panel("Lungs on CT", "% of the lungs", (Curve(("ground_glass",), "ground glass", SKY),
              Curve(("reticular",), "reticular", BLUE)), low=0.0),
        measured("mmt8", BLUE),
        measured("ck", VERMILION, logarithmic=True),
        measured("troponin", VERMILION, logarithmic=True),
        Panel("Joints", "of 28", (Curve(("tender_joints",), "tender", ORANGE),
              Curve(("swollen_joints",), "swollen", VERMILION)), low=0.0),
    ]  # fmt: skip


def measured(name: str, color: str, *, logarithmic: bool = False) -> Panel:
    """Return the panel of one readout of the catalogue, with its own name, unit and limits."""
    entry = CATALOGUE[name]
    unit = unit_text(entry.unit) or "points"
    low = None if logarithmic else 0.0
    return Panel(entry.label, unit, (Curve((name,), entry.label, color),), logarithmic, levels(name), low=low)


def levels(name: str, *keys: str) -> tuple[Level, ...]:
    """Return the limits of a readout of the catalogue: those of ``keys``, or all."""
    limits = CATALOGUE[name].limits
    return tuple(
        Level(value, f"{key.replace('_', ' ')}: {value:g}", above=True)
        for key, value in limits.items()
        if not keys or key in keys
    )


def organs(runs: Sequence[Courses]) -> list[Panel]:
    """Return what becomes of each organ: inflammation, damage, scar, and the cells in it."""
    names = runs[0].run.organs
    color = {organ: ORGAN_COLORS[number % len(ORGAN_COLORS)] for number, organ in enumerate(names)}

    def level(key: str) -> tuple[Curve, ...]:
        """Return the mean over the tissue under attack where the run has it, else over the whole organ."""
        return tuple(
            Curve((f"{organ}.{key}" if f"{organ}.{key}" in runs[0] else f"{organ}.{key}.mean",),
                  organ_text(organ), color[organ])
            for organ in names
        )  # fmt: skip

    def cells(*fields: str, extinction: bool = False) -> tuple[Curve, ...]:
        return tuple(
            Curve(tuple(f"{organ}.{field}.sum" for field in fields), organ_text(organ), color[organ],
                  extinction=extinction)
            for organ in names
        )  # fmt: skip

    return [
        Panel("Inflammation by organ", "untreated disease = 1", level("inflammation"), low=0.0),
        Panel("Damage by organ", "0 to 1", level("damage"), low=0.0),
        Panel("Fibrosis by organ", "0 to 1", level("fibrosis"), low=0.0),
        Panel("Autoreactive B cells by organ", "cells", cells("autoreactive_b", extinction=True), True,
              low=LOWEST_COUNT),
        Panel("CAR T cells by organ", "cells", cells("car_t_effector", "car_t_memory"), True, low=LOWEST_COUNT),
        Panel("Autoreactive B cells, whole body", "cells",
              (Curve(("autoreactive_total",), "autoreactive B", AUTOREACTIVE, extinction=True),), True,
              low=LOWEST_COUNT),
    ]  # fmt: skip


def organ_text(organ: str) -> str:
    """Return 'kidney_left' as 'left kidney'."""
    title = organ_title(organ)
    return title[:1].lower() + title[1:]


GROUPS: dict[str, tuple[str, Callable[[Sequence[Courses]], list[Panel]]]] = {
    "blood": ("Cells in blood", blood),
    "antibodies": ("Antibodies and complement", antibodies),
    "cytokines": ("Cytokines", cytokines),
    "clinical": ("Disease activity", clinical),
    "organs": ("Organs", organs),
}


def panels(group: str, runs: Sequence[Courses]) -> list[Panel]:
    """Return the panels of ``group`` that have something to draw in ``runs``."""
    found = [panel.of(runs) for panel in GROUPS[group][1](runs)]
    return [panel for panel in found if panel.curves]


def group_title(group: str) -> str:
    """Return the heading of a group of panels."""
    return GROUPS[group][0] if group in GROUPS else title_text(group)
