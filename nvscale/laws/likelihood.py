"""How likely runs are by a law: the density that belongs to the Huber loss, and the ratio test between two laws."""

import math
from dataclasses import dataclass
from typing import Any

from nvscale.errors import InvalidInput
from nvscale.laws.law import Law
from nvscale.laws.runs import read_points

DELTA = 1e-3


@dataclass(frozen=True)
class LikelihoodRatio:
    """The ratio test between a law and a better one of the same form.

    Parameters
    ----------
    log_likelihood, better : float
        Of both.
    freedom : int
        Constants of the form.
    p_value : float
        Chance of so large a ratio if the law were right.
    """

    log_likelihood: float
    better: float
    freedom: int
    p_value: float

    @property
    def statistic(self) -> float:
        """Twice the difference of the log likelihoods."""
        return 2.0 * (self.better - self.log_likelihood)


def log_likelihood(law: Law, data: Any = "chinchilla-figure-4", delta: float = DELTA) -> float:
    r"""Return the log likelihood of runs by a law, with the scale of the residuals that suits it best.

    $$\ln p = -\sum_i \mathrm{Huber}_\delta\left(\frac{r_i}{\sigma}\right) - n \ln \left(\sigma Z_\delta\right)$$

    with residuals r of the logarithm of the loss, and Z the norm of the density; the test of Besiroglu et al. 2024.

    Parameters
    ----------
    law : Law
        A law of the loss by parameters and tokens.
    data : Points or what `read_points` takes
        The runs.
    delta : float
        Scaled residual up to which the Huber loss is quadratic.

    >>> from nvscale import laws
    >>> round(laws.log_likelihood(laws.load("chinchilla/hoffmann-2022")), 2)
    837.78
    """
    import numpy as np
    from scipy import optimize, stats

    points = read_points(data)
    predicted = law.loss(extrapolate="allow", **{name: points[name] for name in law.form.variables})
    residual = np.log(predicted) - np.log(points["loss"])
    norm = math.sqrt(2.0 * math.pi) * (1.0 - 2.0 * float(stats.norm.sf(delta))) + 2.0 * math.exp(-0.5 * delta**2) / delta

    def cost(log_scale: float) -> float:
        scaled = residual / math.exp(log_scale)
        bent = np.clip(scaled, -delta, delta)
        return float((bent * (scaled - 0.5 * bent)).sum()) + len(residual) * (log_scale + math.log(norm))

    start = math.log(delta * float(np.abs(residual).mean()))
    best = optimize.minimize_scalar(cost, bounds=(start - 5.0, start + 5.0), method="bounded", options={"xatol": 1e-10})
    return -float(best.fun)


def likelihood_ratio(law: Law, better: Law, data: Any = "chinchilla-figure-4") -> LikelihoodRatio:
    """Return the ratio test of a law against a better one of the same form.

    Parameters
    ----------
    law, better : Law
        The law that is tested, and the one with the higher likelihood.
    data : Points or what `read_points` takes
        The runs.

    >>> from nvscale import laws
    >>> test = laws.likelihood_ratio(laws.load("chinchilla/hoffmann-2022"), laws.load("chinchilla/besiroglu-2024-notebook"))
    >>> round(test.statistic, 1), test.p_value < 1e-15
    (84.0, True)
    """
    from scipy import stats

    if law.form.name != better.form.name:
        raise InvalidInput(f"{law.name} has the form {law.form.name}, {better.name} the form {better.form.name}; wanted two of one form")
    lower, upper = log_likelihood(law, data), log_likelihood(better, data)
    freedom = len(law.form.constants)
    return LikelihoodRatio(lower, upper, freedom, float(stats.chi2.sf(max(2.0 * (upper - lower), 0.0), freedom)))
