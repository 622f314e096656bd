"""Region physics of an organ: how molecules and cells fare in each region, and what happens at its surfaces.

A file of ``configs/organs`` says it, with a source and a grade for each number (docs/organ-physics.md). The numbers
of a model are those of the tissue it was calibrated in; the ``enters`` section names the parameters that an organ
changes, region by region. Nothing is changed unless a run config asks for it (``organs.<name>.physics``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError, nearest
from tissuesim.tissue import Tissue
from tissuesim.tissue.boundary import DIRECTIONS, open_face_conductance
from tissuesim.units import quantity
from tissuesim.yaml_file import kind, parse_mapping, read_text

GRADES = ("C", "M", "A", "cal")
# property of a region -> (unit, smallest, largest value)
PROPERTIES: dict[str, tuple[str, float, float]] = {
    "tortuosity": ("1", 1.0, 10.0),
    "vascular_density": ("1", 0.0, 100.0),
    "lymph_drainage": ("1/day", 0.0, 1000.0),
    "niche_fraction": ("1", 0.0, 1.0),
    "adhesion": ("1", 0.0, 1000.0),
    "tissue_share": ("1", 0.01, 1.0),
}
ENTERING = (
    "tortuosity",
    "lymph_drainage",
    "adhesion",
    "tissue_share",
    "inverse_tissue_share",
)  # what may change parameters; the others shape the tissue
CONDITIONS = ("no_flux", "absorbing", "fixed", "exchange")
EVERY_DIFFUSIVITY = (
    "signals.diffusivity"  # in `enters`: the parameter that each signal names as its diffusivity
)
_KEYS = "'name:' and 'regions:'"


@dataclass(frozen=True)
class Quantity:
    """A number in canonical units (mm, day, pM) with the unit it was written in, source and grade."""

    value: float
    unit: str
    source: str
    grade: str


WITHOUT = {"tissue_share": Quantity(1.0, "1", "No air in the region", "A")}
"""Properties that a file may leave out."""


@dataclass(frozen=True)
class Surface:
    """What happens at the outer faces of some regions; ``facing``: those alone that look in these directions.

    ``level`` [pM] is the concentration outside, of every signal, ``coefficient`` [mm/day] the permeability.
    """

    regions: tuple[str, ...]
    condition: str
    source: str
    grade: str
    facing: tuple[str, ...] | None = None
    level: Quantity | None = None
    coefficient: Quantity | None = None


@dataclass(frozen=True)
class Anisotropy:
    """Regions with fibers, and the tortuosities along and across them."""

    of: tuple[str, ...]
    along: Quantity
    across: Quantity


@dataclass(frozen=True)
class OrganPhysics:
    """The physics of one organ; ``regions`` holds every property of `PROPERTIES` by region.

    ``enters`` maps a property to the parameters it changes: tortuosity, adhesion and the share of tissue multiply
    them, the inverse of that share too; drainage is added.
    """

    name: str
    description: str
    reference_tortuosity: Quantity
    regions: Mapping[str, Mapping[str, Quantity]]
    surfaces: Mapping[str, Surface]
    enters: Mapping[str, tuple[str, ...]]
    anisotropy: Anisotropy | None = None

    def value(self, region: str, name: str) -> float:
        """Return a property of a region; InputError for a region that the organ does not have."""
        if region not in self.regions:
            raise InputError(
                f"organ physics '{self.name}' has no region '{region}'{nearest(region, self.regions)}; "
                f"it has {', '.join(self.regions)}"
            )
        return self.regions[region][name].value

    def relative_diffusivity(self, region: str) -> float:
        """Return D in a region over D in the tissue of the model: (reference tortuosity / tortuosity)^2."""
        return self._relative(self.value(region, "tortuosity"))

    def fiber_diffusivities(self) -> tuple[float, float]:
        """Return D along and across fibers over D in the tissue of the model; InputError without fibers."""
        if self.anisotropy is None:
            raise InputError(f"organ physics '{self.name}' has no section 'anisotropy'")
        return self._relative(self.anisotropy.along.value), self._relative(self.anisotropy.across.value)

    def open_surfaces(self) -> dict[str, Surface]:
        """Return the surfaces that are no walls; each name begins with the organ's, as it stands in a model."""
        return {
            f"{self.name}_{tag}": surface
            for tag, surface in self.surfaces.items()
            if surface.condition != "no_flux"
        }

    def surface_maps(self, tissue: Tissue) -> dict[str, NDArray[np.float64]]:
        """Return the maps of the open surfaces of a tissue: ``<tag>_opening`` [1/mm^2], ``<tag>_steepness`` [1/mm]."""
        maps = {}
        for tag, surface in self.open_surfaces().items():
            mask = tissue.in_regions(surface.regions)
            maps[f"{tag}_opening"] = open_face_conductance(tissue, mask, surface.facing)
            maps[f"{tag}_steepness"] = np.full(tissue.n, 2.0 / tissue.spacing)
        return maps

    def _relative(self, tortuosity: float) -> float:
        return (self.reference_tortuosity.value / tortuosity) ** 2

    def niche_shares(self) -> dict[str, float]:
        """Return the share of every region in which niches may grow."""
        return {region: own["niche_fraction"].value for region, own in self.regions.items()}

    def vascular_factors(self) -> dict[str, float]:
        """Return the vascular density of every region relative to the reference region."""
        return {region: own["vascular_density"].value for region, own in self.regions.items()}


