"""Checks across the parts of a model: each mistake is refused with a sentence that names its place."""

from __future__ import annotations

from typing import Any

import pytest

from tissuesim.errors import InputError
from tissuesim.model import Model

Change = tuple[str, Any]
ASSUMED = {"source": "Assumed", "grade": "A"}


def changed(small: dict[str, Any], *changes: Change) -> dict[str, Any]:
    """Return the mapping with values set at dotted paths."""
    for path, value in changes:
        *folders, last = path.split(".")
        entry = small
        for folder in folders:
            entry = entry.setdefault(folder, {})
        entry[last] = value
    return small


def refused(small: dict[str, Any], *changes: Change) -> str:
    """Return the sentence with which the changed model is refused."""
    with pytest.raises(InputError) as error:
        Model.from_mapping(changed(small, *changes))
    sentence = str(error.value)
    assert "\n" not in sentence
    assert len(sentence) < 400
    return sentence


def test_the_small_model_is_valid(small: dict[str, Any]) -> None:
    """The model that all other tests break passes every check."""
    assert Model.from_mapping(small).name == "small"


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (
            "processes.kill_b.rate",
            "kill_hazrd * b_cell",
            "processes.kill_b.rate: unknown name 'kill_hazrd' (did you",
        ),
        (
            "definitions.gate",
            "mm(il_6, half_effect)",
            "definitions.gate: unknown name 'il_6' (did you mean 'il6'?)",
        ),
        (
            "cells.b_cell.initial",
            "b_strt",
            "cells.b_cell.initial: unknown name 'b_strt' (did you mean 'b_start'?)",
        ),
        ("parameters.decay.formula", "kil / 4", "parameters.decay.formula: unknown name 'kil'"),
        ("summaries.tissue_b.sum", "b_cel", "summaries.tissue_b: unknown name 'b_cel'"),
        (
            "processes.kill_b.change",
            {"b_cel": -1},
            "processes.kill_b.change.b_cel: 'b_cel' is an unknown name",
        ),
        ("processes.kill_b.change", {"kill": -1}, "is one of the parameters, which no process changes"),
        (
            "signals.il6.diffusivity",
            "il6_difusivity",
            "signals.il6.diffusivity: 'il6_difusivity' is not one of the",
        ),
        ("cells.t_cell.attractant", "b_cell", "cells.t_cell.attractant: 'b_cell' is not one of the signals"),
        ("cells.t_cell.half_saturation", None, "chemotaxis, attractant, half_saturation go together"),
        ("pools.kill", {"unit": "cell"}, "parameters.kill: the name is already taken by pools.kill"),
        (
            "processes.gate",
            {"rate": "kill * il6", "change": {"il6": -1}},
            "already taken by definitions.gate",
        ),
        ("definitions.mm", "1", "definitions.mm: 'mm' is a reserved word"),
        ("definitions._x", "1", "definitions._x: '_x' cannot be a name"),
        ("signals.il6.diffusvity", "x", "signals.il6.diffusvity: unknown key (did you mean 'diffusivity'?)"),
        ("signals.il6.diffusivity", None, "signals.il6.diffusivity is missing"),
        ("pools.blood_t.kind", "integer", "pools.blood_t.kind: 'integer' is not one of count, real"),
        ("parameters.kill.grade", "B", "parameters.kill.grade: 'B' is not one of C, M, A, cal"),
        ("parameters.kill.source", None, "parameters.kill.source is missing"),
        ("parameters.kill.formula", "decay", "parameters.kill: a parameter has a 'value' or a 'formula'"),
        ("parameters.kill.value", None, "this one has neither"),
        (
            "parameters.kill.value",
            "8 1/dya",
            "parameters.kill.value: unknown unit 'dya' (did you mean 'day'?)",
        ),
        ("parameters.kill.value", "nan 1/day", "parameters.kill.value: 'nan 1/day' is not a quantity"),
        (
            "parameters.kill.range",
            ["9 1/day", "10 1/day"],
            "parameters.kill.range: [9 1/day, 10 1/day] does not",
        ),
        ("parameters.kill.range", "8 1/day", "two values are needed"),
        (
            "parameters.kill.variability",
            -1,
            "parameters.kill.variability: -1 is not a coefficient of variation",
        ),
        (
            "parameters.kill.regions",
            {"cortex": "3 mm"},
            "parameters.kill.regions.cortex: '3 mm' is in mm, but 1/day",
        ),
        ("maps.vessels.default", None, "maps.vessels.default is missing"),
        ("summaries.tissue_b.mean", "b_cell", "summaries.tissue_b: give either 'sum' or 'mean'"),
        ("summaries.mean_damage.over", 3, "summaries.mean_damage.over: a list of region names"),
        ("processes.kill_b.change", {}, "processes.kill_b.change: a mapping such as"),
        ("processes.kill_b.change", {"b_cell": 0}, "0 is not a whole number, other than 0, from -8 to 8"),
        ("processes.kill_b.change", {"b_cell": 9}, "9 is not a whole number"),
        ("processes.kill_b.change", {"b_cell": 1.0}, "1.0 is not a whole number"),
        ("processes.kill_b.change", {"b_cell": True}, "True is not a whole number"),
        (
            "processes.kill_b.conserves",
            "no",
            "processes.kill_b.conserves: true or false is needed, not a text",
        ),
        ("signals.il6.label", True, "signals.il6.label: a text is needed, not true or false"),
        ("signals.il6", "pM", "signals.il6: a mapping is needed, not a text"),
    ],
)
def test_mistakes_in_a_part_name_the_key(small: dict[str, Any], path: str, value: Any, says: str) -> None:
    """Typos, missing keys and wrong kinds are told with the path, the value and the nearest valid name."""
    assert says in refused(small, (path, value))


