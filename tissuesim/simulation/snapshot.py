"""A state at one moment, on its way to the host while the next steps may already run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from tissuesim.backends.organ_step import OrganStep
    from tissuesim.simulation.state import State

Rows = dict[str, NDArray[Any]]


class Snapshot:
    """Rows of all organs, pools, ledgers and facts of a state. ``live``: the rows change with the next step."""

    def __init__(self, organs: dict[str, OrganStep], state: State) -> None:
        """Begin to fetch the rows; everything small is copied at once."""
        self.tick = state.tick
        self._small, self._facts = state.small_arrays(), state.facts()
        self._downloads = {name: step.begin_download(state.organs[name]) for name, step in organs.items()}
        self.live = any(download.live for download in self._downloads.values())

    def organs(self) -> dict[str, Rows]:
        """Per organ ``signals``, ``cells`` and ``states``, (n, columns) in the order of the tissue; waits for them."""
        return {name: download.result() for name, download in self._downloads.items()}

    def checkpoint(self) -> tuple[Rows, dict[str, Any]]:
        """Arrays and facts that hold the whole state, the same from every backend."""
        rows = {
            f"{organ}/{name}": array
            for organ, arrays in self.organs().items()
            for name, array in arrays.items()
        }
        return self._small | rows, self._facts
