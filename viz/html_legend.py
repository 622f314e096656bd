"""What the colors and dots of a scene that turns mean, laid over its page: title, color bar, kinds of cells."""

from __future__ import annotations

from html import escape

import numpy as np

from .compose import DOT_NAMES, legend_text
from .frames import Pictures
from .style import (
    DOT_COLORS,
    FAINT_INK,
    GROUND,
    INK,
    axis_label,
    color_table,
    day_text,
    organ_title,
    split_label,
)

STOPS = 16  # colors of the bar, between which the browser runs
TICKS = 5
STYLE = (
    f"position:fixed;z-index:9;pointer-events:none;color:{INK};font:13px/1.4 system-ui,sans-serif;"
    f"background:{GROUND}b0;padding:8px 10px"
)


def with_legend(page: str, pictures: Pictures) -> str:
    """Return the HTML ``page`` of a scene with a legend for the first of ``pictures`` over it."""
    # The viewer empties the body when it starts, so that the legend has to stand beside it.
    legend = f'<template id="legend">{_title(pictures)}{_bar(pictures)}</template>'
    put = 'document.documentElement.append(document.getElementById("legend").content)'
    return page.replace("</head>", f"{legend}<script>{put}</script></head>", 1)


def _title(pictures: Pictures) -> str:
    frame = pictures.frames[0]
    lines = [f"<b>{escape(organ_title(pictures.organ))}, {escape(day_text(frame.day))}</b>"]
    lines += [
        f'<span style="color:{DOT_COLORS[layer.key]}">●</span> {escape(legend_text(layer))} '
        f'<span style="color:{FAINT_INK}">(1 dot = {layer.per_dot:,.0f} {DOT_NAMES[layer.key]})</span>'
        for layer in frame.layers
    ]
    return f'<div style="{STYLE};left:0;bottom:0">{"<br>".join(lines)}</div>'


def _bar(pictures: Pictures) -> str:
    colors = color_table(pictures.kind, STOPS)[::-1]
    stops = ",".join(f"rgb({red},{green},{blue})" for red, green, blue in colors)
    ticks = "".join(f"<span>{value:.3g}</span>" for value in np.linspace(pictures.top, 0.0, TICKS))
    label = split_label(pictures.label)
    note = f'<div style="color:{FAINT_INK};max-width:9em">{escape(label.note)}</div>' if label.note else ""
    return (
        f'<div style="{STYLE};right:0;top:0"><div>{escape(axis_label(label.name, pictures.unit))}</div>'
        f'<div style="display:flex;gap:6px;height:180px;margin:6px 0">'
        f'<div style="width:14px;background:linear-gradient({stops})"></div>'
        f'<div style="display:flex;flex-direction:column;justify-content:space-between">{ticks}</div></div>{note}</div>'
    )
