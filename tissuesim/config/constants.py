"""Numbers that no config sets and no model holds, from ``configs/constants/``: value, range, source and grade."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from tissuesim.config.fields import Text
from tissuesim.config.number import Number
from tissuesim.errors import InputError
from tissuesim.yaml_file import parse_mapping, read_text


class Constant(Number):
    """A number with its unit, plausible range, source and grade, and what it is."""

    label: Text

    @property
    def number(self) -> float:
        """Its value in that unit."""
        return float(str(self.value).partition(" ")[0])

    @property
    def unit(self) -> str:
        """The unit its value is written in."""
        return str(self.value).partition(" ")[2] or "1"


@cache
def constants(name: str) -> dict[str, Constant]:
    """Return the constants of a file, each checked to lie in its range; InputError says what is wrong."""
    path = Path(str(files("tissuesim.configs"))) / "constants" / f"{name}.yaml"
    found = {}
    for key, entry in parse_mapping(read_text(path), path.name, "constants by name").items():
        try:
            found[key] = Constant.model_validate(entry)
        except ValidationError as error:
            from tissuesim.config.messages import sentence  # which knows the treatments, which read this file

            raise InputError(f"{path.name}: {key}.{sentence(error, Constant, entry)}") from None
        found[key].within(found[key].unit, f"{path.name}: {key}")
    return found


def constant(file: str, name: str) -> float:
    """Return a constant in the unit its file gives it in."""
    return constants(file)[name].number


def constant_rows() -> list[tuple[str, ...]]:
    """Return one row per constant: file, key, value, unit, range, grade, source, label."""
    folder = Path(str(files("tissuesim.configs"))) / "constants"
    return [
        (f"constants/{path.stem}", key, *_row(entry))
        for path in sorted(folder.glob("*.yaml"))
        for key, entry in constants(path.stem).items()
    ]


def _row(entry: Constant) -> tuple[str, ...]:
    span = " to ".join(str(end).partition(" ")[0] for end in entry.range)
    return (str(entry.value).partition(" ")[0], entry.unit, span, entry.grade, entry.source, entry.label)
