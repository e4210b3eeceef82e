"""Scaling laws as dated, cited sets of constants: loaded by name, compared, inverted, and fitted to runs of one's own.

>>> from nvscale import laws
>>> law = laws.load("chinchilla/besiroglu-2024")
>>> print(law.optimum(compute=1e22))
chinchilla/besiroglu-2024 at 10 ZFLOP
  parameters: 9.045 billion (90%: 7.332 billion to 11.16 billion)
  ...
"""

from nvscale.errors import unknown
from nvscale.laws.choices import DataLimitedOptimum, StudentOrOwn, data_limited_optimum, student_or_own
from nvscale.laws.comparison import DECISIONS, Comparison, compare
from nvscale.laws.fit_results import LawFit
from nvscale.laws.fitting import fit_law
from nvscale.laws.law import Covariance, Law, fitted_law
from nvscale.laws.lifetimes import LifetimeOptimum
from nvscale.laws.likelihood import LikelihoodRatio, likelihood_ratio, log_likelihood
from nvscale.laws.optima import OptimalAllocation
from nvscale.laws.reading import shipped_laws
from nvscale.laws.runs import Points, data_sets, read_points

__all__ = [  # noqa: RUF022 - in the order of `sorted`, as a test says
    "Comparison",
    "Covariance",
    "DECISIONS",
    "DataLimitedOptimum",
    "Law",
    "LawFit",
    "LifetimeOptimum",
    "LikelihoodRatio",
    "OptimalAllocation",
    "Points",
    "StudentOrOwn",
    "compare",
    "data_limited_optimum",
    "data_sets",
    "fit_law",
    "fitted_law",
    "likelihood_ratio",
    "load",
    "log_likelihood",
    "names",
    "read_points",
    "student_or_own",
]


def names(family: str = "") -> list[str]:
    """Return the names of the laws, of one family or of all.

    Parameters
    ----------
    family : str
        What stands before the slash, such as "chinchilla"; all without.

    >>> from nvscale import laws
    >>> laws.names("precision")
    ['precision/kumar-2024', 'precision/kumar-2024-post-training']
    """
    found = list(shipped_laws())
    families = dict.fromkeys(name.partition("/")[0] for name in found)
    if family and family not in families:
        raise unknown("family of laws", family, families)
    return [name for name in found if not family or name.startswith(f"{family}/")]


def load(name: str) -> Law:
    """Return a law by name.

    Parameters
    ----------
    name : str
        Family, author and year, as `names` lists them.

    >>> from nvscale import laws
    >>> laws.load("chinchilla/hoffmann-2022").constants["alpha"]
    0.33917084
    """
    if name not in shipped_laws():
        raise unknown("law", name, shipped_laws())
    return shipped_laws()[name]
