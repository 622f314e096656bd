"""The treatments a config can list: what is given, when, and how much."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tissuesim.config.antibody import Antibody
from tissuesim.config.car_t import CarTCells
from tissuesim.config.drug import Drug
from tissuesim.config.lymphodepletion import Lymphodepletion
from tissuesim.config.treatment_section import TreatmentSection

Treatment = Annotated[CarTCells | Lymphodepletion | Antibody | Drug, Field(discriminator="type")]
"""One entry of ``treatment:``; ``type`` says which."""

TREATMENTS: dict[str, type[TreatmentSection]] = {
    "car_t": CarTCells,
    "lymphodepletion": Lymphodepletion,
    "antibody": Antibody,
    "drug": Drug,
}

__all__ = ["TREATMENTS", "Antibody", "CarTCells", "Drug", "Lymphodepletion", "Treatment", "TreatmentSection"]