@pytest.mark.parametrize(
    ("rate", "says"),
    [
        (
            "il6 + t_cell",
            "both sides of '+' need the same unit, but in 'il6 + t_cell' 'il6' is in pM and 't_cell'",
        ),
        ("il6 - 1", "both sides of '-' need the same unit"),
        ("min(il6, t_cell)", "all arguments of min need the same unit"),
        ("max(il6, 1)", "all arguments of max need the same unit"),
        ("clip(il6, 0, 1)", "all arguments of clip need the same unit"),
        ("clip(il6, 0, t_cell)", "all arguments of clip need the same unit"),
        ("where(il6 > t_cell, 1, 2)", "both sides of '>' need the same unit"),
        ("where(il6 > 1, 1, 2)", "both sides of '>' need the same unit"),
        ("where(il6 > 0, il6, t_cell)", "both values of where need the same unit"),
        ("hill(il6, half_kill, 2)", "x and K of hill need the same unit"),
        ("mm(t_cell, half_effect)", "x and K of mm need the same unit"),
        ("sqrt(il6 * t_cell)", "square root"),
        ("kill / 0", "divides by zero"),
        ("kill * il6 / (0 * il6)", "divides by zero"),
        ("kill", "'kill' is in 1/day, but the change of 'b_cell' here is in cell/mm^3/day"),
        ("kill * b_cell ** 2", "is in cell^2/mm^6/day, but the change of 'b_cell'"),
        ("b_cell", "is in cell/mm^3, but the change of 'b_cell'"),
    ],
)
def test_units_must_agree(small: dict[str, Any], rate: str, says: str) -> None:
    """Sums, comparisons, choices, saturations, roots and the rate itself are held to their units."""
    sentence = refused(small, ("processes.kill_b.rate", rate))
    assert sentence.startswith("processes.kill_b.rate: ")
    assert says in sentence


@pytest.mark.parametrize(
    "rate",
    [
        "kill * b_cell * max(0, 1 - b_cell / half_kill)",
        "kill * max(0, b_cell)",
        "kill * clip(b_cell, 0, half_kill)",
        "kill * where(b_cell > 0, b_cell, 0)",
        "kill * b_cell * where(il6 > 0, 1, 0)",
        "kill * b_cell + 0",
        "kill * sqrt(b_cell * b_cell)",
        "kill * b_cell^3 / half_kill^2",
        "kill * b_cell * (il6 / half_effect)^0",
        "kill * b_cell * hill(il6, half_effect, 3)",
        "0",
        "0 * il6",
    ],
)
def test_a_literal_zero_fits_every_unit(small: dict[str, Any], rate: str) -> None:
    """0 may be added to, compared with and chosen beside anything; powers and roots come out right."""
    Model.from_mapping(changed(small, ("processes.kill_b.rate", rate)))


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (
            "cells.b_cell.initial",
            "dose",
            "cells.b_cell.initial: 'dose' is in cell, but 'b_cell' is in cell/mm^3",
        ),
        ("cells.b_cell.initial", 3, "'3' is in 1, but 'b_cell' is in cell/mm^3"),
        ("pools.blood_t.initial", "b_start", "pools.blood_t.initial: 'b_start' is in cell/mm^3"),
        (
            "parameters.decay.unit",
            "1/day^2",
            "parameters.decay.formula: 'kill / 4' is in 1/day, but 'decay' is in",
        ),
        ("parameters.il6_diffusivity", {**ASSUMED, "value": "1 mm"}, "a diffusivity is in mm^2/day"),
        ("parameters.half_effect", {**ASSUMED, "value": "1 cell/mm^3"}, "is in cell/mm^3"),
        ("signals.il6.unit", "ng/mL", "signals.il6.unit: 'ng/mL' is not a concentration such as pM"),
        ("signals.il6.unit", "pX", "signals.il6.unit: unknown unit 'pX'"),
        ("maps.vessels.default", "3 mm", "maps.vessels.default: '3 mm' is in mm, but 1 is needed"),
    ],
)
def test_units_of_values_and_references(small: dict[str, Any], path: str, value: Any, says: str) -> None:
    """Initial values, formulas, diffusivities, half-saturations and maps are in the unit of what they set."""
    assert says in refused(small, (path, value))


