"""An antibody given in doses; the model has two compartments for it, in mg."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from tissuesim.config.fields import Day, Text
from tissuesim.config.treatment_section import TreatmentSection
from tissuesim.errors import InputError
from tissuesim.units import quantity


class Antibody(TreatmentSection):
    """Doses of an antibody; each enters the pool ``<name>_central`` of the model."""

    type: Literal["antibody"]
    name: Text = Field(description="name of the antibody in the model (rituximab, obinutuzumab)")
    dose: Text = Field(
        description="each dose: in all ('1000 mg'), per area ('375 mg/m^2') or weight ('10 mg/kg')"
    )
    days: tuple[Day, ...] = Field(description="days of the doses", min_length=1)

    @field_validator("name")
    @classmethod
    def _word(cls, value: str) -> str:
        if not (value.isascii() and value.isidentifier()):
            raise InputError(f"'{value}' is no antibody name (letters, digits and _)")
        return value

    @field_validator("dose")
    @classmethod
    def _mass(cls, value: str) -> str:
        if not _mass(value, 1.0, 1.0) > 0.0:
            raise InputError(f"{value!r} is not a positive dose")
        return value

    @field_validator("days")
    @classmethod
    def _once(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if len(set(value)) < len(value):
            raise InputError("a day is listed twice")
        return tuple(sorted(value))

    def milligrams(self, body_weight: float, body_surface: float) -> float:
        """Return one dose in mg for a body weight in mg and a body surface in mm2."""
        return _mass(self.dose, body_weight, body_surface)

    @property
    def first_day(self) -> float:
        """The day of the first dose."""
        return self.days[0]


def _mass(text: str, body_weight: float, body_surface: float) -> float:
    """Return a dose in mg; InputError if it is neither a mass nor a mass per area or weight."""
    per = text.rpartition("/")[2].strip() if "/" in text else ""
    if per in ("m^2", "m**2"):
        return quantity(text, "mg/m^2") * body_surface
    if per:
        return quantity(text, "mg/kg") * body_weight
    return quantity(text, "mg")
