r"""Forms that can be fitted: a loss that is a sum of terms, each a product of powers.

The logarithm of every term is linear in the parameters of the fit (logarithms of coefficients, and exponents), so that one
solver, with one exact gradient and Hessian, serves them all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nvscale.errors import unknown

LOG = "ln "
"""Before the name of a coefficient: the fit varies its logarithm."""


@dataclass(frozen=True)
class SumForm:
    """A loss as a sum of terms.

    Parameters
    ----------
    name : str
        Name of the form.
    law : str
        Form of the laws that the fit becomes.
    equation : str
        In TeX.
    coordinates : tuple of str
        What the fit varies; "ln A" for a coefficient A, the bare name for an exponent.
    columns : tuple of str
        What the data must have beside the loss.
    terms : callable
        From the logarithms of the columns to one list of slopes per term: a slope for every coordinate.
    ranges : tuple of pairs
        Where random starts are drawn, per coordinate.
    published : tuple of float or None
        A start from the literature.
    """

    name: str
    law: str
    equation: str
    coordinates: tuple[str, ...]
    columns: tuple[str, ...]
    terms: Callable[[Mapping[str, Any]], Sequence[Sequence[Any]]]
    ranges: tuple[tuple[float, float], ...]
    published: tuple[float, ...] | None = None

    def slopes(self, columns: Mapping[str, Any]) -> Any:
        """Return how the logarithm of each term depends on each coordinate: terms x points x coordinates."""
        import numpy as np

        logs = {name: np.log(np.asarray(columns[name], dtype=float)) for name in self.columns}
        points = len(next(iter(logs.values())))
        rows = [[np.broadcast_to(np.asarray(slope, dtype=float), points) for slope in term] for term in self.terms(logs)]
        return np.stack([np.stack(row, axis=-1) for row in rows])

    def names(self) -> tuple[str, ...]:
        """Return the names of the constants."""
        return tuple(name.removeprefix(LOG) for name in self.coordinates)

    def linear(self) -> list[int]:
        """Return the coordinates that are coefficients: given the exponents, the loss is linear in them."""
        return [i for i, name in enumerate(self.coordinates) if name.startswith(LOG)]

    def constants(self, place: Any) -> Any:
        """Return the constants at a place, or at each of many: coefficients out of their logarithms."""
        import numpy as np

        found = np.array(place, dtype=float)
        found[..., self.linear()] = np.exp(found[..., self.linear()])
        return found

    def place(self, constants: Mapping[str, float]) -> Any:
        """Return the coordinates of named constants."""
        import numpy as np

        values = np.array([constants[name] for name in self.names()], dtype=float)
        values[self.linear()] = np.log(values[self.linear()])
        return values


COEFFICIENT, IRREDUCIBLE, EXPONENT = (0.0, 25.0), (-1.0, 1.0), (0.0, 2.0)


def _chinchilla(logs: Mapping[str, Any]) -> list[list[Any]]:
    size, data = logs["parameters"], logs["tokens"]
    return [[1, 0, 0, -size, 0], [0, 1, 0, 0, -data], [0, 0, 1, 0, 0]]


def _tied(logs: Mapping[str, Any]) -> list[list[Any]]:
    size, data = logs["parameters"], logs["tokens"]
    return [[1, 0, 0, -size], [0, 1, 0, -data], [0, 0, 1, 0]]


def _overtraining(logs: Mapping[str, Any]) -> list[list[Any]]:
    """With C = 6 N D and M = D / N the terms are a (6 N^2)^-eta and b (6 D^2)^-eta."""
    import math

    six = math.log(6.0)
    size, data = logs["parameters"], logs["tokens"]
    return [[1, 0, 0, -(six + 2.0 * size)], [0, 1, 0, -(six + 2.0 * data)], [0, 0, 1, 0]]


def _granular(logs: Mapping[str, Any]) -> list[list[Any]]:
    """Coordinates c, g, gamma, a, alpha, b, beta."""
    size, data, fine = logs["parameters"], logs["tokens"], logs["granularity"]
    return [[1, 0, 0, 0, 0, 0, 0], [0, 1, -fine, 0, -size, 0, 0], [0, 0, 0, 1, -size, 0, 0], [0, 0, 0, 0, 0, 1, -data]]


def _parameters(logs: Mapping[str, Any]) -> list[list[Any]]:
    return [[1, 0, -logs["parameters"]], [0, 1, 0]]


def _tokens(logs: Mapping[str, Any]) -> list[list[Any]]:
    return [[1, 0, -logs["tokens"]], [0, 1, 0]]


_SUM = (COEFFICIENT, COEFFICIENT, IRREDUCIBLE)
FORMS: Mapping[str, SumForm] = {
    form.name: form
    for form in (
        SumForm(
            "chinchilla",
            "chinchilla",
            r"L = E + \frac{A}{N^\alpha} + \frac{B}{D^\beta}",
            ("ln A", "ln B", "ln E", "alpha", "beta"),
            ("parameters", "tokens"),
            _chinchilla,
            (*_SUM, EXPONENT, EXPONENT),
            (6.0073404, 6.0179186, 0.5267228, 0.33917084, 0.2849083),  # Hoffmann et al. 2022, before rounding
        ),
        SumForm(
            "chinchilla-tied",
            "chinchilla",
            r"L = E + \frac{A}{N^\alpha} + \frac{B}{D^\alpha}",
            ("ln A", "ln B", "ln E", "alpha"),
            ("parameters", "tokens"),
            _tied,
            (*_SUM, EXPONENT),
            (6.255414, 7.3049974, 0.6254804, 0.3526596),  # Muennighoff et al. 2023
        ),
        SumForm(
            "overtraining",
            "overtraining",
            r"L = E + \left(a M^\eta + b M^{-\eta}\right) C^{-\eta}",
            ("ln a", "ln b", "ln E", "eta"),
            ("parameters", "tokens"),
            _overtraining,
            (*_SUM, (0.0, 1.0)),
        ),
        SumForm(
            "granular-experts",
            "granular-experts",
            r"L = c + \left(\frac{g}{G^\gamma} + a\right) \frac{1}{N^\alpha} + \frac{b}{D^\beta}",
            ("ln c", "ln g", "gamma", "ln a", "alpha", "ln b", "beta"),
            ("parameters", "tokens", "granularity"),
            _granular,
            (IRREDUCIBLE, (-2.0, 10.0), (0.0, 2.0), (0.0, 10.0), (0.0, 1.0), (0.0, 10.0), (0.0, 1.0)),
        ),
        SumForm(
            "parameters",
            "floor-of-parameters",
            r"L = E + \frac{A}{N^\alpha}",
            ("ln A", "ln E", "alpha"),
            ("parameters",),
            _parameters,
            (COEFFICIENT, IRREDUCIBLE, EXPONENT),
        ),
        SumForm(
            "tokens",
            "floor-of-tokens",
            r"L = E + \frac{A}{D^\alpha}",
            ("ln A", "ln E", "alpha"),
            ("tokens",),
            _tokens,
            (COEFFICIENT, IRREDUCIBLE, EXPONENT),
        ),
    )
}


def sum_form(name: "str | SumForm") -> SumForm:
    """Return a form by name.

    >>> sum_form("chinchilla").names()
    ('A', 'B', 'E', 'alpha', 'beta')
    """
    if isinstance(name, SumForm):
        return name
    if name not in FORMS:
        raise unknown("form to fit", name, FORMS)
    return FORMS[name]
