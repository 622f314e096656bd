"""A CAR T product: how many cells of what kind, how they were made and tested, and when they are given."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from tissuesim.config.fields import Day, Duration, Fraction, Level, Switch, Text
from tissuesim.config.treatment_section import TreatmentSection
from tissuesim.errors import InputError
from tissuesim.units import quantity


class CarTCells(TreatmentSection):
    """One infusion of CAR T cells."""

    type: Literal["car_t"]
    product: Text = Field(
        "CD19 CAR T", description="name of the product; a CAR of another name is another construct"
    )
    antigen: Literal["CD19", "BCMA-CD19"] = Field("CD19", description="what the CAR binds")
    day: Day = Field(description="day of infusion")
    dose: Text = Field(description="T cells infused: per body weight ('1e6 cell/kg') or in all ('7e7 cell')")
    target_dose: Text | None = Field(
        None, description="CAR+ viable cells that were to be given; without it what is given"
    )
    car_positive_fraction: Fraction = Field(1.0, description="part of the infused cells that carry the CAR")
    viability: Fraction = Field(1.0, description="part of these that is alive when given")
    surviving_fraction: Fraction = Field(0.5, description="part of these alive after the first day in blood")
    memory_fraction: Fraction = Field(0.4, description="part of these that is memory (naive-like or central)")
    cd4_cd8: Level = Field(1.0, description="CD4+ cells per CD8+ cell")
    cd4_kill_weight: Fraction = Field(0.5, description="killing by a CD4+ cell relative to a CD8+ cell")
    potency: Level = Field(1.0, description="killing by a cell relative to the reference product")
    expansion: Level = Field(1.0, description="division of a cell relative to the reference product")
    assay_survival: Fraction = Field(0.3, description="target cells left in the kill assay at 1:1")
    cd3_purity: Fraction = Field(0.95, description="T cells among the cells of the product")
    vector_copies: Level = Field(2.0, description="vector copies per transduced cell")
    endotoxin: Level = Field(0.5, description="endotoxin in EU/mL")
    sterile: Switch = Field(True, description="no growth, no mycoplasma")
    competent_virus: Switch = Field(False, description="replication-competent lentivirus was found")
    vein_to_vein: Duration | None = Field(
        None, description="from leukapheresis to infusion; without it not planned"
    )
    process_time: Duration | None = Field(None, description="from leukapheresis to harvest")
    release: Literal["enforce", "override"] = Field(
        "enforce",
        description="whether a product that fails its release criteria is refused or given all the same",
    )

    @field_validator("dose", "target_dose", mode="before")
    @classmethod
    def _cells(cls, value: object) -> object:
        if value is None:
            return value
        if not isinstance(value, str):
            raise InputError(f"{value!r} has no unit; write a dose such as '1e6 cell/kg' or '7e7 cell'")
        if _dose(value, body_weight=1.0) < 0.0:
            raise InputError(f"{value!r} is negative")
        return value

    @model_validator(mode="after")
    def _made_in_time(self) -> CarTCells:
        for key in ("vein_to_vein", "process_time"):
            span = getattr(self, key)
            if span is not None and not 0.0 < span <= 365.0:
                raise InputError(f"{key}: {span:g} day is not between 0 and 365 day")
        if self.process_time is not None and (
            self.vein_to_vein is None or self.process_time > self.vein_to_vein
        ):
            have = "is missing" if self.vein_to_vein is None else f"is {self.vein_to_vein:g} day"
            raise InputError(
                f"process_time: cells take {self.process_time:g} day to make, but vein_to_vein {have}"
            )
        if self.target_dose is not None and not _dose(self.target_dose, body_weight=1.0) > 0.0:
            raise InputError(f"target_dose: {self.target_dose!r} is not positive")
        return self

    def viable_cells(self, body_weight: float) -> float:
        """Return the number of CAR+ viable cells given, for a body weight in mg: what a product label states.

        cells = dose x body weight x CAR+ fraction x viability.
        """
        return _dose(self.dose, body_weight) * self.car_positive_fraction * self.viability

    def target_cells(self, body_weight: float) -> float | None:
        """Return the number of CAR+ viable cells that were to be given, for a body weight in mg."""
        return None if self.target_dose is None else _dose(self.target_dose, body_weight)

    def cells(self, body_weight: float) -> float:
        """Return the number of living CAR+ cells that take part: the viable ones that survive the first day."""
        return self.viable_cells(body_weight) * self.surviving_fraction

    @property
    def killing(self) -> float:
        """Killing by a cell of the product, relative to the reference product with as many CD4+ as CD8+ cells.

        killing = potency (cd8 + w cd4) / ((1 + w) / 2), cd4 and cd8 the shares of the two, w the weight of CD4+ cells.
        """
        cd8 = 1.0 / (1.0 + self.cd4_cd8)
        weight = self.cd4_kill_weight
        return self.potency * (cd8 + weight * (1.0 - cd8)) / (0.5 + 0.5 * weight)

    @property
    def leukapheresis(self) -> float | None:
        """The day on which the cells are collected, None if manufacture is not planned."""
        return None if self.vein_to_vein is None else self.day - self.vein_to_vein

    @property
    def first_day(self) -> float:
        """The day on which this treatment begins to act."""
        return self.day


def _dose(text: str, body_weight: float) -> float:
    """Return the number of cells of a dose; InputError if it is neither cells nor cells per weight."""
    if "/" in text:
        return quantity(text, "cell/kg") * body_weight
    return quantity(text, "cell")
