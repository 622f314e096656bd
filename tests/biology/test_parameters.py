"""What the shipped models claim about themselves: sources, grades, ranges, and what extends what."""

from __future__ import annotations

import pytest

from tissuesim.model import Model
from tissuesim.model.expression import names
from tissuesim.model.nodes import Call, Expression, Number, children
from tissuesim.model.parser import parse

MODELS = ("systemic", "autoimmune_lumped", "autoimmune")
ALL_MODELS = (*MODELS, "autoimmune_patch")

STRUCTURAL = {0.0, 1.0, 2.0, 0.5}
"""Numbers that may stand in an expression: they say nothing about biology (1 - x, 2 x^2 / (1 + x^2), a half of two).

The exponent of a Hill term may too: the language wants it whole.
"""


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    """The three shipped models."""
    return {name: Model.load(name) for name in MODELS}


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_says_where_it_comes_from(models: dict[str, Model], name: str) -> None:
    """Claim: each parameter has a label, a source and a grade; each free one a range around its value."""
    for parameter in models[name].parameters.values():
        assert parameter.label, parameter.name
        assert len(parameter.source) > 5, parameter.name
        assert parameter.grade in {"C", "M", "A", "cal"}, parameter.name
        if parameter.formula is None:
            assert parameter.range is not None, parameter.name
            low, high = parameter.range
            assert low <= parameter.value <= high, parameter.name
            assert low < high, parameter.name


def literals(tree: Expression) -> set[float]:
    """Numbers that stand in an expression, but for the exponents of Hill terms."""
    if isinstance(tree, Number):
        return {abs(tree.value)}
    inner = children(tree)
    if isinstance(tree, Call) and tree.function == "hill":
        inner = inner[:2]
    return set().union(*(literals(part) for part in inner))


def expressions(model: Model) -> dict[str, Expression]:
    """Every expression of a model, by what it belongs to."""
    found = {f"processes.{name}": part.rate for name, part in model.processes.items()}
    for kind in ("definitions", "summaries"):
        found |= {f"{kind}.{name}": part.expression for name, part in getattr(model, kind).items()}
    for kind in ("signals", "cells", "states", "pools"):
        found |= {f"{kind}.{name}": part.initial for name, part in getattr(model, kind).items()}
    formulas = {name: part.formula for name, part in model.parameters.items()}
    return found | {f"parameters.{name}": tree for name, tree in formulas.items() if tree is not None}


@pytest.mark.parametrize("name", ALL_MODELS)
def test_no_number_of_biology_stands_in_an_expression(name: str) -> None:
    """Claim: every number of a rate, a start value or a definition is a parameter with source, grade and range."""
    bare = {
        where: odd
        for where, tree in expressions(Model.load(name)).items()
        if (odd := literals(tree) - STRUCTURAL)
    }
    assert not bare


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0.3 * a", {0.3}),
        ("1 - 0.5 * a", {1.0, 0.5}),
        ("2 * hill(a, 1, 4)", {2.0, 1.0}),
        ("clip(a, 0, 1.5)", {0.0, 1.5}),
    ],
)
def test_literals_are_seen(text: str, found: set[float]) -> None:
    """Claim: the test above sees a number wherever it stands."""
    assert literals(parse(text)) == found


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_is_used(models: dict[str, Model], name: str) -> None:
    """Claim: nothing in the parameter table is dead: each changes a rate, a start value, a definition or labels."""
    model, used = models[name], set()
    if any(part.clonal for part in (*model.cells.values(), *model.pools.values())):
        used |= {"clone_number", "clone_spread"}  # the labels of clones read them (systemic/clones.py)
    for part in (
        *model.signals.values(),
        *model.cells.values(),
        *model.states.values(),
        *model.pools.values(),
    ):
        used |= names(part.initial)
        used |= {
            getattr(part, key, None) for key in ("diffusivity", "motility", "chemotaxis", "half_saturation")
        }
    for process in model.processes.values():
        used |= names(process.rate)
    for part in (*model.definitions.values(), *model.summaries.values()):
        used |= names(part.expression)
    for parameter in model.parameters.values():
        if parameter.formula is not None:
            used |= names(parameter.formula)
    assert set(model.parameters) <= used


@pytest.mark.parametrize("name", MODELS)
def test_patients_differ_where_the_reference_says(models: dict[str, Model], name: str) -> None:
    """Claim: the between-patient variation of growth, killing, marrow and clones is that of the reference cohort."""
    expected = {
        "car_t_division": 0.17,
        "activation_time": 0.3,
        "car_t_contraction": 0.36,
        "kill_capacity": 0.30,
        "space_decay_time": 0.2,
        "marrow_half_saturation": 0.5,
        "lymphoid_naive_reference": 0.5,
        "memory_reference": 0.5,
        "marrow_precursor_reference": 0.3,
        "pro_b_feed": 0.5,
        "marrow_recovery_time": 0.5,
        "precursor_division": 0.15,
        "lymphoid_autoreactive_reference": 0.9,
        "autoreactive_division": 0.10,
        "long_lived_share": 0.8,
        "igg_loss": 0.15,
    }
    if name != "systemic":
        expected |= {"tissue_half_saturation": 0.35, "inflammation_turnover": 0.25, "damage_repair": 0.3}
    found = {key: models[name].parameters[key].variability for key in expected}
    assert found == expected


def test_cytokine_transport_has_the_published_lengths(models: dict[str, Model]) -> None:
    """Claim: sqrt(diffusivity/loss) is 0.2 to 0.7 mm for all signals, 0.26 mm for CXCL13 and 0.39 mm for IFN-gamma."""
    value = models["autoimmune"].parameter_values()
    length = {
        name: (value[f"{name}_diffusivity"] / value[f"{name}_loss"]) ** 0.5
        for name in models["autoimmune"].signals
    }
    assert len(length) == 8
    assert all(0.2 < x < 0.7 for x in length.values())
    assert length["cxcl13"] == pytest.approx(0.257, abs=0.003)
    assert length["ifn_gamma"] == pytest.approx(0.393, abs=0.003)


@pytest.mark.parametrize(
    ("kind", "crossing"),
    [
        ("influx", {"car_t_effector", "car_t_memory", "naive_b", "autoreactive_b"}),
        (
            "egress",
            {
                "car_t_effector",
                "car_t_memory",
                "naive_b",
                "autoreactive_b",
                "plasmablast",
                "il6",
                "ifn_gamma",
            },
        ),
    ],
)
def test_what_crosses_between_blood_and_tissue(
    models: dict[str, Model], kind: str, crossing: set[str]
) -> None:
    """Claim: CAR T, naive and autoreactive B enter and return; plasmablasts and two cytokines only leave."""
    model = models["autoimmune"]
    found = [set(model.processes[name].change) for name, of in model.process_kinds.items() if of == kind]
    assert set().union(*found) - set(model.pools) == crossing


def test_lumped_model_has_no_direct_lymphodepletion(models: dict[str, Model]) -> None:
    """Claim: as in the reference, lymphodepletion kills no B cell in the lumped model; in the spatial one it does."""
    assert models["autoimmune_lumped"].parameters["lymphodepletion_kill"].value == 0
    assert models["autoimmune"].parameters["lymphodepletion_kill"].value == pytest.approx(0.6)


def test_shared_processes_are_the_same(models: dict[str, Model]) -> None:
    """Claim: both disease models keep every whole-body process of `systemic` unchanged."""
    for name, process in models["systemic"].processes.items():
        assert models["autoimmune"].processes[name] == process
        assert models["autoimmune_lumped"].processes[name] == process
