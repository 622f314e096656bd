"""Model files: what is read, how `extends` lays one over another, and what a broken file says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tissuesim.errors import InputError
from tissuesim.model import Model, shipped_models
from tissuesim.model.loader import merge
from tissuesim.yaml_file import parse_mapping

Write = Callable[[str, str | dict[str, Any]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a model file and returns its path."""

    def writer(name: str, content: str | dict[str, Any]) -> Path:
        path = tmp_path / name
        text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        path.write_text(text, encoding="utf-8")
        return path

    return writer


def test_file_and_mapping_give_the_same_model(write: Write, small: dict[str, Any]) -> None:
    """A file loads to the parts it holds, in file order, with canonical values."""
    model = Model.load(write("small.yaml", small))
    assert model == Model.from_mapping(small)
    assert list(model.parameters) == list(small["parameters"])
    diffusivity = model.parameters["il6_diffusivity"]
    assert diffusivity.value == 2.592
    assert diffusivity.unit == "um^2/s"
    assert diffusivity.range == (0.864, 8.64)
    assert diffusivity.regions == {"medulla": 1.296}
    assert model.processes["t_entry"].change == {"blood_t": -1, "t_cell": 1}
    assert model.definitions["gate"].label == "gate"
    assert model.signals["il6"].label == "IL-6"


def test_extends_merges_key_by_key_and_null_removes(write: Write, small: dict[str, Any]) -> None:
    """A child changes one key of a part, adds parts, removes parts, and keeps everything else."""
    write("base.yaml", small)
    child = write(
        "child.yaml",
        "name: child\nextends: base.yaml\n"
        "parameters:\n  kill: {value: 4 1/day}\n  strength: {value: 2, source: Assumed, grade: A}\n"
        "  il6_diffusivity: {regions: {medulla: null, cortex: 20 um^2/s}}\n"
        "definitions:\n  gate: {label: Gate}\n"
        "processes:\n  damage_repair: null\n  il6_source: {rate: strength * secretion * t_cell}\n",
    )
    model = Model.load(child)
    assert model.name == "child"
    assert model.description == small["description"]
    assert model.parameters["kill"].value == 4.0
    assert model.parameters["kill"].variability == 0.3
    assert model.parameters["il6_diffusivity"].regions == {"cortex": 1.728}
    assert list(model.parameters)[-1] == "strength"
    assert model.definitions["gate"].label == "Gate"
    assert str(model.definitions["gate"].expression) == small["definitions"]["gate"]
    assert "damage_repair" not in model.processes
    assert str(model.processes["il6_source"].rate) == "strength * secretion * t_cell"


def test_extends_finds_shipped_models_by_name(write: Write) -> None:
    """`extends: systemic` lays a user's file over the shipped model."""
    path = write("mine.yaml", "name: mine\nextends: systemic\n")
    mine, shipped = Model.load(path), Model.load("systemic")
    assert mine.name == "mine"
    assert mine.processes == shipped.processes


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_shipped_models_load_and_pass_all_checks(name: str) -> None:
    """Every model file of the package is valid, prints, and has finite parameters."""
    model = Model.load(name)
    assert model.name == name
    assert str(model).startswith(f"Model {name}\n")
    assert r"\begin{align*}" in model.to_latex()
    assert len(model.parameter_values()) == len(model.parameters)


