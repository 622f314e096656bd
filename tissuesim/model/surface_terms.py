"""Conditions at the surfaces of organs as ordinary parts of a model: maps, parameters and processes per signal.

A tissue brings the maps ``<tag>_opening`` (open face area / (half a voxel x volume), 1/mm^2, 0 where nothing is
open) and ``<tag>_steepness`` (2 / voxel, 1/mm). With D the signal's diffusivity there,

    absorbing, fixed   rate D opening                                  the face is held at a level
    exchange           rate D opening P / (P + D steepness)            half a voxel and the surface in a row
"""

from __future__ import annotations

from tissuesim.model.model import Model
from tissuesim.model.parser import parse
from tissuesim.model.parts import Map, Parameter, Part, Process

OPENING, STEEPNESS = "opening", "steepness"  # ends of the names of maps


def surface_terms(
    model: Model, tag: str, level: Parameter | None, permeability: Parameter | None
) -> list[Part]:
    """Return the parts that open a surface to every signal of a model.

    ``tag`` begins all names. Without ``level`` nothing enters (absorbing); without ``permeability`` the face itself
    is held at the level.
    """
    opening, steepness = f"{tag}_{OPENING}", f"{tag}_{STEEPNESS}"
    parts: list[Part] = [Map(opening, 0.0, label=f"Open surface, {tag.replace('_', ' ')}", unit="1/mm^2")]
    parts += [parameter for parameter in (level, permeability) if parameter is not None]
    if permeability is not None:
        parts.append(Map(steepness, 1.0, label="Inverse of half a voxel", unit="1/mm"))
    for name, signal in model.signals.items():
        rate = f"{signal.diffusivity} * {opening}"
        if permeability is not None:
            through = permeability.name
            rate += f" * {through} / ({through} + {signal.diffusivity} * {steepness})"
        away = Process(
            f"{name}_out_{tag}", parse(f"{rate} * {name}"), {name: -1}, f"{name} lost at {tag}", False
        )
        parts.append(away)
        if level is not None:
            into = parse(f"{rate} * {level.name}")
            parts.append(Process(f"{name}_in_{tag}", into, {name: 1}, f"{name} enters at {tag}", False))
    return parts