def test_definitions_carry_their_units(small: dict[str, Any]) -> None:
    """A clash inside a definition is told there, one outside with the unit the definition has."""
    assert refused(small, ("definitions.gate", "il6 + vessels")).startswith("definitions.gate: ")
    sentence = refused(small, ("definitions.gate", "il6 * vessels"))
    assert sentence.startswith("processes.t_entry.rate: 'entry * blood_t * gate' is in cell*amol/mm^6/day")


def test_units_of_all_names(small: dict[str, Any]) -> None:
    """Names know their units: a density, a sum over voxels, a mean, a definition."""
    dimensions = {name: str(dimension) for name, dimension in Model.from_mapping(small).dimensions.items()}
    assert dimensions["b_cell"] == "cell/mm^3"
    assert dimensions["tissue_b"] == "cell"
    assert dimensions["mean_damage"] == "1"
    assert dimensions["kill_hazard"] == "1/day"


@pytest.mark.parametrize(
    ("change", "rate", "says"),
    [
        (
            {"b_cell": -1, "t_cell": 2},
            "kill * b_cell",
            "takes 1 and gives 2; balance it or say 'conserves: false'",
        ),
        ({"b_cell": -2, "t_cell": 1}, "kill * b_cell", "takes 2 and gives 1"),
        ({"blood_t": -1, "t_cell": 2}, "entry * blood_t", "an influx is 1 from a pool to 1 of a cell type"),
        ({"blood_t": -2, "t_cell": 2}, "entry * blood_t", "an influx is 1 from a pool to 1 of a cell type"),
        ({"blood_t": 2, "t_cell": -1}, "decay * t_cell", "coefficients are opposite"),
        ({"blood_t": 1, "t_cell": 1}, "decay * t_cell", "coefficients are opposite"),
        ({"blood_t": 1, "t_cell": -1, "b_cell": 1}, "decay * t_cell", "cannot be changed together"),
        ({"blood_t": 1, "damage": -1}, "decay * damage", "cannot be changed together"),
        (
            {"il6": 1, "b_cell": -1},
            "kill * b_cell",
            "'il6' (signals), 'b_cell' (cells) cannot be changed together",
        ),
        ({"b_cell": -1, "damage": 1}, "kill * b_cell", "the change of 'damage' here is in 1/day"),
        ({"blood_t": -1, "t_cell": 1}, "entry * min(blood_t, dose)", "must have 'blood_t' as a factor"),
    ],
)
def test_what_is_moved_is_conserved(
    small: dict[str, Any], change: dict[str, int], rate: str, says: str
) -> None:
    """A process that takes and gives must balance, and what cannot be changed together is refused."""
    small["processes"]["odd"] = {"change": change, "rate": rate}
    sentence = refused(small)
    assert sentence.startswith("processes.odd.")
    assert says in sentence


def test_conserves_false_permits_a_gain(small: dict[str, Any]) -> None:
    """One memory cell may become two effectors where the modeller says so; balanced moves need nothing."""
    small["processes"]["wake"] = {
        "rate": "kill * b_cell",
        "change": {"b_cell": -1, "t_cell": 2},
        "conserves": False,
    }
    small["processes"]["fuse"] = {"rate": "kill * b_cell", "change": {"b_cell": -2, "t_cell": 2}}
    Model.from_mapping(small)


