"""Parallel speed-up: how much faster many processors are, for fixed, scaled and memory-bounded work."""

from nvscale.ops import sqrt
from nvscale.unit_types import Count, Ratio, Share

__all__ = [
    "amdahl_speedup",
    "gustafson_speedup",
    "hill_marty_asymmetric_speedup",
    "hill_marty_dynamic_speedup",
    "hill_marty_symmetric_speedup",
    "sun_ni_speedup",
    "usl_best_size",
    "usl_capacity",
]


def amdahl_speedup(serial_share: Share, processors: Count) -> Ratio:
    r"""Speed-up of a fixed amount of work.

    $$S = \frac{1}{s + (1 - s)/n}$$

    Parameters
    ----------
    serial_share : 1, broadcast
        Share s of the time on one processor that cannot be spread.
    processors : 1, broadcast
        Processors n.

    Returns
    -------
    1, broadcast
        Time on one processor over time on n.

    Assumptions
    -----------
    The rest is perfectly parallel; communication costs nothing.

    References
    ----------
    Amdahl, "Validity of the single processor approach", AFIPS 1967; as a formula in Gustafson, Communications of the ACM 31(5), 1988.

    Examples
    --------
    5 % of serial time leaves 72 chips a speed-up of 15.8.

    >>> round(amdahl_speedup(0.05, 72.0), 4)
    15.8242
    """
    return 1.0 / (serial_share + (1.0 - serial_share) / processors)


def gustafson_speedup(serial_share: Share, processors: Count) -> Ratio:
    r"""Speed-up when the parallel work grows with the processors, so that the run time stays.

    $$S = s + (1 - s)\,n$$

    Parameters
    ----------
    serial_share : 1, broadcast
        Share s of the time on the parallel machine that is serial.
    processors : 1, broadcast
        Processors n.

    Returns
    -------
    1, broadcast
        Time that one processor would take, over the time taken.

    Assumptions
    -----------
    Only the parallel part grows with the machine.

    References
    ----------
    Gustafson, "Reevaluating Amdahl's Law", Communications of the ACM 31(5), 1988 (scaled speed-up, due to Barsis).

    Examples
    --------
    >>> round(gustafson_speedup(0.05, 72.0), 4)
    68.45
    """
    return serial_share + (1.0 - serial_share) * processors


def sun_ni_speedup(serial_share: Share, processors: Count, work_growth: Ratio) -> Ratio:
    r"""Speed-up when the parallel work grows as far as the memory of all processors allows.

    $$S = \frac{s + (1 - s) G}{s + (1 - s) G/n}$$

    Parameters
    ----------
    serial_share : 1, broadcast
        Share s of the original work that is serial.
    processors : 1, broadcast
        Processors n, each with its own memory.
    work_growth : 1, broadcast
        Factor G(n) by which n times the memory lets the parallel work grow: n^1.5 for matrix multiply.

    Returns
    -------
    1, broadcast
        Time of one processor for the grown work, over the time of n.

    Assumptions
    -----------
    Serial work does not grow; communication costs nothing. G = 1 is Amdahl's law, G = n is Gustafson's.

    References
    ----------
    Sun, Ni, "Another View on Parallel Speedup", Supercomputing 1990, simplified memory-bounded speed-up.

    Examples
    --------
    Matrix multiply on 16 processors: 16^1.5 = 64 times the work.

    >>> round(sun_ni_speedup(0.1, 16.0, 64.0), 3)
    15.595
    """
    grown = (1.0 - serial_share) * work_growth
    return (serial_share + grown) / (serial_share + grown / processors)


def usl_capacity(processors: Count, contention: Share, coherency: Ratio) -> Ratio:
    r"""Relative capacity of n processors by the universal scalability law.

    $$C(n) = \frac{n}{1 + \sigma (n - 1) + \kappa\,n (n - 1)}$$

    Parameters
    ----------
    processors : 1, broadcast
        Processors n (or users, threads, chips).
    contention : 1, broadcast
        Share sigma of the work that queues for a shared resource.
    coherency : 1, broadcast
        Cost kappa of keeping one pair consistent, relative to the work of one.

    Returns
    -------
    1, broadcast
        Throughput relative to one processor.

    Assumptions
    -----------
    Every processor exchanges with every other. With kappa = 0 it is Amdahl's law, with both 0 it is linear.

    References
    ----------
    Gunther, "Guerrilla Capacity Planning", 2007, chapter 4, universal scalability law.

    Examples
    --------
    >>> round(usl_capacity(32.0, 0.02, 0.0005), 4)
    15.1229
    """
    others = processors - 1.0
    return processors / (1.0 + contention * others + coherency * processors * others)


