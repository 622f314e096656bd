"""Ratios are guarded: a fall beyond 30 % is told, less is not, and nothing else is looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tissuesim.bench.compare import best_ratios, falls, ratios, read_ratios, sections_of
from tissuesim.errors import InputError

KEY = "peers / NumPy slicing / box 64 / 8 float32 / ratio"


def report(ratio: float, seconds: float = 1.0) -> dict[str, Any]:
    """A report with one line beside another program and one beside a copy."""
    peers = {"key": KEY.removesuffix(" / ratio"), "ratio": ratio, "seconds": seconds}
    sweep = {"key": "operators / sweep", "fraction_of_copy": 0.9, "seconds": seconds}
    return {"rows": [peers, sweep, {"key": "peers / FiPy", "note": "not installed"}]}


@pytest.mark.parametrize(("share", "fallen"), [(0.69, True), (0.71, False), (1.0, False), (5.0, False)])
def test_a_ratio_may_fall_by_thirty_percent(share: float, fallen: bool) -> None:
    """31 % below the stored ratio is a fall, 29 % below is the weather of a shared machine."""
    found = falls({KEY: 10.0}, ratios(report(10.0 * share)))
    assert [fall.key for fall in found] == ([KEY] if fallen else [])


def test_absolute_times_are_never_compared() -> None:
    """A machine a hundred times slower, with the same ratios, passes."""
    slow = report(10.0, seconds=100.0)
    assert falls(ratios(report(10.0)), ratios(slow)) == []
    assert not any("seconds" in key for key in ratios(slow))


def test_a_guarded_ratio_cannot_disappear() -> None:
    """A line that is no longer measured is told, or a guard could be lost without anybody noticing."""
    (fall,) = falls({"operators / gone / ratio": 2.0}, ratios(report(10.0)))
    assert fall.found is None and "not in this report" in str(fall)


def test_the_best_of_several_rounds_counts() -> None:
    """One disturbed round does not make a fall."""
    assert best_ratios([report(3.0), report(9.0), report(2.0)])[KEY] == 9.0


def test_only_the_sections_of_a_fall_are_measured_again() -> None:
    """A name in a stored ratio leads back to the section of the suite."""
    stored = {KEY: 10.0, "signals at r = 10 / x / ratio": 1.0, "one thread / y / ratio": 1.0}
    assert sections_of(falls(stored, {})) == ("peers", "signals", "one_thread")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"ratios": {"a": "much"}}', '{"rows": [{}], "format": 1, "x": 2}']
)
def test_a_file_without_ratios_is_refused_or_empty(tmp_path: Path, text: str) -> None:
    """What holds no ratios never passes for a set of them."""
    path = tmp_path / "ratios.json"
    path.write_text(text)
    try:
        assert read_ratios(path) == {}
    except InputError as error:
        assert str(path) in str(error)


def test_a_stored_report_is_a_set_of_ratios(tmp_path: Path) -> None:
    """A report written with --out can be compared with as it is."""
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report(7.0)))
    assert read_ratios(path)[KEY] == 7.0


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """The path is named."""
    with pytest.raises(InputError, match="does not exist"):
        read_ratios(tmp_path / "none.json")
