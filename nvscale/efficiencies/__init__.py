"""Efficiency: the few physical constants between a bare roofline and a measured time, each with unit and origin."""

from nvscale.efficiencies.attention_kernels import AttentionEfficiency, ExpertEfficiency, LatentAttentionEfficiency
from nvscale.efficiencies.base import IDEAL, Efficiency, Spread
from nvscale.efficiencies.matrix_multiplies import GemmEfficiency

__all__ = [
    "IDEAL",
    "AttentionEfficiency",
    "Efficiency",
    "ExpertEfficiency",
    "GemmEfficiency",
    "LatentAttentionEfficiency",
    "Spread",
]
