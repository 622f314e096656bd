"""A number that says what it is worth: value with unit, plausible range, source and grade."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tissuesim.config.fields import ParameterValue, Text
from tissuesim.errors import InputError
from tissuesim.units import quantity


class Section(BaseModel):
    """A part of a file: frozen, and no key that is not in the schema."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Number(Section):
    """A number with its unit, plausible range, source and grade."""

    value: ParameterValue = Field(description="a quantity such as '0.10' or '200 mL'")
    range: tuple[ParameterValue, ParameterValue] = Field(description="smallest and largest plausible value")
    source: Text = Field(description="where it comes from")
    grade: Literal["C", "M", "A", "cal"] = Field(
        description="C read in the source, M quoted, A assumed, cal calibrated"
    )

    def within(self, unit: str, where: str) -> float:
        """Return the canonical value; InputError for a wrong unit or a value outside its range."""
        value = quantity(self.value, unit, f"{where}.value")
        low, high = (quantity(end, unit, f"{where}.range") for end in self.range)
        if not low <= value <= high:
            raise InputError(
                f"{where}.value: {self.value} is outside its range, {self.range[0]} to {self.range[1]}"
            )
        return value
