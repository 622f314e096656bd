"""The run directory: how it is made, written while a run goes on, resumed from and read."""

from tissuesim.run.checkpoint import load_latest_checkpoint, save_checkpoint
from tissuesim.run.directory import create_run_directory, read_status, write_status
from tissuesim.run.files import write_json
from tissuesim.run.provenance import provenance, write_provenance
from tissuesim.run.reader import Run
from tissuesim.run.readouts import write_readouts
from tissuesim.run.store import ColumnDescription, FieldDescription, FieldStore, TotalsStore

__all__ = [
    "ColumnDescription",
    "FieldDescription",
    "FieldStore",
    "Run",
    "TotalsStore",
    "create_run_directory",
    "load_latest_checkpoint",
    "provenance",
    "read_status",
    "save_checkpoint",
    "write_json",
    "write_provenance",
    "write_readouts",
    "write_status",
]
