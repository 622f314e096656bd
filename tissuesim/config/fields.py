"""Field types of the schema: quantities with units, whole numbers, true/false; each refuses readably."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from tissuesim.errors import InputError
from tissuesim.units import factor, quantity


def _finite(value: float, given: object) -> float:
    if not math.isfinite(value):
        raise InputError(f"{given!r} is not a finite number")
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _not_boolean(value: object) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(f"{value!r} is not a number or a quantity with a unit")
    return value


@dataclass(frozen=True)
class InUnit:
    """Annotation of a float that is written with a unit and kept in the canonical one.

    With ``plain_number`` a bare number counts in the canonical unit (days of the run).
    """

    unit: str
    example: str
    plain_number: bool = False

    def read(self, value: object) -> float:
        """Return the canonical float of what stands in the YAML; InputError says what is wrong with it."""
        given = _not_boolean(value)
        if not isinstance(given, str):
            if self.plain_number:
                return _finite(float(given), given)
            raise InputError(f"{given!r} has no unit; write a quantity such as '{self.example}'")
        if self.plain_number and _is_number(given):
            return _finite(float(given), given)
        return _finite(quantity(given, self.unit), given)

    def write(self, value: float) -> float | str:
        """Return what ``read`` gives back as the same float."""
        return value if self.plain_number else f"{value / factor(self.unit)!r} {self.unit}"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            self.read,
            core_schema.float_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(self.write, when_used="json"),
        )

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        kinds: Any = ["string", "number"] if self.plain_number else "string"
        return {"type": kinds, "examples": [self.example]}


Duration = Annotated[float, InUnit("day", "8 h")]
"""A time span or a point of time with a unit, kept in days."""
Day = Annotated[float, InUnit("day", "14 day", plain_number=True)]
"""A day of the run: a plain number of days or a quantity of time; kept in days."""
Length = Annotated[float, InUnit("mm", "2 mm")]
"""A length with a unit, kept in mm."""
Mass = Annotated[float, InUnit("mg", "70 kg")]
"""A mass with a unit, kept in mg."""


def _read_fraction(value: object) -> float:
    number = _finite(quantity(_not_boolean(value), "1"), value)
    if not 0.0 <= number <= 1.0:
        raise InputError(f"{value!r} is not between 0 and 1")
    return number


Fraction = Annotated[
    float, BeforeValidator(_read_fraction), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})
]
"""A number from 0 to 1."""


def _read_level(value: object) -> float:
    number = _finite(quantity(_not_boolean(value), "1"), value)
    if number < 0.0:
        raise InputError(f"{value!r} is negative")
    return number


Level = Annotated[float, BeforeValidator(_read_level), WithJsonSchema({"type": "number", "minimum": 0})]
"""A number that is not negative."""


def _read_whole(value: object) -> int:
    whole = value
    if isinstance(value, str):
        text = value.strip()
        whole = int(text) if text.isdecimal() else float(text) if _is_number(text) else None
    if isinstance(whole, float) and whole.is_integer():
        whole = int(whole)
    if isinstance(whole, bool) or not isinstance(whole, int) or not 0 <= whole < 2**63:
        raise InputError(f"{value!r} is not a whole number from 0 to 2^63 - 1")
    return whole


WholeNumber = Annotated[
    int, BeforeValidator(_read_whole), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 2**63 - 1})
]
"""A whole number, not negative, that fits 63 bits."""


SWITCH_WORDS = {"on": True, "off": False, "yes": True, "no": False, "true": True, "false": False}


def _read_switch(value: object) -> bool:
    word = SWITCH_WORDS.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(word, bool):
        raise InputError(f"{value!r} is neither true nor false")
    return word


Switch = Annotated[bool, BeforeValidator(_read_switch)]
"""True or false; on and off, yes and no mean the same."""


def _read_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{value!r} is not a text")
    return value.strip()


Text = Annotated[str, BeforeValidator(_read_text)]
"""A text that is not empty."""


def _read_names(value: object) -> object:
    if value == "all":
        return value
    if isinstance(value, list | tuple) and value and all(isinstance(name, str) for name in value):
        return tuple(value)
    raise InputError(f"{value!r} is neither 'all' nor a list of names")


FieldNames = Annotated[Literal["all"] | tuple[str, ...], BeforeValidator(_read_names)]
"""``all``, or the names of some fields."""


def _read_parameter(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(f"{value!r} is neither a number nor a quantity such as '1.2 1/day'")
    return value


ParameterValue = Annotated[str | int | float, BeforeValidator(_read_parameter)]
"""A number or a quantity; the model checks its unit."""


def _read_patterns(value: object) -> object:
    words = [value] if isinstance(value, str) else value
    if (
        isinstance(words, list | tuple)
        and words
        and all(isinstance(word, str) and word.strip() for word in words)
    ):
        return tuple(words)
    raise InputError(f"{value!r} is neither the name of a part nor a list of names")


Patterns = Annotated[tuple[str, ...], BeforeValidator(_read_patterns)]
"""Names of parts of a file, with * and ? as wildcards; one may stand alone."""


def _read_voxel_size(value: object) -> object:
    lengths = list(value) if isinstance(value, list | tuple) else [value] * 3
    if len(lengths) != 3:
        raise InputError(f"{value!r} is neither one length nor three (x, y, z)")
    sizes = [quantity(_not_boolean(length), "mm") for length in lengths]
    if not all(math.isfinite(size) and size > 0 for size in sizes):
        raise InputError(f"{value!r} is not a positive length")
    return tuple(f"{size!r} mm" for size in sizes)


def _read_places(value: object) -> object:
    if not isinstance(value, list | tuple) or not all(
        isinstance(place, list | tuple) and len(place) == 3 for place in value
    ):
        raise InputError(f"{value!r} is no list of places such as [[12 mm, 0 mm, -3 mm]]")
    places = [[quantity(_not_boolean(part), "mm") for part in place] for place in value]
    if not all(math.isfinite(part) for place in places for part in place):
        raise InputError(f"{value!r} holds a place that is not finite")
    return tuple(tuple(f"{part!r} mm" for part in place) for place in places)


Places = Annotated[tuple[tuple[Length, Length, Length], ...], BeforeValidator(_read_places)]
"""Places x, y, z; kept in mm."""

VoxelSize = Annotated[tuple[Length, Length, Length], BeforeValidator(_read_voxel_size)]
"""Three lengths x, y, z, or one for all; kept in mm."""
