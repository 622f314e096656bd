"""Read a run config: extends, --set, schema, files that must exist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from tissuesim.config.merge import apply_set, merge
from tissuesim.config.messages import sentence
from tissuesim.config.schema import RunConfig
from tissuesim.config.treatment_file import resolve_uses
from tissuesim.errors import InputError, nearest
from tissuesim.yaml_file import parse_mapping, read_text

ANATOMY_SUFFIXES = (
    *(".glb", ".gltf", ".stl", ".ply", ".obj", ".vtp", ".vtk", ".off"),
    *(".nii", ".nii.gz", ".nrrd", ".nhdr", ".mhd", ".mha", ".tif", ".tiff"),
    *(".vtu", ".msh"),
    *(".npz", ".zarr"),
)
"""Of files an organ is read from; what tissuesim.anatomy reads, told here so that a config is checked at once."""
MAXIMUM_EXTENDS = 8
NEEDED_KEYS = "'model:', 'organs:' and 'time:'"


def load_config(path: str | Path, sets: Sequence[str] = ()) -> RunConfig:
    """Return the checked config of a file, or of a shipped config by its name.

    ``sets`` are ``"a.b.c=value"`` changes made after ``extends``. Raises InputError with one sentence.
    """
    source = _find(Path(path))
    text = read_text(source)
    data = _with_base(parse_mapping(text, source.name, NEEDED_KEYS), source, (source.resolve(),))
    return _finish(data, sets, source, text)


def load_config_text(text: str, sets: Sequence[str] = (), source: Path | None = None) -> RunConfig:
    """Return the checked config of a YAML text; ``source`` is where relative paths in it start from."""
    here = source or Path("config.yaml")
    data = _with_base(parse_mapping(text, here.name, NEEDED_KEYS), here, ())
    return _finish(data, sets, here, text)


def dump_config(config: RunConfig) -> str:
    """Return YAML that reads back as the same config, with nothing left to ``extends`` or defaults."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _finish(data: dict[str, Any], sets: Sequence[str], source: Path, text: str) -> RunConfig:
    for change in sets:
        apply_set(data, change)
    data.setdefault("name", source.stem)
    data = _resolve_files(data, source.resolve().parent)
    try:
        config = RunConfig.model_validate(data)
    except ValidationError as error:
        raise InputError(sentence(error, RunConfig, data)) from None
    config._source_path = source
    config._source_text = text
    return config


def _with_base(data: dict[str, Any], source: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    """Return ``data`` merged over the config it extends (and that over the one below it)."""
    base_name = data.pop("extends", None)
    if base_name is None:
        return data
    if not isinstance(base_name, str):
        raise InputError(f"extends: {base_name!r} is not the path of a config")
    base = _find(Path(base_name), source.resolve().parent, where="extends: ")
    if base.resolve() in seen or len(seen) >= MAXIMUM_EXTENDS:
        raise InputError(
            f"extends: {base_name} leads back to itself, or over more than {MAXIMUM_EXTENDS} configs"
        )
    below = parse_mapping(read_text(base), base.name, NEEDED_KEYS)
    resolved = _resolve_files(_with_base(below, base, (*seen, base.resolve())), base.resolve().parent)
    return merge(resolved, data)


def _find(path: Path, folder: Path | None = None, where: str = "") -> Path:
    """Return the file of a config: as given, beside the config that names it, or shipped under that name."""
    shipped = Path(str(files("tissuesim.configs")))
    for candidate in ([] if folder is None else [folder / path]) + [path]:
        if candidate.exists():
            return candidate
    if len(path.parts) == 1:
        for name in (path.name, f"{path.name}.yaml"):
            if (shipped / name).is_file():
                return shipped / name
    beside = path.parent.glob("*.yaml") if path.parent.is_dir() else ()
    known = _names([*beside, *shipped.glob("*.yaml")])
    raise InputError(
        f"{where}{path}: there is no such file and no shipped config of this name{nearest(path.name, known)}"
    )


def _names(paths: Iterable[Path]) -> list[str]:
    return sorted({name for path in paths for name in (path.name, path.stem)})


def _resolve_files(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return ``data`` with the paths of model and mesh files made absolute, each checked to exist.

    Shapes that are wrong are left alone: the schema has the better sentence for them.
    """
    resolved = dict(data)
    model = data.get("model")
    if isinstance(model, str) and (model.endswith((".yaml", ".yml")) or "/" in model):
        resolved["model"] = _existing(model, folder, "model")
    treatment = data.get("treatment")
    if isinstance(treatment, list):
        resolved["treatment"] = resolve_uses(treatment, folder)
    disease = data.get("disease")
    if isinstance(disease, str) and (disease.endswith((".yaml", ".yml")) or "/" in disease):
        resolved["disease"] = _existing(disease, folder, "disease")
    organs = data.get("organs")
    if isinstance(organs, dict):
        resolved["organs"] = {
            name: _organ_files(name, organ, folder) if isinstance(organ, dict) else organ
            for name, organ in organs.items()
        }
    return resolved


def _organ_files(name: str, organ: dict[str, Any], folder: Path) -> dict[str, Any]:
    anatomy, physics = organ.get("anatomy"), organ.get("physics")
    resolved = dict(organ)
    if isinstance(anatomy, str):
        resolved["anatomy"] = _anatomy(anatomy, folder, f"organs.{name}.anatomy")
    if isinstance(physics, str) and physics.endswith((".yaml", ".yml")):
        resolved["physics"] = _existing(physics, folder, f"organs.{name}.physics")
    return resolved


def _anatomy(text: str, folder: Path, where: str) -> str:
    is_file = text.lower().endswith(ANATOMY_SUFFIXES) or "/" in text
    return _existing(text, folder, where) if is_file else text


def _existing(text: str, folder: Path, where: str) -> str:
    """Return the absolute path of a file named in a config: relative to the config, then to where we are."""
    for candidate in (folder / text, Path.cwd() / text):
        if candidate.is_file() or (candidate.is_dir() and candidate.suffix == ".zarr"):
            return str(candidate.resolve())
    raise InputError(
        f"{where}: there is no file '{text}' (looked beside the config and in the current folder)"
    )
