"""Several laws asked the same question, side by side."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nvscale.errors import ExtrapolationWarning, InvalidInput, MissingDependency, UnknownName, UnverifiedWarning, did_you_mean
from nvscale.laws.law import Law
from nvscale.laws.optima import OptimalAllocation, _number, optimum
from nvscale.laws.reading import shipped_laws

DECISIONS = ("chinchilla/hoffmann-2022-rounded", "chinchilla/hoffmann-2022", "chinchilla/besiroglu-2024", "chinchilla/nvscale-2026")
"""Four sets of constants for one equation and one set of runs, which disagree on the best size by more than two."""


@dataclass(frozen=True)
class Comparison:
    """What several laws answer.

    Parameters
    ----------
    question : str
        "optimum" or "loss".
    given : dict
        What they were asked at.
    answers : dict of str to OptimalAllocation or float
        By name of the law.
    beyond : dict of str to list of str
        What lies outside the range of the runs of a law.
    unverified : tuple of str
        Laws with constants that were never read in a source.
    """

    question: str
    given: dict[str, Any]
    answers: dict[str, Any]
    beyond: dict[str, list[str]]
    unverified: tuple[str, ...]

    def __getitem__(self, name: str) -> Any:
        if name not in self.answers:
            raise UnknownName(f"no law {name!r} was compared{did_you_mean(name, self.answers)}")
        return self.answers[name]

    def rows(self) -> list[dict[str, Any]]:
        """Return one flat row per law: numbers with low and high ends."""
        return [{"law": name, **_flat(answer), "extrapolated": bool(self.beyond.get(name))} for name, answer in self.answers.items()]

    def to_pandas(self) -> Any:
        """Return the rows as a data frame (needs the `sweep` extra)."""
        try:
            import pandas as pd
        except ImportError:
            raise MissingDependency("pandas is not installed; run: pip install 'nvscale[sweep]'") from None
        return pd.DataFrame(self.rows()).set_index("law")

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        answers = {name: answer.to_dict() if isinstance(answer, OptimalAllocation) else answer for name, answer in self.answers.items()}
        return {
            "question": self.question,
            "given": self.given,
            "answers": answers,
            "beyond": self.beyond,
            "unverified": list(self.unverified),
        }

    def __str__(self) -> str:
        asked = ", ".join(f"{name} = {value:.4g}" for name, value in self.given.items())
        lines = [f"{self.question} at {asked}"]
        width = max((len(name) for name in self.answers), default=0)
        lines += [f"  {name:{width}}  {_line(answer)}" for name, answer in self.answers.items()]
        if self.beyond:
            lines.append(f"  extrapolated: {', '.join(self.beyond)}")
        return "\n".join(lines)


def _flat(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, OptimalAllocation):
        return {"loss": answer}
    found: dict[str, Any] = {}
    for name, part in answer.parts().items():
        found |= {name: part.value, f"{name}_low": part.low, f"{name}_high": part.high}
    return found | {"interval": answer.interval}


def _line(answer: Any) -> str:
    if not isinstance(answer, OptimalAllocation):
        return f"{answer:.4f}"
    size = answer.parameters
    span = "" if size.low is None else f" ({_number(size.low, '1')} to {_number(size.high, '1')})"
    loss = "" if answer.loss is None else f", loss {answer.loss.value:.4f}"
    text = f"{_number(size.value, '1')} parameters{span}, {_number(answer.tokens.value, '1')} tokens"
    return f"{text}, {answer.tokens_per_parameter.value:.3g} per parameter{loss}"


def compare(
    question: str = "optimum", laws: "Iterable[str | Law] | None" = None, *, level: float = 0.90, extrapolate: str = "warn", **given: Any
) -> Comparison:
    """Ask several laws the same question.

    Parameters
    ----------
    question : str
        "optimum" (give compute) or "loss" (give parameters and tokens, or what the laws are functions of).
    laws : iterable of str or Law, optional
        Which; without, for an optimum the four sets of constants for the runs of Hoffmann et al. and then all other laws that
        allocate compute for text, and for a loss all laws of exactly the given variables.
    level : float
        Level of the intervals.
    extrapolate : str
        Outside the range of the runs: "warn" (once for all), "refuse" or "allow".
    **given : number
        What to ask at.

    >>> from nvscale import laws
    >>> three = laws.DECISIONS[:3]
    >>> found = laws.compare("optimum", three, compute=5.76e23, extrapolate="allow")
    >>> [round(found[name].parameters.value / 1e9, 1) for name in three]
    [32.2, 40.4, 72.2]
    """
    if question not in ("optimum", "loss"):
        raise InvalidInput(f"compare: {question!r} is not one of optimum, loss")
    if question == "optimum" and set(given) != {"compute"}:
        raise InvalidInput("compare: an optimum needs compute, in flop, and nothing else")
    chosen = _chosen(question, laws, set(given))
    answers, beyond = {}, {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnverifiedWarning)
        for law in chosen:
            inner = "refuse" if extrapolate == "refuse" else "allow"
            if question == "optimum":
                found = optimum(law, given["compute"], level=level, extrapolate=inner)
                answers[law.name], outside = found, list(found.beyond)
                given["compute"] = found.compute
            else:
                answers[law.name], outside = law.loss(extrapolate=inner, **given), law.outside(**given)
            if outside:
                beyond[law.name] = outside
    if beyond and extrapolate == "warn":
        warnings.warn(f"outside the range of the runs of {', '.join(beyond)}", ExtrapolationWarning, stacklevel=2)
    doubtful = tuple(law.name for law in chosen if law.unverified)
    return Comparison(question, given, answers, beyond, doubtful)


NOT_TEXT = ("chinchilla/audio-tokens", "chinchilla/sparse-multimodal")


def _chosen(question: str, laws: "Iterable[str | Law] | None", given: set[str]) -> list[Law]:
    known = shipped_laws()
    if laws is not None:
        return [law if isinstance(law, Law) else _load(law) for law in laws]
    if question == "optimum":
        rest = [name for name, law in known.items() if law.form.optimum and name not in (*DECISIONS, *NOT_TEXT)]
        return [known[name] for name in (*DECISIONS, *rest)]
    return [law for law in known.values() if law.form.quantity == "loss" and set(law.form.variables) == given and law.name not in NOT_TEXT]


def _load(name: str) -> Law:
    from nvscale.errors import unknown

    if name not in shipped_laws():
        raise unknown("law", name, shipped_laws())
    return shipped_laws()[name]
