"""Mixtures of two scenarios: each factor takes its inputs from before or from after.

A scenario is a dictionary of an estimator's inputs. Factors of one's own name the paths that they move; the
"default" factors take systems apart into figures that can be mixed freely: a rate at 16 bits, the gain of a
number format over it, bandwidths, counts, watts and dollars per chip.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nvscale.composition import Part, System
from nvscale.errors import InvalidInput, MissingFigure, MissingPrecision, did_you_mean
from nvscale.ops import FLOAT, carrier
from nvscale.record import Record, field_names, is_same
from nvscale.silicon import Chip, Rates

Side = Any
"""0 for before, 1 for after; an array of both where mixtures are evaluated together."""
Sides = Mapping[str, Side]
Scenario = Mapping[str, Any]

LABELS = frozenset(
    {"title", "notes", "sources", "status", "released", "shipped", "level", "topology", "cpu", "market", "memory_type", "unread"}
    | {"process_node", "die_area", "transistors", "dies", "boost_clock", "base_clock", "scaleup_links"}
)
"""Fields that no estimator reads."""
OF_WORK = {
    "number format": "precision dense_precision cache_element weight_size gradient_size optimizer_size reduced_size",
    "load": "concurrency rate batch global_batch micro_batch rounds running_limit",
    "lengths": "isl osl context sequence tokens prefix_cached cached",
    "model": "model",
    "speculative decoding": "accepted",
    "kernels and software": "memory_share stream_interval loss_is_fused",
    "frozen weights": "frozen",
}
OF_INPUTS = {
    "layout": "plan layout",
    "kernels and software": "engine stack efficiency calibration overlap",
    "prices": "prices",
    "facility overhead": "pue",
    "utilisation": "goodput utilisation",
}
OF_PRICES = {"price": "rent", "energy price": "energy_price", "cost of capital": "discount_rate life", "utilisation": "utilisation"}
UNDER_TITLES: dict[str, str] = {field: factor for factor, fields in OF_WORK.items() for field in fields.split()}
INPUT_FACTORS: dict[str, str] = {name: factor for factor, names in OF_INPUTS.items() for name in names.split()}
PRICE_FACTORS: dict[str, str] = {field: factor for factor, fields in OF_PRICES.items() for field in fields.split()}
SIXTEEN = "16-bit"


def pick(side: Side, before: Any, after: Any) -> Any:
    """Return the figure of a side; of both, as an array, where the side is an array."""
    if carrier(side) == FLOAT:
        return after if side else before
    import numpy as np

    return np.where(side, after, before)


@dataclass(frozen=True, slots=True)
class Move:
    """One input that differs: where it stands, both values, and whether mixtures of it may be arrays."""

    path: str
    before: Any
    after: Any
    is_number: bool


class Mixture:
    """All mixtures of two scenarios under named factors.

    Parameters
    ----------
    factors : tuple of str
        Names of the factors that differ, in order.
    numeric : frozenset of str
        Those whose inputs are plain numbers, so that mixtures may be evaluated as arrays.
    unchanged : tuple of str
        Factors that were named and do not differ.
    """

    def __init__(
        self, factors: Sequence[str], numeric: frozenset[str], unchanged: Sequence[str], build: Callable[[Sides], dict[str, Any]]
    ) -> None:
        self.factors, self.numeric, self.unchanged = tuple(factors), numeric, tuple(unchanged)
        self._build = build

    def scenario(self, sides: Sides) -> dict[str, Any]:
        """Return the inputs of a mixture."""
        return self._build(sides)


def differences(before: Any, after: Any, path: str = "") -> list[Move]:
    """Return what differs between two values, as deep as both are records of one kind.

    >>> from nvscale.silicon import Rates
    >>> [move.path for move in differences(Rates(fp8=1.0), Rates(fp8=2.0), "peak")]
    ['peak.fp8']
    """
    if isinstance(before, Record) and isinstance(after, Record) and type(before) is type(after):
        inside = [name for name in field_names(type(before)) if name not in LABELS]
        return [
            move for name in inside for move in differences(getattr(before, name), getattr(after, name), f"{path}.{name}" if path else name)
        ]
    if is_same(before, after):
        return []
    both_numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (before, after))
    return [Move(path, before, after, both_numbers)]


def mixture(before: Scenario, after: Scenario, factors: "str | Mapping[str, str | Sequence[str]]") -> Mixture:
    """Return the mixtures of two scenarios under "default" factors, "each" input by itself, or factors of one's own.

    Raises
    ------
    InvalidInput
        Inputs that one scenario lacks, a path that belongs to two factors, or a differing input that belongs to none.
    """
    missing = sorted(set(before) ^ set(after))
    if missing:
        raise InvalidInput(f"attribute: both scenarios need the same inputs; only one has {', '.join(missing)}")
    if isinstance(factors, str):
        if factors == "default":
            return _default(before, after)
        if factors != "each":
            raise InvalidInput(f"attribute: factors = {factors!r}; wanted 'default', 'each' or a mapping of names to paths")
        moves = [move for name in before for move in differences(before[name], after[name], name)]
        return _by_paths(before, moves, {move.path: [move.path] for move in moves})
    moves = [move for name in before for move in differences(before[name], after[name], name)]
    return _by_paths(before, moves, {name: [paths] if isinstance(paths, str) else list(paths) for name, paths in factors.items()})


# ---------------------------------------------------------------------- factors of one's own


def _by_paths(before: Scenario, moves: Sequence[Move], factors: Mapping[str, Sequence[str]]) -> Mixture:
    owned: dict[str, list[Move]] = {name: [] for name in factors}
    for move in moves:
        owners = [name for name, paths in factors.items() if any(_covers(path, move.path) for path in paths)]
        if not owners:
            close = did_you_mean(move.path, [path for paths in factors.values() for path in paths])
            raise InvalidInput(f"attribute: {move.path} differs ({move.before!r} to {move.after!r}) and belongs to no factor{close}")
        if len(owners) > 1:
            raise InvalidInput(f"attribute: {move.path} belongs to the factors {' and '.join(owners)}; it can belong to one")
        owned[owners[0]].append(move)
    changed = [name for name, own in owned.items() if own]
    numeric = frozenset(name for name in changed if all(move.is_number for move in owned[name]))

    def build(sides: Sides) -> dict[str, Any]:
        values = {move.path: pick(sides[name], move.before, move.after) for name in changed for move in owned[name]}
        return _replaced(before, values)

    return Mixture(changed, numeric, [name for name in owned if name not in changed], build)


def _covers(path: str, place: str) -> bool:
    return place == path or place.startswith(f"{path}.")


def _replaced(scenario: Scenario, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scenario with the figures at some paths replaced; those of one input together."""
    inputs: dict[str, Any] = dict(scenario)
    inside: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        head, dot, rest = path.partition(".")
        if dot:
            inside.setdefault(head, {})[rest] = value
        else:
            inputs[head] = value
    for head, changes in inside.items():
        inputs[head] = inputs[head].replace(**changes)
    return inputs


