"""Efficiency: the few physical constants between a bare roofline and a measured time, each with unit and origin."""

from nvscale.efficiencies.base import IDEAL, Efficiency, Spread
from nvscale.efficiencies.matrix_multiplies import GemmEfficiency

__all__ = ["IDEAL", "Efficiency", "GemmEfficiency", "Spread"]
