"""Software: what the same hardware gained from round to round."""

import math
import statistics

from nvscale.evidence.findings import Finding
from nvscale.evidence.software import SUITES, gains, same_hardware


def same_hardware_gain(at_least: float = 5.0, gpu: str = "h100-sxm") -> list[Finding]:
    """Findings on the gain within a year on the same hardware: median and best of each suite."""
    found = []
    for suite in SUITES:
        series = same_hardware(suite, gpu)
        made = gains(series)
        spread = [one.best_within_a_year for one in series]
        found.append(
            Finding(
                f"{suite}, median", made.median_within_a_year, "1", min(spread), max(spread), at_least, None,
                f"best gain between rounds at most a year apart, median of {len(series)} series; span of all",
            )
        )  # fmt: skip
        found.append(Finding(f"{suite}, best", made.best_within_a_year, at_least=at_least, method=made.best))
    return found


def software_accrues(at_least: float = 1.05, gpu: str = "h100-sxm") -> list[Finding]:
    """Findings on what an installed machine gains a year by software alone, and on how that dies away."""
    found = []
    for suite in SUITES:
        series = same_hardware(suite, gpu)
        made = gains(series)
        how = f"geometric mean of {made.count} series that span ten months; entries handed in again unchanged left out"
        found.append(Finding(f"{suite}, mean a year", made.mean_per_year, "1", made.low, made.high, at_least, None, how))
        found.append(Finding(f"{suite}, share of series that got faster", made.improved, at_least=0.5, method=f"{len(series)} series"))
        later = [one for one in series if len(one.speeds) > 2]
        first = statistics.fmean(math.log(one.speeds[1]) for one in later)
        last = statistics.fmean(math.log(one.speeds[-1] / one.speeds[-2]) for one in later)
        note = f"mean ln gain of the last round over that of the first, {len(later)} series of three rounds or more"
        found.append(Finding(f"{suite}, last round over first round", last / first, method=note))
    return found
