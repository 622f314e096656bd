"""The equations of a model in LaTeX: what changes each field and pool, then what the names mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tissuesim.model.latex import factor_latex, number_latex, symbol
from tissuesim.model.latex import to_latex as tree_to_latex
from tissuesim.model.nodes import Expression
from tissuesim.units import factor

if TYPE_CHECKING:
    from tissuesim.model.model import Cells, Model, Parameter, Summary


def to_latex(model: Model) -> str:
    """Return ``align*`` environments under titles: fields, pools, definitions, summaries, parameters.

    Rates of an organ are per volume, so a pool gains and loses integrals of them over the organs.
    """
    fields = [
        _field(model, name, _diffusion(signal.diffusivity, name)) for name, signal in model.signals.items()
    ]
    fields += [_field(model, name, _movement(cells)) for name, cells in model.cells.items()]
    fields += [_field(model, name, []) for name in model.states]
    blocks = {
        "Fields of an organ": fields,
        "Pools of the body": [_pool(model, name) for name in model.pools],
        "Definitions": [
            f"{symbol(d.name)} &= {tree_to_latex(d.expression)}" for d in model.definitions.values()
        ],
        "Summaries of the organs": [_summary(summary) for summary in model.summaries.values()],
        "Parameters": [_parameter(parameter) for parameter in model.parameters.values()],
    }
    return "\n\n".join(_block(title, lines) for title, lines in blocks.items() if lines)


def _block(title: str, lines: list[str]) -> str:
    body = " \\\\\n".join(f"  {line}" for line in lines)
    return f"\\paragraph{{{title}}}\n\\begin{{align*}}\n{body}\n\\end{{align*}}"


def _diffusion(diffusivity: str, name: str) -> list[str]:
    return [rf"\nabla \cdot \left({symbol(diffusivity)} \nabla {symbol(name)}\right)"]


def _movement(cells: Cells) -> list[str]:
    """Random motility, and drift up the saturating gradient of the attractant: grad of c / (K + c)."""
    terms = _diffusion(cells.motility, cells.name) if cells.motility else []
    if cells.chemotaxis and cells.attractant and cells.half_saturation:
        chi, c, half = symbol(cells.chemotaxis), symbol(cells.attractant), symbol(cells.half_saturation)
        gradient = rf"\nabla \frac{{{c}}}{{{half} + {c}}}"
        terms.append(rf"-\nabla \cdot \left({chi} \, {symbol(cells.name)} {gradient}\right)")
    return terms


def _field(model: Model, name: str, transport: list[str]) -> str:
    terms = transport + [_term(p.change[name], p.rate) for p in model.processes.values() if name in p.change]
    return rf"\frac{{\partial {symbol(name)}}}{{\partial t}} &= {_sum(terms)}"


def _pool(model: Model, name: str) -> str:
    terms = []
    for process in model.processes.values():
        if name in process.change:
            exchange = model.process_kind(process.name) in ("influx", "egress")
            terms.append(_term(process.change[name], process.rate, integral=exchange))
    return rf"\frac{{d {symbol(name)}}}{{d t}} &= {_sum(terms)}"


def _term(coefficient: int, rate: Expression, *, integral: bool = False) -> str:
    sign = "-" if coefficient < 0 else ""
    times = "" if abs(coefficient) == 1 else rf"{abs(coefficient)} \cdot "
    if integral:
        return rf"{sign}{times}\int_\Omega {factor_latex(rate)} \, dV"
    return f"{sign}{times}{factor_latex(rate)}"


def _sum(terms: list[str]) -> str:
    """Return the terms added up, a minus sign of a term as the operator."""
    if not terms:
        return "0"
    return terms[0] + "".join(
        f" - {term[1:]}" if term.startswith("-") else f" + {term}" for term in terms[1:]
    )


def _summary(summary: Summary) -> str:
    inside = factor_latex(summary.expression)
    domain = ",".join(summary.over).replace("_", r"\_")
    omega = rf"\Omega_{{\mathrm{{{domain}}}}}" if domain else r"\Omega"
    integral = rf"\int_{{{omega}}} {inside} \, dV"
    if summary.mean is not None:
        integral = rf"\frac{{1}}{{|{omega}|}} {integral}"
    return f"{symbol(summary.name)} &= {integral}"


def _parameter(parameter: Parameter) -> str:
    unit = parameter.unit.replace("^", r"\^{}").replace("%", r"\%").replace("_", r"\_")
    if parameter.formula is not None:
        return rf"{symbol(parameter.name)} &= {tree_to_latex(parameter.formula)}"
    value = number_latex(float(f"{(parameter.value or 0.0) / factor(parameter.unit):.6g}"))
    return rf"{symbol(parameter.name)} &= {value}" + (rf"\ \text{{{unit}}}" if unit != "1" else "")
