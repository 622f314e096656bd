"""Every number of the shipped diseases as a row of words: value, unit, range, grade, source."""

from __future__ import annotations

from collections.abc import Iterator

from tissuesim.config.disease import Change, Lesion, load_disease, shipped_diseases
from tissuesim.config.number import Number


def disease_rows() -> list[tuple[str, ...]]:
    """Return one row per number: file, key, value, unit, range, grade, source, label (empty)."""
    rows = []
    for name in shipped_diseases():
        disease = load_disease(name)
        found = _changes("patient.parameters", disease.patient.parameters)
        rows += [(f"diseases/{name}", *row) for row in found]
        for kind, organ in disease.organs.items():
            found = _changes(f"organs.{kind}.parameters", organ.parameters)
            rows += [(f"diseases/{name}", *row) for row in found]
            lesions = {f"lesions.{key}": lesion for key, lesion in organ.lesions.items()}
            if organ.niches is not None:
                lesions["niches"] = organ.niches
            for key, lesion in lesions.items():
                rows += [(f"diseases/{name}", *row) for row in _of_lesion(f"organs.{kind}.{key}", lesion)]
    return rows


def _changes(where: str, changes: dict[str, Change]) -> Iterator[tuple[str, ...]]:
    for name, change in changes.items():
        yield _row(f"{where}.{name}", change)
        for region, value in change.regions.items():
            yield _row(f"{where}.{name} [{region}]", change.model_copy(update={"value": value}))


def _of_lesion(where: str, lesion: Lesion) -> Iterator[tuple[str, ...]]:
    ragged = ("lobule", "raggedness") if lesion.pattern == "subpleural" else ()
    for key in ("volume", "share", "reach", "rise", "correlation", *ragged):
        number: Number | None = getattr(lesion, key)
        if number is not None:
            yield _row(f"{where}.{key}", number)


def _row(key: str, number: Number) -> tuple[str, ...]:
    value, _, unit = str(number.value).partition(" ")
    span = " to ".join(str(end).partition(" ")[0] for end in number.range)
    return (key, value, unit or "1", span, number.grade, number.source, "")
