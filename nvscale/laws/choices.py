"""Decisions beyond the plain optimum: training on data that have run out, and a student of a teacher against a model of its own."""

import math
from dataclasses import dataclass

from nvscale.errors import InvalidInput, MissingFigure
from nvscale.formulas import scaling_laws
from nvscale.laws.forms import CHINCHILLA
from nvscale.laws.law import Law
from nvscale.laws.optima import _as_compute, _number
from nvscale.laws.searching import least_amount, lowest

SMALLEST, LARGEST = 1e6, 1e15
"""Parameters between which the searches look."""
FEWEST, MOST = 1.0, 1e20
"""Tokens between which the searches look; the fewest per parameter, as laws say nothing of models that hardly saw data."""


@dataclass(frozen=True)
class DataLimitedOptimum:
    """The best model where different tokens are short.

    Parameters
    ----------
    law : str
        Name of the law.
    compute, unique_tokens : float
        What there is.
    parameters, tokens, epochs : float
        The best model, the tokens that it sees, and how often it sees each.
    loss : float
        What it reaches.
    loss_without_limit : float
        What the compute would reach with as many different tokens as it can use.
    """

    law: str
    compute: float
    unique_tokens: float
    parameters: float
    tokens: float
    epochs: float
    loss: float
    loss_without_limit: float

    def __str__(self) -> str:
        seen = f"{_number(self.parameters, '1')} parameters, {self.epochs:.3g} epochs of {_number(self.unique_tokens, '1')} tokens"
        return f"{self.law}: {seen}: loss {self.loss:.4f}, {self.loss - self.loss_without_limit:.4f} above that without the limit"


def data_limited_optimum(law: Law, compute: float, unique_tokens: float, *, extrapolate: str = "warn") -> DataLimitedOptimum:
    """Return the model of lowest loss for a compute, where tokens must be repeated.

    Parameters
    ----------
    law : Law
        A law of repeated data.
    compute : flop
        Training compute.
    unique_tokens : float
        Different tokens that there are.
    extrapolate : str
        Outside the range of the runs: "warn", "refuse" or "allow".

    >>> from nvscale import laws
    >>> best = laws.data_limited_optimum(laws.load("data/muennighoff-2023"), 1e22, 25e9)
    >>> round(best.parameters / 1e9, 1), round(best.epochs, 1), round(best.loss, 3), round(best.loss_without_limit, 3)
    (7.0, 9.5, 2.222, 2.188)
    """
    if law.form.name != "repeated-data":
        raise MissingFigure(f"{law.name} says nothing of repeated data; take 'data/muennighoff-2023'")
    spent = _as_compute(compute)
    if not unique_tokens > 0.0:
        raise InvalidInput(f"unique_tokens: {unique_tokens!r} is out of range; wanted above 0")

    def loss(size: float) -> float:
        tokens = spent / 6.0 / size
        epochs = max(tokens / unique_tokens, 1.0)
        return float(law.loss(parameters=size, unique_tokens=tokens / epochs, epochs=epochs, extrapolate="allow"))

    best = lowest(loss, SMALLEST, LARGEST)
    tokens = spent / 6.0 / best
    epochs = max(tokens / unique_tokens, 1.0)
    law.check(extrapolate, parameters=best, epochs=epochs)
    free = scaling_laws.optimal_loss(spent, **{name: law.constants[name] for name in CHINCHILLA})
    return DataLimitedOptimum(law.name, spent, unique_tokens, best, tokens, epochs, loss(best), free)


@dataclass(frozen=True)
class Contender:
    """A model of the wanted loss and what it costs over its life.

    Parameters
    ----------
    parameters, tokens : float
        The model.
    cost : float
        Over training and use, in the unit of the costs; infinite where no such model reaches the loss.
    """

    parameters: float
    tokens: float
    cost: float


