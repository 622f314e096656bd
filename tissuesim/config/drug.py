"""A drug that is on from one day to another: its dose over time, and how fast its effect follows."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tissuesim.config.fields import Day, Duration, Level, Text
from tissuesim.config.treatment_section import TreatmentSection
from tissuesim.errors import InputError

DAYS_BETWEEN_TAPER_STEPS = 7.0
"""A taper goes down week by week."""


class DoseChange(BaseModel):
    """Another strength from a day on."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    day: Day = Field(description="first day of the new strength")
    strength: Level = Field(description="strength from that day on")


class Taper(BaseModel):
    """From one day to another, week by week, to another strength."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    start: Day = Field(description="day of its first step")
    end: Day = Field(description="day of its last step")
    strength: Level = Field(description="strength at its end")

    @model_validator(mode="after")
    def _in_order(self) -> Taper:
        if self.end <= self.start:
            raise InputError(f"end: day {self.end:g} is not after the start, day {self.start:g}")
        return self


class Drug(TreatmentSection):
    """A drug that is on from one day to another; the model has a pool ``drug_<name>`` for its effect level."""

    type: Literal["drug"]
    name: Text = Field(description="name of the drug in the model, without the leading 'drug_'")
    on: Day = Field(description="first day")
    off: Day = Field(description="day on which it is stopped")
    strength: Level = Field(1.0, description="strength while it is on (1 = full)")
    changes: tuple[DoseChange, ...] = Field((), description="other strengths from later days on")
    taper: Taper | None = Field(None, description="a taper, after the changes before it")
    onset_half_life: Duration = Field(
        0.0, description="time in which the effect rises half-way to the strength"
    )
    offset_half_life: Duration = Field(
        0.0, description="time in which the effect falls half-way to the strength"
    )

    @field_validator("name")
    @classmethod
    def _word(cls, value: str) -> str:
        if not (value.isascii() and value.isidentifier()):
            raise InputError(f"'{value}' is no drug name (letters, digits and _)")
        return value

    @field_validator("onset_half_life", "offset_half_life")
    @classmethod
    def _not_negative(cls, value: float) -> float:
        if value < 0.0:
            raise InputError(f"{value:g} day is negative")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Drug:
        if self.off <= self.on:
            raise InputError(f"off: day {self.off:g} is not after the first day, day {self.on:g}")
        marks = [("changes", change.day) for change in self.changes]
        if self.taper is not None:
            marks += [("taper", self.taper.start), ("taper", self.taper.end)]
        for key, day in marks:
            if not self.on < day <= self.off:
                raise InputError(
                    f"{key}: day {day:g} is not within the course, days {self.on:g} to {self.off:g}"
                )
        days = [day for _, day in marks]
        if days != sorted(days) or len(set(days)) < len(days):
            raise InputError("changes: their days must rise, and a taper must come after them")
        return self

    def steps(self) -> tuple[tuple[float, float], ...]:
        """Return (day, strength) from which on a strength is taken, in order; the last one is the stop."""
        found = [(self.on, self.strength), *((change.day, change.strength) for change in self.changes)]
        if self.taper is not None:
            found += _taper_steps(self.taper, found[-1][1])
        return (*(step for step in found if step[0] < self.off), (self.off, 0.0))

    @property
    def first_day(self) -> float:
        """The day on which this treatment begins."""
        return self.on


def _taper_steps(taper: Taper, before: float) -> list[tuple[float, float]]:
    count = max(round((taper.end - taper.start) / DAYS_BETWEEN_TAPER_STEPS), 1)
    days = [taper.start + (taper.end - taper.start) * k / count for k in range(count + 1)]
    return [(day, before + (taper.strength - before) * (k + 1) / (count + 1)) for k, day in enumerate(days)]
