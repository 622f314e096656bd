"""The schema of a disease file: what a disease changes in the patient and in each organ, and where it lives there."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from tissuesim.config.fields import ParameterValue, Text
from tissuesim.config.messages import sentence
from tissuesim.config.number import Number, Section
from tissuesim.errors import InputError, nearest
from tissuesim.yaml_file import parse_mapping, read_text

OrganKind = Literal["kidney", "lungs", "heart", "skin", "joint"]
"""Which organ of the body an anatomy is, whatever it is called in a run."""

ORGAN_KINDS: tuple[OrganKind, ...] = ("kidney", "lungs", "heart", "skin", "joint")

PATTERNS: dict[str, tuple[str, ...]] = {
    "whole": (),
    "rim": (),
    "subpleural": ("reach", "rise"),
    "patches": ("correlation",),
    "perivascular": (),
}
"""Patterns of a lesion and the lengths each needs; docs/diseases.md draws them in words."""


class Change(Number):
    """Another value of a model parameter, and others again in some regions of an organ."""

    regions: dict[str, ParameterValue] = Field(
        {}, description="values in some regions; others keep their ratio"
    )


class Lesion(Section):
    """Where in an organ something lives: a pattern over regions, scaled to a volume or a share of them."""

    pattern: Literal["whole", "rim", "subpleural", "patches", "perivascular"]
    regions: tuple[Text, ...] = Field((), description="regions it keeps to; without them the whole organ")
    volume: Number | None = Field(None, description="inflamed volume; in the lungs with the air in it")
    share: Number | None = Field(None, description="share of the volume of these regions instead of a volume")
    reach: Number | None = Field(None, description="subpleural: depth at which it falls to 1/e")
    rise: Number | None = Field(
        None, description="subpleural: height above the base at which it falls to 1/e"
    )
    lobule: Number = Field(
        Number(
            value="20 mm",
            range=("8 mm", "30 mm"),
            source="About a secondary lobule (10-25 mm), the unit in which interstitial disease begins and ends",
            grade="M",
        ),
        description="subpleural: length over which its edge is ragged",
    )
    raggedness: Number = Field(
        Number(value="0.5", range=("0", "1.5"), source="Assumed: an edge as ragged as its reach", grade="A"),
        description="subpleural: noise on the logarithm of its rank, standard deviation",
    )
    correlation: Number | None = Field(None, description="patches: size of a patch")
    source: Text = Field(description="what the pattern is drawn after")
    grade: Literal["C", "M", "A", "cal"]

    @model_validator(mode="after")
    def _ragged(self) -> Lesion:
        for key, unit in (("lobule", "mm"), ("raggedness", "1")):
            if key in self.model_fields_set and self.pattern != "subpleural":
                raise InputError(f"{key}: only a lesion of pattern 'subpleural' has a ragged edge")
            getattr(self, key).within(unit, key)
        return self

    @model_validator(mode="after")
    def _complete(self) -> Lesion:
        if self.volume is not None and self.share is not None:
            raise InputError("share: a lesion has a volume or a share, not both")
        if self.volume is None and self.share is None and self.pattern != "whole":
            raise InputError(f"volume: a lesion of pattern '{self.pattern}' needs a volume or a share")
        for key in ("reach", "rise", "correlation"):
            needed, given = key in PATTERNS[self.pattern], getattr(self, key)
            if needed != (given is not None):
                raise InputError(
                    f"{key}: {'missing; ' if needed else ''}pattern '{self.pattern}' has "
                    f"{' and '.join(PATTERNS[self.pattern]) or 'no lengths'}"
                )
        for key, unit in (
            *(("volume", "mL"), ("share", "1")),
            *(("reach", "mm"), ("rise", "mm"), ("correlation", "mm")),
        ):
            number = getattr(self, key)
            if number is not None and not number.within(unit, key) > 0:
                raise InputError(f"{key}.value: {number.value} is not positive")
        return self

    def length(self, key: str) -> float:
        """Return one of the lengths of the pattern in mm."""
        number: Number = getattr(self, key)
        return number.within("mm", key)


class DiseaseOrgan(Section):
    """What a disease does in one kind of organ."""

    description: Text
    parameters: dict[str, Change] = Field(default_factory=dict, description="model parameters it changes")
    lesions: dict[str, Lesion] = Field(min_length=1, description="where it lives, by name; they add up")
    niches: Lesion | None = Field(
        None, description="where lymphoid niches may grow, instead of the anatomy's own sites"
    )


class PatientWide(Section):
    """What a disease changes in the whole patient, organs included."""

    parameters: dict[str, Change] = Field(default_factory=dict, description="model parameters it changes")


class Disease(Section):
    """One disease archetype."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    label: Text
    description: Text
    instruments: Literal["sle", "ssc", "iim", "none"] | None = Field(
        None,
        description="whose clinical instruments read it: of sle, ssc, iim or none; without it those of its name",
    )
    patient: PatientWide = PatientWide()
    organs: dict[OrganKind, DiseaseOrgan] = Field(
        min_length=1, description="diseased organs; others are healthy"
    )


def shipped_diseases() -> dict[str, Path]:
    """Return the disease files that come with tissuesim, by name."""
    folder = Path(str(files("tissuesim.configs"))) / "diseases"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load_disease(name_or_path: str) -> Disease:
    """Return a shipped disease (``sle``) or that of a ``.yaml`` file; InputError, in one sentence, on what is wrong."""
    if name_or_path.endswith((".yaml", ".yml")) or "/" in name_or_path:
        return _read(Path(name_or_path))
    shipped = shipped_diseases()
    if name_or_path not in shipped:
        raise InputError(
            f"there is no disease '{name_or_path}'{nearest(name_or_path, shipped)}; there are {', '.join(shipped)}, "
            "or give the path of a .yaml file"
        )
    return _read(shipped[name_or_path])


@lru_cache(maxsize=16)
def _parsed(text: str, name: str) -> Disease:
    data = parse_mapping(text, name, "'name:' and 'organs:'")
    try:
        return Disease.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{name}: {sentence(error, Disease, data)}") from None


def _read(path: Path) -> Disease:
    return _parsed(read_text(path), path.name)
