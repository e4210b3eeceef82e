"""nvscale: how fast, how much energy, how many dollars, what is in the way, and what would change it.

Closed-form performance, energy and cost of accelerated computing, from one matrix multiply to a
gigawatt site. `import nvscale as nv`; names are loaded when they are first used.

>>> import nvscale as nv
>>> nv.chip("H100").ridge_point("fp8") > 500
True
"""

import importlib
from typing import TYPE_CHECKING, Any

from nvscale._version import __version__

if TYPE_CHECKING:
    from nvscale import catalogue, formulas, quantities
    from nvscale.analysis.decomposition import Decomposition
    from nvscale.analysis.roadmap import Curves
    from nvscale.analysis.trends import Growth, fit_growth
    from nvscale.catalogue import Catalogue, chip, chips, load, network, networks, system, systems
    from nvscale.composition import Network, Part, System
    from nvscale.errors import (
        CatalogueError,
        InvalidInput,
        MissingDependency,
        MissingFigure,
        MissingPrecision,
        NvscaleError,
        UnknownName,
        WrongUnit,
    )
    from nvscale.estimate import Estimate
    from nvscale.formats import Precision, precision, precisions
    from nvscale.provenance import Source
    from nvscale.record import Record
    from nvscale.settings import Prices
    from nvscale.silicon import Chip, Rates
    from nvscale.units import Unit
    from nvscale.views import baselines, curves, prices, rooflines

_HOMES = {
    "nvscale.analysis.decomposition": "Decomposition",
    "nvscale.analysis.roadmap": "Curves",
    "nvscale.analysis.trends": "Growth fit_growth",
    "nvscale.catalogue": "Catalogue chip chips load network networks system systems",
    "nvscale.composition": "Network Part System",
    "nvscale.errors": "CatalogueError InvalidInput MissingDependency MissingFigure MissingPrecision NvscaleError UnknownName WrongUnit",
    "nvscale.estimate": "Estimate",
    "nvscale.formats": "Precision precision precisions",
    "nvscale.provenance": "Source",
    "nvscale.record": "Record",
    "nvscale.settings": "Prices",
    "nvscale.silicon": "Chip Rates",
    "nvscale.units": "Unit",
    "nvscale.views": "baselines curves prices rooflines",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}
_PACKAGES = ("catalogue", "formulas", "quantities")

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Chip",
    "Curves",
    "Decomposition",
    "Estimate",
    "Growth",
    "InvalidInput",
    "MissingDependency",
    "MissingFigure",
    "MissingPrecision",
    "Network",
    "NvscaleError",
    "Part",
    "Precision",
    "Prices",
    "Rates",
    "Record",
    "Source",
    "System",
    "Unit",
    "UnknownName",
    "WrongUnit",
    "__version__",
    "baselines",
    "catalogue",
    "chip",
    "chips",
    "curves",
    "fit_growth",
    "formulas",
    "load",
    "network",
    "networks",
    "precision",
    "precisions",
    "prices",
    "quantities",
    "rooflines",
    "system",
    "systems",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use."""
    if name in _HOME_OF:
        value = getattr(importlib.import_module(_HOME_OF[name]), name)
    elif name in _PACKAGES:
        value = importlib.import_module(f"nvscale.{name}")
    else:
        raise AttributeError(f"module 'nvscale' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
