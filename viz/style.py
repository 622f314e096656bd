"""One look for every picture: colors safe for color-blind readers, fonts, units and numbers as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design" (2008): distinct for all common kinds of color blindness.
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
GREY = "#6B7280"

CAR_T, B_CELLS, AUTOREACTIVE = GREEN, SKY, BLUE
INFLAMMATION, DAMAGE, ANTIBODY, ACTIVITY = VERMILION, ORANGE, PURPLE, BLACK
FIBROSIS = BLUE

# Stills are lit scenes on a dark ground: the glow of a field is read against it, and so are the cells.
GROUND = "#21252E"
INK = "#E8EAEE"
FAINT_INK = "#9AA3B2"
DOT_COLORS = {"autoreactive": "#62BDF2", "car_t": "#3BE3A4"}

DISEASES = {"sle": "SLE", "ssc": "SSc", "iim": "IIM"}  # as people write them

MAP_RANGE = (0.1, 0.95)  # the ends of a map would drown in the ground or bleach the cells in front of it
FIELD_MAPS = {"signal": "plasma", "cells": "cividis", "state": "magma"}

PLOT_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444B57",
    "axes.grid": True,
    "grid.color": "#E3E6EB",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "figure.facecolor": "white",
    "savefig.dpi": 160,
    "svg.hashsalt": "tissuesim",
}


@dataclass(frozen=True)
class Legend:
    """A name to draw beside a color: the short name and, smaller, what it means."""

    name: str
    note: str


@contextmanager
def plot_style(**changes: Any) -> Iterator[None]:
    """Draw with our settings, and leave those of the caller as they were."""
    import matplotlib

    settings: dict[Any, Any] = {**PLOT_STYLE, **changes}
    with matplotlib.rc_context(settings):
        yield


def save(figure: Figure, path: Path, **options: Any) -> None:
    """Save ``figure`` as ``path`` (png, svg or pdf) without the date: equal pictures are equal files."""
    metadata: dict[str, dict[str, Any]] = {
        ".svg": {"Creator": "tissuesim", "Date": None},
        ".pdf": {"Creator": "tissuesim", "CreationDate": None},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata=metadata.get(path.suffix, {"Software": "tissuesim"}), **options)


def color_table(kind: str, size: int = 256) -> np.ndarray:
    """Return the (size, 3) colors, 0 to 255, of fields of ``kind``: signal, cells or state."""
    import matplotlib

    colors = matplotlib.colormaps[FIELD_MAPS[kind]](np.linspace(*MAP_RANGE, size))
    return np.asarray(np.round(colors[:, :3] * 255), dtype=np.uint8)


def split_label(label: str) -> Legend:
    """Return 'Damage (0 to 1)' as the name 'Damage' and the note '0 to 1'."""
    name, opening, note = label.partition(" (")
    return Legend(name, note.removesuffix(")") if opening else "")


def unit_text(unit: str) -> str:
    """Return a unit as people write it: '/µL' for cells per volume of blood, 'mm³' for 'mm^3', '' for '1'."""
    plain = (
        unit.replace("1.73m2", "1.73 m²")
        .replace("mm^3", "mm³")
        .replace("mm3", "mm³")
        .replace("mm^2", "mm²")
        .replace("uL", "µL")
    )
    return "" if plain == "1" else plain.replace("1/", "/")


def axis_label(name: str, unit: str) -> str:
    """Return 'CXCL10 [pM]', or the name alone for a number without unit."""
    text = unit_text(unit)
    return f"{name} [{text}]" if text else name


def wrapped(text: str, width: int) -> str:
    """Return ``text`` broken into lines of at most ``width`` characters."""
    return "\n".join(textwrap.wrap(text, width))


def count_text(count: float) -> str:
    """Return a number of cells as '0', '1,354' or 1.01 times ten to the seventh."""
    if count < 1e5:
        return f"{count:,.0f}"
    exponent = int(np.floor(np.log10(count)))
    if round(count / 10**exponent, 2) >= 10.0:
        exponent += 1
    superscript = str(exponent).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{count / 10**exponent:.2f} \N{MULTIPLICATION SIGN} 10{superscript}"


def nice_ceiling(value: float) -> float:
    """Return the smallest of 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten that is >= value."""
    if not value > 0.0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    steps = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
    return float(next(step * power for step in steps if step * power >= value * (1 - 1e-9)))


def nice_floor(value: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is <= value."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (5.0, 2.0, 1.0) if step * power <= value * (1 + 1e-9)))


def day_text(day: float) -> str:
    """Return 'day 9', 'day 0.25', or 'day -120' with a true minus sign."""
    return f"day {day:g}".replace("-", "\N{MINUS SIGN}")


def title_text(name: str) -> str:
    """Return 'kidney_car_t' as 'Kidney CAR T'."""
    text = name.replace("_", " ").replace("-", " ").replace("car t", "CAR T").strip()
    words = [DISEASES.get(word, word) for word in text.split(" ")]
    text = " ".join(words)
    return text if words[0] in DISEASES.values() else text[:1].upper() + text[1:]


def organ_title(name: str) -> str:
    """Return 'kidney_left' as 'Left kidney', 'lungs' as 'Lungs'."""
    words = name.split("_")
    side = words[-1] in ("left", "right") and len(words) > 1
    return title_text(" ".join([words[-1], *words[:-1]] if side else words))
