"""The model object: kinds of processes, values of parameters, changed copies, printing, digest."""

from __future__ import annotations

import pickle
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tissuesim.errors import InputError
from tissuesim.model import Definition, Model, Parameter, Process, parse
from tissuesim.model.expression import Binary, Expression, Name, Number, names


@pytest.fixture
def model(small: dict[str, Any]) -> Model:
    """Return the small model."""
    return Model.from_mapping(small)


def test_kinds_follow_from_what_a_process_changes(model: Model) -> None:
    """Nobody writes the kind of a process; it is read off its change."""
    assert model.process_kinds == {
        **{"il6_source": "signal", "il6_decay": "signal", "kill_b": "local", "damage_repair": "local"},
        **{"t_death": "systemic", "t_entry": "influx", "t_exit": "egress"},
    }
    assert model.process_kind("t_entry") == "influx"
    with pytest.raises(InputError, match=r"unknown process 't_entri' \(did you mean 't_entry'\?\)"):
        model.process_kind("t_entri")


def test_a_signal_may_leave_for_the_blood(small: dict[str, Any]) -> None:
    """Spill-over of a signal [pM] into a pool [amol] is an egress; the voxel volume makes the units agree."""
    small["pools"]["plasma_il6"] = {"unit": "amol"}
    small["processes"]["spill"] = {"rate": "decay * vessels * il6", "change": {"il6": -1, "plasma_il6": 1}}
    assert Model.from_mapping(small).process_kind("spill") == "egress"
    small["pools"]["plasma_il6"]["unit"] = "cell"
    with pytest.raises(InputError, match="the change of 'plasma_il6' here is in cell"):
        Model.from_mapping(small)


def test_expand_leaves_no_definition(model: Model) -> None:
    """Definitions are inlined through and through, and nothing else changes."""
    expanded = model.expand(model.processes["kill_b"].rate)
    assert expanded == parse("kill * t_cell / (half_kill + t_cell) * b_cell")
    nested = model.with_(Definition("twice", parse("2 * kill_hazard")))
    assert nested.expand(parse("twice")) == parse("2 * (kill * t_cell / (half_kill + t_cell))")
    assert not names(nested.expand(parse("twice * gate"))) & set(nested.definitions)


def test_parameter_values_resolve_formulas_in_order(model: Model) -> None:
    """Formulas of formulas come out right wherever they stand in the file."""
    values = model.parameter_values()
    assert list(values) == list(model.parameters)
    assert values["decay"] == 2.0
    assert values["repair"] == 0.5
    assert values["dose"] == 7e7
    assert all(type(value) is float for value in values.values())


def test_regional_values_apply_in_their_region(model: Model) -> None:
    """A region has its own value where one is given, and the base value everywhere else."""
    assert model.parameter_values("medulla")["b_start"] == 20.0
    assert model.parameter_values("medulla")["kill"] == 8.0
    assert model.parameter_values("pelvis")["b_start"] == 100.0


def test_overrides_may_be_arrays_over_patients(model: Model) -> None:
    """Overrides flow through formulas and keep regional ratios; a formula gives way to one."""
    kill = np.array([4.0, 8.0])
    values = model.parameter_values("medulla", {"kill": kill, "b_start": np.array([50.0, 200.0])})
    np.testing.assert_array_equal(values["decay"], [1.0, 2.0])
    np.testing.assert_array_equal(values["b_start"], [10.0, 40.0])
    assert model.parameter_values(overrides={"decay": 8.0})["repair"] == 8.0
    with pytest.raises(InputError, match=r"parameters\.kil: unknown parameter \(did you mean 'kill'\?\)"):
        model.parameter_values(overrides={"kil": 1.0})
    with pytest.raises(InputError, match=r"parameters\.kill: the value nan is not finite"):
        model.parameter_values(overrides={"kill": float("nan")})


def test_zero_base_has_no_ratio_to_keep() -> None:
    """Where the base value is 0, an override changes it and leaves the regions as they are."""
    parameter = Parameter("p", value=0.0, regions={"cortex": 2.0})
    assert parameter.regional("cortex", 5.0) == 2.0
    assert parameter.regional("pelvis", 5.0) == 5.0


def test_with_adds_replaces_and_removes(model: Model) -> None:
    """A changed copy is checked, keeps order, and leaves the model itself alone."""
    slower = replace(model.parameters["kill"], value=1.0)
    growth = Process("growth", parse("decay * b_cell"), {"b_cell": 1})
    other = model.with_(slower, growth, name="other", without=["damage_repair"])
    assert other.name == "other"
    assert other.parameter_values()["decay"] == 0.25
    assert list(other.parameters) == list(model.parameters)
    assert list(other.processes)[-1] == "growth"
    assert "damage_repair" in model.processes
    assert model.parameter_values()["decay"] == 2.0
    with pytest.raises(InputError, match=r"there is no 'kil_b' to remove \(did you mean 'kill_b'\?\)"):
        model.with_(without=["kil_b"])
    with pytest.raises(InputError, match="unknown name 'gate'"):
        model.with_(without=["gate"])


