"""``use: rituximab`` in a treatment list: the entry of a shipped file, or of one's own, with some keys changed."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from tissuesim.config.merge import merge
from tissuesim.errors import InputError, nearest
from tissuesim.yaml_file import parse_mapping, read_text


def shipped_treatments() -> dict[str, Path]:
    """Return the treatment files that come with tissuesim, by name."""
    folder = Path(str(files("tissuesim.configs"))) / "treatments"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def resolve_uses(entries: list[Any], folder: Path) -> list[Any]:
    """Return the list with every ``use:`` replaced by the file it names, the entry's own keys laid over it.

    ``folder`` is where relative paths start from. The source of a number goes where the number is changed.
    Raises InputError for a file that is not there or uses another one.
    """
    return [
        _resolved(entry, folder, f"treatment[{position}].use")
        if isinstance(entry, dict) and "use" in entry
        else entry
        for position, entry in enumerate(entries)
    ]


def treatment_rows() -> list[tuple[str, ...]]:
    """Return one row per number of the shipped treatments: file, key, value, unit, range, grade, source, label."""
    rows: list[tuple[str, ...]] = []
    for name, path in shipped_treatments().items():
        content = parse_mapping(read_text(path), path.name, "'type:' and what it asks for")
        for key, note in content.get("sources", {}).items():
            number, _, unit = str(content[key]).partition(" ")
            span = " to ".join(str(end).partition(" ")[0] for end in note.get("range", ()))
            value, unit = (number, unit or "1") if isinstance(content[key], str) else (str(content[key]), "1")
            rows.append((f"treatments/{name}", key, value, unit, span, note["grade"], note["source"], ""))
    return rows


def _resolved(entry: dict[str, Any], folder: Path, where: str) -> dict[str, Any]:
    own = {key: value for key, value in entry.items() if key != "use"}
    path = _file(entry["use"], folder, where)
    below = parse_mapping(read_text(path), path.name, "'type:' and what it asks for")
    if "use" in below:
        raise InputError(f"{where}: {path.name} uses another treatment file; write its keys out")
    notes = below.get("sources")
    if isinstance(notes, dict):
        below["sources"] = {key: note for key, note in notes.items() if key not in own}
    return {**merge(below, own), "used": path.stem}


def _file(given: object, folder: Path, where: str) -> Path:
    if not isinstance(given, str) or not given.strip():
        raise InputError(f"{where}: {given!r} is neither the name of a treatment nor the path of a file")
    known = shipped_treatments()
    if given in known:
        return known[given]
    for candidate in (folder / given, Path.cwd() / given):
        if given.endswith((".yaml", ".yml")) and candidate.is_file():
            return candidate
    raise InputError(
        f"{where}: '{given}' is neither a shipped treatment ({', '.join(known)}) nor a .yaml file"
        f"{nearest(given, known)}"
    )