# ---------------------------------------------------------------------- default factors


def _default(before: Scenario, after: Scenario) -> Mixture:
    """Take systems apart into figures; other inputs go to the factor of their name."""
    places = [name for name in before if isinstance(before[name], System) and isinstance(after[name], System)]
    rest: dict[str, list[str]] = {}
    moves: list[Move] = []
    for name in before:
        if name in places:
            continue
        if isinstance(before[name], System | Chip) or isinstance(after[name], System | Chip):
            raise InvalidInput(f"attribute: {name} must be a System on both sides for the default factors; write nvscale.system('...')")
        for move in _moves_of_input(name, before[name], after[name]):
            rest.setdefault(_factor_of(move.path, before[name]), []).append(move.path)
            moves.append(move)
    others = _by_paths(before, moves, rest)
    blends = {name: _SystemBlend(name, before[name], after[name]) for name in places}
    numbers = dict.fromkeys(others.factors, True) | {factor: True for blend in blends.values() for factor in blend.dials}
    for factor in others.factors:
        numbers[factor] = factor in others.numeric
    for blend in blends.values():
        for factor, is_number in blend.dials.items():
            numbers[factor] = numbers[factor] and is_number

    def build(sides: Sides) -> dict[str, Any]:
        inputs = others.scenario(sides)
        return inputs | {name: blend.system(sides) for name, blend in blends.items()}

    # a format that differs in the work only still moves the gain of the rate, and the other way about
    return Mixture(tuple(numbers), frozenset(name for name, flag in numbers.items() if flag), (), build)


def _moves_of_input(name: str, before: Any, after: Any) -> list[Move]:
    """Return what differs of an input; models and layouts as a whole."""
    if name in INPUT_FACTORS and not (isinstance(before, Record) and type(before).__name__ == "Prices"):
        return [] if is_same(before, after) else [Move(name, before, after, is_number=False)]
    found: list[Move] = []
    for move in differences(before, after, name):
        field = move.path.partition(".")[2]
        head = field.partition(".")[0]
        if head == "model":
            whole = Move(f"{name}.model", before.model, after.model, is_number=False)
            found += [] if whole.path in [one.path for one in found] else [whole]
        else:
            found.append(move)
    return found


def _factor_of(path: str, owner: Any) -> str:
    """The default factor that an input belongs to."""
    name, dot, field = path.partition(".")
    head = field.partition(".")[0]
    table = PRICE_FACTORS if type(owner).__name__ == "Prices" else UNDER_TITLES
    factor = table.get(head) if dot else INPUT_FACTORS.get(name, UNDER_TITLES.get(name))
    if factor is None:
        raise InvalidInput(f"attribute: {path} differs and belongs to no default factor; give factors of your own that name it")
    return factor


