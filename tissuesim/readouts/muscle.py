"""CK, MMT-8 and the total improvement score of myositis.

No built-in organ is skeletal muscle. An organ of kind ``muscle`` is used where a run has one; otherwise the heart, the
only muscle there is, stands for it: its inflammation and damage are read as those of the muscles.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tissuesim.readouts.course import Course, Series

EXTRAMUSCULAR = ("lungs", "skin", "joint")

STEPS = (5.0, 15.0, 25.0, 40.0)
MMT_STEPS = (2.0, 10.0, 20.0, 30.0)
"""Absolute improvement [% of the range] above which the next level counts."""

SCORES: dict[str, tuple[float, ...]] = {
    "physician": (0.0, 7.5, 15.0, 17.5, 20.0),
    "patient": (0.0, 2.5, 5.0, 7.5, 10.0),
    "mmt8": (0.0, 10.0, 20.0, 27.5, 32.5),
    "haq": (0.0, 5.0, 7.5, 7.5, 10.0),
    "enzyme": (0.0, 2.5, 5.0, 7.5, 7.5),
    "extramuscular": (0.0, 7.5, 12.5, 15.0, 20.0),
}
"""2016 ACR/EULAR response criteria for adult myositis: score per level of improvement, 100 in all (grade M)."""

ENZYME_RANGE = 15.0
"""Range of an enzyme in multiples of its upper limit of normal."""


def muscle(course: Course, baseline_day: float) -> dict[str, Series]:
    """CK [U/L], MMT-8 and TIS; absent where there is neither muscle nor heart."""
    chosen = course.of_kind("muscle") or course.of_kind("heart")
    inflammation, damage, known = course.inflammation(chosen), course.damage(chosen), course.constants
    if inflammation is None or damage is None:
        return {}
    dying = inflammation ** known["ck_order"]  # effectors x fibers that show MHC class I
    ck = known["ck_healthy"] + (known["ck_untreated"] - known["ck_healthy"]) * dying
    lost = known["mmt8_inflammation_loss"] * inflammation + known["mmt8_damage_loss"] * damage
    mmt8 = np.clip(known["mmt8_healthy"] - lost, 0.0, known["mmt8_healthy"])
    weakness = (known["mmt8_healthy"] - mmt8) / (known["mmt8_inflammation_loss"] + known["mmt8_damage_loss"])
    others = course.inflammation(course.of_kind(*EXTRAMUSCULAR))
    outside = np.zeros(course.days.shape) if others is None else others
    activity = inflammation if others is None else 0.5 * (inflammation + others)
    core = {
        "physician": 100.0 * np.clip(known["global_untreated"] * activity, 0.0, 10.0) / 10.0,
        "patient": 100.0 * np.clip(known["global_untreated"] * 0.5 * (activity + weakness), 0.0, 10.0) / 10.0,
        "mmt8": 100.0 * (1.0 - mmt8 / known["mmt8_healthy"]),
        "haq": 100.0 * np.clip(known["haq_untreated"] * weakness, 0.0, 3.0) / 3.0,
        "enzyme": 100.0 * ck / (ENZYME_RANGE * known["ck_upper_limit"]),
        "extramuscular": 100.0 * np.clip(known["extramuscular_untreated"] * outside, 0.0, 10.0) / 10.0,
    }
    return {"ck": ck, "mmt8": mmt8, "tis": total_improvement(course.days, core, baseline_day)}


def total_improvement(days: Series, core: Mapping[str, Series], baseline_day: float) -> Series:
    """TIS, 0 to 100: the six core measures [% of their range, more is worse] against their values before treatment.

    20 is a minimal, 40 a moderate, 60 a major response. 0 up to the baseline.
    """
    start = max(0, int(np.searchsorted(days, baseline_day, side="right")) - 1)
    score = np.zeros(days.shape)
    for name, values in core.items():
        improvement = values[start] - values
        steps = MMT_STEPS if name == "mmt8" else STEPS
        score += np.asarray(SCORES[name])[np.searchsorted(steps, improvement, side="left")]
    return np.where(days > days[start], score, 0.0)
