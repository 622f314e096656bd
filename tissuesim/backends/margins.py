"""How near an organ came to the bounds of its steps."""

from __future__ import annotations

from math import isnan


class Margins(dict[str, float]):
    """The largest value met so far of each quantity that has a bound; a part of the state, so that it is resumed."""

    def saw(self, name: str, value: float) -> None:
        """Keep ``value`` if it is the largest of ``name``, or no number: that must not be lost under a larger one."""
        known = self.get(name, 0.0)
        if not isnan(known) and not value <= known:
            self[name] = value
