"""The readouts of a model: its definitions that are numbers of the whole patient, not of a voxel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tissuesim.model.expression import Expression, names

if TYPE_CHECKING:
    from tissuesim.model.model import Model


def readout_trees(model: Model) -> dict[str, Expression]:
    """Expanded trees of every definition that uses only pools, summaries and parameters."""
    known = {*model.pools, *model.summaries, *model.parameters}
    expanded = {name: model.expand(item.expression) for name, item in model.definitions.items()}
    return {name: tree for name, tree in expanded.items() if names(tree) <= known}
