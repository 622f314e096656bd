"""What the documents say is so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from tissuesim.backends.base import BACKENDS
from tissuesim.config import json_schema, load_config, load_config_text
from tissuesim.config.schema import RunConfig
from tissuesim.readouts.endpoints import ENDPOINTS
from tissuesim.scenario import build_scenario
from tissuesim.yaml_file import parse_yaml

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
README = (ROOT / "README.md").read_text()
CONFIG = (ROOT / "docs" / "config.md").read_text()


def code_blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.S)


def test_the_example_in_the_readme_is_the_file_that_is_run() -> None:
    """The twenty lines of the README are those of the example files."""
    blocks = code_blocks(README, "yaml")
    assert (ROOT / "docs/examples/il10.yaml").read_text() in blocks
    assert (ROOT / "docs/examples/il10_run.yaml").read_text() in blocks
    assert len((ROOT / "docs/examples/il10.yaml").read_text().splitlines()) <= 20


def test_the_example_becomes_a_scenario() -> None:
    """The model of the README passes every check and brings its signal into the organ."""
    config = load_config(ROOT / "docs/examples/il10_run.yaml", ["organs.kidney.spacing=10 mm"])
    scenario = build_scenario(config)
    assert "il10" in scenario.field_names()
    assert scenario.voxels > 100


def test_every_command_in_the_readme_exists() -> None:
    """Each `tissuesim X` and `make X` that is shown can be typed."""
    from typer.main import get_command

    from tissuesim.cli import app

    commands: Any = get_command(app)
    shown = re.findall(r"^tissuesim (\w+)", "\n".join(code_blocks(README, "bash")), flags=re.M)
    assert set(shown) <= set(commands.commands) and len(set(shown)) >= 5
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.M))
    assert set(re.findall(r"^make (\w+)", README, flags=re.M)) == {"run", "test"} <= targets


def test_the_ci_script_runs_the_test_command_of_the_readme() -> None:
    """What is checked for a change is what a contributor runs; the script can be executed."""
    script = ROOT / ".ci" / "run"
    assert re.search(r"^exec make test$", script.read_text(), flags=re.M)
    assert script.stat().st_mode & 0o111


def keys_of(section: dict[str, Any]) -> list[str]:
    """Return the names of the keys of a section of the schema."""
    return list(section["properties"])


def test_every_key_is_in_the_reference() -> None:
    """docs/config.md, or docs/treatments.md, explains each key of each section, as `key` or as `section.key`."""
    schema = json_schema()
    reference = CONFIG + (ROOT / "docs" / "treatments.md").read_text()
    for section in (schema, *schema["$defs"].values()):
        for key in keys_of(section):
            assert re.search(rf"(`|\.|^|\s|- |\{{){key}[`:.]", reference, flags=re.M), (section["title"], key)


def test_every_default_in_the_reference_is_the_default() -> None:
    """The table of docs/config.md shows the values that hold when a key is not given."""
    shown = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", CONFIG, flags=re.M))
    given = load_config_text(
        "{name: run, model: m, organs: {kidney: {anatomy: kidney}}, time: {start: 0, end: 1}}"
    )
    assert {"seed", "stochastic", "precision", "backend", "checkpoint_every"} <= set(shown)
    for key, text in shown.items():
        changed = (
            given
            if key == "name"
            else load_config_text(
                "{name: run, model: m, organs: {kidney: {anatomy: kidney}}, time: {start: 0, end: 1}}",
                [f"{key}={text}"],
            )
        )
        assert getattr(changed, key) == getattr(given, key), key


def test_every_endpoint_is_in_the_reference() -> None:
    """docs/config.md says what each endpoint means."""
    assert [name for name in ENDPOINTS if f"`{name}`" not in CONFIG] == []


def test_every_shipped_config_is_in_the_reference() -> None:
    """docs/config.md lists the configs that are there, and no other."""
    there = {path.name for path in (ROOT / "configs").glob("*.yaml")}
    first_cells = re.findall(r"^\| (`\w+\.yaml`[^|]*) \|", CONFIG, flags=re.M)
    assert {name for cell in first_cells for name in re.findall(r"`(\w+\.yaml)`", cell)} == there


def test_the_treatments_in_the_reference_are_read() -> None:
    """The example of docs/config.md is a valid treatment and shows every kind there is."""
    (block,) = [block for block in code_blocks(CONFIG, "yaml") if block.startswith("treatment:")]
    treatment = json.dumps(parse_yaml(block, "docs/config.md")["treatment"])
    config = load_config_text(
        "{model: m, organs: {kidney: {anatomy: kidney}}, time: {start: -10, end: 400}, "
        f"treatment: {treatment}}}"
    )
    assert {item.type for item in config.treatment} == {"car_t", "lymphodepletion", "antibody", "drug"}


def test_the_backends_of_a_config_are_those_there_are() -> None:
    """A config names every backend that can compute, and none that cannot."""
    assert set(get_args(RunConfig.model_fields["backend"].annotation)) == {"auto", *BACKENDS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    """A link to a file leads to a file."""
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
        if target.startswith("docs/gallery/"):
            continue  # pictures are tested where they are made
        assert (document.parent / target).exists(), target
