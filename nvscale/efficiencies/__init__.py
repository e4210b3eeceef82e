"""Efficiency: the few physical constants between a bare roofline and a measured time, each with unit and origin."""

from nvscale.efficiencies.attention_kernels import AttentionEfficiency, ExpertEfficiency, LatentAttentionEfficiency
from nvscale.efficiencies.base import IDEAL, Efficiency, Spread
from nvscale.efficiencies.collectives import (
    DomainEfficiency,
    DomainExchangeEfficiency,
    EngineEfficiency,
    ExchangeEfficiency,
    HostEfficiency,
    NodesEfficiency,
)
from nvscale.efficiencies.matrix_multiplies import GemmEfficiency
from nvscale.efficiencies.passes import PassEfficiency
from nvscale.efficiencies.power import PowerEfficiency

__all__ = [
    "IDEAL",
    "AttentionEfficiency",
    "DomainEfficiency",
    "DomainExchangeEfficiency",
    "Efficiency",
    "EngineEfficiency",
    "ExchangeEfficiency",
    "ExpertEfficiency",
    "GemmEfficiency",
    "HostEfficiency",
    "LatentAttentionEfficiency",
    "NodesEfficiency",
    "PassEfficiency",
    "PowerEfficiency",
    "Spread",
]
