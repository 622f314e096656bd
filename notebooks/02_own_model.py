# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A model of your own in 20 lines
#
# A new kind of cell sits in one half of a piece of tissue and secretes a cytokine, which spreads and is lost. We write that
# down, run it, and hold the result to the analytic solution. No Python is needed for the model itself: it is a text file.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import tissuesim as ts
from tissuesim.tissue import build_graph

folder = Path(tempfile.mkdtemp(prefix="tissuesim-"))
model_text = """
name: scouts
description: Cells that secrete a cytokine where they are and die at a constant rate.
signals:
  alarm: {label: "Alarm cytokine", unit: pM, diffusivity: alarm_diffusivity}
cells:
  scout: {label: "Scout", initial: "scout_density"}
parameters:
  alarm_diffusivity: {value: "15 um^2/s", source: "a small cytokine in tissue", grade: A}
  alarm_loss: {value: "10 1/day", source: "half-life 1.7 h", grade: A}
  secretion: {value: "0.004 pM*mm^3/cell/day", source: "assumed", grade: A}
  scout_loss: {value: "0.1 1/day", source: "assumed", grade: A}
  scout_density: {value: "1e5 cell/mm^3", regions: {right: "0 cell/mm^3"}, source: "assumed", grade: A}
processes:
  secrete: {rate: "secretion * scout", change: {alarm: 1}}
  lose_alarm: {rate: "alarm_loss * alarm", change: {alarm: -1}}
  die: {rate: "scout_loss * scout", change: {scout: -1}}
"""
(folder / "scouts.yaml").write_text(model_text)
assert len(model_text.strip().splitlines()) <= 20
print(ts.Model.load(folder / "scouts.yaml"))

# %% [markdown]
# ## A bar of tissue
#
# A bar of 80 x 8 x 8 voxels of 0.08 mm in two regions. Any organ would do; a bar has a solution on paper.

# %%
shape, spacing = (8, 8, 80), 0.08  # z, y, x; mm
region = np.broadcast_to(np.arange(80) >= 40, shape).astype(np.uint8)
bar = build_graph("bar", np.ones(shape), region, spacing, (-3.2, 0.0, 0.0), ("left", "right"))
bar.save(folder / "bar.npz")
(folder / "run.yaml").write_text("""
name: scouts
model: scouts.yaml
organs: {bar: {anatomy: bar.npz, spacing: 0.08 mm}}
time: {start: 0 day, end: 6 day, maximum_step: 15 min, minimum_step: 1 min}
output: {frames: {every: 1 day}, totals_every: 0.25 day}
""")
simulation = ts.Simulation(ts.load(folder / "run.yaml"))
path = simulation.create_run(out=folder / "run")
result = simulation.run()
run = ts.Run(path)
print(f"{result.steps} steps, {result.wall_seconds:.1f} s")

# %% [markdown]
# ## The gradient
#
# Scouts die slowly ($\delta = 0.1$/day) and the cytokine is lost fast ($k = 10$/day), so that it follows them: it decays as
# $e^{-\delta t}$ too, which leaves $k - \delta$ as its own loss. With $D c'' - (k - \delta) c + s(x) = 0$ and a source $s$ on the left alone,
#
# $$c(x) = \frac{s}{2(k-\delta)} e^{-x/\lambda} \; (x > 0), \qquad c(x) = \frac{s}{2(k-\delta)} \left(2 - e^{x/\lambda}\right) \; (x < 0), \qquad \lambda = \sqrt{D/(k-\delta)}.$$
#
# The bar is nine decay lengths long on each side, so its ends do not matter. Whole cells die at random: we take the mean
# source from the run, and the shape from theory.

# %%
day = 5.0
data = run["bar"].sel(time=day)
x = data["x"].values
alarm = data["alarm"].mean(("z", "y")).values
scouts = data["scout"].mean(("z", "y")).values  # cells per voxel

D = 15e-6 * 86400  # mm^2/day
loss, secretion, death = 10.0, 0.004, 0.1
length = np.sqrt(D / (loss - death))
source = secretion * scouts[x < 0].mean() / spacing**3
plateau = source / (loss - death)
theory = np.where(x > 0, plateau / 2 * np.exp(-x / length), plateau / 2 * (2 - np.exp(x / length)))
error = np.abs(alarm - theory).max() / plateau
print(f"decay length {length:.3f} mm, plateau {plateau:.2f} pM, largest error {error:.2%} of it")

# %%
figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
ax.plot(x, theory, color="#D55E00", lw=4, alpha=0.4, label="theory")
ax.plot(x, alarm, ".", color="#0072B2", ms=4, label="tissuesim")
ax.axvline(0, color="#6B7280", lw=1)
ax.set(xlabel="x [mm]", ylabel="alarm cytokine [pM]", title=f"Day {day:g}: scouts sit on the left")
ax.legend()
plt.show()

# %% [markdown]
# ## The cells
#
# They are whole and die at random: their number follows $N_0 e^{-\delta t}$ within the spread of a binomial.

# %%
totals = run.totals
t, alive = totals["time"].values, totals["bar.scout.sum"].values
share = np.exp(-death * t)
spread = np.sqrt(alive[0] * share * (1 - share))
figure, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
band = (alive[0] * share - 2 * spread, alive[0] * share + 2 * spread)
ax.fill_between(t, *band, color="#D55E00", alpha=0.4, label="theory, 2 standard deviations")
ax.plot(t, alive, color="#0072B2", label="tissuesim")
ax.set(xlabel="day", ylabel="scouts")
ax.legend()
plt.show()

# %% [markdown]
# Both are what theory says, within what the method allows: the space between two voxels (second order) and four standard
# deviations of chance.

# %%
assert error < 0.02
assert np.all(np.abs(alive - alive[0] * share) <= 4 * spread + 1)
assert np.all(alive == np.round(alive)), "cells are whole"
