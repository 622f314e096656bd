"""Kinds of processes, read off what they change.

======== ======================================= =====================================================
kind     changes                                 rate
======== ======================================= =====================================================
signal   signals                                 of a voxel [pM/day]
local    cells, states                           of a voxel [cell/mm^3/day] or [unit of the state/day]
systemic pools                                   of the body [unit of the pool/day]
influx   a pool by -1, cells by +1               of a voxel, with the pool as a factor
egress   cells or a signal by -k, a pool by +k   of a voxel
======== ======================================= =====================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tissuesim.errors import InputError, nearest

if TYPE_CHECKING:
    from tissuesim.model.model import Model, Process

KINDS = ("signal", "local", "systemic", "influx", "egress")
CHANGEABLE = ("signals", "cells", "states", "pools")


def kind_of(model: Model, process: Process) -> str:
    """Return the kind of a process; InputError where what it changes does not go together."""
    where = f"processes.{process.name}.change"
    roles = {}
    for target in process.change:
        role = model.roles.get(target)
        if role not in CHANGEABLE:
            known = [name for section in CHANGEABLE for name in getattr(model, section)]
            what = f"is one of the {role}, which no process changes" if role else "is an unknown name"
            raise InputError(f"{where}.{target}: '{target}' {what}{nearest(target, known)}")
        roles[target] = role
    touched = set(roles.values())
    if touched == {"signals"}:
        return "signal"
    if touched == {"pools"}:
        return "systemic"
    if touched <= {"cells", "states"}:
        return "local"
    if len(roles) == 2 and "pools" in touched and touched & {"cells", "signals"}:
        return _exchange(process, roles, where)
    raise InputError(
        f"{where}: {_listed(roles)} cannot be changed together; a process changes signals only, cells and "
        "states of a voxel, pools only, or moves an amount between one pool and one cell type or signal"
    )


def _exchange(process: Process, roles: dict[str, str], where: str) -> str:
    """Return ``influx`` or ``egress`` for one pool and one field."""
    pool = next(name for name, role in roles.items() if role == "pools")
    field = next(name for name in roles if name != pool)
    from_pool, to_field = process.change[pool], process.change[field]
    if from_pool < 0 < to_field:
        if (from_pool, to_field) != (-1, 1) or roles[field] != "cells":
            raise InputError(f"{where}: an influx is 1 from a pool to 1 of a cell type, not {process.change}")
        return "influx"
    if to_field < 0 and from_pool == -to_field:
        return "egress"
    raise InputError(
        f"{where}: what leaves one of '{field}' and '{pool}' enters the other, so their "
        f"coefficients are opposite, not {process.change}"
    )


def _listed(roles: dict[str, str]) -> str:
    return ", ".join(f"'{name}' ({role})" for name, role in roles.items())
