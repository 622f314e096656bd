"""A disease laid over a model: numbers of the whole patient, numbers of each organ, maps of where it lives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tissuesim.errors import InputError, nearest
from tissuesim.model.expression import names
from tissuesim.model.loader import overridden
from tissuesim.model.model import Model
from tissuesim.model.parts import Parameter
from tissuesim.units import quantity

if TYPE_CHECKING:
    from tissuesim.config import RunConfig
    from tissuesim.config.disease import Change, Disease, DiseaseOrgan
    from tissuesim.config.schema import Organ
    from tissuesim.tissue import Tissue

SUSCEPTIBILITY, NICHE_SITE = "susceptibility", "niche_site"
"""Maps of a model that a disease draws."""


def patient_model(config: RunConfig, disease: Disease | None) -> Model:
    """Return the model of a run: as shipped, then as the disease has it in the patient, then as the config says."""
    if disease is None:
        return Model.load(config.model, overrides=config.parameters)
    model = Model.load(config.model)
    if SUSCEPTIBILITY not in model.maps:
        raise InputError(
            f"disease: model '{model.name}' has no map '{SUSCEPTIBILITY}', so that a disease has no place in it"
        )
    where = f"{disease.name}: patient.parameters"
    model = model.with_(
        *(_changed(model, name, change, where) for name, change in disease.patient.parameters.items())
    )
    return model.with_(*(_overridden(model, name, value) for name, value in config.parameters.items()))


def organ_models(model: Model, config: RunConfig, disease: Disease | None) -> dict[str, Model]:
    """Return the model of every organ that has numbers of its own; organs that are not in it have the patient's.

    A number that the disease gives an organ keeps its ratio to the patient's where the config changes the latter;
    ``organs.<name>.parameters`` of the config come last. InputError for a name that no organ uses.
    """
    found = {}
    for name, organ in config.organs.items():
        own = model
        diseased = diseased_organ(name, organ, disease)
        if disease is not None and diseased is not None:
            own = _of_disease(own, config, disease, diseased, organ.organ_kind)
        if organ.parameters:
            where = f"organs.{name}.parameters"
            _used_in_organs(model, organ.parameters, where)
            own = own.with_(*(_overridden(own, key, value, where) for key, value in organ.parameters.items()))
        if own is not model:
            found[name] = own
    return found


def diseased_organ(name: str, organ: Organ, disease: Disease | None) -> DiseaseOrgan | None:
    """Return what the disease does in an organ, None where it is healthy.

    Raises:
        InputError: nothing says which organ of the body it is.
    """
    if disease is None:
        return None
    kind = organ.organ_kind
    if kind is None:
        raise InputError(
            f"organs.{name}.kind: this key is missing; a run with a disease must know which organ of the body "
            f"'{organ.anatomy}' is"
        )
    return disease.organs.get(kind)


def disease_maps(tissue: Tissue, organ: Organ, disease: Disease | None, model: Model) -> dict[str, Any]:
    """Return the maps of an organ under a disease: where it lives, and where niches may grow if it says so.

    An organ that the disease spares is susceptible nowhere. Without a disease there are none: the model's defaults
    hold, and the anatomy's own niche sites.
    """
    if disease is None:
        return {}
    from tissuesim.anatomy.lesion import lesion_map, susceptibility

    diseased = diseased_organ(tissue.name, organ, disease)
    if diseased is None:
        return {SUSCEPTIBILITY: 0.0 * tissue.volume}
    where = f"{disease.name}: organs.{organ.organ_kind}"
    for name, change in diseased.parameters.items():
        for region in change.regions:
            if region not in tissue.region_names:
                raise InputError(
                    f"{where}.parameters.{name}.regions.{region}: '{tissue.name}' has no such region"
                    f"{nearest(region, tissue.region_names)}; it has {', '.join(tissue.region_names)}"
                )
    try:
        maps = {SUSCEPTIBILITY: susceptibility(tissue, diseased.lesions.items(), organ.seed)}
    except InputError as error:
        raise InputError(f"{where}.lesions.{error}") from None
    if diseased.niches is not None:
        try:
            maps[NICHE_SITE] = lesion_map(tissue, diseased.niches, organ.seed, "niches")
        except InputError as error:
            raise InputError(f"{where}.niches: {error}") from None
    return maps


def organ_parameters(model: Model) -> set[str]:
    """Return the parameters whose value in an organ matters there: in its rates, start values, sums and movement."""
    trees = [signal.initial for signal in model.signals.values()]
    trees += [cells.initial for cells in model.cells.values()]
    trees += [state.initial for state in model.states.values()]
    trees += [model.processes[name].rate for name, kind in model.process_kinds.items() if kind != "systemic"]
    trees += [summary.expression for summary in model.summaries.values()]
    used = {name for tree in trees for name in names(model.expand(tree))}
    used |= {signal.diffusivity for signal in model.signals.values()}
    for cells in model.cells.values():
        used |= {name for name in (cells.motility, cells.chemotaxis, cells.half_saturation) if name}
    used &= set(model.parameters)
    waiting = list(used)
    while waiting:
        formula = model.parameters[waiting.pop()].formula
        more = (names(formula) if formula is not None else set()) - used
        used |= more
        waiting += more
    return used


def _of_disease(
    model: Model, config: RunConfig, disease: Disease, diseased: DiseaseOrgan, kind: str | None
) -> Model:
    where = f"{disease.name}: organs.{kind}.parameters"
    _used_in_organs(model, diseased.parameters, where)
    parts = []
    for name, change in diseased.parameters.items():
        own = _changed(model, name, change, where)
        if name in config.parameters:
            own = _in_ratio(own, model.parameters[name], disease.patient.parameters.get(name), config.model)
        parts.append(own)
    return model.with_(*parts)


def _in_ratio(own: Parameter, now: Parameter, patient: Change | None, model: str) -> Parameter:
    """An organ's number after the config changed the patient's: as many times higher or lower as that became."""
    before = Model.load(model).parameter_values()[own.name]
    if patient is not None:
        before = quantity(patient.value, now.unit)
    if not before or now.value is None or own.value is None:
        return own
    factor = now.value / before
    return replace(
        own,
        value=own.value * factor,
        range=None,
        regions={region: value * factor for region, value in own.regions.items()},
    )


def _changed(model: Model, name: str, change: Change, where: str) -> Parameter:
    """The parameter as a disease has it: value, source, grade and range, and its own values in some regions."""
    known = _known(model, name, where)
    value = change.within(known.unit, f"{where}.{name}")
    regions = {region: known.regional(region, value) for region in known.regions} if known.value else {}
    for region, own in change.regions.items():
        regions[region] = quantity(own, known.unit, f"{where}.{name}.regions.{region}")
    low, high = (quantity(end, known.unit) for end in change.range)
    return replace(
        known,
        value=value,
        formula=None,
        regions=regions,
        source=change.source,
        grade=change.grade,
        range=(low, high),
    )


def _overridden(model: Model, name: str, value: object, where: str = "parameters") -> Parameter:
    known = _known(model, name, where)
    number = quantity(value, known.unit, f"{where}.{name}")
    return overridden(known, f"{number!r} {known.dimension}")


def _known(model: Model, name: str, where: str) -> Parameter:
    if name not in model.parameters:
        raise InputError(f"{where}.{name}: unknown parameter{nearest(name, model.parameters)}")
    return model.parameters[name]


def _used_in_organs(model: Model, wanted: Mapping[str, Any] | Iterable[str], where: str) -> None:
    """Refuse a number that would be given to an organ and change nothing there."""
    used = organ_parameters(model)
    for name in wanted:
        _known(model, name, where)
        if name not in used:
            raise InputError(
                f"{where}.{name}: belongs to the whole patient and changes nothing in one organ; set it in "
                "'parameters', or in 'patient.parameters' of a disease"
            )
