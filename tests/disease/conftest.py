"""A disease of our own in a coarse kidney."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tissuesim.config import load_config_text
from tissuesim.scenario import Scenario, build_scenario

DISEASE = """
name: mine
label: A disease of our own
description: Patches in the cortex.
patient:
  parameters:
    long_lived_share: {value: "0.3", range: ["0.2", "0.6"], source: chosen, grade: A}
    autoreactive_density: {value: "50 cell/mm^3", range: ["10 cell/mm^3", "100 cell/mm^3"], source: chosen, grade: A}
organs:
  kidney:
    description: Patches.
    parameters:
      autoreactive_density: {value: "20 cell/mm^3", range: ["10 cell/mm^3", "100 cell/mm^3"], source: chosen, grade: A}
      car_t_entry:
        {value: "6e-7 1/day/mm^3", range: ["1e-7 1/day/mm^3", "4e-6 1/day/mm^3"], source: chosen, grade: A,
         regions: {medulla: "3e-7 1/day/mm^3"}}
    lesions:
      patches:
        pattern: patches
        regions: [cortex]
        volume: {value: "30 mL", range: ["10 mL", "60 mL"], source: chosen, grade: A}
        correlation: {value: "16 mm", range: ["4 mm", "30 mm"], source: chosen, grade: A}
        source: chosen
        grade: A
"""

RUN = """
name: run
model: autoimmune
disease: {disease}
organs:
  left: {{anatomy: kidney, spacing: {spacing} mm, seed: 3}}
  other: {{anatomy: kidney, spacing: 10 mm, seed: 4, kind: heart}}
time: {{start: -120, end: 0}}
precision: float32
backend: numba
"""


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Scenario]:
    """Scenario of a disease text, by default the one above, in a kidney and a healthy organ."""

    def made(text: str = DISEASE, *changes: str, spacing: float = 6.0) -> Scenario:
        (tmp_path / "mine.yaml").write_text(text)
        return build_scenario(
            load_config_text(RUN.format(disease=tmp_path / "mine.yaml", spacing=spacing), changes)
        )

    return made
