"""The process operator: competing exits, arrivals inside the step, conversions that move exactly what they take.

For each species f (a cell type, a tissue state or a systemic pool) with hazards h_r and gain a (docs/numerics.md):

    x = dt sum_r h_r        g = exit probability        phi = mean survival of arrivals, psi = 1 - phi
    leave = m g + a dt psi  (the second part arrives and leaves within the step)
    m'    = m - m g + a dt phi + (conversions into f) phi

shared among the exits in proportion to h_r. Hazards and gains are evaluated at a half-step predictor, which makes the
operator second order. In a stochastic run the same numbers are Binomial(m, g), Poisson(a dt phi) and
Poisson(a dt psi), and the shares conditional binomials: tau-leaping that cannot go negative.

Rates and probabilities are real; amounts of cells are integers, or float64 in a deterministic run, so that what leaves
one place and enters another is the same number and float32 loses no cells over many steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tissuesim.codegen.instructions import DOUBLE, FAINT, INTEGER, REAL, Builder, Literal, Operand, Program
from tissuesim.codegen.network import Network, Species
from tissuesim.codegen.rates import Scope, Tables
from tissuesim.model.checks import vanishes_without
from tissuesim.model.model import Model

ZERO = Literal(0.0, REAL)


@dataclass
class _Step:
    """Registers of one species inside the step."""

    amount: Operand
    count: Operand
    density: Operand
    hazards: list[Operand] = field(default_factory=list)
    hazard: Operand = ZERO
    gain: Operand = ZERO
    founding: Operand = ZERO
    leave_probability: Operand = ZERO
    stay: Operand = ZERO
    passing: Operand = ZERO
    arrivals: list[Operand] = field(default_factory=list)


@dataclass
class ReactionProgram:
    """Builds the process operator of one network, deterministic or stochastic."""

    model: Model
    network: Network
    tables: Tables
    stochastic: bool
    prefix: str = "reactions"
    clonal: frozenset[str] = frozenset()
    drops_faint: bool = False

    def build(self) -> Program:
        """The program.

        Its totals (sums in a deterministic run) are ``to:<pool>``, ``gained:<species>`` and ``lost:<species>``; its
        maxima are the largest ``hazard`` on a cell type and, where whole cells are drawn, ``below_zero:<species>``:
        how far a gain or the hazard is below zero, NaN where it is no number. A draw would take both for zero.

        For ``clonal`` species, whose cells carry labels, its totals also tell the flows of a step one by one (see
        ``systemic/clones.py``): ``flow:<species>:born``, ``:founded`` (those born that have no parent in the species),
        ``:first:<exit>``, ``:arrived``, ``:second:<exit>`` and ``:late``.
        """
        self.booked: dict[str, list[Operand]] = {}
        self.b = Builder(f"{self.prefix}_{'stochastic' if self.stochastic else 'deterministic'}")
        self.dt = self.b.emit("step_length", REAL)
        here = {item.name: self._load(item) for item in self.network.species}
        scope = Scope(self.b, self.model, self.tables, {name: step.density for name, step in here.items()})
        self._evaluate(scope, here)
        half = {item.name: self._predict(item, here[item.name], here) for item in self.network.species}
        self._evaluate(scope.with_values(half), here)
        for item in self.network.species:
            self._exit_probabilities(item, here[item.name])
        for item in self.network.species:
            if self._counted(item):
                self._watch_sign(item, here[item.name])
        self._first_round(here)
        self._second_round(here)
        for line, operands in self.booked.items():
            if self.stochastic:
                self.b.accumulate(line, self.b.total(operands, INTEGER))
            else:
                self.b.accumulate_real(line, self.b.total(operands))
        return self.b.build(self.tables.regional_columns)

    # ---- state and rates
    def _load(self, item: Species) -> _Step:
        kind = self._kind(item) if item.array == "cells" else REAL
        raw = self.b.emit("load", kind, (), (item.array, item.column), item.name)
        count: Operand = raw
        if self._counted(item) and kind == REAL:
            count = self.b.emit("to_integer", INTEGER, (raw,))
        amount = self.b.real(raw)
        density = self.b.multiply(amount, self._inverse_volume()) if item.extensive else amount
        return _Step(amount, count, density)

    def _inverse_volume(self) -> Operand:
        return self.b.emit("inverse_volume", REAL)

    def _evaluate(self, scope: Scope, here: dict[str, _Step]) -> None:
        """Hazards [1/day] and gains [amount/day] of every species at the state of the scope."""
        b = self.b
        for item in self.network.species:
            step = here[item.name]
            step.hazards = [
                b.total(
                    [scope.hazard(p, item.name, scope.lookup(item.name)) for p in leave.processes],
                    label=f"exit_{item.name}",
                )
                for leave in self.network.exits[item.name]
            ]
            step.hazard = b.total(step.hazards, label=f"hazard_{item.name}")
            terms, founding = [], []
            for process, k in self.network.gains[item.name]:
                rate = scope.lower(self.model.processes[process].rate, f"rate_{process}")
                terms.append(b.multiply(Literal(float(k), REAL), rate))
                if item.name in self.clonal and not self._divides(process, item.name):
                    founding.append(terms[-1])
            gain = b.total(terms, label=f"gain_{item.name}")
            step.founding = b.total(founding, label=f"founding_{item.name}")
            volume = b.emit("volume", REAL)
            step.gain = b.multiply(gain, volume) if item.extensive and gain != ZERO else gain

    def _conversions_into(self, name: str) -> list[tuple[str, int, int]]:
        """(source species, index of its exit, copies) of every conversion that ends in a species."""
        return [
            (source, index, k)
            for source, exits in self.network.exits.items()
            for index, leave in enumerate(exits)
            for destination, k in leave.destinations
            if destination == name
        ]

    def _predict(self, item: Species, step: _Step, here: dict[str, _Step]) -> Operand:
        """m_half = (m + dt/2 gain) / (1 + dt/2 hazard): first order, positive."""
        b = self.b
        half = b.multiply(self.dt, Literal(0.5, REAL))
        inflow = step.gain
        for source, index, k in self._conversions_into(item.name):
            moved = b.multiply(here[source].hazards[index], here[source].amount)
            inflow = b.add(inflow, b.multiply(Literal(float(k), REAL), moved))
        top = b.add(step.amount, b.multiply(half, inflow))
        bottom = b.add(Literal(1.0, REAL), b.multiply(half, step.hazard))
        amount = top if isinstance(bottom, Literal) else b.divide(top, bottom)
        return b.multiply(amount, self._inverse_volume()) if item.extensive else amount

    def _exit_probabilities(self, item: Species, step: _Step) -> None:
        if step.hazard == ZERO:
            return
        x = self.b.multiply(self.dt, step.hazard, f"x_{item.name}")
        _, leave, stay, passing = self.b.emit_many(
            "exit_probability", (REAL,) * 4, (x,), (), ("", f"leave_{item.name}", "", "")
        )
        step.leave_probability, step.stay, step.passing = leave, stay, passing
        if item.integer:
            # Only where there are cells, which is where a long step would be wrong. Real amounts leave by the same
            # formula but need no limit: it is positive and tends to the right end.
            present = self.b.compare(">", step.amount, ZERO)
            self.b.maximum("hazard", self.b.select(present, step.hazard, ZERO))

    def _watch_sign(self, item: Species, step: _Step) -> None:
        b, line = self.b, f"below_zero:{item.name}"
        if not isinstance(step.gain, Literal):
            b.maximum(line, b.subtract(ZERO, step.gain))
        if not isinstance(step.hazard, Literal):
            present = b.compare(">", step.amount, ZERO)
            b.maximum(line, b.select(present, b.subtract(ZERO, step.hazard), ZERO))

    # ---- what leaves, what arrives
    def _first_round(self, here: dict[str, _Step]) -> None:
        """Exits of what was there, gains, and gains that leave at once; conversions become arrivals elsewhere."""
        b = self.b
        for item in self.network.species:
            step = here[item.name]
            gain = b.multiply(self.dt, step.gain)
            has_gain, has_exit = step.gain != ZERO, step.hazard != ZERO
            if self._counted(item):
                left, stayed, passed = self._drawn(item, step, gain, has_gain, has_exit)
            else:
                left, stayed, passed = self._expected(item, step, gain, has_gain, has_exit)
            zero = self._zero(item)
            step.count = b.add(b.subtract(step.count, left) if has_exit else step.count, stayed)
            self._book("gained", item, b.add(stayed, passed) if has_gain else zero)
            if item.name in self.clonal and has_gain:
                self._book_births(item, step, b.add(stayed, passed))
            if has_exit:
                self._share(item, step, b.add(left, passed), here, first=True)

    def _second_round(self, here: dict[str, _Step]) -> None:
        """Arrivals by conversion: those that leave again within the step, and those that stay."""
        b = self.b
        waiting = {name: list(step.arrivals) for name, step in here.items()}
        for step in here.values():
            step.arrivals = []
        for item in self.network.species:
            step = here[item.name]
            if not waiting[item.name]:
                continue
            arrived = b.total(waiting[item.name], self._zero(item).kind, f"arrived_{item.name}")
            self._book("gained", item, arrived)
            self._book_flow(item, "arrived", arrived)
            if step.hazard == ZERO:
                step.count = b.add(step.count, arrived)
                continue
            if self._counted(item):
                passed: Operand = self._binomial(item, arrived, step.passing, channel=40)
            else:
                passed = b.multiply(arrived, self._as_amount(item, step.passing))
            step.count = b.add(step.count, b.subtract(arrived, passed))
            self._share(item, step, passed, here, first=False)
        for item in self.network.species:
            step = here[item.name]
            if step.arrivals:
                arrived = b.total(step.arrivals, self._zero(item).kind)
                self._book("gained", item, arrived)
                self._book_flow(item, "late", arrived)
                step.count = b.add(step.count, arrived)
            value = b.real(step.count) if item.array == "states" else step.count
            b.store(item.array, item.column, self._without_faint(value) if self.drops_faint else value)

    def _without_faint(self, value: Operand) -> Operand:
        """Nothing where a real state is faint; what is negative or no number stays to be found."""
        if value.kind != REAL:
            return value
        b = self.b
        inside = b.select(b.compare(">", value, Literal(-FAINT, REAL)), ZERO, value)
        return b.select(b.compare("<", value, Literal(FAINT, REAL)), inside, value)

    def _expected(
        self, item: Species, step: _Step, gain: Operand, has_gain: bool, has_exit: bool
    ) -> tuple[Operand, Operand, Operand]:
        """Expected numbers that left, arrived and stayed, arrived and left again."""
        zero = self._zero(item)
        left = (
            self.b.multiply(step.count, self._as_amount(item, step.leave_probability)) if has_exit else zero
        )
        if not has_gain:
            return left, zero, zero
        arrived = self._as_amount(item, gain)
        if not has_exit:
            return left, arrived, zero
        passed = self.b.multiply(arrived, self._as_amount(item, step.passing))
        return left, self.b.subtract(arrived, passed), passed

    def _drawn(
        self, item: Species, step: _Step, gain: Operand, has_gain: bool, has_exit: bool
    ) -> tuple[Operand, Operand, Operand]:
        """Numbers that left, arrived and stayed, arrived and left again."""
        zero: Operand = Literal(0, INTEGER)
        left = self._binomial(item, step.count, step.leave_probability, channel=0) if has_exit else zero
        if not has_gain:
            return left, zero, zero
        stay_mean = self.b.multiply(gain, step.stay) if has_exit else gain
        stayed = self._poisson(item, stay_mean, channel=1)
        passed = self._poisson(item, self.b.multiply(gain, step.passing), channel=2) if has_exit else zero
        return left, stayed, passed

    def _share(
        self, item: Species, step: _Step, leaving: Operand, here: dict[str, _Step], *, first: bool
    ) -> None:
        """Divide what leaves among the exits in proportion to their hazards; the last takes the remainder."""
        b = self.b
        exits = self.network.exits[item.name]
        rest_hazard, rest = step.hazard, leaving
        self._book("lost", item, leaving)
        for index, leave in enumerate(exits):
            if index == len(exits) - 1:
                part = rest
            else:
                some = b.compare(">", rest_hazard, ZERO)
                fraction = b.select(some, b.divide(step.hazards[index], rest_hazard), ZERO)
                if self._counted(item):
                    part = self._binomial(item, rest, fraction, channel=(8 if first else 48) + index)
                else:
                    part = b.multiply(rest, self._as_amount(item, fraction))
                rest = b.subtract(rest, part)
                rest_hazard = b.total(step.hazards[index + 1 :])
            self._book_flow(item, f"{'first' if first else 'second'}:{index}", part)
            for destination, k in leave.destinations:
                self._deliver(item, part, destination, k, here)

    def _deliver(
        self, item: Species, part: Operand, destination: str, k: int, here: dict[str, _Step]
    ) -> None:
        """Hand what left to another species of the voxel or to a pool (an int64 total)."""
        b = self.b
        if destination in here:
            target = next(s for s in self.network.species if s.name == destination)
            value = part if part.kind == self._kind(target) else b.real(part)
            if k != 1:
                value = b.multiply(Literal(k if value.kind == INTEGER else float(k), value.kind), value)
            here[destination].arrivals.append(value)
            return
        if k != 1:
            part = b.multiply(Literal(k if part.kind == INTEGER else float(k), part.kind), part)
        self.booked.setdefault(f"to:{destination}", []).append(part)

    # ---- helpers
    def _counted(self, item: Species) -> bool:
        return item.integer and self.stochastic

    def _kind(self, item: Species) -> str:
        """Kind in which amounts of a species are kept and moved."""
        if self._counted(item):
            return INTEGER
        return DOUBLE if item.array == "cells" else REAL

    def _as_amount(self, item: Species, value: Operand) -> Operand:
        """A real number in the kind of the amounts of a species."""
        return self.b.double(value) if self._kind(item) == DOUBLE else value

    def _zero(self, item: Species) -> Literal:
        return Literal(0, self._kind(item))

    def _book(self, line: str, item: Species, value: Operand) -> None:
        """The ledger of the cells of an organ or of the body: exact in a stochastic run."""
        if not item.integer or isinstance(value, Literal):
            return
        self.booked.setdefault(f"{line}:{item.name}", []).append(value)

    def _book_flow(self, item: Species, line: str, value: Operand) -> None:
        if item.name in self.clonal and not isinstance(value, Literal):
            self.booked.setdefault(f"flow:{item.name}:{line}", []).append(value)

    def _book_births(self, item: Species, step: _Step, born: Operand) -> None:
        """How many of those born are founders: a share of one draw, so that what happens does not depend on labels."""
        b = self.b
        self._book_flow(item, "born", born)
        if isinstance(step.founding, Literal):
            return
        some = b.compare(">", step.gain, ZERO)
        fraction = b.select(some, b.divide(step.founding, step.gain), ZERO)
        self._book_flow(item, "founded", self._binomial(item, born, fraction, channel=3))

    def _divides(self, process: str, species: str) -> bool:
        """Whether a gain is that of a dividing species: none where there is none, so that the new cell has a parent."""
        return vanishes_without(self.model.expand(self.model.processes[process].rate), species)

    def _binomial(self, item: Species, count: Operand, probability: Operand, channel: int) -> Operand:
        if isinstance(probability, Literal):
            return Literal(0, INTEGER)
        return self.b.emit(
            "binomial", INTEGER, (count, self.b.double(probability)), (self._index(item), channel)
        )

    def _poisson(self, item: Species, mean: Operand, channel: int) -> Operand:
        return self.b.emit("poisson", INTEGER, (self.b.double(mean),), (self._index(item), channel))

    def _index(self, item: Species) -> int:
        return self.network.species.index(item)
