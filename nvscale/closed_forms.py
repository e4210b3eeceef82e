"""`symbolic` and `crossovers`: an estimator as a formula, and where its largest term changes."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from nvscale.errors import InvalidInput
from nvscale.estimate import Estimate
from nvscale.inputs import path_of, with_values
from nvscale.ops import SYMBOL, carrier


def symbolic(estimator: Callable[..., Any], names: Mapping[str, str], **inputs: Any) -> tuple[Any, dict[str, Any]]:
    """Return an estimate as a tree of formulas in some of its figures, and the symbols by path.

    Parameters
    ----------
    estimator : callable
        A function from records to an Estimate.
    names : mapping of str to str
        Short name or path of a figure -> name of its symbol, e.g. {"batch": "B"}.
    inputs : any
        The arguments of the estimator.

    Returns
    -------
    tuple
        The estimate, whose values are SymPy expressions, and the symbols by path.

    Raises
    ------
    UnknownName
        A name that fits no figure of the inputs.

    Examples
    --------
    >>> import nvscale as nv
    >>> tree, symbols = symbolic(nv.kernel, {"m": "m"}, efficiency=nv.IDEAL, work=nv.Gemm(m=1, n=4096, k=4096, replayed=0), system="H100")
    >>> sorted(symbols), tree.value.free_symbols == set(symbols.values())
    (['work.m'], True)
    """
    import sympy

    paths = {path_of(name, inputs, "symbolic"): symbol for name, symbol in names.items()}
    symbols = {path: sympy.Symbol(symbol, positive=True) for path, symbol in paths.items()}
    return estimator(**with_values(inputs, symbols)), symbols


class Crossover(NamedTuple):
    """Where two terms are equal: the value of the symbol, and which is the larger below and above it."""

    value: Any
    below: str
    above: str


def crossovers(tree: Estimate, symbol: Any, *, low: float = 1e-3, high: float = 1e12) -> list[Crossover]:
    """Return where terms of an estimate are equal, as values of a symbol.

    Between terms that are ratios of polynomials in the symbol the value is exact, and may hold other symbols. Other
    terms are compared by numbers between `low` and `high`, where no other symbol is left.

    Parameters
    ----------
    tree : Estimate
        An estimate with terms, e.g. of `symbolic`.
    symbol : Symbol
        Which of its symbols.
    low : number
        From where terms are compared by numbers.
    high : number
        To where.

    Returns
    -------
    list of Crossover
        In the order of the terms.

    Raises
    ------
    InvalidInput
        The estimate has no two terms, or does not hold the symbol.
    """
    import sympy

    terms = {name: sympy.sympify(term.value) for name, term in tree.terms.items()}
    if len(terms) < 2:
        raise InvalidInput(f"crossovers: {tree.name} has no two terms to compare")
    if carrier(tree.value) != SYMBOL or symbol not in tree.value.free_symbols:
        raise InvalidInput(f"crossovers: {tree.name} does not depend on {symbol}")
    found = []
    for (first, a), (second, b) in itertools.combinations(terms.items(), 2):
        if symbol not in (a - b).free_symbols:
            continue
        exact = a.is_rational_function(symbol) and b.is_rational_function(symbol)
        values = _exact(a - b, symbol) if exact else _numeric(a - b, symbol, low, high)
        found += [_ordered(value, first, second, a - b, symbol) for value in values]
    return found


def _exact(difference: Any, symbol: Any) -> list[Any]:
    """Zeros of a ratio of polynomials that are not below 0."""
    import sympy

    return [
        zero
        for zero in sympy.solve(sympy.numer(sympy.together(difference)), symbol)
        if zero.is_positive is not False and zero.is_real is not False
    ]


def _numeric(difference: Any, symbol: Any, low: float, high: float) -> list[Any]:
    """Zeros of any function of one symbol, found on a logarithmic grid and refined."""
    import numpy as np
    import sympy
    from scipy.optimize import brentq

    if difference.free_symbols != {symbol}:
        return []
    function = sympy.lambdify(symbol, difference, "numpy")
    grid = np.geomspace(low, high, 600)
    values = np.broadcast_to(np.asarray(function(grid), dtype=float), grid.shape)
    places = np.nonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0)[0]
    return [float(brentq(function, grid[place], grid[place + 1])) for place in places]


def _ordered(value: Any, first: str, second: str, difference: Any, symbol: Any) -> Crossover:
    """Say which term is the larger on either side, where other symbols do not leave it open."""
    near = difference.subs(symbol, value * 0.999)
    if near.is_number:
        return Crossover(value, first, second) if near > 0 else Crossover(value, second, first)
    slope = difference.diff(symbol).subs(symbol, value)
    return Crossover(value, second, first) if slope.is_positive else Crossover(value, first, second)
