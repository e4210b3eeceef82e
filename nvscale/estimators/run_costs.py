"""`run_costs`: what a training run costs by the three methods that are published, told apart."""

from typing import Any, cast

from nvscale.estimate import Estimate, derived, figure, term, total
from nvscale.estimators.fleets import YEAR
from nvscale.estimators.rents import rent_of
from nvscale.estimators.runs import TrainingRun
from nvscale.estimators.site_terms import site_terms
from nvscale.estimators.training_results import TrainingStep
from nvscale.formulas import cost
from nvscale.settings import Prices

CLOUD = "renting the chips for the hours of the run, by the newest published rent"
AMORTISED = "the run's share of the life of its hardware, and its energy; no staff, no failed experiments"
PURCHASE = "buying all hardware of the run, which is still worth something afterwards"


def run_costs(
    run: TrainingRun, *, rent: Any = None, prices: Prices | None = None, network_share: Any = None, utilisation: Any = 1.0
) -> dict[str, Estimate]:
    """Return the cost of a training run by three methods: "cloud", "amortised" and "purchase", in USD.

    Parameters
    ----------
    run : TrainingRun
        As `training_run` gives it.
    rent : USD/s or str, optional
        "2.5 USD/h", the name of an entry of the price list, or the newest published rent of the chip.
    prices : Prices, optional
        Energy price, cost of capital, life.
    network_share : 1, optional
        Share of the scale-out network in the price of systems and network; as for `site`.
    utilisation : 1
        Share of its life that the hardware works, over which it is written off.

    Returns
    -------
    dict of str to Estimate
        The three differ by an order of magnitude; none is wrong.

    Examples
    --------
    >>> import nvscale as nv
    >>> job = nv.Training(model=nv.model("llama-3.1-8b"), sequence=8192, global_batch=1024)
    >>> run = nv.training_run(job, nv.system("dgx-h100").scale(1024), nv.Parallelism(), tokens=15e12)
    >>> found = run_costs(run, rent="2.5 USD/h")
    >>> found["amortised"].value < found["cloud"].value < found["purchase"].value
    True
    """
    system = cast("TrainingStep", run["step"]).system
    terms = site_terms(system, prices=prices, network_share=network_share)
    elapsed, hours = run["days"]["elapsed"], run["chip hours"]
    rate = rent_of(system.chip, rent)
    cloud = derived("cloud", hours.value * 3600.0 * rate.value, "USD", "chip hours x rent", hours, rate, assumptions=(CLOUD,))
    if rate.low is not None:
        cloud.low, cloud.high = (hours.value * 3600.0 * end for end in (rate.low, rate.high))
    share = terms.network_share
    hardware = total(
        "hardware",
        term("systems", system.price, "USD", assumptions=(f"price basis: {system.price_basis}",)),
        derived("network", system.price * share.value / (1.0 - share.value), "USD", "share of systems and network", share),
    )
    recovery = cost.capital_recovery_factor(terms.prices.discount_rate, terms.prices.life / YEAR)
    used = cost.capital_cost_rate(hardware.value, recovery, YEAR) * elapsed.value / utilisation
    lives = [figure(terms.prices, name) for name in ("discount_rate", "life")]
    written = derived("hardware of the run", used, "USD", "price x recovery factor x time / utilisation", hardware, elapsed, *lives)
    amortised = total("amortised", written, run["cost"]["energy of the run"])
    amortised.assumptions = (AMORTISED,)
    purchase = derived("purchase", hardware.value, "USD", "price of systems and network", hardware, assumptions=(PURCHASE,))
    return {"cloud": cloud, "amortised": amortised, "purchase": purchase}
