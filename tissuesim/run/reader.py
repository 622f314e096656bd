"""A run directory opened for reading, also while the run is still going on."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tissuesim.errors import InputError, nearest
from tissuesim.run.directory import FIELDS, PROVENANCE, SCENARIO, TOTALS, read_status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import xarray
    from numpy.typing import NDArray

    from tissuesim.readouts import Clinic

FIRST_DAY = ("day", "start", "on")  # the key of a treatment's first day, by kind


class Run:
    """Everything a run has written: ``run["kidney"]``, ``run.totals``, ``run.endpoints``, ``run.plot()``."""

    def __init__(self, path: Path | str) -> None:
        """Open the run directory ``path``; InputError if it is none."""
        self.path = Path(path)
        if not self.path.is_dir():
            raise InputError(f"'{path}' is not a run directory: there is no such folder.")
        read_status(self.path)  # one clear sentence now rather than a riddle later

    @property
    def status(self) -> dict[str, Any]:
        """The content of ``status.json`` at this moment: ``status``, ``updated`` and facts of the run."""
        return read_status(self.path)

    @cached_property
    def scenario(self) -> dict[str, Any]:
        """The resolved scenario as a plain mapping."""
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a whole patient has a long scenario
        loaded = yaml.load(self._text(SCENARIO), Loader=loader)
        if not isinstance(loaded, dict):
            raise InputError(f"'{self.path / SCENARIO}' is damaged: it holds no mapping.")
        return loaded

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """The content of ``provenance.json``: command, seed, versions, machine."""
        import json

        return dict(json.loads(self._text(PROVENANCE)))

    @cached_property
    def tree(self) -> xarray.DataTree:
        """All fields as an xarray DataTree, one group per organ, read lazily."""
        import xarray

        return xarray.open_datatree(self._store(FIELDS), engine="zarr")

    @property
    def organs(self) -> tuple[str, ...]:
        """Names of the organs with fields, in the order of the scenario."""
        named = [*(self.scenario.get("organs") or {})]
        return tuple(
            sorted(self.tree.children, key=lambda name: named.index(name) if name in named else len(named))
        )

    def __getitem__(self, organ: str) -> xarray.Dataset:
        """Return the fields of ``organ``: variables over (time, z, y, x), time in days since infusion."""
        if organ not in self.tree.children:
            hint = nearest(organ, self.organs)
            raise InputError(f"organ '{organ}' is not in this run; it has {', '.join(self.organs)}{hint}.")
        return self.tree[organ].to_dataset()

    @cached_property
    def totals(self) -> xarray.Dataset:
        """All time series over ``time``; rows that the run has not reached are left out."""
        import numpy as np
        import xarray

        dataset = xarray.open_dataset(self._store(TOTALS), engine="zarr").load()
        if not dataset.data_vars:
            return dataset
        # Columns are written one after the other: the column that is behind the most says where the rows end.
        columns = [
            dataset.variables[name].values for name in dataset.data_vars
        ]  # far quicker than as DataArrays
        written = [np.flatnonzero(np.isfinite(column)) for column in columns]
        rows = min((int(column[-1]) + 1 if column.size else 0) for column in written)
        return dataset.isel(time=slice(0, rows))

    def columns(self, names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Return ``time`` [day] and those of ``names`` that the run has, over the rows written so far.

        Much faster than ``totals`` where a few of hundreds of columns are wanted.
        """
        import numpy as np

        group = self._totals_group
        found = {
            name: np.asarray(group[name][...]) for name in dict.fromkeys(("time", *names)) if name in group
        }
        ends = [np.flatnonzero(np.isfinite(column)) for name, column in found.items() if name != "time"]
        rows = min((int(end[-1]) + 1 if end.size else 0 for end in ends), default=found["time"].size)
        return {name: column[:rows] for name, column in found.items()}

    @cached_property
    def baseline_day(self) -> float:
        """The first day of treatment: rows and frames up to it are "before" (day 0 without treatment)."""
        attributes = self._totals_group.attrs
        if "baseline_day" in attributes:
            return float(attributes["baseline_day"])
        done = self.scenario.get("treatment") or []
        return min((float(entry[key]) for entry in done for key in FIRST_DAY if key in entry), default=0.0)

    @cached_property
    def clinic(self) -> Clinic:
        """The patient of this run as a clinic sees him: readouts and endpoints of the rows written so far."""
        from tissuesim.readouts import Clinic
        from tissuesim.run.patient import disease_name, organ_kinds

        totals, scenario = self.totals, self.scenario
        columns = {str(name): column.values for name, column in totals.data_vars.items()}
        attributes = self._totals_group.attrs
        known = attributes["instruments"] if "instruments" in attributes else disease_name(scenario)
        disease = None if known is None else str(known)
        return Clinic(totals["time"].values, columns, organ_kinds(scenario), disease, self.baseline_day)

    @cached_property
    def readouts(self) -> xarray.Dataset:
        """The clinical readouts over ``time`` (see ``tissuesim.readouts.CATALOGUE``), also of an unfinished run."""
        import xarray

        from tissuesim.run.readouts import attributes

        series = self.clinic.readouts
        variables = {name: ("time", values, attributes(name)) for name, values in series.items()}
        return xarray.Dataset(variables, coords={"time": self.totals["time"]})

    @property
    def endpoints(self) -> dict[str, float | None]:
        """The endpoints of the rows written so far (see ``tissuesim.readouts.endpoints`` and docs/readouts.md)."""
        return self.clinic.endpoints

    @property
    def resets(self) -> dict[str, Any] | None:
        """When and where the last autoreactive cells were lost; None where the run has no clones or is not finished."""
        from tissuesim.run.table import read_resets

        return read_resets(self.path)

    def plot(self, out: Path | str | None = None, what: str = "course") -> Any:
        """Draw time series of the run into ``out`` (default: ``pictures/``).

        ``what`` is ``course`` (blood, tissue and antibody in one figure) or one of the groups of
        ``tissuesim.viz.plots.catalogue``: blood, antibodies, cytokines, clinical, organs. The result
        (``tissuesim.viz.picture.Picture``) stands for its path and shows itself in a notebook.
        """
        return import_module("tissuesim.viz.plots.figures").plot(self, what, out)

    def render(
        self,
        organ: str | None = None,
        field: str | None = None,
        days: Sequence[float] | None = None,
        out: Path | str | None = None,
        view: str | None = None,
    ) -> Any:
        """Draw one picture of ``organ`` per day into ``out`` (default: ``pictures/``).

        The result (``tissuesim.viz.picture.Picture``) shows itself in a notebook, where the scene can be turned if
        trame-vtk is installed; as a sequence it is the files. ``view``: cut, iso, section, explode or patient.
        """
        turning: Any = import_module("tissuesim.viz.turning")
        return turning.picture(self, days=days, organ=organ, field=field, out=out, view=view)

    def __str__(self) -> str:
        """Return a short tree of what the run holds."""
        status = self.status
        lines = [f"Run {self.path.name} ({status['status']})"]
        for organ in self.organs:
            dataset = self[organ]
            sizes: Mapping[Any, int] = dataset.sizes
            box = " x ".join(str(sizes[axis]) for axis in ("z", "y", "x"))
            written = int(dataset["frame_written"].sum())
            lines.append(f"  {organ}: box {box}, {written} of {sizes['time']} frames")
            lines += [
                f"    {name} [{field.attrs.get('units', '1')}]: {field.attrs.get('long_name', name)}"
                for name, field in dataset.data_vars.items()
                if "time" in field.dims and name != "frame_written"
            ]
        return "\n".join(lines)

    def _text(self, name: str) -> str:
        file = self.path / name
        if not file.is_file():
            raise InputError(f"'{self.path}' has no {name}.")
        return file.read_text(encoding="utf-8")

    @cached_property
    def _totals_group(self) -> Any:
        import zarr

        return zarr.open_group(self._store(TOTALS), mode="r", zarr_format=3)

    def _store(self, name: str) -> Path:
        if not (self.path / name).is_dir():
            raise InputError(f"'{self.path}' has no {name}: the run stopped before its first output.")
        return self.path / name
