"""Approaches 1 and 2: compute-optimal sizes read off the runs first, and a power of compute through them."""

from dataclasses import dataclass
from typing import Any

from nvscale.errors import InvalidInput

LEAST = 3
"""Budgets, and runs of a budget, that a line and a parabola need."""


@dataclass(frozen=True)
class FittedAllocation:
    """Compute-optimal size and data as powers of compute.

    Parameters
    ----------
    approach : int
        1: the runs that no cheaper run beats; 2: the minima of parabolas through the runs of each budget.
    coefficient, exponent : float
        Parameters = coefficient x compute ** exponent.
    standard_error : float
        Of the exponent.
    compute, parameters, loss : array
        The optima that the line goes through.
    dropped : dict of float to str
        Budgets without an optimum, and why.
    """

    approach: int
    coefficient: float
    exponent: float
    standard_error: float
    compute: Any
    parameters: Any
    loss: Any
    dropped: dict[float, str]

    @property
    def token_exponent(self) -> float:
        """Exponent of the tokens: compute is six operations per parameter and token."""
        return 1.0 - self.exponent

    def optimal_parameters(self, compute: Any) -> Any:
        """Return the parameters for a compute."""
        from nvscale.formulas.scaling_laws import power_law_amount

        return power_law_amount(compute, self.coefficient, self.exponent)

    def optimal_tokens(self, compute: Any) -> Any:
        """Return the tokens for a compute."""
        return compute / 6.0 / self.optimal_parameters(compute)

    def __str__(self) -> str:
        return (
            f"approach {self.approach}: parameters = {self.coefficient:.4g} x compute ** {self.exponent:.4f}"
            f" (standard error {self.standard_error:.4f}, {len(self.compute)} optima)"
        )


def fit_envelope(parameters: Any, compute: Any, loss: Any) -> FittedAllocation:
    """Approach 1: a line through the runs that no cheaper run beats.

    With single final losses instead of training curves the envelope is coarse, and so is the line.
    """
    import numpy as np

    order = np.lexsort((loss, compute))
    lowest = np.minimum.accumulate(loss[order])
    first = np.concatenate([[True], lowest[1:] < lowest[:-1]])
    kept = order[first]
    return _line(1, parameters[kept], compute[kept], loss[kept], {})


def fit_budgets(parameters: Any, compute: Any, loss: Any, budgets: Any = None, width: float = 0.1) -> FittedAllocation:
    """Approach 2: a parabola of the loss over ln(parameters) for every budget, and a line through the minima.

    Parameters
    ----------
    parameters, compute, loss : array
        The runs.
    budgets : array, optional
        Budget of each run; without, the runs are gathered by compute.
    width : float
        Decades of compute that are then one budget.
    """
    import numpy as np

    groups = np.round(np.log10(compute) / width) if budgets is None else np.asarray(budgets)
    found, dropped = [], {}
    for group in np.unique(groups):
        runs = groups == group
        budget = float(np.exp(np.log(compute[runs]).mean()))
        size = np.log(parameters[runs])
        if runs.sum() < LEAST or np.ptp(size) == 0.0:
            dropped[budget] = f"{int(runs.sum())} runs; a parabola needs {LEAST}"
            continue
        bend, slope, rest = np.polyfit(size - size.mean(), loss[runs], 2)
        lowest = -slope / (2.0 * bend) if bend > 0.0 else np.inf
        if not (size - size.mean()).min() <= lowest <= (size - size.mean()).max():
            dropped[budget] = "no minimum between the smallest and the largest model"
            continue
        found.append((np.exp(lowest + size.mean()), budget, rest + slope * lowest + bend * lowest**2))
    sizes, costs, losses = (np.array([one[i] for one in found]) for i in range(3))
    return _line(2, sizes, costs, losses, dropped)


def _line(approach: int, parameters: Any, compute: Any, loss: Any, dropped: dict[float, str]) -> FittedAllocation:
    from scipy import stats

    if len(compute) < LEAST:
        raise InvalidInput(f"approach {approach}: {len(compute)} optima were found; a line needs {LEAST}")
    import numpy as np

    line = stats.linregress(np.log(compute), np.log(parameters))
    return FittedAllocation(
        approach, float(np.exp(line.intercept)), float(line.slope), float(line.stderr), compute, parameters, loss, dropped
    )
