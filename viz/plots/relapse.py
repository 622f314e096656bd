"""Where a relapse starts: the killing that places had seen in which autoreactive cells come back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tissuesim.run import Run

from ..frames import written_frames
from ..render import arm, opened, target
from ..style import BLUE, GREY, VERMILION, day_text, nice_ceiling, plot_style, save
from .box import Geometry, draw_plane
from .catalogue import organ_text
from .killing import FIELD as KILLING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELLS = "autoreactive_b"
ENOUGH = 5  # cells on the day of treatment: a place that held clones
DEEP_FALL = 0.1  # of the cells of that day: a fall after which a rise is a return
RISE = 1.5  # of the fewest cells: a rise that is no chance of a few divisions
WIDTH, HEIGHT = 10.2, 4.1  # inches


@dataclass(frozen=True)
class Return:
    """Autoreactive cells that came back to an organ between two frames.

    ``fewest_day`` and ``day`` are those frames; ``home`` (z, y, x) is True where clones lived before treatment;
    ``killing`` the killing integral of the first of them; ``survivors`` and ``gained`` cells of the voxels then and
    more of them later. ``chance`` is how likely a cell that came back had seen less killing than a random place of
    ``home`` (0.5: no matter where).
    """

    fewest_day: float
    day: float
    home: NDArray[np.bool_]
    killing: NDArray[np.float64]
    survivors: NDArray[np.float64]
    gained: NDArray[np.float64]
    chance: float


def coming_back(run: Run, organ: str) -> Return | None:
    """Return where autoreactive cells of ``organ`` come back after treatment; None where they do not, or no one looks.

    The first frame with `RISE` times the fewest cells is the return, the frame with the fewest after a fall to
    `DEEP_FALL` its start.
    """
    dataset = run[organ]
    if any(name not in dataset for name in (CELLS, KILLING)) or "center" in dataset:
        return None
    written = written_frames(run, organ)
    days = np.asarray(dataset["time"].values[written], dtype=np.float64)
    counts = np.nan_to_num(np.asarray(dataset[CELLS].values[written], dtype=np.float64))
    before = int(np.searchsorted(days, run.baseline_day, side="right")) - 1
    total = counts.sum(axis=(1, 2, 3))
    if before < 0 or before + 2 >= len(days) or not total[before] > 0:
        return None
    fewest = before + 1 + int(np.argmin(total[before + 1 :]))
    back = np.flatnonzero(total[fewest:] >= RISE * max(total[fewest], 1.0))
    if total[fewest] > DEEP_FALL * total[before] or back.size == 0:
        return None
    later = fewest + int(back[0])
    killing = np.nan_to_num(np.asarray(dataset[KILLING].values[written[fewest]], dtype=np.float64))
    home = counts[before] >= ENOUGH
    gained = np.where(home, np.maximum(counts[later] - counts[fewest], 0.0), 0.0)
    if not gained.any():
        return None
    return Return(
        fewest_day=float(days[fewest]),
        day=float(days[later]),
        home=home,
        killing=killing,
        survivors=counts[fewest],
        gained=gained,
        chance=chance_of_less(killing[home], gained[home]),
    )


def chance_of_less(killing: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Return how likely a place drawn by ``weight`` (n,) has less ``killing`` (n,) than one drawn evenly.

    Area under the ROC curve, ties half: 1 where all weight lies at the weakest place, 0.5 where it lies anywhere.
    """
    ordered = np.sort(killing)
    below = np.searchsorted(ordered, killing, side="left")
    equal = np.searchsorted(ordered, killing, side="right") - below
    more = 1.0 - (below + 0.5 * equal) / ordered.size
    return float((more * weight).sum() / weight.sum())


def plot_relapse(run: Run | Path | str, organ: str, out: Path | str | None = None) -> Path | None:
    """Draw where autoreactive cells come back, over the killing those places had seen; None if they do not."""
    run = opened(run)
    found = coming_back(run, organ)
    if found is None:
        return None
    path = target(run, out, f"{organ}_relapse.png")
    with plot_style():
        save(relapse_figure(run, organ, found), path)
    return path


def sentence(organ: str, found: Return) -> str:
    """Return in words where the cells came back."""
    return (
        f"A cell that came back to the {organ_text(organ)} from {day_text(found.fewest_day)} to {day_text(found.day)} "
        f"lies with a probability of {found.chance:.0%} where there was less killing than at a random home of clones."
    )


def relapse_figure(run: Run, organ: str, found: Return) -> Figure:
    """Return the figure of `plot_relapse`: a section with the places, and the killing they had seen."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    geometry = Geometry(run[organ])
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(
        f"Where autoreactive B cells come back, {organ_text(organ)}: {arm(run)}",
        x=0.01, ha="left", fontsize=12, fontweight="bold",
    )  # fmt: skip
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.25))
    place = np.unravel_index(int(np.argmax(found.gained)), found.gained.shape)
    plane = geometry.planes((int(place[0]), int(place[1]), int(place[2])))[0]
    top = nice_ceiling(float(np.percentile(found.killing[found.home], 99.0)))
    box = np.where(found.home, found.killing, np.nan)
    image = draw_plane(left, geometry, plane, box, matplotlib.colormaps["cividis"], top)
    left.set_facecolor("#F1F2F5")
    rows, columns = np.nonzero(plane.cut(found.gained) > 0)
    number = plane.cut(found.gained)[rows, columns]
    left.scatter(
        geometry.centers[plane.right][columns], geometry.centers[plane.up][rows],
        s=8.0 + 90.0 * number / number.max(), facecolors="none", edgecolors=VERMILION, linewidths=1.3,
    )  # fmt: skip
    left.set_title(f"circles: back by {day_text(found.day)}")
    figure.colorbar(image, ax=left, label="killing seen, ∫ hazard dt", extend="max", shrink=0.9)
    _draw_shares(right, found, top)
    figure.text(0.01, 0.005, sentence(organ, found), fontsize=8.5, color=GREY, va="bottom")
    figure.get_layout_engine().set(rect=(0.0, 0.06, 1.0, 0.94))  # type: ignore[union-attr,call-arg]
    return figure


def _draw_shares(ax: Axes, found: Return, top: float) -> None:
    """Draw the share of places, survivors and returned cells that had seen at most a certain killing."""
    killing = found.killing[found.home]
    order = np.argsort(killing)
    for weight, label, color, style in (
        (np.ones(killing.size), "places where clones lived", GREY, "-"),
        (found.survivors[found.home], f"cells left on {day_text(found.fewest_day)}", BLUE, "--"),
        (found.gained[found.home], f"cells back by {day_text(found.day)}", VERMILION, "-"),
    ):
        if weight.sum() > 0:
            share = 100.0 * np.cumsum(weight[order]) / weight.sum()
            ax.step(killing[order], share, where="post", color=color, linestyle=style, label=label)
    ax.set_xlim(0.0, top)
    ax.set_ylim(0.0, 101.0)
    ax.set_xlabel("killing seen, ∫ hazard dt")
    ax.set_ylabel("share that had seen no more [%]")
    ax.legend(loc="lower right")