def region_parameters(
    physics: OrganPhysics, region: str, values: Mapping[str, Any], diffusivities: tuple[str, ...]
) -> dict[str, Any]:
    """Return the parameter values of a region after the organ's physics, in the order of ``values``.

    ``values`` are the model's values in this region, its formulas computed: they keep the values they were computed
    with, so that more drainage lowers a level instead of raising its source too. ``diffusivities`` are the names
    that 'signals.diffusivity' stands for. InputError for a region or a parameter that does not exist.
    """
    changed = dict(values)
    for name, targets in physics.enters.items():
        own = physics.value(region, name.removeprefix("inverse_"))
        for target in _expanded(targets, diffusivities):
            if target not in values:
                raise InputError(
                    f"organ physics '{physics.name}', enters.{name}: the model has no parameter "
                    f"'{target}'{nearest(target, values)}"
                )
            if name == "lymph_drainage":
                changed[target] = changed[target] + own
            else:
                factor = physics.relative_diffusivity(region) if name == "tortuosity" else own
                factor = 1.0 / own if name == "inverse_tissue_share" else factor
                changed[target] = changed[target] * factor
    return changed


def _expanded(targets: tuple[str, ...], diffusivities: tuple[str, ...]) -> list[str]:
    """Return the parameters that `enters` names, each once."""
    every = (
        name for target in targets for name in (diffusivities if target == EVERY_DIFFUSIVITY else (target,))
    )
    return list(dict.fromkeys(every))


def load_physics(name_or_path: str) -> OrganPhysics:
    """Return the physics of a shipped organ (``kidney``) or of a ``.yaml`` file; InputError says what is wrong."""
    if name_or_path.endswith((".yaml", ".yml")):
        return physics_from_text(read_text(Path(name_or_path)), name_or_path)
    folder = files("tissuesim.configs").joinpath("organs")
    known = sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )
    if name_or_path not in known:
        raise InputError(
            f"there is no organ physics '{name_or_path}'{nearest(name_or_path, known)}; there are {', '.join(known)}"
        )
    text = folder.joinpath(f"{name_or_path}.yaml").read_text(encoding="utf-8")
    return physics_from_text(text, f"organs/{name_or_path}.yaml")


def physics_from_text(text: str, where: str) -> OrganPhysics:
    """Return the checked physics of a YAML text; errors name ``where`` and the path of the key."""
    try:
        return _organ(_Section("", parse_mapping(text, where, _KEYS)))
    except InputError as error:
        message = str(error)
        raise InputError(message if message.startswith(where) else f"{where}: {message}") from None


