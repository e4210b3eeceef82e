"""`Law`: an equation with constants of one author and date, each with its source, its covariance if known, and its range."""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from nvscale.errors import BeyondRange, ExtrapolationWarning, InvalidInput, MissingFigure, UnverifiedWarning, did_you_mean
from nvscale.formulas import scaling_laws
from nvscale.laws.forms import CHINCHILLA, LawForm, law_form, sum_constants
from nvscale.ops import ARRAY, FLOAT, carrier
from nvscale.provenance import Source
from nvscale.units import readable

EXTRAPOLATE = ("warn", "refuse", "allow")


@dataclass(frozen=True)
class Covariance:
    """Covariance of the constants of a law.

    Parameters
    ----------
    of : tuple of str
        Coordinates: "ln A" for a coefficient, the bare name for an exponent.
    rows : tuple of tuple of float
        The matrix.
    how : str
        Where it comes from.
    """

    of: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    how: str = ""


@dataclass(frozen=True)
class Law:
    """A scaling law as somebody published it.

    Parameters
    ----------
    name : str
        Family, author and year: "chinchilla/besiroglu-2024".
    title : str
        In words.
    form : LawForm
        The equation.
    constants : mapping of str to float
        Constants in the units of the equation.
    sources : mapping of str to Source
        Where each constant comes from; the kind "estimate" marks one that was never read.
    date : str
        Of the publication.
    validity : mapping of str to pair
        Range of the runs that the constants were fitted to, per variable.
    covariance : Covariance or None
        Of the constants.
    points : str
        Data set that comes with nvscale and that the law was fitted to.
    note : str
        What a reader must know.
    draws : array or None
        Constants of resamples of the data, one row each, where the law is a fit that has them.
    """

    name: str
    title: str
    form: LawForm
    constants: Mapping[str, float]
    sources: Mapping[str, Source] = field(default_factory=dict)
    date: str = ""
    validity: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    covariance: Covariance | None = None
    points: str = ""
    note: str = ""
    draws: Any = field(default=None, repr=False, compare=False)

    @property
    def unverified(self) -> tuple[str, ...]:
        """Constants that were never read in a source."""
        return tuple(name for name, source in self.sources.items() if source.kind == "estimate")

    @cached_property
    def chinchilla(self) -> dict[str, float] | None:
        """Constants of the Chinchilla form that this law is equal to; None where it is of another type."""
        return sum_constants(self.form.name, self.constants)

    def value(self, *, extrapolate: str = "warn", **variables: Any) -> Any:
        """Return what the law gives: the loss, or the quantity that its form names.

        Parameters
        ----------
        extrapolate : str
            Outside the range of the runs: "warn", "refuse" or "allow".
        **variables : number
            What the law is a function of; floats, arrays or symbols.

        >>> from nvscale import laws
        >>> round(laws.load("chinchilla/hoffmann-2022-rounded").value(parameters=10e9, tokens=40e9), 3)
        2.293
        """
        if self.form.function is None:
            raise MissingFigure(f"{self.name} gives no curve{self._offers()}")
        given = {**(self.form.defaults or {}), **variables}
        for name in given:
            if name not in self.form.variables:
                raise InvalidInput(f"{self.name} is no function of {name!r}{did_you_mean(name, self.form.variables)}")
        missing = [name for name in self.form.variables if name not in given]
        if missing:
            raise InvalidInput(f"{self.name}: {', '.join(missing)} must be given")
        for name, number in given.items():
            _check_number(self.name, name, number)
        self.check(extrapolate, **given)
        return self.form.function(**given, **self.constants)

    def loss(self, *, extrapolate: str = "warn", **variables: Any) -> Any:
        """Return the loss, in the unit of the law.

        >>> from nvscale import laws
        >>> round(laws.load("kaplan/joint-2020").loss(parameters=175e9, tokens=300e9, extrapolate="allow"), 5)
        1.66096
        """
        if self.form.quantity != "loss":
            raise MissingFigure(f"{self.name} gives no loss{self._offers()}")
        return self.value(extrapolate=extrapolate, **variables)

    def _offers(self) -> str:
        if self.form.quantity:
            return f"; it gives the {self.form.quantity}: use `value`"
        return "; it allocates compute: use `optimum`" if self.form.optimum else "; it holds figures: use `constants`"

    def check(self, extrapolate: str = "warn", **variables: Any) -> list[str]:
        """Warn of constants that were never read, warn or refuse outside the range of the runs; return what lies outside."""
        if extrapolate not in EXTRAPOLATE:
            raise InvalidInput(f"extrapolate: {extrapolate!r} is not one of {', '.join(EXTRAPOLATE)}")
        if self.unverified:
            text = f"{self.name}: {', '.join(self.unverified)} were never read in a source; take the result as an estimate"
            warnings.warn(text, UnverifiedWarning, stacklevel=_outside())
        outside = self.outside(**variables)
        if outside and extrapolate == "refuse":
            raise BeyondRange(f"{self.name}: {'; '.join(outside)}; pass extrapolate='warn' or 'allow' to go beyond")
        if outside and extrapolate == "warn":
            warnings.warn(f"{self.name}: {'; '.join(outside)}", ExtrapolationWarning, stacklevel=_outside())
        return outside

    def outside(self, **variables: Any) -> list[str]:
        """Return what lies outside the range of the runs, in words.

        >>> from nvscale import laws
        >>> laws.load("chinchilla/besiroglu-2024").outside(compute=5.76e23)
        ['compute 5.76e+23 is outside 1.39e+18 to 1.3e+22, where the runs were']
        """
        known = dict(variables)
        if "parameters" in known and "tokens" in known:
            known.setdefault("compute", scaling_laws.training_operations(known["parameters"], known["tokens"]))
            known.setdefault("tokens_per_parameter", known["tokens"] / known["parameters"])
        found = []
        for name, (low, high) in self.validity.items():
            worst = _worst(known[name], low, high) if name in known else None
            if worst is not None:
                found.append(f"{name.replace('_', ' ')} {worst:.3g} is outside {low:.3g} to {high:.3g}, where the runs were")
        return found

    def need_chinchilla(self, what: str) -> dict[str, float]:
        """Return the constants of the Chinchilla form, or say that the law has no such thing."""
        if self.chinchilla is None:
            raise MissingFigure(f"{self.name} is of the form {self.form.name}; {what} needs a law of the form chinchilla or overtraining")
        return self.chinchilla

    def closed_form(self, quantity: str, **variables: Any) -> Any:
        """Return any formula of `nvscale.formulas.scaling_laws` with the constants of the law.

        >>> from nvscale import laws
        >>> law = laws.load("chinchilla/besiroglu-2024")
        >>> round(law.closed_form("tokens_for_loss", loss=2.0, parameters=50e9) / 1e12, 2)
        0.83
        """
        known = self.chinchilla or dict(self.constants)
        return _formula(quantity)(**{name: known[name] for name in _parameters(quantity) if name in known}, **variables)

    def symbolic(self, quantity: str = "", *, numbers: bool = True) -> Any:
        """Return a closed form as a SymPy expression of its variables.

        Parameters
        ----------
        quantity : str
            A formula of `nvscale.formulas.scaling_laws`, such as "optimal_parameters"; without, what the law gives.
        numbers : bool
            Put the constants of the law in; otherwise they stay symbols.

        >>> from nvscale import laws
        >>> law = laws.load("chinchilla/besiroglu-2024")
        >>> sorted(str(symbol) for symbol in law.symbolic("optimal_parameters", numbers=False).free_symbols)
        ['A', 'B', 'C', 'alpha', 'beta']
        """
        import sympy

        def symbols(names: Any) -> dict[str, Any]:
            return {name: sympy.Symbol(_SYMBOLS.get(name, name), positive=True) for name in names}

        if quantity:
            known = self.chinchilla or dict(self.constants)
            names = [name for name in _parameters(quantity) if name not in {"operations", "inference_operations"}]
            filled = {name: known[name] for name in names if name in known and numbers}
            return _formula(quantity)(**symbols(name for name in names if name not in filled), **filled)
        if self.form.function is None:
            raise MissingFigure(f"{self.name} gives no curve{self._offers()}")
        constants = dict(self.constants) if numbers else symbols(self.constants)
        return self.form.function(**symbols(self.form.variables), **constants)

    def optimum(self, compute: Any, **options: Any) -> Any:
        """Return how compute is best spent: parameters, tokens and loss, with intervals; see `nvscale.laws.optima.optimum`.

        >>> from nvscale import laws
        >>> best = laws.load("chinchilla/besiroglu-2024").optimum(compute=1e22)
        >>> round(best.parameters.value / 1e9, 2), round(best.parameters.low / 1e9, 2), round(best.parameters.high / 1e9, 2)
        (9.05, 7.33, 11.16)
        """
        from nvscale.laws.optima import optimum

        return optimum(self, compute, **options)

    def lifetime_optimum(self, lifetime_tokens: Any, **options: Any) -> Any:
        """Return the model that costs least over its life at a given loss; see `nvscale.laws.lifetimes.lifetime_optimum`."""
        from nvscale.laws.lifetimes import lifetime_optimum

        return lifetime_optimum(self, lifetime_tokens, **options)

    def elasticities(self, parameters: Any, tokens: Any) -> dict[str, Any]:
        """Return the percent by which the loss changes for a percent more parameters, and more tokens.

        >>> from nvscale import laws
        >>> found = laws.load("chinchilla/besiroglu-2024").elasticities(parameters=70e9, tokens=1.4e12)
        >>> {name: round(value, 4) for name, value in found.items()}
        {'parameters': -0.0144, 'tokens': -0.0139}
        """
        known = self.need_chinchilla("an elasticity")
        size = scaling_laws.parameter_elasticity(parameters, tokens, **known)
        return {"parameters": size, "tokens": scaling_laws.token_elasticity(parameters, tokens, **known)}

    def best_bits(self) -> float:
        """Return the number of bits that training is cheapest in at equal loss, for a law of training in few bits.

        >>> from nvscale import laws
        >>> round(laws.load("precision/kumar-2024").best_bits(), 4)
        3.4687
        """
        from nvscale.laws.lifetimes import best_bits

        return best_bits(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the law as plain data for JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "form": self.form.name,
            "gives": self.form.quantity,
            "date": self.date,
            "constants": dict(self.constants),
            "sources": {name: str(source) for name, source in self.sources.items()},
            "unverified": list(self.unverified),
            "validity": {name: list(span) for name, span in self.validity.items()},
            "covariance": None
            if self.covariance is None
            else {"of": list(self.covariance.of), "rows": [list(row) for row in self.covariance.rows], "how": self.covariance.how},
            "note": self.note,
        }

    def __str__(self) -> str:
        constants = ", ".join(f"{name} = {readable(value, '1', 6)}" for name, value in self.constants.items())
        marked = f"  [never read in a source: {', '.join(self.unverified)}]" if self.unverified else ""
        return f"{self.name} ({self.date}): {constants}{marked}"