def test_parts_made_by_code_are_checked_like_those_of_a_file(model: Model) -> None:
    """with_ refuses a part whose tree is too deep or too large, however it was made."""
    tree: Expression = Name("b_cell")
    for _ in range(10_000):
        tree = Binary("+", tree, Name("b_cell"))
    with pytest.raises(InputError, match="nested more than"):
        model.with_(Definition("tower", tree))


def test_role_says_where_a_name_stands(model: Model) -> None:
    """Every name of an expression has one section."""
    roles = {
        name: model.role(name)
        for name in ("il6", "t_cell", "damage", "blood_t", "vessels", "tissue_b", "gate")
    }
    assert list(roles.values()) == ["signals", "cells", "states", "pools", "maps", "summaries", "definitions"]
    with pytest.raises(InputError, match=r"unknown name 'il_6' \(did you mean 'il6'\?\)"):
        model.role("il_6")


def test_summaries_know_their_tree(model: Model) -> None:
    """`expression` is the tree of the sum or of the mean, whichever it is."""
    assert model.summaries["tissue_b"].expression == parse("b_cell")
    assert model.summaries["tissue_b"].mean is None
    assert model.summaries["mean_damage"].over == ("cortex",)


def test_digest_changes_with_every_number_and_order(small: dict[str, Any], model: Model) -> None:
    """Equal models have equal digests across files and processes; any change of content or order shows."""
    assert Model.from_mapping(deepcopy(small)).digest() == model.digest()
    assert pickle.loads(pickle.dumps(model)).digest() == model.digest()
    digests = {model.digest()}
    for path, value in (("value", "8.000000000000002 1/day"), ("source", "Other"), ("variability", 0.31)):
        other = deepcopy(small)
        other["parameters"]["kill"][path] = value
        digests.add(Model.from_mapping(other).digest())
    reordered = deepcopy(small)
    reordered["cells"] = dict(reversed(reordered["cells"].items()))
    digests.add(Model.from_mapping(reordered).digest())
    assert len(digests) == 5


def test_digest_is_pinned(model: Model) -> None:
    """The digest does not depend on the machine, the hash seed or the version of Python."""
    assert model.digest() == "88b40082e4626147765d2e96ec1b48a513103ea68b83e73a7e8df6c1bbad22b6"


def test_the_tree_shows_what_a_modeller_checks(model: Model) -> None:
    """Printed are units as written, sources, kinds and reactions."""
    text = str(model)
    for line in (
        "Model small",
        "├── signals (1)",
        "│   └── il6 [pM] IL-6; diffuses with il6_diffusivity; starts at 0",
        "│   ├── t_cell [cell/mm^3] T cell; wanders with t_motility, climbs il6 with t_chemotaxis; "
        "starts at 0",
        "│   ├── il6_diffusivity = 30 um^2/s (medulla 15)  [A] Assumed",
        "│   ├── decay = kill / 4 [1/day]  [A] Assumed",
        "│   └── mean_damage = mean of damage over cortex",
        "    ├── influx",
        "    │   └── t_entry: blood_t → t_cell at entry * blood_t * gate",
    ):
        assert line in text.splitlines()
    assert repr(model).startswith("<Model small: 1 signals, 2 cells")


def test_latex_holds_the_equations(model: Model) -> None:
    """Every field and pool has its equation: transport, gains, losses, and exchange as an integral."""
    latex = model.to_latex()
    for equation in (
        r"\frac{\partial \mathrm{il6}}{\partial t} &= \nabla \cdot \left(\mathrm{il6\_diffusivity} \nabla "
        r"\mathrm{il6}\right) + \mathrm{secretion} \, t_{\mathrm{cell}} - \mathrm{decay} \, \mathrm{il6}",
        r"- \nabla \cdot \left(t_{\mathrm{chemotaxis}} \, t_{\mathrm{cell}} \nabla",
        r"\frac{\partial b_{\mathrm{cell}}}{\partial t} &= -\mathrm{kill\_hazard} \, b_{\mathrm{cell}}",
        r"- \int_\Omega \mathrm{entry} \, \mathrm{blood\_t} \, \mathrm{gate} \, dV + \int_\Omega",
        r"\mathrm{mean\_damage} &= \frac{1}{|\Omega_{\mathrm{cortex}}|} \int_{\Omega_{\mathrm{cortex}}}",
        r"\mathrm{kill} &= 8\ \text{1/day}",
    ):
        assert equation in latex
    assert latex.count("{") == latex.count("}")
    for name in [*model.signals, *model.pools]:
        assert name.replace("_", r"\_") in latex


def test_initial_values_default_to_nothing(model: Model) -> None:
    """A field without `initial` starts empty."""
    assert model.cells["t_cell"].initial == Number(0.0)
