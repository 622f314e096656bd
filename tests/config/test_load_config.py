"""What a run config may say, and how it is put together from extends and --set."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from tissuesim.config import dump_config, json_schema, load_config, load_config_text
from tissuesim.config.schema import RunConfig
from tissuesim.errors import InputError
from tissuesim.yaml_file import parse_mapping, parse_yaml

SHIPPED = sorted(Path(str(files("tissuesim.configs"))).glob("*.yaml"))

MINIMAL = """
model: autoimmune
organs: {kidney: {anatomy: kidney}}
time: {start: -1 day, end: 5}
"""


def test_there_are_shipped_configs() -> None:
    """The claims below about all shipped configs are not empty."""
    assert {"kidney_car_t", "kidney_onset", "kidney_untreated"} <= {path.stem for path in SHIPPED}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_config_reads_back_as_itself(path: Path) -> None:
    """The resolved text of a config is the same config: what a run folder keeps can be run again."""
    config = load_config(path)
    again = load_config_text(dump_config(config))
    assert again.model_dump() == config.model_dump()
    assert config.source_path == path
    assert config.source_text == path.read_text()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_config_is_named_after_its_file(path: Path) -> None:
    """A run folder tells which config made it."""
    assert load_config(path).name == path.stem


def test_quantities_become_canonical() -> None:
    """Any unit of the right dimension means the same number: mm, day and mg inside."""
    text = """
    model: autoimmune
    patient: {body_weight: 70000 g}
    organs: {kidney: {anatomy: kidney, spacing: 500 um, seed: "1e3"}}
    time: {start: -24 h, end: 1 week, maximum_step: 480 min, minimum_step: 900 s}
    """
    config = load_config_text(text)
    assert config.patient.body_weight == pytest.approx(70e6)
    assert config.organs["kidney"].spacing == pytest.approx(0.5)
    assert config.organs["kidney"].seed == 1000
    assert (config.time.start, config.time.end) == (-1.0, 7.0)
    assert (config.time.start_tick, config.time.end_tick) == (-6144, 7 * 6144)
    assert (config.time.maximum_step_ticks, config.time.minimum_step_ticks) == (2048, 64)


def test_a_step_limit_is_rounded_down_to_a_step_the_clock_has() -> None:
    """The longest step never is above what the user wrote: 6 h becomes 4 h."""
    config = load_config_text(MINIMAL, ["time.maximum_step=6 h"])
    assert config.time.maximum_step_ticks == 4 * 256


def test_shipped_config_is_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a plain install there is no configs folder: the name alone is enough, with and without suffix."""
    monkeypatch.chdir(tmp_path)
    assert load_config("kidney_car_t").model_dump() == load_config("kidney_car_t.yaml").model_dump()


def test_extends_merges_key_by_key(tmp_path: Path) -> None:
    """A derived config changes what it names and keeps the rest; lists are replaced, null removes."""
    (tmp_path / "below.yaml").write_text(
        MINIMAL + "seed: 5\noutput: {totals_every: 2 h, fields: [a, b]}\nparameters: {x: 1, y: 2}\n"
    )
    (tmp_path / "above.yaml").write_text(
        "extends: below.yaml\noutput: {fields: [c]}\nparameters: {x: null}\ntime: {end: 9 day}\n"
    )
    config = load_config(tmp_path / "above.yaml")
    assert config.seed == 5
    assert config.output.totals_every == pytest.approx(2 / 24)
    assert config.output.fields == ("c",)
    assert config.parameters == {"y": 2}
    assert (config.time.start, config.time.end) == (-1.0, 9.0)


def test_extends_cannot_go_round(tmp_path: Path) -> None:
    """Two configs that extend each other are refused, not read for ever."""
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    with pytest.raises(InputError, match="leads back to itself"):
        load_config(tmp_path / "a.yaml")


def test_a_file_is_looked_for_beside_the_config_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mesh path means the same from every folder, also through extends; then comes the current folder."""
    study = tmp_path / "study"
    study.mkdir()
    (study / "organ.stl").write_text("solid")
    (study / "base.yaml").write_text(MINIMAL.replace("anatomy: kidney", "anatomy: organ.stl"))
    (tmp_path / "derived.yaml").write_text("extends: study/base.yaml\n")
    (tmp_path / "here.stl").write_text("solid")
    monkeypatch.chdir(tmp_path)
    assert load_config("derived.yaml").organs["kidney"].anatomy == str((study / "organ.stl").resolve())
    changed = load_config("study/base.yaml", ["organs.kidney.anatomy=here.stl"])
    assert changed.organs["kidney"].anatomy == str((tmp_path / "here.stl").resolve())


def test_set_reaches_every_depth() -> None:
    """--set changes keys of sections, entries of lists and sections that were not there."""
    text = MINIMAL + "treatment: [{type: car_t, day: 0, dose: 1e6 cell/kg}]\n"
    config = load_config_text(
        text,
        [
            "treatment.0.day=2",
            "output.frames.every=3 day",
            "parameters.x=1.2 1/day",
            "stochastic=off",
            "seed=7",
        ],
    )
    assert config.treatment[0].first_day == 2.0
    assert config.output.frames.every == 3.0
    assert config.parameters == {"x": "1.2 1/day"}
    assert config.stochastic is False
    assert config.seed == 7
    assert load_config_text(text, ["treatment=[]"]).treatment == ()
    assert load_config_text(text + "seed: 5\n", ["seed=null"]).seed == 1


def test_keys_and_numbers_are_read_as_written() -> None:
    """The words on and off are names, 1e6 is a number, 010 is ten, 12:30 and a date are texts."""
    assert parse_yaml("{on: 1, off: 1e6, n: -2.5E-3, a: 010, b: 12:30, c: 2024-01-01}", "x") == {
        "on": 1,
        "off": 1e6,
        "n": -2.5e-3,
        "a": 10,
        "b": "12:30",
        "c": "2024-01-01",
    }
    config = load_config_text(MINIMAL + "treatment: [{type: drug, name: suppression, on: 1, off: 2}]\n")
    assert config.treatment[0].first_day == 1.0


@pytest.mark.parametrize(
    "text", ["!!python/object/apply:os.system ['true']", "a: !!python/name:os.system ''", "a: !mine 1"]
)
def test_yaml_makes_no_objects(text: str) -> None:
    """No tag in a file can make anything but plain data."""
    with pytest.raises(InputError, match="line 1: could not determine a constructor"):
        parse_mapping(text, "x")


def test_a_config_is_frozen() -> None:
    """Nothing changes a config once it is read."""
    config = load_config_text(MINIMAL)
    with pytest.raises(ValueError, match="frozen"):
        config.seed = 3  # type: ignore[misc]


def test_schema_covers_every_key_with_a_sentence() -> None:
    """An editor can complete and explain each key."""
    schema = json_schema()
    sections = [schema, *schema["$defs"].values()]
    for section in sections:
        assert section["additionalProperties"] is False
        for name, entry in section["properties"].items():
            assert "description" in entry or "$ref" in entry or name == "type", (section["title"], name)
    assert set(schema["properties"]) == set(RunConfig.model_fields)
