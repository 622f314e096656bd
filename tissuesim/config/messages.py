"""From a pydantic error to one sentence: path of the key, what stands there, what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tissuesim.config.treatment import TREATMENTS
from tissuesim.errors import nearest


def sentence(error: ValidationError, root: type[BaseModel], data: Mapping[str, Any]) -> str:
    """Return the sentence for the first problem in ``data`` that failed the validation by ``root``."""
    details = error.errors()
    # An unknown key is usually a misspelled one, and then also the cause of a missing one.
    first = next((detail for detail in details if detail["type"] == "extra_forbidden"), details[0])
    return _describe(first, root) + _misspelled_organ(first, data)


def _misspelled_organ(detail: ErrorDetails, data: Mapping[str, Any]) -> str:
    """Return a hint where ``organs.kidny.spacing=...`` has made a second, empty organ."""
    location = detail["loc"]
    if detail["type"] != "missing" or len(location) < 3 or location[0] != "organs":
        return ""
    others = [name for name in data["organs"] if name != location[1]]
    return nearest(str(location[1]), others)


def _describe(detail: ErrorDetails, root: type[BaseModel]) -> str:
    path, _ = locate(detail["loc"], root)
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        _, parent = locate(detail["loc"][:-1], root)
        known = list(parent.model_fields) if parent else []
        return f"{path}: unknown key{nearest(str(detail['loc'][-1]), known)}; known: {', '.join(known)}"
    if kind == "missing":
        return f"{path}: this key is missing"
    if kind == "value_error":
        return _joined(path, str(context["error"]))
    if kind == "literal_error":
        return (
            f"{path}: {value!r} is not one of {context['expected']}{_nearest_of(value, context['expected'])}"
        )
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        given = value.get("type") if isinstance(value, dict) else None
        known = list(TREATMENTS)
        if given is None:
            return f"{path}.type: this key is missing; known: {', '.join(known)}"
        return (
            f"{path}.type: {given!r} is no treatment{nearest(str(given), known)}; known: {', '.join(known)}"
        )
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"{path}: a mapping of keys is needed, not {value!r}"
    if kind in ("tuple_type", "list_type"):
        return f"{path}: a list is needed, not {value!r}"
    if kind == "string_type":
        return f"{path}: {value!r} is not a text"
    if kind == "string_pattern_mismatch":
        return f"{path}: {value!r} may hold only letters, digits, _ and - (at most 64, the first no _ or -)"
    return f"{path}: {value!r}: {detail['msg']}"


def _joined(path: str, message: str) -> str:
    """Put the path before a message; ``end: ...`` of a section becomes ``time.end: ...``."""
    if not path:
        return message
    first, colon, _ = message.partition(": ")
    return f"{path}.{message}" if colon and first.isidentifier() else f"{path}: {message}"


def _nearest_of(value: object, expected: str) -> str:
    return nearest(str(value), [word.strip(" '") for word in expected.replace(" or ", ",").split(",")])


def locate(location: Sequence[str | int], root: type[BaseModel]) -> tuple[str, type[BaseModel] | None]:
    """Return the path as a user writes it (``treatment[0].dose``) and the section that stands there."""
    path = ""
    here: Any = root
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
            continue
        if path.endswith("]") and path.startswith("treatment[") and part in TREATMENTS:
            here = TREATMENTS[part]
            continue
        if part == "[key]" or part.startswith(
            ("literal[", "tuple[", "function-", "lax-or-strict", "nullable")
        ):
            continue
        inner = _child(here, part)
        if inner is None and _is_union_branch(part):
            continue
        path += f".{part}" if path else part
        here = inner
    return path, here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _is_union_branch(part: str) -> bool:
    return part in ("str", "int", "float", "constrained-str")


def _child(here: Any, part: str) -> Any:
    """Return the section below ``here``: of a field, or of an entry of a mapping of sections."""
    if isinstance(here, type) and issubclass(here, BaseModel):
        field = here.model_fields.get(part)
        return _section_or_mapping(field.annotation) if field else None
    if getattr(here, "__origin__", None) is dict:
        return _section_or_mapping(get_args(here)[1])
    return None


def _section_or_mapping(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if getattr(annotation, "__origin__", None) is dict:
        return annotation
    return next((found for inner in get_args(annotation) if (found := _section_or_mapping(inner))), None)
