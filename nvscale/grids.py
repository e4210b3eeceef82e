"""Sweeps: any estimator over named axes, numeric and categorical, in boxes of one array dimension per axis.

Numeric axes enter the estimator as arrays, each in its own dimension, so that an operation that
depends on one axis touches only that axis's points. Categories (chips, systems, number formats, any
record or word) are an outer loop; a combination that cannot be (a chip without the format) becomes
nan with its reason, never an error of the whole sweep.
"""

import inspect
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nvscale.errors import InvalidInput, MissingDependency, MissingFigure, UnknownName, did_you_mean, unknown
from nvscale.estimate import Estimate
from nvscale.ops import ARRAY, FLOAT, carrier
from nvscale.record import Record, field_names

BOX = 65_536
"""Points of a box: about where the speed of NumPy peaks."""

Outputs = Mapping[str, Callable[[Any], Any]]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: its name, where its values go, and the values; numbers as an array, categories as a tuple."""

    name: str
    path: str
    values: Any
    is_numeric: bool

    def labels(self) -> list[Any]:
        """Return the values as they are shown: numbers, or the names of records."""
        return [getattr(value, "name", value) for value in self.values]


@dataclass(frozen=True)
class Sweep:
    """Outputs of an estimator over named axes.

    Parameters
    ----------
    axes : tuple of Axis
        In the order of the dimensions.
    outputs : dict of str to array
        One array per output, one dimension per axis; nan where there is no result.
    reasons : dict of tuple to str
        Why combinations of categories have no result.
    """

    axes: tuple[Axis, ...]
    outputs: Mapping[str, Any]
    reasons: Mapping[tuple[Any, ...], str]

    def __getitem__(self, name: str) -> Any:
        """Return an output by name, or the values of an axis."""
        if name in self.outputs:
            return self.outputs[name]
        for axis in self.axes:
            if name in (axis.name, axis.path):
                return axis.values
        raise unknown("output or axis", name, [*self.outputs, *(axis.name for axis in self.axes)])

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    def best(self, output: str = "value", *, mask: str | None = None, largest: bool = False) -> dict[str, Any]:
        """Return the point with the least (or largest) output; nan and masked points never win."""
        import numpy as np

        score = np.array(self[output], dtype=float)
        if largest:
            score = -score
        allowed = np.isfinite(score) if mask is None else np.isfinite(score) & np.asarray(self[mask], dtype=bool)
        if not allowed.any():
            raise InvalidInput(f"no point of the sweep has a finite {output}" + (f" where {mask} holds" if mask else ""))
        place = np.unravel_index(np.argmin(np.where(allowed, score, np.inf)), score.shape)
        where = {axis.name: axis.labels()[i] for axis, i in zip(self.axes, place, strict=True)}
        return where | {name: values[place] for name, values in self.outputs.items()}

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield a row per point: the axes, then the outputs."""
        labels = [axis.labels() for axis in self.axes]
        for place in itertools.product(*(range(n) for n in self.shape)):
            row = {axis.name: labels[d][i] for d, (axis, i) in enumerate(zip(self.axes, place, strict=True))}
            yield row | {name: values[place] for name, values in self.outputs.items()}

    def to_pandas(self) -> Any:
        """Return a row per point as a pandas DataFrame (needs the `sweep` extra)."""
        try:
            import pandas as pd
        except ImportError:
            raise MissingDependency("pandas is not installed; run: pip install 'nvscale[sweep]'") from None
        grid = pd.MultiIndex.from_product([axis.labels() for axis in self.axes], names=[axis.name for axis in self.axes])
        return pd.DataFrame({name: values.ravel() for name, values in self.outputs.items()}, index=grid).reset_index()

    def to_xarray(self) -> Any:
        """Return a labelled xarray Dataset (needs the `sweep` extra)."""
        try:
            import xarray as xr
        except ImportError:
            raise MissingDependency("xarray is not installed; run: pip install 'nvscale[sweep]'") from None
        names = [axis.name for axis in self.axes]
        coordinates = {axis.name: axis.labels() for axis in self.axes}
        return xr.Dataset({name: (names, values) for name, values in self.outputs.items()}, coords=coordinates)

    def __repr__(self) -> str:
        sizes = " x ".join(f"{axis.name} {len(axis.values)}" for axis in self.axes)
        missing = f", {len(self.reasons)} combinations without a result" if self.reasons else ""
        return f"<Sweep {sizes}: {', '.join(self.outputs)}{missing}>"


