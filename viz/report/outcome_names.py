"""Endpoints in words: the name of each, the form of its number, and what it means."""

from __future__ import annotations

from dataclasses import dataclass

from tissuesim.readouts import RELAPSE, REMISSION


@dataclass(frozen=True)
class Name:
    """How one endpoint is written."""

    name: str
    form: str
    meaning: str


DAY = "day {:.4g}"
OUTCOMES: dict[str, Name] = {
    "remission_day": Name(
        "Remission",
        DAY,
        "first day by the measure of the disease: DORIS in lupus, EUSTAR index below 2.5 in systemic sclerosis, "
        f"major improvement with normal CK in myositis, else disease activity below {REMISSION:.0%} of untreated",
    ),
    "clinical_relapse_day": Name("Relapse", DAY, "first day of active disease after the remission"),
    "lldas_day": Name("Low disease activity (LLDAS)", DAY, "first day"),
    "doris_day": Name("DORIS remission", DAY, "first day"),
    "relapse_day": Name(
        "Relapse of the activity index",
        DAY,
        f"disease activity above {RELAPSE:.0%} of untreated after it was below {REMISSION:.0%}",
    ),
    "inflammation_day180_over_day0": Name(
        "Inflammation on day 180", "{:.1%} of day 0", "mean over the tissue under attack"
    ),
    "day_car_t_peak": Name("CAR T peak in blood", DAY, "day of the highest number after the infusion"),
    "car_t_peak_per_ul": Name("CAR T at the peak", "{:.3g} per µL", "cells in blood"),
    "day_b_below_1pct": Name("B cells gone from blood", DAY, "below 1 % of the value before treatment"),
    "aplasia_days": Name("B-cell aplasia", "{:.3g} days", "how long they stay below 1 %"),
    "naive_share_at_return": Name("Naive share at return", "{:.0%}", "of the B cells that come back"),
    "day_autoreactive_extinct": Name(
        "Last autoreactive B cell dead", DAY, "none is left anywhere in the body"
    ),
    "day_extinct_with_plasmablasts": Name(
        "Last autoreactive plasmablast dead", DAY, "no autoreactive B cell and no plasmablast is left"
    ),
    "autoantibody_half_life_days": Name(
        "Half-life of the autoantibody", "{:.3g} days", "apparent, from day 5 to day 60"
    ),
    "autoantibody_day90_over_day0": Name("Autoantibody on day 90", "{:.0%} of day 0", ""),
    "vaccine_igg_lowest": Name("Vaccine IgG, lowest", "{:.0%} of day 0", "after the infusion"),
    "total_igg_lowest": Name("Total IgG, lowest", "{:.0%} of untreated", "after the infusion"),
    "il6_pg_per_ml_highest": Name("IL-6 in plasma, highest", "{:.3g} pg/mL", "after the infusion"),
    "crs_grade_highest": Name("Cytokine release, highest grade", "{:.0f}", "ASTCT grades, from IL-6"),
    "local_flare_onset_day": Name(
        "Local flare, onset",
        DAY,
        "first organ, inflammation above that before treatment, while B cells are gone",
    ),
    "local_flare_days": Name("Local flare, length", "{:.3g} days", "of the first one"),
    "local_flare_organs": Name("Organs with a local flare", "{:.0f}", ""),
}
