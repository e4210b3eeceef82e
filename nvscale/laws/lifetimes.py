"""The cheapest model over training and use, and the cheapest number of bits."""

import math
from dataclasses import dataclass

from nvscale.errors import InvalidInput, MissingFigure
from nvscale.formulas import scaling_laws
from nvscale.laws.law import Law
from nvscale.laws.optima import _as_compute, _number

HALVINGS = 200


@dataclass(frozen=True)
class LifetimeOptimum:
    """The model that costs least over its life at a given loss.

    Parameters
    ----------
    law : str
        Name of the law.
    loss : float
        Loss that is kept.
    lifetime_tokens : float
        Tokens read and written in use.
    parameters, tokens : float
        The cheapest model.
    operations : float
        Its compute over its life, in flop.
    training_optimum : tuple of float
        Parameters and tokens of the compute-optimal model of the same loss.
    saving : float
        Share of the compute over the life that is saved against it.
    """

    law: str
    loss: float
    lifetime_tokens: float
    parameters: float
    tokens: float
    operations: float
    training_optimum: tuple[float, float]
    saving: float

    @property
    def data_ratio(self) -> float:
        """Tokens over those of the compute-optimal model."""
        return self.tokens / self.training_optimum[1]

    def __str__(self) -> str:
        use, size, data = (_number(value, "1") for value in (self.lifetime_tokens, self.parameters, self.tokens))
        model = f"{size} parameters on {data} tokens ({self.data_ratio:.3g} x the data)"
        return f"{self.law}: loss {self.loss:.4f}, {use} tokens in use: {model}, saves {self.saving:.1%}"


def lifetime_optimum(
    law: Law,
    lifetime_tokens: float,
    *,
    loss: float | None = None,
    compute: float | None = None,
    parameters: float | None = None,
    training: float = 6.0,
    inference: float = 2.0,
    extrapolate: str = "warn",
) -> LifetimeOptimum:
    """Return the parameters and tokens of least cost over training and use, at the loss of a compute-optimal model.

    Parameters
    ----------
    law : Law
        A law of Chinchilla type.
    lifetime_tokens : float
        Tokens read and written in use.
    loss, compute, parameters : float, optional
        The loss to keep: given itself, as that of a compute, or as that of the compute-optimal model of a size. One of them.
    training, inference : float
        Cost of a training token and of a token in use, per parameter: operations, or dollars, in any common unit.
    extrapolate : str
        Outside the range of the runs: "warn", "refuse" or "allow".

    >>> from nvscale import laws
    >>> law = laws.load("chinchilla/hoffmann-2022")
    >>> best = law.lifetime_optimum(2e12, parameters=13e9, extrapolate="allow")
    >>> round(best.parameters / 1e9, 4), round(best.data_ratio, 3), round(best.saving, 4)
    (7.1203, 2.098, 0.1632)
    """
    known = law.need_chinchilla("a lifetime optimum")
    rest = {name: value for name, value in known.items() if name != "E"}
    if sum(given is not None for given in (loss, compute, parameters)) != 1:
        raise InvalidInput("lifetime_optimum: give one of loss, compute and parameters")
    if not lifetime_tokens >= 0.0:
        raise InvalidInput(f"lifetime_tokens: {lifetime_tokens!r} is out of range; wanted 0 or above")
    if parameters is not None:
        loss = scaling_laws.chinchilla_loss(parameters, scaling_laws.matched_tokens(parameters, **rest), **known)
    elif compute is not None:
        loss = scaling_laws.optimal_loss(_as_compute(compute), **known)
    assert loss is not None
    if not loss > known["E"]:
        raise InvalidInput(f"loss: {loss!r} is not above the irreducible loss {known['E']:.6g} of {law.name}")
    spent = scaling_laws.compute_for_loss(loss, **known)
    usual = (scaling_laws.optimal_parameters(spent, **rest), scaling_laws.optimal_tokens(spent, **rest))
    size = _root(law, loss, lifetime_tokens, usual[0], training / inference)
    data = scaling_laws.tokens_for_loss(loss, size, **known)
    law.check(extrapolate, parameters=size, tokens=data)
    costs = [n * (training * d + inference * lifetime_tokens) for n, d in ((size, data), usual)]
    return LifetimeOptimum(law.name, loss, lifetime_tokens, size, data, costs[0], usual, max(1.0 - costs[0] / costs[1], 0.0))


def _root(law: Law, loss: float, wanted: float, upper: float, ratio: float) -> float:
    """Halve the interval between the smallest model of the loss and the compute-optimal one: the wanted use falls with the size."""
    known = law.need_chinchilla("a lifetime optimum")
    rest = {name: value for name, value in known.items() if name != "E"}
    least = math.log(scaling_laws.smallest_parameters(loss, known["E"], known["A"], known["alpha"]))
    low, high = least, math.log(upper)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        data = scaling_laws.tokens_for_loss(loss, math.exp(middle), **known)
        use = (
            math.inf
            if math.isinf(data)
            else scaling_laws.justifying_lifetime_tokens(math.exp(middle), data, **rest, operations=2.0 * ratio)
        )
        low, high = (middle, high) if use > wanted else (low, middle)
    return math.exp(0.5 * (low + high))


def best_bits(law: Law) -> float:
    """Return the bits that training is cheapest in at equal loss, by the sensitivities of a law."""
    names = ("gamma_w", "gamma_a", "gamma_kv")
    if not all(name in law.constants for name in names):
        raise MissingFigure(f"{law.name} says nothing of bits; take 'precision/kumar-2024'")
    return balanced_bits(*(law.constants[name] for name in names))


def balanced_bits(gamma_w: float, gamma_a: float, gamma_kv: float) -> float:
    r"""Return the bits at which one percent more bits gives one percent more effective parameters.

    $$\sum_i \frac{u_i e^{-u_i}}{1 - e^{-u_i}} = 1, \qquad u_i = \frac{P}{\gamma_i}$$

    Parameters
    ----------
    gamma_w, gamma_a, gamma_kv : bit
        Sensitivities of weights, activations and cache.

    >>> round(balanced_bits(2.6745, 2.6745, 2.6745), 5)
    5.09175
    """
    low, high = 1e-3, 100.0 * max(gamma_w, gamma_a, gamma_kv)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        pays = scaling_laws.precision_marginal(middle, gamma_w, gamma_a, gamma_kv) > 1.0
        low, high = (middle, high) if pays else (low, middle)
    return 0.5 * (low + high)