def test_there_are_shipped_models() -> None:
    """The test above has something to defend."""
    assert {"systemic", "autoimmune"} <= set(shipped_models())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("# only a comment\n", "is empty"),
        ("just text", "a mapping with keys such as"),
        ("- a\n- b\n", "not a list"),
        ("name: [unclosed", "line 1"),
        ("name: x\n\tparameters: {}\n", "line 2"),
        ("name: x\ndescription: 'cut off in the mid", "line 2"),
        ("name: x\nname: y\n", "line 2: the key 'name' stands twice"),
        ("name: x\nparameters:\n  a: {value: 1, value: 2}\n", "line 3: the key 'value' stands twice"),
        ("name: x\nparameters: &p {}\n", "anchors and aliases"),
        ("name: x\nparameters: *p\n", "anchors and aliases"),
        ("name: x\nparameters: {1: {}}\n", "the key 1 is a number"),
        ("name: x\nparameters: {[a]: {}}\n", "is a list; a key is a text"),
        ("name: !!python/object/apply:os.system ['true']\n", "line 1"),
        ("name: !!timestamp 2020-01-01\n", "line 1"),
        ("name: !!map x\n", "a mapping is needed"),
        ("name: !!bool x\n", "not readable"),
        ("name: x\n---\nname: y\n", "another document"),
        ("name: x\ndescription: " + "[" * 3000, "line 2: nested more than 20 deep"),
        ("name: x\nparameters: {a: " + "9" * 5000 + "}\n", "not readable"),
        ("name: \x01\n", "special characters"),
        ("name: x\nprocess: {}\n", r"'process' is an unknown key \(did you mean 'processes'\?\)"),
        ("description: no name\n", "name is missing"),
        ("name: a b\n", "cannot be a name"),
        ("name: x\nprocesses: [a]\n", "a mapping of names is needed, not a list"),
        ("name: x\nextends: sistemic\n", r"unknown model 'sistemic' \(did you mean 'systemic'\?\)"),
        ("name: x\nextends: other.yaml\n", "there is no such file"),
        ("name: x\nextends: [a]\n", "name or the path of a model is needed, not a list"),
        ("name: x\nextends: broken.yaml\n", "extends itself"),
        ("name: x\nextends: systemic\nparameters: {kil: null}\n", "null removes nothing here"),
    ],
)
def test_broken_files_give_one_sentence_that_names_the_file(write: Write, text: str, says: str) -> None:
    """Truncated, empty, ambiguous or hostile YAML never gets past an InputError of one line."""
    path = write("broken.yaml", text)
    with pytest.raises(InputError, match=says) as error:
        Model.load(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_shipped_models_are_found_in_a_checkout_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an installed tissuesim.configs, configs/ beside the package is used."""

    def not_installed(package: str) -> Path:
        raise ModuleNotFoundError(package)

    installed = shipped_models()
    monkeypatch.setattr("tissuesim.model.loader.files", not_installed)
    assert shipped_models().keys() == installed.keys()
    assert Model.load("systemic").name == "systemic"


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    """Binary data, a folder and a missing file are said to be that; a near file name is offered."""
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match=r"binary\.yaml: is not a text file"):
        Model.load(binary)
    with pytest.raises(InputError, match="there is no such file"):
        Model.load(tmp_path)
    with pytest.raises(
        InputError, match=r"binry\.yaml: there is no such file \(did you mean 'binary\.yaml'\?\)"
    ):
        Model.load(str(tmp_path / "binry.yaml"))
    with pytest.raises(InputError, match=r"unknown model 'autoimune' \(did you mean 'autoimmune"):
        Model.load("autoimune")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 4000))
def test_a_truncated_file_is_refused_or_valid(length: int) -> None:
    """Wherever a shipped file is cut off, the rest loads as a whole model or gives an InputError."""
    text = shipped_models()["systemic"].read_text(encoding="utf-8")
    try:
        Model.from_mapping(parse_mapping(text[: length * 13 % len(text)], "cut.yaml"))
    except InputError as error:
        assert "\n" not in str(error)


def test_yaml_scalars_mean_what_they_look_like() -> None:
    """`1e6` is a number, `no` and `on` are texts (NO is a molecule), 010 is ten, 1:30 is text."""
    text = "a: 1e6\nb: no\non: yes\nd: 010\ne: 1:30\nf: 2020-01-01\ng: ~\nh: true\ni: 1.5\nj: 0x10\n"
    assert parse_mapping(text, "x") == {
        **{"a": 1e6, "b": "no", "on": "yes", "d": 10, "e": "1:30"},
        **{"f": "2020-01-01", "g": None, "h": True, "i": 1.5, "j": "0x10"},
    }


def test_numeric_texts_are_numbers(small: dict[str, Any]) -> None:
    """`value: "1e6"` and `value: 1e6` are the same pure number."""
    for value in ("1e6", 1e6, 1000000):
        small["parameters"]["scale"] = {"value": value, "source": "Assumed", "grade": "A"}
        parameter = Model.from_mapping(small).parameters["scale"]
        assert (parameter.value, parameter.unit) == (1e6, "1")


def test_overrides_replace_values_with_units(write: Write, small: dict[str, Any]) -> None:
    """An override is a quantity of the parameter's dimension; regional values keep their ratio."""
    path = write("small.yaml", small)
    model = Model.load(path, {"kill": "2 1/day", "b_start": "50 cell/mm^3", "decay": "1 1/week"})
    assert model.parameters["kill"].value == 2.0
    assert model.parameters["b_start"].regions == {"medulla": 10.0}
    assert model.parameters["decay"].formula is None
    assert model.parameter_values()["repair"] == pytest.approx((1 / 7) ** 2 / 2)
    with pytest.raises(InputError, match=r"parameters\.kil: unknown parameter \(did you mean 'kill'\?\)"):
        Model.load(path, {"kil": "2 1/day"})
    with pytest.raises(InputError, match=r"parameters\.kill: '2 mm' is in mm, but 1/day is needed"):
        Model.load(path, {"kill": "2 mm"})
    with pytest.raises(InputError, match=r"parameters\.kill: 2 has no unit"):
        Model.load(path, {"kill": 2})


def test_a_long_chain_of_extends_ends(write: Write) -> None:
    """Models may extend models, but not without end."""
    for step in range(12):
        write(f"m{step}.yaml", f"name: m{step}\nextends: m{step + 1}.yaml\n")
    with pytest.raises(InputError, match="at most 8 others"):
        Model.load(write("m.yaml", "name: m\nextends: m0.yaml\n"))


keys = st.sampled_from("abc")
nested = st.recursive(st.integers(), lambda inner: st.dictionaries(keys, inner, max_size=3), max_leaves=8)
mappings = st.dictionaries(keys, nested, max_size=3)


@given(mappings, mappings)
def test_merge_keeps_what_is_not_mentioned(base: dict[str, Any], top: dict[str, Any]) -> None:
    """Merging is idempotent, keeps keys of the base that the top leaves alone, and changes neither input."""
    before = (repr(base), repr(top))
    merged = merge(base, top, "file")
    assert merge(merged, top, "file") == merged
    assert {key: merged[key] for key in base if key not in top} == {k: base[k] for k in base if k not in top}
    assert list(merged)[: len(base)] == list(base)
    assert (repr(base), repr(top)) == before
