"""Config to Scenario: the only place where model, tissue, treatment and time meet."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.codegen.plan import StepPlan, compile_model
from tissuesim.disease import disease_maps, organ_models, patient_model
from tissuesim.errors import InputError, nearest
from tissuesim.model.model import Model
from tissuesim.model.parts import Parameter
from tissuesim.ticks import ticks
from tissuesim.treatment import Event, events, refuse_unreleased, validate_events

if TYPE_CHECKING:
    from tissuesim.anatomy.physics import OrganPhysics
    from tissuesim.config import RunConfig
    from tissuesim.config.disease import Disease
    from tissuesim.config.schema import Organ
    from tissuesim.tissue import Tissue


log = logging.getLogger("tissuesim")


@dataclass(frozen=True)
class Scenario:
    """Everything a run needs, resolved: nothing in it changes while it runs."""

    config: RunConfig
    plan: StepPlan
    tissues: dict[str, Tissue]
    events: tuple[Event, ...]
    physics: dict[str, OrganPhysics] = field(default_factory=dict)
    organ_models: dict[str, Model] = field(default_factory=dict)
    disease: Disease | None = None

    @property
    def model(self) -> Model:
        """The model with its parameter values."""
        return self.plan.model

    @property
    def voxels(self) -> int:
        """Control volumes of all organs."""
        return sum(tissue.n for tissue in self.tissues.values())

    @property
    def treatment_day(self) -> float:
        """First day of treatment; the last day before is the baseline of what follows (day 0 if untreated)."""
        return min((item.first_day for item in self.config.treatment), default=0.0)

    @property
    def instruments(self) -> str | None:
        """Whose clinical instruments read this patient: those the disease names, else its own; None without one."""
        return None if self.disease is None else self.disease.instruments or self.disease.name

    def parameters(self, tissue: Tissue) -> NDArray[np.float64]:
        """Parameter table of one organ, one row per region: of disease and config there, then of its physics."""
        return _parameter_table(
            tissue, self.organ_models.get(tissue.name, self.model), self.physics.get(tissue.name)
        )

    def digest(self) -> str:
        """SHA-256 of what a resumed run must not find changed: the model, and what organs have of their own."""
        parts = [self.model.digest()]
        parts += [f"{name} {model.digest()}" for name, model in sorted(self.organ_models.items())]
        if self.disease is not None:
            parts.append(self.disease.model_dump_json())
        return parts[0] if len(parts) == 1 else hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def systemic_parameters(self) -> NDArray[np.float64]:
        """Parameter table of the pools, one row."""
        values = self.model.parameter_values()
        return np.array([[float(values[name]) for name in self.plan.systemic.parameters]])

    def key(self, place: str) -> tuple[int, int]:
        """Two words for the random numbers of one place (an organ, or the blood)."""
        digest = hashlib.sha256(f"tissuesim/{self.config.seed}/{place}".encode()).digest()
        return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little")

    def frame_days(self) -> list[float]:
        """Days on which the organs are written: start and end, every so often, and chosen days."""
        time, frames = self.config.time, self.config.output.frames
        days = {time.start, time.end, *(day for day in frames.days if time.start <= day <= time.end)}
        if frames.every is not None:
            count = int((time.end - time.start) / frames.every + 1e-9)
            days |= {time.start + k * frames.every for k in range(count + 1)}
        return sorted(days, key=ticks)

    def totals_ticks(self) -> list[int]:
        """Ticks of the rows of the totals; the first and the last tick are among them."""
        time = self.config.time
        every = max(ticks(self.config.output.totals_every), 1)
        return sorted(
            {
                *range(time.start_tick, time.end_tick + 1, every),
                time.end_tick,
                0 if _has_zero(time) else time.end_tick,
            }
        )

    def field_names(self) -> list[str]:
        """Names of the organ fields that are written.

        Raises:
            InputError: output.fields names a field the model does not have.
        """
        model = self.model
        known = [*model.signals, *model.cells, *model.states]
        chosen = self.config.output.fields
        if chosen == "all":
            return known
        for name in chosen:
            if name not in known:
                raise InputError(
                    f"output.fields: '{name}' is not a field of model '{model.name}'{nearest(name, known)}"
                )
        return [name for name in known if name in chosen]


def _has_zero(time: Any) -> bool:
    return bool(time.start_tick <= 0 <= time.end_tick)


def organ_lines(scenario: Scenario) -> list[str]:
    """One line per organ for a person: voxels, volume, and how far that is from the mesh it was cut from."""
    lines = []
    for name, tissue in scenario.tissues.items():
        line = f"{name}: {tissue.n} voxels of {tissue.spacing:g} mm, {tissue.volume.sum() / 1000:.1f} mL"
        error = tissue.report.get("volume_error")
        if isinstance(error, float):
            line += f" ({error:+.3%} against {tissue.report.get('volume_reference', 'its shape')})"
        lines.append(line)
    return lines


def load(path: str | Path, sets: tuple[str, ...] = ()) -> Scenario:
    """The scenario of a config file (or of a shipped config by name)."""
    from tissuesim.config import load_config

    return build_scenario(load_config(path, sets))


def build_scenario(config: RunConfig) -> Scenario:
    """Resolve a config: load and check the model, build the tissues, turn treatments into events.

    Raises:
        InputError: anything in the config that cannot be; the sentence names the key.
    """
    refuse_unreleased(config)
    for sentence in _never_given(config):
        log.warning(sentence)
    disease = disease_of(config)
    model = patient_model(config, disease)
    planned = events(config.treatment, config.patient)
    validate_events(planned, model.pools)
    physics = {name: _physics(name, organ.physics) for name, organ in config.organs.items() if organ.physics}
    model = _with_surfaces(model, physics)
    own_models = organ_models(model, config, disease)
    tissues = {name: _tissue(name, organ, physics.get(name)) for name, organ in config.organs.items()}
    tissues |= {name: _opened(name, tissues[name], own) for name, own in physics.items()}
    tissues = {name: _diseased(tissue, config, disease, model) for name, tissue in tissues.items()}
    tables = [
        _parameter_table(tissue, own_models.get(name, model), physics.get(name))
        for name, tissue in tissues.items()
    ]
    plan = compile_model(model, stochastic=config.stochastic, regional=_varying(model, tables))
    scenario = Scenario(config, plan, tissues, planned, physics, own_models, disease)
    scenario.field_names()
    return scenario


def _never_given(config: RunConfig) -> list[str]:
    """A sentence for every treatment that begins when the run is over; a run cut short may well have some."""
    end = config.time.end
    return [
        f"treatment[{position}]: begins on day {item.first_day:g} and is not given, because the run ends on day "
        f"{end:g} (time.end)"
        for position, item in enumerate(config.treatment)
        if item.first_day >= end
    ]


def disease_of(config: RunConfig) -> Disease | None:
    """The disease a config names; InputError if there is none of that name or its file is wrong."""
    if config.disease is None:
        return None
    from tissuesim.config.disease import load_disease

    try:
        return load_disease(config.disease)
    except InputError as error:
        raise InputError(f"disease: {error}") from None


def _diseased(tissue: Tissue, config: RunConfig, disease: Disease | None, model: Model) -> Tissue:
    """The tissue with the maps of the disease."""
    try:
        maps = disease_maps(tissue, config.organs[tissue.name], disease, model)
    except InputError as error:
        raise InputError(f"organs.{tissue.name}: {error}") from None
    return replace(tissue, maps={**tissue.maps, **maps}) if maps else tissue


def _parameter_table(tissue: Tissue, model: Model, physics: OrganPhysics | None) -> NDArray[np.float64]:
    """Parameters of one organ, a row per region, in the order of the model."""
    rows = [model.parameter_values(region=region) for region in tissue.region_names]
    if physics is not None:
        from tissuesim.anatomy.physics import region_parameters

        moving = tuple(signal.diffusivity for signal in model.signals.values())
        regions = zip(tissue.region_names, rows, strict=True)
        try:
            rows = [region_parameters(physics, region, row, moving) for region, row in regions]
        except InputError as error:
            raise InputError(f"organs.{tissue.name}.physics: {error}") from None
    return np.array([[float(row[name]) for name in model.parameters] for row in rows])


def _varying(model: Model, tables: list[NDArray[np.float64]]) -> frozenset[str]:
    """Parameters that differ between regions of an organ: programs read these per voxel, the others once."""
    different = np.zeros(len(model.parameters), bool)
    for table in tables:
        different |= np.any(table != table[0], axis=0)
    return frozenset(name for name, varies in zip(model.parameters, different, strict=True) if varies)


def _physics(name: str, given: str) -> OrganPhysics:
    from tissuesim.anatomy.physics import load_physics

    try:
        return load_physics(given)
    except InputError as error:
        raise InputError(f"organs.{name}.physics: {error}") from None


def _with_surfaces(model: Model, physics: dict[str, OrganPhysics]) -> Model:
    """The model with maps, parameters and processes for every open surface; the model itself if there is none."""
    from tissuesim.model.surface_terms import surface_terms

    parts = []
    organs: dict[str, OrganPhysics] = {}
    for where, own in physics.items():
        if organs.setdefault(own.name, own) != own:
            raise InputError(
                f"organs.{where}.physics: another organ has a different physics named '{own.name}'"
            )
    for organ in organs.values():
        for tag, surface in organ.open_surfaces().items():
            given = {"level": surface.level, "permeability": surface.coefficient}
            level, through = (
                None
                if known is None
                else Parameter(
                    f"{tag}_{end}", known.value, unit=known.unit, source=known.source, grade=known.grade
                )
                for end, known in given.items()
            )
            parts += surface_terms(model, tag, level, through)
    return model.with_(*parts) if parts else model


def _opened(name: str, tissue: Tissue, physics: OrganPhysics) -> Tissue:
    """The tissue with a map for every open surface, and with conductances that follow its fibers."""
    try:
        maps = physics.surface_maps(tissue)
        fibered = _along_fibers(tissue, physics)
    except InputError as error:
        raise InputError(f"organs.{name}.physics: {error}") from None
    return replace(fibered, maps={**tissue.maps, **maps}) if maps else fibered


def _along_fibers(tissue: Tissue, physics: OrganPhysics) -> Tissue:
    """The tissue with conductances along and across the fibers of the regions that have them."""
    from tissuesim.tissue.anisotropy import anisotropic_conductance

    if physics.anisotropy is None or "fiber_x" not in tissue.maps:
        return tissue
    fibers = np.stack([tissue.maps[f"fiber_{axis}"] for axis in "xyz"], axis=1)
    muscle = tissue.in_regions(physics.anisotropy.of)
    conductance = anisotropic_conductance(
        tissue.conductance, fibers, tissue.neighbors, *physics.fiber_diffusivities(), only=muscle
    )
    return replace(tissue, conductance=conductance)


def _tissue(name: str, organ: Organ, physics: OrganPhysics | None = None) -> Tissue:
    """The tissue of one organ; what is wrong with its anatomy is told with the key of the config."""
    from tissuesim.anatomy import build_tissue
    from tissuesim.anatomy.selection import ImportOptions

    options = ImportOptions(
        units=organ.units,
        regions=organ.regions,
        labels=organ.labels,
        voxel_size=organ.voxel_size,
        vessel_entries=organ.vessel_entries,
    )
    try:
        tissue = build_tissue(
            organ.anatomy,
            name,
            organ.spacing,
            seed=organ.seed,
            options=options,
            domain=organ.domain,
            physics=physics,
            shape=organ.shape,
        )
    except InputError as error:
        raise InputError(f"organs.{name}.anatomy: {error}") from None
    voxels = organ.domain == "voxels"
    if (
        voxels
        and "spacing" in organ.model_fields_set
        and abs(tissue.spacing - organ.spacing) > 1e-9 * organ.spacing
    ):
        raise InputError(
            f"organs.{name}.spacing: {organ.spacing:g} mm, but the saved tissue '{organ.anatomy}' has voxels of "
            f"{tissue.spacing:g} mm; leave the key out"
        )
    return tissue
