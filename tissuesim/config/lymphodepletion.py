"""Lymphodepletion: fludarabine and cyclophosphamide by dose, or a course by its effect."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from tissuesim.config.constants import constant
from tissuesim.config.fields import Day, Fraction, Level, Switch, Text
from tissuesim.config.treatment_section import TreatmentSection
from tissuesim.errors import InputError
from tissuesim.units import factor, quantity

NUMBERS = "chemotherapy"
"""The file of constants that says what the usual course is."""


class Lymphodepletion(TreatmentSection):
    """Chemotherapy that makes room for CAR T cells, lowers the marrow's output and kills lymphocytes."""

    type: Literal["lymphodepletion"]
    start: Day | None = Field(
        None, description="first day of chemotherapy; without it that of the first dose"
    )
    end: Day | None = Field(None, description="day on which it ends; without it the day after the last dose")
    fludarabine: Text | None = Field(None, description="fludarabine on each of its days, such as '25 mg/m^2'")
    fludarabine_days: tuple[Day, ...] = Field((), description="days of fludarabine")
    cyclophosphamide: Text | None = Field(
        None, description="cyclophosphamide on each of its days, '1000 mg/m^2'"
    )
    cyclophosphamide_days: tuple[Day, ...] = Field((), description="days of cyclophosphamide")
    fludarabine_weight: Fraction = Field(
        0.5, description="share of fludarabine in the intensity of the usual course"
    )
    renal_cut: Switch = Field(
        True, description="lower the doses in renal insufficiency (patient.kidney_function)"
    )
    marrow_residual: Fraction | None = Field(
        None,
        description="part of the marrow's output that is left; without it 0.1 to the power of the intensity",
    )
    space: Level | None = Field(
        None, description="homeostatic signal (IL-7, IL-15) on the day of infusion; without it the intensity"
    )

    @field_validator("fludarabine", "cyclophosphamide")
    @classmethod
    def _area_dose(cls, value: str | None) -> str | None:
        if value is not None and not quantity(value, "mg/m^2") > 0.0:
            raise InputError(f"{value!r} is not a positive dose")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Lymphodepletion:
        for drug in ("fludarabine", "cyclophosphamide"):
            days = getattr(self, f"{drug}_days")
            if (getattr(self, drug) is None) != (not days):
                missing = f"{drug}_days" if not days else drug
                raise InputError(f"{missing}: this key is missing; a drug has a dose and days")
            if len(set(days)) < len(days):
                raise InputError(f"{drug}_days: a day is listed twice")
        if not self.dose_days and (self.start is None or self.end is None):
            raise InputError("start: give start and end, or fludarabine or cyclophosphamide with their days")
        if self.last_day <= self.first_day:
            raise InputError(f"end: day {self.last_day:g} is not after the start, day {self.first_day:g}")
        outside = [day for day in self.dose_days if not self.first_day <= day < self.last_day]
        if outside:
            raise InputError(
                f"start: a dose on day {outside[0]:g} is not within days {self.first_day:g} to {self.last_day:g}"
            )
        return self

    @property
    def dose_days(self) -> tuple[float, ...]:
        """Every day with a dose, in order."""
        return tuple(sorted({*self.fludarabine_days, *self.cyclophosphamide_days}))

    @property
    def first_day(self) -> float:
        """The day on which this treatment begins."""
        return self.dose_days[0] if self.start is None else self.start

    @property
    def last_day(self) -> float:
        """The day on which it ends."""
        return self.dose_days[-1] + 1.0 if self.end is None else self.end

    def doses_given(self, kidney_function: float) -> tuple[float, float]:
        """Return fludarabine and cyclophosphamide of the whole course in mg/m2, cut for ``kidney_function`` in mL/min.

        The limits and cuts are in ``configs/constants/chemotherapy.yaml``.

        Raises:
            InputError: fludarabine is to be given below 30 mL/min.
        """
        flu, cy = (
            round(quantity(dose, "mg/m^2") / factor("mg/m^2"), 9) * len(days) if dose else 0.0
            for dose, days in (
                (self.fludarabine, self.fludarabine_days),
                (self.cyclophosphamide, self.cyclophosphamide_days),
            )
        )
        if not self.renal_cut:
            return flu, cy
        least = constant(NUMBERS, "fludarabine_none")
        if flu and kidney_function < least:
            raise InputError(
                f"fludarabine: not given at a kidney function of {kidney_function:g} mL/min (below {least:g}); "
                "leave it out, or set renal_cut: false"
            )
        low = kidney_function < constant(NUMBERS, "cyclophosphamide_limit")
        return flu * fludarabine_cut(kidney_function), cy * (
            constant(NUMBERS, "cyclophosphamide_cut") if low else 1.0
        )

    def intensity(self, kidney_function: float) -> float:
        """Return the effect of the course relative to the usual one (1): the weighted mean of the two exposures.

        The kidney clears fludarabine, so that the cut dose has the exposure of the full one.
        """
        if not self.dose_days:
            return 1.0
        flu, cy = self.doses_given(kidney_function)
        exposure = flu / fludarabine_cut(kidney_function) / constant(NUMBERS, "usual_fludarabine")
        other = cy / constant(NUMBERS, "usual_cyclophosphamide")
        return self.fludarabine_weight * exposure + (1.0 - self.fludarabine_weight) * other


def fludarabine_cut(kidney_function: float) -> float:
    """Return the part of the fludarabine dose that gives the usual exposure at a kidney function in mL/min."""
    if kidney_function >= constant(NUMBERS, "fludarabine_full"):
        return 1.0
    low = kidney_function < constant(NUMBERS, "fludarabine_low")
    return constant(NUMBERS, "fludarabine_second_cut" if low else "fludarabine_first_cut")