class _SystemBlend:
    """Two systems as figures per chip that can be mixed.

    `dials` names the factors that differ, and whether they are plain numbers.
    """

    def __init__(self, name: str, before: System, after: System) -> None:
        self.name, self.ends = name, (before, after)
        for system in self.ends:
            _refuse_arrays(system)
        self.figures = tuple(_figures(system) for system in self.ends)
        if not all(figures["unit rate"] for figures in self.figures):
            joined = [self._without_units(figures) for figures in self.figures]
            self.figures = (joined[0], joined[1])
        self.dials: dict[str, bool] = {}
        for dial, names in DIALS.items():
            pairs = [(self.figures[0][one], self.figures[1][one]) for one in names]
            if any(not is_same(*pair) for pair in pairs):
                self.dials[dial] = all(isinstance(value, float) for pair in pairs for value in pair)

    @staticmethod
    def _without_units(figures: dict[str, Any]) -> dict[str, Any]:
        rate = figures["rate at 16 bit"]
        return {**figures, "units": 1.0, "clock": 1.0, "unit rate": rate}

    def system(self, sides: Sides) -> System:
        """Return the system of a mixture."""
        side = {dial: sides.get(dial, 0.0) for dial in DIALS}
        at = {name: pick(side[dial], self.figures[0][name], self.figures[1][name]) for dial, names in DIALS.items() for name in names}
        body = self.ends[1 if side["kernels and software"] else 0]
        rate = at["units"] * at["clock"] * at["unit rate"]
        rates = Rates(**{name: gain * rate for name, gain in at["gains"].items() if gain})
        chip = body.chip.replace(
            peak=rates,
            memory=at["memory"],
            memory_reported=at["memory_reported"],
            memory_bandwidth=at["bandwidth"],
            power=at["chip power"],
            price=at["chip price"],
            scaleup_bandwidth=at["scale-up bandwidth of a chip"],
            host_bandwidth=at["host bandwidth"],
        )
        rest = Part(name="rest", per=1.0, power=at["other power"], price=at["other price"])
        inner = at["scale-up"]
        networks = () if inner is None else (inner.replace(span=at["span"]), *at["scale-out"])
        return System(
            name=body.name, title=body.title, vendor=body.vendor, level=body.level, status=body.status, chip=chip,
            chips=at["chips"], networks=networks, parts=(rest,), pue=at["pue"],
        )  # fmt: skip


DIALS: dict[str, tuple[str, ...]] = {
    "units": ("units",),
    "clock": ("clock",),
    "width of a unit at 16 bit": ("unit rate",),
    "number format": ("gains",),
    "memory bandwidth": ("bandwidth",),
    "memory": ("memory", "memory_reported"),
    "chip count": ("chips",),
    "scale-up size": ("span",),
    "network": ("scale-up", "scale-out", "scale-up bandwidth of a chip", "host bandwidth"),
    "power": ("chip power", "other power"),
    "price": ("chip price", "other price"),
    "facility overhead": ("pue",),
    "kernels and software": ("body",),
}
"""Default factors of a system, and the figures that each moves."""


def _refuse_arrays(system: System) -> None:
    swept = [name for name in ("chips", "pue") if carrier(getattr(system, name)) != FLOAT]
    if swept:
        raise InvalidInput(f"attribute: {swept[0]} of {system.name} must be one number")


def _figures(system: System) -> dict[str, Any]:
    """The figures of a system that mixtures choose from, per chip."""
    chip = system.chip
    try:
        rate = chip.rate(SIXTEEN)
    except MissingPrecision:
        rate = chip.rate("fp32")
    units, clock = chip.compute_units, chip.clock
    known = units is not None and clock is not None
    inner = system.networks[0] if system.networks else None
    return {
        "rate at 16 bit": rate,
        "units": units if known else None,
        "clock": clock if known else None,
        "unit rate": rate / (units * clock) if known else None,
        "gains": {name: getattr(chip.peak, name) / rate for name in field_names(Rates)},
        "bandwidth": chip.memory_bandwidth,
        "memory": chip.memory,
        "memory_reported": chip.memory_reported,
        "chips": system.chips,
        "span": None if inner is None else inner.span,
        "scale-up": None if inner is None else inner.replace(span=1.0),
        "scale-out": system.networks[1:],
        "scale-up bandwidth of a chip": chip.scaleup_bandwidth,
        "host bandwidth": chip.host_bandwidth,
        "chip power": chip.power,
        "other power": _beyond(system, "power", chip.power),
        "chip price": chip.price,
        "other price": _beyond(system, "price", chip.price),
        "pue": system.pue,
        "body": chip.name,
    }


def _beyond(system: System, figure: str, of_chip: Any) -> Any:
    """Power or price of a chip's share of everything else; None where a figure is not known."""
    try:
        whole = getattr(system, figure)
    except MissingFigure:
        return None
    return None if of_chip is None else max(whole / system.chips - of_chip, 0.0)