@dataclass(frozen=True)
class StudentOrOwn:
    """A student of a teacher against a model trained on data alone, at equal loss.

    Parameters
    ----------
    law : str
        Name of the law.
    loss, lifetime_tokens, teacher_loss : float
        What was asked.
    student, own : Contender
        The cheapest of each kind.
    """

    law: str
    loss: float
    lifetime_tokens: float
    teacher_loss: float
    student: Contender
    own: Contender

    @property
    def student_wins(self) -> bool:
        """Whether the student is cheaper."""
        return self.student.cost < self.own.cost

    def __str__(self) -> str:
        lines = [f"{self.law}: loss {self.loss:.4f}, {_number(self.lifetime_tokens, '1')} tokens in use"]
        for name, one in (("student", self.student), ("own", self.own)):
            made = f"{_number(one.parameters, '1')} parameters on {_number(one.tokens, '1')} tokens, cost {one.cost:.4g}"
            lines.append(f"  {name}: {made if math.isfinite(one.cost) else 'none reaches the loss'}")
        return "\n".join(lines)


def student_or_own(
    law: Law,
    loss: float,
    lifetime_tokens: float,
    *,
    teacher_parameters: float,
    teacher_tokens: float,
    teacher_is_paid: bool = True,
    training: float = 6.0,
    inference: float = 2.0,
    extrapolate: str = "warn",
) -> StudentOrOwn:
    r"""Return the cheapest student of a teacher and the cheapest model trained on data alone, of equal loss.

    $$\min_{N, D} \; N (c_t D + c_i D_{inf}) + c_i N_T D + c_t N_T D_T$$

    Parameters
    ----------
    law : Law
        A law of distillation.
    loss : float
        Loss to reach.
    lifetime_tokens : float
        Tokens read and written in use.
    teacher_parameters, teacher_tokens : float
        The teacher, which was trained on data alone.
    teacher_is_paid : bool
        The teacher is there already; if not, its training is part of the cost.
    training, inference : float
        Cost of a training token and of a token in use, per parameter: operations, or dollars, in any common unit.
    extrapolate : str
        Outside the range of the runs: "warn" or "allow"; with "refuse" only sizes inside it are tried.
    """
    if law.form.name != "distillation":
        raise MissingFigure(f"{law.name} says nothing of students; take 'distillation/busbridge-2025'")
    alone = {name: law.constants[name] for name in (*CHINCHILLA, "gamma")}
    if not loss > alone["E"]:
        raise InvalidInput(f"loss: {loss!r} is not above the irreducible loss {alone['E']:.6g} of {law.name}")
    if not lifetime_tokens >= 0.0:
        raise InvalidInput(f"lifetime_tokens: {lifetime_tokens!r} is out of range; wanted 0 or above")
    teacher = scaling_laws.supervised_loss(teacher_parameters, teacher_tokens, **alone)
    assert law.form.function is not None
    function = law.form.function

    def student_tokens(size: float) -> float:
        def reached(tokens: float) -> float:
            return float(function(parameters=size, tokens=tokens, teacher_loss=teacher, **law.constants))

        return least_amount(reached, loss, FEWEST * size, MOST)

    def own_tokens(size: float) -> float:
        rest = (loss - alone["E"]) ** (1.0 / alone["gamma"])
        needed = float(scaling_laws.tokens_for_loss(rest, size, 0.0, *(alone[name] for name in CHINCHILLA[1:])))
        return max(needed, FEWEST * size)

    fixed = 0.0 if teacher_is_paid else training * teacher_parameters * teacher_tokens

    def student_cost(size: float) -> float:
        tokens = student_tokens(size)
        return fixed + size * (training * tokens + inference * lifetime_tokens) + inference * teacher_parameters * tokens

    def own_cost(size: float) -> float:
        return size * (training * own_tokens(size) + inference * lifetime_tokens)

    span = law.validity.get("parameters", (SMALLEST, LARGEST)) if extrapolate == "refuse" else (SMALLEST, LARGEST)
    sizes = lowest(student_cost, *span), lowest(own_cost, *span)
    law.check(extrapolate, parameters=sizes[0])
    student = Contender(sizes[0], student_tokens(sizes[0]), student_cost(sizes[0]))
    own = Contender(sizes[1], own_tokens(sizes[1]), own_cost(sizes[1]))
    return StudentOrOwn(law.name, loss, lifetime_tokens, teacher, student, own)
