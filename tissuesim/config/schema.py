"""The schema of a run config: every key, its meaning, its default and what it may be."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from tissuesim.config.disease import ORGAN_KINDS, OrganKind
from tissuesim.config.fields import (
    Day,
    Duration,
    FieldNames,
    InUnit,
    Length,
    Mass,
    ParameterValue,
    Patterns,
    Places,
    Switch,
    Text,
    VoxelSize,
    WholeNumber,
)
from tissuesim.config.treatment import Treatment
from tissuesim.errors import InputError
from tissuesim.ticks import TICKS_PER_DAY, power_of_two_below, ticks

MILLILITERS_PER_MINUTE = 1440.0e3
"""mm3/day in one mL/min."""
MINIMUM_SPACING = 0.002
"""mm; a voxel below 2 um is smaller than any cell."""
MAXIMUM_SPACING = 100.0
"""mm; larger than every organ here."""


class Section(BaseModel):
    """A part of a run config: frozen, and no key that is not in the schema."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())


class Patient(Section):
    """The person who is treated."""

    body_weight: Mass = Field(70.0e6, description="body weight; a dose per kg is multiplied by it")

    @field_validator("body_weight")
    @classmethod
    def _human(cls, value: float) -> float:
        if not 1.0e6 <= value <= 5.0e8:
            raise InputError(f"{value / 1e6:g} kg is not between 1 and 500 kg")
        return value

    height: Length = Field(
        1700.0, description="height; with the weight it gives the body surface of doses per m^2"
    )
    kidney_function: Annotated[float, InUnit("mL/min", "90 mL/min")] = Field(
        90.0 * MILLILITERS_PER_MINUTE,
        description="glomerular filtration per 1.73 m^2; lowers doses of chemotherapy",
    )

    @field_validator("height")
    @classmethod
    def _tall(cls, value: float) -> float:
        if not 300.0 <= value <= 2600.0:
            raise InputError(f"{value / 1000:g} m is not between 0.3 and 2.6 m")
        return value

    @field_validator("kidney_function")
    @classmethod
    def _filters(cls, value: float) -> float:
        if not 0.0 <= value <= 250.0 * MILLILITERS_PER_MINUTE:
            raise InputError(f"{value / MILLILITERS_PER_MINUTE:g} mL/min is not between 0 and 250 mL/min")
        return value

    @property
    def body_surface(self) -> float:
        """Body surface in mm2: sqrt(height in cm x weight in kg / 3600) m2 (Mosteller 1987)."""
        return math.sqrt(self.height / 10.0 * self.body_weight / 1e6 / 3600.0) * 1e6

    @property
    def filtration(self) -> float:
        """Kidney function in mL/min per 1.73 m2."""
        return self.kidney_function / MILLILITERS_PER_MINUTE


class Organ(Section):
    """One organ: where its shape comes from and how finely it is cut."""

    anatomy: Text = Field(
        description="a built-in organ, or a file (relative to the config): surface, label volume, volume mesh, tissue"
    )
    spacing: Length = Field(2.0, description="edge of a voxel")
    shape: dict[str, float] = Field(
        {}, description="sizes of a built-in organ by name, such as scale; tissuesim organs NAME lists them"
    )
    seed: WholeNumber = Field(1, description="seed of the organ's own random maps (vascular density)")
    units: Literal["um", "mm", "cm", "m"] | None = Field(None, description="length unit of the file")
    regions: dict[str, Patterns] = Field(
        {}, description="regions of a file and the names of their parts or labels; 'outside' is cut out"
    )
    labels: dict[WholeNumber, Text] = Field(
        {}, description="names of the labels of a file; others are left out"
    )
    voxel_size: VoxelSize | None = Field(None, description="voxel of a TIFF stack: x, y, z, or one for all")
    vessel_entries: Places = Field(
        (), description="where vessels enter an organ from a file: places x, y, z in the axes of the file"
    )
    domain: Literal["voxels", "tetrahedra"] = Field(
        "voxels", description="control volumes: voxels, or the cells of a volume mesh"
    )
    physics: Text | None = Field(None, description="a shipped organ physics, or a YAML file of one")
    kind: OrganKind | None = Field(
        None, description="which organ of the body it is; a built-in anatomy says so itself"
    )
    parameters: dict[str, ParameterValue] = Field(
        {}, description="model parameters that differ in this organ from the rest of the patient"
    )

    @property
    def organ_kind(self) -> OrganKind | None:
        """Which organ of the body this is: ``kind``, else what the built-in anatomy is (of a patch, its organ)."""
        own = self.anatomy.removesuffix("_patch")
        return self.kind or next((kind for kind in ORGAN_KINDS if kind == own), None)

    @field_validator("spacing")
    @classmethod
    def _possible(cls, value: float) -> float:
        if not MINIMUM_SPACING <= value <= MAXIMUM_SPACING:
            raise InputError(f"{value:g} mm is not between 2 um and 100 mm")
        return value


