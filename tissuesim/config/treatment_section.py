"""What every treatment has in common: frozen, no key that is not in the schema, and a source for every number."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tissuesim.config.fields import ParameterValue, Text
from tissuesim.errors import InputError, nearest


class Note(BaseModel):
    """Where a number of a treatment comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    source: Text = Field(description="author, year, journal, doi; or why it was assumed")
    grade: Literal["C", "M", "A", "cal"] = Field(
        description="C read in the source, M quoted, A assumed, cal calibrated"
    )
    range: tuple[ParameterValue, ParameterValue] | None = Field(
        None, description="smallest and largest plausible value"
    )


class TreatmentSection(BaseModel):
    """A treatment: frozen, and no key that is not in the schema."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    label: str = Field("", description="what it is called in the timeline")
    sources: dict[str, Note] = Field({}, description="where its numbers come from, by key")
    used: str | None = Field(None, description="the treatment file it was read from (use:)")

    @field_validator("sources")
    @classmethod
    def _of_its_keys(cls, value: dict[str, Note]) -> dict[str, Note]:
        for key in value:
            if key not in cls.model_fields:
                raise InputError(f"'{key}' is no key of this treatment{nearest(key, cls.model_fields)}")
        return value
