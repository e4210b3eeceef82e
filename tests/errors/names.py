"""Names that do not exist, and figures and number formats that nobody published."""

from typing import Any

import nvscale as nv
from nvscale.estimators.fleets import METRICS
from nvscale.silicon import Chip
from tests.errors.cases import Case


def _anything(value: Any) -> Any:
    """What type checkers would refuse before the library does."""
    return value


def _node() -> nv.System:
    return nv.system("dgx-h100")


def _power_of_node() -> nv.Estimate:
    return nv.rooflines("dgx-h100", "fp8")["node"]["power"]


def _nothing_published() -> Chip:
    return Chip(name="slate")


CASES = [
    # ------------------------------------------------------------------ entries of the catalogue
    Case("chip: misspelt", lambda: nv.chip("h10"), nv.UnknownName, ("no chip 'h10'", "did you mean", "'h100'")),
    Case("chip: nothing like it", lambda: nv.chip("qqqq"), nv.UnknownName, ("no chip 'qqqq'", "there are:")),
    Case("chip: no text", lambda: nv.chip(_anything(None)), nv.UnknownName, ("no chip None", "there are:")),
    Case("chip: a system is none", lambda: nv.chip(_anything(_node())), nv.NvscaleError, ("chip", "dgx-h100")),
    Case("system: misspelt", lambda: nv.system("dgx-h1000"), nv.UnknownName, ("no system 'dgx-h1000'", "'dgx-h100'")),
    Case("system: a list is none", lambda: nv.system(_anything(["dgx-h100"])), nv.NvscaleError, ("system", "dgx-h100")),
    Case("network: misspelt", lambda: nv.network("nvlink-55"), nv.UnknownName, ("no network 'nvlink-55'", "'nvlink-5'")),
    Case(
        "source", lambda: nv.catalogue.default().document("nvidia-h100-whitepapr"), nv.UnknownName, ("no source", "nvidia-h100-whitepaper")
    ),
    Case("kind of entry", lambda: nv.catalogue.default().names("chip"), nv.UnknownName, ("'chip'", "'chips'")),
    Case("kind of entry, by name", lambda: nv.catalogue.default().entry("chip", "h100"), nv.UnknownName, ("'chip'", "'chips'")),
    Case(
        "price list: figure",
        lambda: nv.catalogue.default().number("assumptions", "default-prices", "lif", "s"),
        nv.MissingFigure,
        ("'lif'", "'life'"),
    ),
    Case("baseline", lambda: nv.baselines(["moore"]), nv.UnknownName, ("no trend 'moore'", "'moore-1975'")),
    # ------------------------------------------------------------------ number formats, levels, metrics, terms
    Case("precision: misspelt", lambda: nv.precision("fp5"), nv.UnknownName, ("no precision 'fp5'", "'fp6'")),
    Case("precision: of a rate", lambda: nv.chip("H100").rate("float7"), nv.UnknownName, ("no precision 'float7'",)),
    Case("precision: of curves", lambda: nv.curves(precision="bf61"), nv.UnknownName, ("no precision 'bf61'", "'bf16'")),
    Case("level", lambda: nv.curves(level="datacentre"), nv.UnknownName, ("no level 'datacentre'", "'datacenter'")),
    Case("level: nothing like it", lambda: nv.curves(level="rack"), nv.UnknownName, ("no level 'rack'", "chip, system, datacenter")),
    Case("metric", lambda: nv.curves().growth("perfomance"), nv.UnknownName, ("no metric 'perfomance'", "'performance'")),
    Case("point of curves", lambda: nv.curves()["dgx-h10"], nv.UnknownName, ("no system 'dgx-h10'", "'dgx-h100'")),
    Case("term of an estimate", lambda: _power_of_node()["power of chip"], nv.UnknownName, ("no term 'power of chip'", "'power of chips'")),
    Case("nothing binds", lambda: _power_of_node().by, nv.InvalidInput, ("power", "nothing binds")),
    # ------------------------------------------------------------------ fields, members, filters
    Case("field: misspelt", lambda: nv.chip("H100").replace(memroy="80 GB"), nv.UnknownName, ("Chip has no field 'memroy'", "'memory'")),
    Case(
        "field: of a new record",
        lambda: _anything(nv.Part)(name="rack", per=1, pwer=3.0),
        nv.UnknownName,
        ("Part has no field 'pwer'", "'power'"),
    ),
    Case("field: missing", lambda: _anything(nv.Part)(name="rack"), nv.InvalidInput, ("Part", "per must be given")),
    Case(
        "field: inside a record",
        lambda: nv.chip("H100").replace(**{"peak.fp9": 1.0}),
        nv.UnknownName,
        ("Rates has no field 'fp9'", "'fp8'"),
    ),
    Case(
        "field: of a source", lambda: nv.chip("H100").source("memory_bandwith"), nv.UnknownName, ("'memory_bandwith'", "'memory_bandwidth'")
    ),
    Case("field: of a nested source", lambda: nv.chip("H100").source("peak.fp9"), nv.UnknownName, ("Rates has no field 'fp9'",)),
    Case("unit of a word", lambda: nv.chip("H100").unit_of("vendor"), nv.NvscaleError, ("vendor",)),
    Case(
        "member",
        lambda: _node().replace(**{"parts.rak.power": 1.0}),
        nv.UnknownName,
        ("parts has no member 'rak'", "'rack'", "parts.<member>.<field>"),
    ),
    Case(
        "member: field misspelt",
        lambda: _node().replace(**{"networks.nvlink-4.bandwith": 1.0}),
        nv.UnknownName,
        ("'bandwith'", "'bandwidth'"),
    ),
    Case(
        "member without a field", lambda: _node().replace(**{"parts.node": 1.0}), nv.NvscaleError, ("parts.node", "parts.<member>.<field>")
    ),
    Case("inside a word", lambda: _node().replace(**{"name.x": 1.0}), nv.InvalidInput, ("name holds no record",)),
    Case("inside a list of words", lambda: _node().replace(**{"notes.x": "y"}), nv.NvscaleError, ("notes",)),
    Case("filter", lambda: nv.chips(vendr="NVIDIA"), nv.InvalidInput, ("no filter 'vendr'", "'vendor'")),
    Case("filter: a figure in a wrong unit", lambda: nv.chips(memory="80 GW"), nv.WrongUnit, ("memory", "'GW'", "'byte'")),
    Case("filter: no date", lambda: nv.chips(since="soon"), nv.InvalidInput, ("since", "'soon'", "2022-10")),
    Case("filter: number format", lambda: nv.systems(precision="fp5"), nv.UnknownName, ("no precision 'fp5'",)),
    Case("filter: networks have no dates", lambda: nv.networks(since=2020), nv.InvalidInput, ("since",)),
    Case("filter: networks have no number formats", lambda: nv.networks(precision="fp8"), nv.InvalidInput, ("precision",)),
    # ------------------------------------------------------------------ missing number formats
    Case(
        "precision: not on the chip",
        lambda: nv.chip("H100").rate("fp4"),
        nv.MissingPrecision,
        ("h100-sxm has no fp4 rate", "it has", "fp8"),
    ),
    Case("precision: ridge point", lambda: nv.chip("P100").ridge_point("bf16"), nv.MissingPrecision, ("p100-sxm2", "bf16", "fp16")),
    Case("precision: of a system", lambda: _node().peak("fp4"), nv.MissingPrecision, ("h100-sxm has no fp4 rate",)),
    Case(
        "precision: of a curve", lambda: nv.curves(["dgx-1-p100", "dgx-h100"], "fp8"), nv.MissingPrecision, ("p100-sxm2 has no fp8 rate",)
    ),
    Case("precision: of rooflines", lambda: nv.rooflines("dgx-h100", "fp4"), nv.MissingPrecision, ("h100-sxm has no fp4 rate",)),
    Case(
        "precision: none at all", lambda: _nothing_published().lowest_precision(), nv.MissingPrecision, ("slate", "no floating-point rate")
    ),
    Case("precision: no rate known", lambda: _nothing_published().rate("fp8"), nv.MissingPrecision, ("slate", "no published rate at all")),
    # ------------------------------------------------------------------ missing figures
    Case(
        "figure of a chip",
        lambda: _nothing_published().figure("memory_bandwidth"),
        nv.MissingFigure,
        ("slate", "replace(memory_bandwidth=...)"),
    ),
    Case("figure of a roll-up", lambda: nv.system(_nothing_published()).power, nv.MissingFigure, ("no power of slate", "chip.power")),
    Case(
        "figure of a part",
        lambda: _node().replace(**{"parts.rack.power": None}).power,
        nv.MissingFigure,
        ("no power of rack", "parts.rack.power"),
    ),
    Case("no network", lambda: nv.system(nv.chip("H100")).scaleup_chips, nv.MissingFigure, ("has no network", "add(")),
    Case(
        "no network joins all",
        lambda: nv.system("gb200-nvl72").replace(networks=()).bisection_bandwidth,
        nv.MissingFigure,
        ("no network joins all",),
    ),
    Case("no date", lambda: nv.curves([_node().replace(shipped=None, released=None)]), nv.MissingFigure, ("dgx-h100", "replace(shipped=")),
    Case(
        "growth of what nobody has",
        lambda: nv.curves(["gb300-nvl72", "dgx-h100"]).growth("price"),
        nv.MissingFigure,
        ("growth of price", "no price"),
    ),
    Case(
        "metric of a bare chip",
        lambda: METRICS["price"].estimator(nv.system(_nothing_published()), "fp8", nv.prices()),
        nv.MissingFigure,
        ("price",),
    ),
]
