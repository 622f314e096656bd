"""Release of a CAR T product: what was measured, against its criteria. A product that fails is not given.

Criteria as in the specification of MB-CART20.1 (same platform; Front Immunol 2024;15:1328368, PMC11461191, table 1)
and, for the kill assay, of ARI-0001 (Castella 2018 Mol Ther Methods Clin Dev 12:134, 10.1016/j.omtm.2018.11.010).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tissuesim.errors import InputError

if TYPE_CHECKING:
    from tissuesim.config.car_t import CarTCells
    from tissuesim.config.schema import Patient, RunConfig

DOSE_TOLERANCE = 0.20
"""Largest relative deviation of CAR+ viable cells from the target dose (rounding aside)."""


def certificates(config: RunConfig) -> list[dict[str, Any]]:
    """Return one certificate per CAR T product: ``product``, ``day``, ``released``, ``override``, ``criteria``.

    A criterion has a ``name``, the measured ``value``, its ``limit`` in words and whether it ``passed``.
    """
    return [_certificate(item, config.patient) for item in config.treatment if item.type == "car_t"]


def refuse_unreleased(config: RunConfig) -> None:
    """Raise InputError if a product fails a release criterion and its ``release`` is not ``override``."""
    for position, item in enumerate(config.treatment):
        if item.type != "car_t" or item.release == "override":
            continue
        for criterion in criteria(item, config.patient):
            if not criterion["passed"]:
                raise InputError(
                    f"treatment[{position}].{criterion['key']}: '{item.product}' is not released, "
                    f"{criterion['name']} is {criterion['value']}, allowed: {criterion['limit']} "
                    "(release: override gives it all the same)"
                )


def criteria(item: CarTCells, patient: Patient) -> list[dict[str, Any]]:
    """Return the release criteria of a product with what was measured, each with the config key behind it."""
    found = [
        _criterion("viability", "viability", item.viability, ">= 0.8 of CD3+", item.viability >= 0.8),
        _criterion("cd3_purity", "CD3+ purity", item.cd3_purity, ">= 0.8", item.cd3_purity >= 0.8),
        _criterion(
            "car_positive_fraction",
            "CAR+ of CD3+",
            item.car_positive_fraction,
            ">= 0.1",
            item.car_positive_fraction >= 0.1,
        ),
        _criterion(
            "vector_copies",
            "vector copies per transduced cell",
            item.vector_copies,
            "< 5",
            item.vector_copies < 5.0,
        ),
        _criterion("endotoxin", "endotoxin, EU/mL", item.endotoxin, "< 5", item.endotoxin < 5.0),
        _criterion("sterile", "sterility and mycoplasma", item.sterile, "no growth", item.sterile),
        _criterion(
            "competent_virus",
            "replication-competent lentivirus",
            item.competent_virus,
            "absent",
            not item.competent_virus,
        ),
        _criterion(
            "assay_survival",
            "survival of targets in the kill assay at 1:1",
            item.assay_survival,
            "< 0.7",
            item.assay_survival < 0.7,
        ),
    ]
    target = item.target_cells(patient.body_weight)
    if target is not None:
        share = item.viable_cells(patient.body_weight) / target
        found.append(
            _criterion(
                "dose",
                "dose of CAR+ viable cells, relative to its target",
                round(share, 6),
                "0.8 to 1.2",
                abs(share - 1.0) <= DOSE_TOLERANCE + 1e-9,
            )
        )
    return found


def _certificate(item: CarTCells, patient: Patient) -> dict[str, Any]:
    found = [{k: v for k, v in row.items() if k != "key"} for row in criteria(item, patient)]
    passed = all(row["passed"] for row in found)
    override = item.release == "override"
    return {
        "product": item.product,
        "day": item.day,
        "antigen": item.antigen,
        "cells": round(item.viable_cells(patient.body_weight)),
        "released": passed or override,
        "override": override and not passed,
        "criteria": found,
    }


def _criterion(key: str, name: str, value: float | bool, limit: str, passed: bool) -> dict[str, Any]:
    return {"key": key, "name": name, "value": value, "limit": limit, "passed": passed}