class Time(Section):
    """When the run starts and ends, and how long a step may be.

    A step is 2^k ticks of 1/6144 day (1 h = 256 ticks): the limits are rounded down to such a step.
    """

    start: Day = Field(description="first day; day 0 is the day of infusion")
    end: Day = Field(description="last day")
    maximum_step: Duration = Field(1 / 3, description="longest step")
    minimum_step: Duration = Field(1 / 96, description="shortest step")

    @model_validator(mode="after")
    def _in_order(self) -> Time:
        if self.end <= self.start:
            raise InputError(f"end: day {self.end:g} is not after the start, day {self.start:g}")
        if max(abs(self.start), abs(self.end)) > 200.0 * 365.0:
            raise InputError("start and end must lie within 200 years of day 0")
        if self.minimum_step < 1.0 / TICKS_PER_DAY:
            raise InputError("minimum_step: shorter than one tick of the clock (1/6144 day, 14 s)")
        if self.maximum_step < self.minimum_step:
            raise InputError(
                f"maximum_step: {self.maximum_step:g} day is below minimum_step, {self.minimum_step:g} day"
            )
        return self

    @property
    def start_tick(self) -> int:
        """The tick of the first day."""
        return ticks(self.start)

    @property
    def end_tick(self) -> int:
        """The tick of the last day."""
        return ticks(self.end)

    @property
    def maximum_step_ticks(self) -> int:
        """The longest step in ticks, a power of two."""
        return power_of_two_below(ticks(self.maximum_step))

    @property
    def minimum_step_ticks(self) -> int:
        """The shortest step in ticks, a power of two."""
        return power_of_two_below(ticks(self.minimum_step))


class Frames(Section):
    """On which days whole organs are written: every so often, and on chosen days."""

    every: Duration | None = Field(None, description="time between frames; without it only chosen days")
    days: tuple[Day, ...] = Field((), description="more days to write")

    @field_validator("every")
    @classmethod
    def _positive(cls, value: float | None) -> float | None:
        return _positive_span(value)


class Output(Section):
    """What is written, and when. Output never changes a result."""

    frames: Frames = Field(default_factory=Frames)  # type: ignore[arg-type]
    fields: FieldNames = Field("all", description="a list of organ fields, or all")
    totals_every: Duration = Field(0.25, description="time between rows of the totals")

    @field_validator("totals_every")
    @classmethod
    def _positive(cls, value: float) -> float | None:
        return _positive_span(value)


class RunConfig(Section):
    """One run: a model, a patient with organs, a treatment, a span of time and an output."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")] = Field(
        "run", description="name of the run folder: letters, digits, _ and -"
    )
    description: str = Field("", description="what this run is for")
    model: Text = Field(description="a shipped model, or the path of a model file")
    parameters: dict[str, ParameterValue] = Field({}, description="model parameters to change")
    disease: Text | None = Field(None, description="a shipped disease, or a YAML file of one")
    patient: Patient = Field(default_factory=Patient)  # type: ignore[arg-type]
    organs: dict[str, Organ] = Field(description="organs by name, at least one")
    time: Time
    treatment: tuple[Treatment, ...] = Field((), description="what is done, in any order")
    stochastic: Switch = Field(True, description="integer cells and random events, or their expected values")
    precision: Literal["float32", "float64"] = Field("float32", description="numbers of organ fields")
    seed: WholeNumber = Field(1, description="seed of every random number of the run")
    backend: Literal["auto", "numpy", "numba", "cuda"] = Field("auto", description="what computes")
    output: Output = Field(default_factory=Output)  # type: ignore[arg-type]
    checkpoint_every: Duration = Field(30.0, description="simulated time between checkpoints")

    _source_path: Path | None = PrivateAttr(default=None)
    _source_text: str = PrivateAttr(default="")

    @property
    def source_path(self) -> Path | None:
        """The file this config was read from, None if it was not read from a file."""
        return self._source_path

    @property
    def source_text(self) -> str:
        """The text of that file as it was given, before ``extends`` and ``--set``."""
        return self._source_text

    @field_validator("organs")
    @classmethod
    def _named(cls, value: dict[str, Organ]) -> dict[str, Organ]:
        if not value:
            raise InputError("at least one organ is needed")
        for name in value:
            if not (name.isascii() and name.isidentifier()):
                raise InputError(
                    f"'{name}' is no organ name (letters, digits and _, not starting with a digit)"
                )
        if len({name.lower() for name in value}) < len(value):
            raise InputError(f"names differ only in capital letters: {', '.join(value)}")
        return value

    @field_validator("checkpoint_every")
    @classmethod
    def _positive(cls, value: float) -> float | None:
        return _positive_span(value)

    @model_validator(mode="after")
    def _treated_in_time(self) -> RunConfig:
        for position, item in enumerate(self.treatment):
            if item.first_day < self.time.start:
                raise InputError(
                    f"treatment[{position}]: begins on day {item.first_day:g}, before the run starts on day "
                    f"{self.time.start:g} (time.start)"
                )
        return self


def _positive_span(value: float | None) -> float | None:
    if value is not None and value < 1.0 / TICKS_PER_DAY:
        raise InputError(f"{value:g} day is not a positive time of at least one tick (1/6144 day)")
    return value


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a run config, for editors that complete and check YAML."""
    return RunConfig.model_json_schema()