def usl_best_size(contention: Share, coherency: Ratio) -> Ratio:
    r"""Number of processors at which the universal scalability law peaks.

    $$n^* = \sqrt{\frac{1 - \sigma}{\kappa}}$$

    Parameters
    ----------
    contention : 1, broadcast
        Share sigma of the work that queues for a shared resource.
    coherency : 1, broadcast
        Cost kappa of keeping one pair consistent, above 0 (without it more is never worse).

    Returns
    -------
    1, broadcast
        Best size, not rounded; beyond it throughput falls.

    Assumptions
    -----------
    Those of `usl_capacity`.

    References
    ----------
    Gunther, "Guerrilla Capacity Planning", 2007, chapter 4; derivation: the slope of `usl_capacity` is 0.

    Examples
    --------
    >>> round(usl_best_size(0.02, 0.0005), 4)
    44.2719
    """
    return sqrt((1.0 - contention) / coherency)


def hill_marty_symmetric_speedup(serial_share: Share, chip_resources: Count, core_resources: Count) -> Ratio:
    r"""Speed-up of a chip of equal cores, each built from several base cores.

    $$S = \frac{1}{\dfrac{s}{\sqrt{r}} + \dfrac{(1 - s)\,r}{\sqrt{r}\,n}}$$

    Parameters
    ----------
    serial_share : 1, broadcast
        Share s of the work, on one base core, that is serial.
    chip_resources : 1, broadcast
        Base cores n that the chip has room for.
    core_resources : 1, broadcast
        Base cores r that one core is made of, at most n.

    Returns
    -------
    1, broadcast
        Speed-up over one base core.

    Assumptions
    -----------
    A core of r base cores is sqrt(r) times as fast (Pollack's rule); n/r need not be whole.

    References
    ----------
    Hill, Marty, "Amdahl's Law in the Multicore Era", IEEE Computer 41(7), 2008, symmetric multicore chips.

    Examples
    --------
    99 % parallel work on 256 base cores: a speed-up of 72.

    >>> round(hill_marty_symmetric_speedup(0.01, 256.0, 1.0))
    72
    """
    performance = sqrt(core_resources)
    return performance / (serial_share + (1.0 - serial_share) * core_resources / chip_resources)


def hill_marty_asymmetric_speedup(serial_share: Share, chip_resources: Count, core_resources: Count) -> Ratio:
    r"""Speed-up of a chip with one large core among base cores.

    $$S = \frac{1}{\dfrac{s}{\sqrt{r}} + \dfrac{1 - s}{\sqrt{r} + n - r}}$$

    Parameters
    ----------
    serial_share : 1, broadcast
        Share s of the work, on one base core, that is serial.
    chip_resources : 1, broadcast
        Base cores n that the chip has room for.
    core_resources : 1, broadcast
        Base cores r that the large core takes the room of, at most n.

    Returns
    -------
    1, broadcast
        Speed-up over one base core.

    Assumptions
    -----------
    A core of r base cores is sqrt(r) times as fast (Pollack's rule); all cores share the parallel part.

    References
    ----------
    Hill, Marty, "Amdahl's Law in the Multicore Era", IEEE Computer 41(7), 2008, asymmetric multicore chips.

    Examples
    --------
    97.5 % parallel work, 256 base cores, 65 of them for the large core.

    >>> round(hill_marty_asymmetric_speedup(0.025, 256.0, 65.0), 1)
    125.0
    """
    performance = sqrt(core_resources)
    return 1.0 / (serial_share / performance + (1.0 - serial_share) / (performance + chip_resources - core_resources))


def hill_marty_dynamic_speedup(serial_share: Share, chip_resources: Count, core_resources: Count) -> Ratio:
    r"""Speed-up of a chip whose base cores join into one large core for serial work.

    $$S = \frac{1}{\dfrac{s}{\sqrt{r}} + \dfrac{1 - s}{n}}$$

    Parameters
    ----------
    serial_share : 1, broadcast
        Share s of the work, on one base core, that is serial.
    chip_resources : 1, broadcast
        Base cores n of the chip.
    core_resources : 1, broadcast
        Base cores r that join for the serial part, at most n.

    Returns
    -------
    1, broadcast
        Speed-up over one base core.

    Assumptions
    -----------
    Joined, r base cores are sqrt(r) times as fast (Pollack's rule); joining and parting cost nothing.

    References
    ----------
    Hill, Marty, "Amdahl's Law in the Multicore Era", IEEE Computer 41(7), 2008, dynamic multicore chips.

    Examples
    --------
    99 % parallel work, all 256 base cores joined for the rest.

    >>> round(hill_marty_dynamic_speedup(0.01, 256.0, 256.0))
    223
    """
    return 1.0 / (serial_share / sqrt(core_resources) + (1.0 - serial_share) / chip_resources)
