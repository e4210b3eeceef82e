"""`solve`: which value of a figure makes a result what is wanted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nvscale.errors import InvalidInput
from nvscale.estimate import show
from nvscale.inputs import output_of, path_of, unit_at, value_at, with_value
from nvscale.units import Unit

GRID = 400
DECADES = 6.0


@dataclass(frozen=True)
class Solution:
    """The value of a figure at which a result is what was wanted.

    Parameters
    ----------
    path, value, unit : str, number, str
        The figure.
    output, target, output_unit : str, number, str
        The result.
    others : tuple
        Further values that give the same result.
    result : Estimate
        The estimate at the value.
    """

    path: str
    value: float
    unit: str
    output: str
    target: float
    output_unit: str
    others: tuple[float, ...]
    result: Any

    def __str__(self) -> str:
        text = f"{self.path} = {show(self.value, self.unit)} gives {self.output or 'the result'} {show(self.target, self.output_unit)}"
        return text + (f" (so do {', '.join(show(other, self.unit) for other in self.others)})" if self.others else "")


def solve(
    estimator: Callable[..., Any], output: str, target: Any, *, unknown: str, low: Any = None, high: Any = None, **inputs: Any
) -> Solution:
    """Return the value of a figure at which a result is what is wanted.

    Parameters
    ----------
    estimator : callable
        A function from records to an Estimate.
    output : str
        Result by name ("tpot"); "" for the value of the estimate.
    target : number or text
        What it should be, e.g. "10 ms".
    unknown : str
        Short name or path of the figure that is varied.
    low : number or text, optional
        From where it is searched; a millionth of its value by default, 1 for counts.
    high : number or text, optional
        To where; a million times its value by default.
    inputs : any
        The arguments of the estimator.

    Returns
    -------
    Solution
        The value nearest to that of the inputs, further ones, and the estimate there.

    Raises
    ------
    InvalidInput
        No value in the range gives the result; the message says what the range gives.
    UnknownName
        A name that fits no figure or no result.

    Examples
    --------
    >>> import nvscale as nv
    >>> work = nv.Decoding(model=nv.model("llama-3.1-8b"), batch=32, context=2048, precision="fp8")
    >>> found = solve(nv.decoding, "tpot", "10 ms", unknown="batch", work=work, system=nv.system("dgx-h100"), plan=nv.Parallelism())
    >>> found.path, round(found.result["tpot"].value * 1e3, 6)
    ('work.batch', 10.0)
    """
    import numpy as np
    from scipy.optimize import brentq

    path = path_of(unknown, inputs, "solve")
    unit = unit_at(path, inputs)
    if unit is None:
        raise InvalidInput(f"solve: {path} is no figure")
    base = estimator(**inputs)
    output_unit = (base[output] if output else base).unit
    wanted = float(Unit(output_unit, "any").si(target, f"solve: {output or 'target'}"))
    start = float(value_at(path, inputs))
    least = 1.0 if unit.range == ">=1" else start * 10.0**-DECADES
    ends = [least if low is None else float(unit.si(low, path)), start * 10.0**DECADES if high is None else float(unit.si(high, path))]
    if not 0.0 < ends[0] < ends[1]:
        raise InvalidInput(f"solve: {path} from {ends[0]:g} to {ends[1]:g} is no range above 0")

    def miss(value: Any) -> Any:
        return output_of(estimator(**with_value(inputs, path, value)), output) - wanted

    grid = np.geomspace(ends[0], ends[1], GRID)
    grid[0], grid[-1] = ends
    values = np.broadcast_to(np.asarray(miss(grid), dtype=float), grid.shape)
    crossing = np.nonzero((np.sign(values[:-1]) * np.sign(values[1:]) <= 0) & np.isfinite(values[:-1]) & np.isfinite(values[1:]))[0]
    found = sorted(
        {float(brentq(lambda value: float(miss(float(value))), grid[place], grid[place + 1])) for place in crossing},
        key=lambda v: abs(np.log(v / start)),
    )
    if not found:
        finite = values[np.isfinite(values)] + wanted
        span = f"{show(float(finite.min()), output_unit)} to {show(float(finite.max()), output_unit)}" if len(finite) else "nothing"
        raise InvalidInput(
            f"solve: {path} from {show(ends[0], unit.text)} to {show(ends[1], unit.text)} gives {span}, never {show(wanted, output_unit)}"
        )
    result = estimator(**with_value(inputs, path, found[0]))
    return Solution(path, found[0], unit.text, output, wanted, output_unit, tuple(found[1:]), result)