def sweep(
    estimator: Callable[..., Any],
    axes: Mapping[str, Any],
    *,
    outputs: Outputs | None = None,
    run: Callable[[Callable[[Any], Any], Sequence[Any]], Any] = map,
    **inputs: Any,
) -> Sweep:
    """Evaluate an estimator over named axes.

    Parameters
    ----------
    estimator : callable
        A function from records to an Estimate, called as `estimator(**inputs)`.
    axes : mapping of str to sequence
        Name or dotted path of a figure, and its values: numbers, text with units, records, words.
        A short name goes to the input or parameter of that name, or else to the only field of that name
        ("m" to work.m, "chip" to system.chip).
    outputs : mapping of str to callable, optional
        What to keep of each result; its value and what binds by default.
    run : callable, optional
        How to run the boxes: `map`, `executor.map`, or an adapter of a cluster.
    inputs : any
        The other arguments of the estimator.

    Returns
    -------
    Sweep
        `["value"]`, `best()`, `to_pandas()`, `to_xarray()`.

    Raises
    ------
    UnknownName, InvalidInput
        An axis that fits no input or more than one, or that is empty.
    """
    if not axes:
        raise InvalidInput("sweep: no axes were given; write e.g. {'batch': [1, 2, 4]}")
    own = _parameters(estimator)
    found = tuple(_axis(name, values, inputs, own) for name, values in axes.items())
    kept = outputs or {"value": _value, "by": _by}
    categories = [axis for axis in found if not axis.is_numeric]
    numeric = [axis for axis in found if axis.is_numeric]
    jobs = [(combination, box) for combination in itertools.product(*(range(len(a.values)) for a in categories)) for box in _boxes(numeric)]
    worker = _Worker(estimator, inputs, categories, numeric, kept)
    return _collected(found, categories, numeric, jobs, list(run(worker, jobs)), tuple(kept))


@dataclass(frozen=True, slots=True)
class _Worker:
    """Evaluates one box of one combination of categories; picklable, so that processes can run it."""

    estimator: Callable[..., Any]
    inputs: Mapping[str, Any]
    categories: Sequence[Axis]
    numeric: Sequence[Axis]
    outputs: Outputs

    def __call__(self, job: tuple[tuple[int, ...], tuple[slice, ...]]) -> tuple[dict[str, Any], str]:
        combination, box = job
        inputs = dict(self.inputs)
        for axis, i in zip(self.categories, combination, strict=True):
            inputs = _with(inputs, axis.path, axis.values[i])
        dimensions = len(self.numeric)
        for d, (axis, part) in enumerate(zip(self.numeric, box, strict=True)):
            values = axis.values[part]
            inputs = _with(inputs, axis.path, values.reshape([-1 if j == d else 1 for j in range(dimensions)]) if dimensions else values)
        try:
            result = self.estimator(**inputs)
        except MissingFigure as problem:
            return {}, str(problem)
        return {name: take(result) for name, take in self.outputs.items()}, ""


def _collected(
    axes: tuple[Axis, ...], categories: list[Axis], numeric: list[Axis], jobs: list[Any], results: list[Any], names: tuple[str, ...]
) -> Sweep:
    """Put the boxes into arrays with one dimension per axis, in the order the axes were given."""
    import numpy as np

    order = [*categories, *numeric]
    inner = tuple(len(axis.values) for axis in numeric)
    shape = (*(len(axis.values) for axis in categories), *inner)
    arrays: dict[str, Any] = {}
    reasons: dict[tuple[Any, ...], str] = {}
    for (combination, box), (outputs, reason) in zip(jobs, results, strict=True):
        if reason:
            reasons[tuple(axis.labels()[i] for axis, i in zip(categories, combination, strict=True))] = reason
        for name, value in outputs.items():
            array = np.asarray(value)
            if name not in arrays:
                is_number = array.dtype.kind in "fiub"
                arrays[name] = np.full(shape, math.nan if is_number else None, dtype=float if is_number else object)
            arrays[name][(*combination, *box)] = array if array.ndim else array.item()
    arrays |= {name: np.full(shape, math.nan) for name in names if name not in arrays}
    back = [order.index(axis) for axis in axes]
    return Sweep(axes, {name: np.transpose(array, back) for name, array in arrays.items()}, reasons)


