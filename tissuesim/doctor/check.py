"""One item of the examination: how it is tried out, and the row that comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "missing", "problem"]


@dataclass(frozen=True)
class Row:
    """What was found of one item; ``mend`` is the line that mends it, None where nothing is wrong."""

    name: str
    state: State
    found: str
    mend: str | None
    required: bool

    @property
    def fails(self) -> bool:
        """Whether a run cannot do without what is wrong here."""
        return self.required and self.state != "ok"


class TroubleError(Exception):
    """Something is wrong with an item: what was found, and the line that mends it."""

    def __init__(self, found: str, mend: str, *, missing: bool = False) -> None:
        super().__init__(found)
        self.found, self.mend = found, mend
        self.state: State = "missing" if missing else "problem"


@dataclass(frozen=True)
class Check:
    """An item and how it is tried out.

    ``look`` returns what was found or raises TroubleError. ``mend`` gives the line for trouble that nobody foresaw:
    a broken library raises what it likes, and the examination goes on with the next item.
    """

    name: str
    look: Callable[[], str]
    mend: Callable[[], str]
    required: bool = True

    def row(self) -> Row:
        """Try the item out."""
        try:
            return Row(self.name, "ok", self.look(), None, self.required)
        except TroubleError as trouble:
            return Row(self.name, trouble.state, trouble.found, trouble.mend, self.required)
        except Exception as error:
            return Row(self.name, "problem", sentence(error), self.mend(), self.required)


def sentence(error: BaseException) -> str:
    """Return an error in one line: its kind and the first line of its text."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