class _Section:
    """A mapping of the file whose keys are taken one by one; `close` refuses those that nobody knows."""

    def __init__(self, path: str, data: object) -> None:
        if not isinstance(data, dict):
            raise InputError(f"{path}: a mapping is needed, not {kind(data)}")
        self.path, self.data, self.known = path, data, list[str]()

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def take(self, key: str, *, required: bool = True) -> Any:
        self.known.append(key)
        if required and self.data.get(key) is None:
            for other in self.data:  # a misspelled key is the likelier mistake
                if other not in self.known and nearest(other, [key]):
                    raise InputError(f"{self.at(other)}: unknown key{nearest(other, [key])}")
            raise InputError(f"{self.at(key)}: this key is missing")
        return self.data.get(key)

    def text(self, key: str) -> str:
        value = self.take(key)
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"{self.at(key)}: a text is needed, not {kind(value)}")
        return " ".join(value.split())

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in allowed:
            raise InputError(
                f"{self.at(key)}: '{value}' is not one of {', '.join(allowed)}{nearest(value, allowed)}"
            )
        return value

    def names(self, key: str, allowed: tuple[str, ...] | None = None) -> tuple[str, ...]:
        values = self.take(key)
        if not isinstance(values, list) or not values or not all(isinstance(name, str) for name in values):
            raise InputError(f"{self.at(key)}: a list of names is needed, not {kind(values)}")
        for name in values if allowed is not None else ():
            if name not in (allowed or ()):
                hint = nearest(name, allowed or ())
                raise InputError(f"{self.at(key)}: '{name}' is not one of {', '.join(allowed or ())}{hint}")
        return tuple(values)

    def section(self, key: str) -> _Section:
        return _Section(self.at(key), self.take(key))

    def quantity(self, key: str, unit: str, low: float = 0.0, high: float = float("inf")) -> Quantity:
        own = self.section(key)
        given, source, grade = own.take("value"), own.text("source"), own.choice("grade", GRADES)
        own.close()
        value = quantity(given, unit, own.at("value"))
        if not low <= value <= high:
            raise InputError(f"{own.at('value')}: {given} is not from {low:g} to {high:g} {unit}")
        return Quantity(value, unit, source, grade)

    def close(self) -> None:
        for key in self.data:
            if key not in self.known:
                raise InputError(
                    f"{self.at(key)}: unknown key{nearest(key, self.known)}; allowed are {', '.join(self.known)}"
                )


def _organ(top: _Section) -> OrganPhysics:
    name, description = top.text("name"), top.text("description")
    _check_word("name", name)
    reference = top.quantity("reference_tortuosity", *PROPERTIES["tortuosity"])
    given = top.section("regions")
    regions = {region: _region(given.section(region)) for region in given.data}
    if not regions:
        raise InputError("regions: an organ has at least one region")
    surfaces = _surfaces(top, tuple(regions))
    enters = _enters(top)
    fibers = None
    if top.take("anisotropy", required=False) is not None:
        own = top.section("anisotropy")
        of = own.names("of", tuple(regions))
        along, across = (own.quantity(key, *PROPERTIES["tortuosity"]) for key in ("along", "across"))
        fibers = Anisotropy(of, along, across)
        own.close()
    top.close()
    return OrganPhysics(name, description, reference, regions, surfaces, enters, fibers)


def _region(own: _Section) -> dict[str, Quantity]:
    known = {
        name: own.quantity(name, *PROPERTIES[name])
        if name not in WITHOUT or own.take(name, required=False) is not None
        else WITHOUT[name]
        for name in PROPERTIES
    }
    own.close()
    return known


def _enters(top: _Section) -> dict[str, tuple[str, ...]]:
    if top.take("enters", required=False) is None:
        return {}
    own = top.section("enters")
    enters = {}
    for name in ENTERING:
        if own.take(name, required=False) is not None:
            enters[name] = own.names(name)
    own.close()
    return enters


def _surfaces(top: _Section, regions: tuple[str, ...]) -> dict[str, Surface]:
    if top.take("surfaces", required=False) is None:
        return {}
    given = top.section("surfaces")
    for tag in given.data:
        _check_word(given.at(tag), tag)
    return {tag: _surface(given.section(tag), regions) for tag in given.data}


def _check_word(where: str, name: str) -> None:
    """Names of organ and surfaces become names in a model."""
    if not (name.isidentifier() and name.isascii() and name == name.lower()):
        raise InputError(
            f"{where}: '{name}' is no name of small letters, digits and _ that begins with a letter"
        )


def _surface(own: _Section, regions: tuple[str, ...]) -> Surface:
    of, condition = own.names("of", regions), own.choice("condition", CONDITIONS)
    facing = None if own.take("facing", required=False) is None else own.names("facing", DIRECTIONS)
    level = own.quantity("level", "pM") if condition in ("fixed", "exchange") else None
    coefficient = own.quantity("coefficient", "mm/day") if condition == "exchange" else None
    surface = Surface(
        of, condition, own.text("source"), own.choice("grade", GRADES), facing, level, coefficient
    )
    own.close()
    return surface