_SYMBOLS = {"parameters": "N", "tokens": "D", "compute": "C", "loss": "L", "size_factor": "k"}


def _formula(quantity: str) -> Any:
    if quantity not in scaling_laws.__all__:
        raise MissingFigure(f"no formula {quantity!r}{did_you_mean(quantity, scaling_laws.__all__)}")
    return getattr(scaling_laws, quantity)


def _parameters(quantity: str) -> list[str]:
    import inspect

    return list(inspect.signature(_formula(quantity)).parameters)


def _check_number(law: str, name: str, number: Any) -> None:
    """Amounts are above 0; shares and times may be 0."""
    least_allowed = name in ("sparsity", "elapsed", "strength")
    if carrier(number) == FLOAT and (math.isnan(number) or (number <= 0.0 and not least_allowed)):
        raise InvalidInput(f"{law}: {name}: {number!r} is out of range; wanted above 0")


def _worst(value: Any, low: float, high: float) -> float | None:
    """The value farthest outside a range; None where all are inside, or it is a symbol."""
    kind = carrier(value)
    if kind == FLOAT:
        return None if low <= value <= high else float(value)
    if kind != ARRAY:
        return None
    least, most = float(value.min()), float(value.max())
    return most if most > high else least if least < low else None


def _outside() -> int:
    """How far up the stack the caller of the package is, so that a warning shows the user's line."""
    import sys

    frame, depth = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("nvscale."):
        frame, depth = frame.f_back, depth + 1
    return depth


def fitted_law(name: str, form: str, constants: Mapping[str, float], **more: Any) -> Law:
    """Return a law with constants of one's own."""
    return Law(name=name, title=more.pop("title", name), form=law_form(form), constants=dict(constants), **more)


__all__ = ["CHINCHILLA", "Covariance", "Law", "fitted_law"]
