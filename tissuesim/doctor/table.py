"""The examination as a table for a person: one row per item, the line that mends it below, whole at 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from tissuesim.doctor.check import Row

# Words carry the meaning, so that no reader and no terminal needs the colors; orange only leads the eye.
STYLES = {"ok": "", "not there": "dim", "missing": "bold dark_orange", "problem": "bold dark_orange"}


def print_table(rows: Sequence[Row]) -> None:
    """Print the rows and, in one sentence, whether a run can start."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("item", "state", "found", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        word = state_word(row)
        # Text, since [cuda12] would be read as markup.
        table.add_row(row.name, Text(word, STYLES[word]), Text(row.found))
        if row.mend is not None:
            table.add_row("", Text("mend with", "dim"), Text(row.mend, "bold"))
    console = Console()
    console.print(table)
    console.print(verdict(rows), highlight=False)


def state_word(row: Row) -> str:
    """Return the state in a word; what a run can do without is not called missing."""
    return "not there" if row.state == "missing" and not row.required else row.state


def verdict(rows: Sequence[Row]) -> str:
    """Return whether a run can start, in one sentence."""
    failing = [row.name for row in rows if row.fails]
    if failing:
        return f"A run needs what is wrong with: {', '.join(failing)}."
    rest = "" if all(row.state == "ok" for row in rows) else "; what is not ok above is optional"
    return f"A run has all it needs{rest}."
