"""Signals are lost at the end of a step and made at its start; nothing may pretend that the two are one amount."""

from __future__ import annotations

import pytest

from tissuesim.codegen.plan import compile_model
from tissuesim.errors import InputError
from tissuesim.model import Model


def test_a_signal_that_turns_into_another_is_refused() -> None:
    """Claim: a conversion between signals, which the implicit step would not conserve, is refused by name."""
    quantity = {"source": "test", "grade": "A"}
    model = Model.from_mapping(
        {
            "name": "converts",
            "parameters": {
                "spread": {"value": "1 mm^2/day", **quantity},
                "turn": {"value": "1 1/day", **quantity},
            },
            "signals": {
                "latent": {"unit": "pM", "diffusivity": "spread"},
                "active": {"unit": "pM", "diffusivity": "spread"},
            },
            "processes": {"activate": {"rate": "turn * latent", "change": {"latent": -1, "active": 1}}},
        }
    )
    with pytest.raises(InputError, match=r"processes\.activate\.change turns one signal into another"):
        _ = compile_model(model, stochastic=True).organ_programs