def _boxes(numeric: Sequence[Axis]) -> list[tuple[slice, ...]]:
    """Cut the numeric axes into boxes of at most BOX points, the first axes first."""
    lengths = [len(axis.values) for axis in numeric]
    steps = list(lengths)
    for d, length in enumerate(lengths):
        rest = math.prod(steps[d + 1 :])
        steps[d] = max(1, min(length, BOX // max(rest, 1)))
        if steps[d] == length:
            break
    ranges = [[slice(start, min(start + step, n)) for start in range(0, n, step)] for n, step in zip(lengths, steps, strict=True)]
    return list(itertools.product(*ranges))


def _value(result: Any) -> Any:
    return result.value if isinstance(result, Estimate) else result


def _by(result: Any) -> Any:
    """What binds, by name; empty where nothing does."""
    import numpy as np

    try:
        found = result.by
    except (InvalidInput, AttributeError):
        return ""
    return np.array(found[1], dtype=object)[found[0]] if isinstance(found, tuple) else found


def _parameters(estimator: Callable[..., Any]) -> frozenset[str]:
    """Names that an estimator takes."""
    try:
        return frozenset(inspect.signature(estimator).parameters)
    except (TypeError, ValueError):
        return frozenset()


def _axis(name: str, values: Any, inputs: Mapping[str, Any], own: frozenset[str]) -> Axis:
    """Find where an axis goes and what its values are."""
    import numpy as np

    path = name if name in own else _path(name, inputs)
    given = [values] if isinstance(values, str | Record) or carrier(values) == FLOAT else list(values)
    if not given:
        raise InvalidInput(f"sweep: the axis {name!r} is empty")
    if carrier(values) == ARRAY and values.dtype.kind in "fiu":
        return Axis(name, path, np.asarray(values, dtype=float).ravel(), is_numeric=True)
    unit = _unit(path, inputs)
    if unit is not None and not any(isinstance(value, Record) for value in given):
        return Axis(name, path, np.array([float(unit.si(value, name)) for value in given]), is_numeric=True)
    if all(carrier(value) == FLOAT and not isinstance(value, bool) for value in given):
        return Axis(name, path, np.array(given, dtype=float), is_numeric=True)
    return Axis(name, path, tuple(given), is_numeric=False)


def _unit(path: str, inputs: Mapping[str, Any]) -> Any:
    """The unit of the figure that an axis moves; None for categories."""
    from nvscale.record import units_of

    head, dot, rest = path.partition(".")
    owner = inputs.get(head)
    while dot and isinstance(owner, Record):
        name, dot, rest = rest.partition(".")
        if not dot:
            return units_of(type(owner)).get(name)
        owner = getattr(owner, name, None)
    return None


def _path(name: str, inputs: Mapping[str, Any]) -> str:
    """Resolve a short name to the shallowest place of that name among the inputs."""
    if name in inputs:
        return name
    head = name.partition(".")[0]
    if "." in name and head in inputs:
        return name
    level = [(key, value) for key, value in inputs.items() if isinstance(value, Record)]
    known: list[str] = list(inputs)
    while level:
        found = [key for key, value in level if type(value).__name__.lower() == name and "." not in key]
        found += [f"{key}.{name}" for key, value in level if head in field_names(type(value))]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownName(f"sweep: the axis {name!r} fits {', '.join(found)}; write one of them in full")
        known += [field for _, value in level for field in field_names(type(value))]
        level = [
            (f"{key}.{field}", getattr(value, field))
            for key, value in level
            for field in field_names(type(value))
            if isinstance(getattr(value, field), Record)
        ]
    raise UnknownName(f"sweep: no input or figure {name!r}{did_you_mean(name, known)}")


def _with(inputs: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return the inputs with one figure replaced."""
    head, dot, rest = path.partition(".")
    return {**inputs, head: inputs[head].replace(**{rest: value}) if dot else value}
