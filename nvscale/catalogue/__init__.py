"""The catalogue: chips, networks, systems and models from data files in which every figure has its source."""

from pathlib import Path
from typing import Any

from nvscale.catalogue.lookup import Catalogue, full_catalogue, shipped_catalogue
from nvscale.composition import Network, System
from nvscale.errors import UnknownName
from nvscale.silicon import Chip
from nvscale.transformers import Model

__all__ = ["Catalogue", "chip", "chips", "default", "load", "model", "models", "network", "networks", "system", "systems"]


def default() -> Catalogue:
    """Return the catalogue that comes with nvscale."""
    return shipped_catalogue()


def load(path: str | Path, base: Catalogue | None = None) -> Catalogue:
    """Return the catalogue with a user's TOML file added; nothing global changes.

    Parameters
    ----------
    path : str or Path
        A TOML file with tables [chips.NAME], [networks.NAME], [systems.NAME], [models.NAME], [sources.NAME].
    base : Catalogue, optional
        What to add it to; the shipped catalogue by default.

    Returns
    -------
    Catalogue
        Use its methods: `load("mine.toml").chip("my-chip")`.

    Raises
    ------
    CatalogueError
        The file is broken; the message names file, entry and field of everything found wrong.
    """
    return (base or shipped_catalogue()).with_file(path)


def chip(name: "str | Chip") -> Chip:
    """Return a chip of the catalogue by name or alias.

    >>> chip("H100").name, chip("h100_sxm").memory_bandwidth
    ('h100-sxm', 3352000000000.0)
    """
    return _first_of("chip", name)  # type: ignore[no-any-return]


def network(name: "str | Network") -> Network:
    """Return a network of the catalogue by name or alias.

    >>> network("nvlink-5").bandwidth
    900000000000.0
    """
    return _first_of("network", name)  # type: ignore[no-any-return]


def system(name: "str | System | Chip") -> System:
    """Return a system by name or alias; a chip gives a system of one chip, to build on with `add`.

    >>> system("gb200-nvl72").chips
    72.0
    """
    return _first_of("system", name)  # type: ignore[no-any-return]


def model(name: "str | Model") -> Model:
    """Return a transformer model by name or alias.

    >>> model("Llama-3.1-70B").layers, model("meta-llama/Llama-3.1-70B").parameters
    (80.0, 70553706496.0)
    """
    return _first_of("model", name)  # type: ignore[no-any-return]


def _first_of(kind: str, name: Any) -> Any:
    """Look in the shipped catalogue first; only an unknown name makes us look at installed packages."""
    try:
        return getattr(shipped_catalogue(), kind)(name)
    except UnknownName:
        return getattr(full_catalogue(), kind)(name)


def chips(**filters: Any) -> tuple[Chip, ...]:
    """Return the chips that fit all filters, oldest first.

    Filters: vendor, kind, market, architecture, status, precision, since, until, and any figure of
    a chip as a least value.

    >>> [c.name for c in chips(vendor="NVIDIA", precision="fp4", memory_bandwidth="7.9 TB/s", status="shipped")]
    ['gb200', 'gb300']
    """
    return shipped_catalogue().chips(**filters)


def networks(**filters: Any) -> tuple[Network, ...]:
    """Return the networks that fit all filters (kind, and figures as least values).

    >>> len(networks(kind="scale-up")) > 15
    True
    """
    return shipped_catalogue().networks(**filters)


def systems(**filters: Any) -> tuple[System, ...]:
    """Return the systems that fit all filters (vendor, level, status, precision, since, until ...), oldest first.

    >>> [s.name for s in systems(vendor="NVIDIA", level="rack", status="shipped")][0]
    'gb200-nvl72'
    """
    return shipped_catalogue().systems(**filters)


def models(**filters: Any) -> tuple[Model, ...]:
    """Return the models that fit all filters, by name.

    Filters: family, organisation, architecture, `parameters` and `active_parameters`, and any figure of a
    model as a least value.

    >>> [m.name for m in models(organisation="Meta", parameters=400e9)]
    ['llama-3.1-405b', 'llama-4-maverick']
    """
    return shipped_catalogue().models(**filters)