@pytest.mark.parametrize(
    ("name", "change", "rate"),
    [
        ("b_cell", {"b_cell": -1}, "kill * half_kill"),
        ("b_cell", {"b_cell": -1}, "kill * (b_cell + half_kill)"),
        ("il6", {"il6": -1}, "secretion * t_cell"),
        ("blood_t", {"blood_t": -1}, "decay * dose"),
        ("damage", {"damage": -1}, "kill_hazard * (1 - damage)"),
        ("t_cell", {"t_cell": -1, "blood_t": 1}, "decay * half_kill"),
    ],
)
def test_nothing_is_taken_from_nothing(
    small: dict[str, Any], name: str, change: dict[str, int], rate: str
) -> None:
    """A rate that stays positive where its source is empty would make it negative, and is refused."""
    small["processes"]["odd"] = {"change": change, "rate": rate}
    assert f"processes.odd.rate: takes from '{name}', so it must be 0 where there is none" in refused(small)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (
            "processes.t_death.rate",
            "decay * blood_t * gate",
            "uses 'il6' (through 'gate'), one of the signals",
        ),
        ("processes.t_death.rate", "decay * blood_t * vessels", "uses 'vessels', one of the maps"),
        ("processes.t_death.rate", "kill * t_cell / half_kill * blood_t", "uses 't_cell', one of the cells"),
        ("pools.blood_t.initial", "dose * vessels", "pools.blood_t.initial: uses 'vessels', one of the maps"),
        (
            "cells.b_cell.initial",
            "b_start * damage",
            "cells.b_cell.initial: uses 'damage', one of the states",
        ),
        ("cells.b_cell.initial", "b_start * gate", "uses 'il6' (through 'gate')"),
        (
            "parameters.decay.formula",
            "kill * vessels",
            "parameters.decay.formula: uses 'vessels', one of the maps",
        ),
        ("summaries.tissue_b.sum", "b_cell * mean_damage", "summaries.tissue_b: uses 'mean_damage'"),
    ],
)
def test_expressions_see_only_what_exists_where_they_are_used(
    small: dict[str, Any], path: str, value: str, says: str
) -> None:
    """The body sees no voxel, an initial value nothing that changes, a summary no summary."""
    assert says in refused(small, (path, value))


def test_cycles_are_shown(small: dict[str, Any]) -> None:
    """Definitions and formulas that need themselves are refused with the way round."""
    sentence = refused(small, ("definitions.p", "q + 1"), ("definitions.q", "2 * r"), ("definitions.r", "p"))
    assert "defined by itself (" in sentence
    assert {"p", "q", "r"} <= set(sentence.replace("(", " ").replace(")", " ").split())


def test_cycles_of_formulas_are_shown(small: dict[str, Any]) -> None:
    """A formula cannot use itself either."""
    assert "parameters.decay: defined by itself (decay -> decay)" in refused(
        small, ("parameters.decay.formula", "decay * 2")
    )


def test_definitions_that_double_at_every_step_are_refused(small: dict[str, Any]) -> None:
    """Forty short definitions that would be 2^40 nodes written out end in a sentence, at once."""
    small["definitions"]["d0"] = "vessels + vessels"
    for step in range(1, 40):
        small["definitions"][f"d{step}"] = f"d{step - 1} * d{step - 1}"
    assert "with all definitions written out it has more than 20000 nodes" in refused(small)


def test_definitions_nested_without_end_are_refused(small: dict[str, Any]) -> None:
    """A chain of a thousand definitions is refused before anything recurses into it."""
    small["definitions"]["d0"] = "vessels"
    for step in range(1, 1000):
        small["definitions"][f"d{step}"] = f"-d{step - 1}"
    assert "nested more than 120 deep" in refused(small)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (
            "pools.blood_t.initial",
            "-dose",
            "pools.blood_t.initial: '-dose' is -7e+07; an amount cannot be negative",
        ),
        (
            "parameters.t_motility.value",
            "-1 mm^2/day",
            "cells.t_cell.motility: 't_motility' is -1; it cannot be",
        ),
        (
            "parameters.il6_diffusivity.regions",
            {"pelvis": "-1 mm^2/day"},
            "-1 in region 'pelvis'; it cannot be",
        ),
        ("parameters.kill.value", "0 1/day", "parameters.repair: the value nan is not finite"),
    ],
)
def test_values_that_cannot_be(small: dict[str, Any], path: str, value: Any, says: str) -> None:
    """Negative amounts and diffusivities, and formulas that divide by zero, are found before a run."""
    assert says in refused(small, (path, value))
