"""Bad input is refused with one sentence that holds the path of the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tissuesim.config import load_config, load_config_text
from tissuesim.errors import InputError

GOOD = """
model: autoimmune
organs: {kidney: {anatomy: kidney, spacing: 2 mm}}
time: {start: -10 day, end: 50 day}
treatment:
  - {type: lymphodepletion, start: -5 day, end: -2 day}
  - {type: car_t, day: 0, dose: 1e6 cell/kg}
"""

CASES = {
    "seed=abc": "seed: 'abc' is not a whole number",
    "seed=-1": "seed: -1 is not a whole number",
    "seed=1.5": "seed: 1.5 is not a whole number",
    "seed=true": "seed: True is not a whole number",
    "seed=9223372036854775808": "seed: 9223372036854775808 is not a whole number",
    "sead=3": r"sead: unknown key \(did you mean 'seed'\?\)",
    "organs.kidney.spacing=-2 mm": "organs.kidney.spacing: -2 mm is not between",
    "organs.kidney.spacing=0 mm": "organs.kidney.spacing: 0 mm is not between",
    "organs.kidney.spacing=2 s": "organs.kidney.spacing: '2 s'",
    "organs.kidney.spacing=2": "organs.kidney.spacing: 2 has no unit; write a quantity such as '2 mm'",
    "organs.kidney.spacing=2 mmm": r"organs.kidney.spacing: .*'mmm'.*\(did you mean",
    "organs.kidney.spacing=.inf mm": "organs.kidney.spacing:",
    "organs.kidney.spacin=2 mm": r"organs.kidney.spacin: unknown key \(did you mean 'spacing'\?\)",
    "organs.kidny.spacing=2 mm": r"organs.kidny.anatomy: this key is missing \(did you mean 'kidney'\?\)",
    "organs.kidney.anatomy=no_such.glb": "organs.kidney.anatomy: there is no file 'no_such.glb'",
    "organs.kidney.anatomy=7": "organs.kidney.anatomy: 7 is not a text",
    "organs.kidney.units=inch": "organs.kidney.units: 'inch' is not one of 'um', 'mm', 'cm' or 'm'",
    "organs={}": "organs: at least one organ is needed",
    "organs={my kidney: {anatomy: kidney}}": "organs: 'my kidney' is no organ name",
    "organs=5": "organs: a mapping of keys is needed, not 5",
    "organs=null": "organs: this key is missing",
    "model=no_such_folder/model.yaml": "model: there is no file 'no_such_folder/model.yaml'",
    "time.end=-20 day": "time.end: day -20 is not after the start, day -10",
    "time.end=2 kg": "time.end: '2 kg'",
    "time.end=1e999": "time.end: inf is not a finite number",
    "time.start=1e9": "time.end: day 50 is not after",
    "time.end=1e9": "time: start and end must lie within 200 years",
    "time.minimum_step=1 s": "time.minimum_step: shorter than one tick",
    "time.maximum_step=5 min": "time.maximum_step: .* is below minimum_step",
    "time=tomorrow": "time: a mapping of keys is needed, not 'tomorrow'",
    "stochastic=perhaps": "stochastic: 'perhaps' is neither true nor false",
    "stochastic=1": "stochastic: 1 is neither true nor false",
    "precision=float16": "precision: 'float16' is not one of 'float32' or 'float64'",
    "backend=nunpy": r"backend: 'nunpy' is not one of .* \(did you mean 'numpy'\?\)",
    "name=a/b": "name: 'a/b' may hold only letters",
    "name=../up": "name: '../up' may hold only letters",
    "patient.body_weight=70": "patient.body_weight: 70 has no unit",
    "patient.body_weight=70 g": "patient.body_weight: 0.07 kg is not between",
    "parameters.x=[1]": r"parameters.x: \[1\] is neither a number nor a quantity",
    "parameters.x=true": "parameters.x: True is neither a number nor a quantity",
    "output.fields=5": "output.fields: 5 is neither 'all' nor a list of names",
    "output.fields=[a, 5]": "output.fields: .* is neither 'all' nor a list of names",
    "output.frames.days=[0, soon]": r"output.frames.days\[1\]: 'soon'",
    "output.frames.every=0 day": "output.frames.every: 0 day is not a positive time",
    "output.totals_every=-1 h": "output.totals_every: .* is not a positive time",
    "checkpoint_every=0 day": "checkpoint_every: 0 day is not a positive time",
    "treatment=3": "treatment: a list is needed, not 3",
    "treatment=[3]": r"treatment\[0\]: a mapping of keys is needed, not 3",
    "treatment=[{day: 3}]": r"treatment\[0\].type: this key is missing",
    "treatment.1.type=cart": r"treatment\[1\].type: 'cart' is no treatment \(did you mean 'car_t'\?\)",
    "treatment.1.doze=3": r"treatment\[1\].doze: unknown key \(did you mean 'dose'\?\)",
    "treatment.1.dose=1e6": r"treatment\[1\].dose: 1000000.0 has no unit",
    "treatment.1.dose=1e6 mg/kg": r"treatment\[1\].dose: ",
    "treatment.1.dose=-1e6 cell/kg": r"treatment\[1\].dose: .* is negative",
    "treatment.1.viability=1.5": r"treatment\[1\].viability: 1.5 is not between 0 and 1",
    "treatment.1.memory_fraction=-0.1": r"treatment\[1\].memory_fraction: -0.1 is not between 0 and 1",
    "treatment.1.day=-30": r"treatment\[1\]: begins on day -30, before the run starts on day -10",
    "treatment.0.end=-8": r"treatment\[0\].end: day -8 is not after the start",
    "treatment.9.day=0": "--set treatment.9: '9' is no place in this list",
    "treatment.first.day=0": "--set treatment.first: 'first' is no place in this list",
    "treatment=[{type: drug, name: x y, on: 0, off: 1}]": r"treatment\[0\].name: 'x y' is no drug name",
    "treatment=[{type: drug, name: x, on: 1, off: 1}]": r"treatment\[0\].off: day 1 is not after",
    "seed": "--set 'seed': write key=value",
    "=3": "--set '=3': write key=value",
    "model.name=3": "--set model: 'autoimmune' is a single value",
    "seed=[1": "--set seed, line 1: expected .* is the file complete",
}


@pytest.mark.parametrize(("change", "expected"), CASES.items(), ids=CASES.keys())
def test_a_bad_value_is_named(change: str, expected: str) -> None:
    """One sentence on one line: the path first, then the value and what is allowed."""
    with pytest.raises(InputError, match=f"^{expected}") as caught:
        load_config_text(GOOD, [change])
    assert "\n" not in str(caught.value)


def test_the_config_of_the_cases_is_good() -> None:
    """Without the change every case above is read: the refusals are due to the change."""
    assert load_config_text(GOOD).time.end == 50.0


FILES = {
    "empty": ("", "the file is empty"),
    "comment only": ("# nothing\n", "the file is empty"),
    "truncated": (
        'model: autoimmune\norgans: {kidney: {anatomy: "kid',
        "line 2: found unexpected end of stream; is the file complete",
    ),
    "truncated flow": (
        "model: autoimmune\norgans: {kidney: {anatomy: kidney",
        "line 2: expected .* is the file complete",
    ),
    "truncated between keys": (
        "model: autoimmune\norgans:\n",
        "organs: a mapping of keys is needed, not None",
    ),
    "twice": (GOOD + "model: other\n", "line 8: the key 'model' stands twice"),
    "twice inside": ("time: {start: 1, start: 2}", "line 1: the key 'start' stands twice"),
    "list": ("- 1\n- 2\n", "a mapping with keys such as 'model:', .* is needed, not a list"),
    "text": ("hello", "a mapping with keys such as 'model:', .* is needed, not a text"),
    "list as key": ("? [a, b]\n: 1\n", "line 1: the key .* is a list; a key is a text"),
    "tab": ("a:\n\t- 1\n", "line 2: found character"),
    "deep": ("[" * 3000, "nested more than 20 deep"),
}


@pytest.mark.parametrize(("text", "expected"), FILES.values(), ids=FILES.keys())
def test_a_bad_file_is_named(tmp_path: Path, text: str, expected: str) -> None:
    """A file that is no config is told apart from one with a bad value, in one sentence."""
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=expected) as caught:
        load_config(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_gets_its_nearest_name(tmp_path: Path) -> None:
    """A misspelled file name is told with the file that was probably meant."""
    (tmp_path / "my_kidney.yaml").write_text(GOOD)
    with pytest.raises(
        InputError, match=r"my_kidny.yaml: there is no such file.*did you mean 'my_kidney.yaml'"
    ):
        load_config(tmp_path / "my_kidny.yaml")


def test_a_folder_and_a_binary_file_are_no_configs(tmp_path: Path) -> None:
    """What cannot be read as text is said to be so."""
    with pytest.raises(InputError, match="this is a folder"):
        load_config(tmp_path)
    (tmp_path / "mesh.yaml").write_bytes(b"glTF\x02\x00\xff\xfe")
    with pytest.raises(InputError, match="is not a text file"):
        load_config(tmp_path / "mesh.yaml")


def test_organ_names_that_differ_only_in_capitals_are_refused(tmp_path: Path) -> None:
    """Two folders of one name would meet on a file system that does not tell them apart."""
    two = "{kidney: {anatomy: kidney}, Kidney: {anatomy: kidney}}"
    text = GOOD.replace("{kidney: {anatomy: kidney, spacing: 2 mm}}", two)
    path = tmp_path / "two.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"organs.*differ only in capital letters: kidney, Kidney"):
        load_config(path)
