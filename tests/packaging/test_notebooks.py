"""Each notebook is a pair: a text that is read and reviewed, and the same as .ipynb without outputs."""

from __future__ import annotations

from pathlib import Path

import jupytext
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
TEXTS = sorted(NOTEBOOKS.glob("*.py"))


def test_every_notebook_has_its_text() -> None:
    """No notebook without a text, and no text without its notebook."""
    assert [path.stem for path in TEXTS] == sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
    assert [path.stem[:2] for path in TEXTS] == ["01", "02", "03"]


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_the_pair_is_in_step(text: Path) -> None:
    """Cell by cell the notebook holds what its text says (`make notebooks` makes it so), and no output."""
    ours, theirs = jupytext.read(text).cells, jupytext.read(text.with_suffix(".ipynb")).cells
    assert [(cell.cell_type, cell.source) for cell in ours] == [
        (cell.cell_type, cell.source) for cell in theirs
    ]
    assert not any(cell.get("outputs") for cell in theirs)


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_every_notebook_checks_what_it_claims(text: Path) -> None:
    """A notebook that runs through has held its claims: it ends with assertions."""
    last = [cell for cell in jupytext.read(text).cells if cell.cell_type == "code"][-1]
    assert "assert " in last.source
