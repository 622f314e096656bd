"""The treatments a config can list: what is given, when, and how much."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tissuesim.config.fields import Day, Fraction, Level, Text
from tissuesim.errors import InputError
from tissuesim.units import quantity


class TreatmentSection(BaseModel):
    """A treatment: frozen, and no key that is not in the schema."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CarTCells(TreatmentSection):
    """One infusion of CAR T cells."""

    type: Literal["car_t"]
    day: Day = Field(description="day of infusion")
    dose: Text = Field(description="T cells infused: per body weight ('1e6 cell/kg') or in all ('7e7 cell')")
    car_positive_fraction: Fraction = Field(1.0, description="part of the infused cells that carry the CAR")
    viability: Fraction = Field(1.0, description="part of these that is alive when given")
    surviving_fraction: Fraction = Field(0.5, description="part of these alive after the first day in blood")
    memory_fraction: Fraction = Field(0.4, description="part of these that is memory (naive-like or central)")

    @field_validator("dose", mode="before")
    @classmethod
    def _cells(cls, value: object) -> object:
        if not isinstance(value, str):
            raise InputError(f"{value!r} has no unit; write a dose such as '1e6 cell/kg' or '7e7 cell'")
        if _dose(value, body_weight=1.0) < 0.0:
            raise InputError(f"{value!r} is negative")
        return value

    def cells(self, body_weight: float) -> float:
        """Return the number of living CAR+ cells that take part, for a body weight in mg.

        cells = dose x body weight x CAR+ fraction x viability x fraction that survives the first day.
        """
        given = _dose(self.dose, body_weight)
        return given * self.car_positive_fraction * self.viability * self.surviving_fraction

    @property
    def first_day(self) -> float:
        """The day on which this treatment begins."""
        return self.day


class Lymphodepletion(TreatmentSection):
    """Chemotherapy that makes room for CAR T cells and lowers the marrow's output."""

    type: Literal["lymphodepletion"]
    start: Day = Field(description="first day of chemotherapy")
    end: Day = Field(description="day on which it ends")
    marrow_residual: Fraction = Field(0.1, description="part of the marrow's output that is left")
    space: Level = Field(1.0, description="homeostatic signal (IL-7, IL-15) on the day of infusion")

    @model_validator(mode="after")
    def _in_order(self) -> Lymphodepletion:
        if self.end <= self.start:
            raise InputError(f"end: day {self.end:g} is not after the start, day {self.start:g}")
        return self

    @property
    def first_day(self) -> float:
        """The day on which this treatment begins."""
        return self.start


class Drug(TreatmentSection):
    """A drug that is on from one day to another; the model has a pool ``drug_<name>`` for its strength."""

    type: Literal["drug"]
    name: Text = Field(description="name of the drug in the model, without the leading 'drug_'")
    on: Day = Field(description="first day")
    off: Day = Field(description="day on which it is stopped")
    strength: Level = Field(1.0, description="strength while it is on (1 = full)")

    @field_validator("name")
    @classmethod
    def _word(cls, value: str) -> str:
        if not (value.isascii() and value.isidentifier()):
            raise InputError(f"'{value}' is no drug name (letters, digits and _)")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Drug:
        if self.off <= self.on:
            raise InputError(f"off: day {self.off:g} is not after the first day, day {self.on:g}")
        return self

    @property
    def first_day(self) -> float:
        """The day on which this treatment begins."""
        return self.on


Treatment = Annotated[CarTCells | Lymphodepletion | Drug, Field(discriminator="type")]
"""One entry of ``treatment:``; ``type`` says which."""

TREATMENTS: dict[str, type[TreatmentSection]] = {
    "car_t": CarTCells,
    "lymphodepletion": Lymphodepletion,
    "drug": Drug,
}


def _dose(text: str, body_weight: float) -> float:
    """Return the number of cells of a dose; InputError if it is neither cells nor cells per weight."""
    if "/" in text:
        return quantity(text, "cell/kg") * body_weight
    return quantity(text, "cell")
