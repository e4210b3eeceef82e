"""Design of algorithm and machine together: what neither brings alone, and the ladder of number formats with its cost in quality."""

import itertools
import math

from nvscale import laws
from nvscale.analysis.attribution import attribute
from nvscale.catalogue import chip, default, model, system
from nvscale.errors import MissingFigure
from nvscale.estimators.kernels import kernel
from nvscale.estimators.serving import serving
from nvscale.evidence.findings import Finding
from nvscale.evidence.tables import figure, history
from nvscale.formats import precision
from nvscale.formulas.decomposition import log_share
from nvscale.workloads import Gemm
from nvscale.workloads.serving import Serving

MODEL = "llama-2-70b"
OLD, NEW = ("dgx-a100", "bf16"), ("gb200-nvl72", "nvfp4")
NARROW_ON_OLD = "int4_weight_only"
EVEN = 8192.0
WIDE = 16.0


def _rate(machine: str, number_format: str, per_chip: float) -> float:
    """Tokens a second and megawatt at so many users a chip."""
    placed = system(machine)
    work = Serving(model=model(MODEL), isl=1024.0, osl=256.0, concurrency=per_chip * placed.chips, precision=number_format)
    return float(serving(work, placed)["tokens per second per megawatt"].value)


def co_design(at_least: float = 1.0, least_share: float = 0.1) -> list[Finding]:
    """Findings on whether number format and machine bring more together than each alone, and on the shares of both."""
    found = []
    for per_chip in (1.0, 8.0, 32.0):
        start = _rate(*OLD, per_chip)
        format_alone = _rate(OLD[0], NARROW_ON_OLD, per_chip) / start
        machine_alone = _rate(NEW[0], OLD[1], per_chip) / start
        both = _rate(*NEW, per_chip) / start
        how = (
            f"{MODEL}, tokens/s per MW at {per_chip:g} users a chip: together x{both:.3g}, "
            f"over 4-bit weights on {OLD[0]} x{format_alone:.3g} times {NEW[0]} at {OLD[1]} x{machine_alone:.3g}"
        )
        words = f"together over each alone, {per_chip:g} users a chip"
        found.append(Finding(words, both / (format_alone * machine_alone), at_least=math.nextafter(at_least, 2.0), method=how))
    representation, total = (
        default().number("trends", "huangs-law-2023", f"factor.{name}", "1")[0] for name in ("number_representation", "total")
    )
    how = "log share of number representation in Huang's law: a format that both the unit and the network must know"
    found.append(Finding("share of number formats, one chip", log_share(representation, total), at_least=least_share, method=how))
    rows = history("nvidia-data-centre").rows
    flops, tokens = (figure(rows[-1], name) / figure(rows[0], name) for name in ("exaflop_per_s", "tokens_per_year"))
    how = "log share of tokens per FLOP in the vendor's table: software, models and batches beside the chips"
    found.append(Finding("share of tokens per FLOP, site", log_share(tokens / flops, tokens), at_least=least_share, method=how))
    before, after = (_scenario(*place) for place in (OLD, NEW))
    shares = attribute(serving, before, after, output="tokens per second per megawatt").shares
    how = f"Shapley, log scale, 8 users a chip, {OLD[0]} at {OLD[1]} to {NEW[0]} at {NEW[1]}: {_listed(shares)}"
    found.append(Finding("share of the number format, serving", shares["number format"], method=how))
    return found


def _scenario(machine: str, number_format: str) -> dict[str, object]:
    placed = system(machine)
    work = Serving(model=model(MODEL), isl=1024.0, osl=256.0, concurrency=8.0 * placed.chips, precision=number_format)
    return {"work": work, "system": placed}


def _listed(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:+.0%}" for name, share in sorted(shares.items(), key=lambda item: -abs(item[1])) if abs(share) > 0.005)


def quality(bits: float) -> float:
    """Return the effective compute at equal loss of training in so many bits, relative to 16, for each operation's worth of bits.

    Source: Kumar et al. 2024; integer formats, models up to 1.7e9 parameters; not block-scaled formats.

    Examples
    --------
    >>> round(8 * quality(8.0) / 4, 5), round(quality(4.0) * 16 / 4, 5)
    (1.85422, 2.56398)
    """
    constants = laws.load("precision/kumar-2024").constants
    sensitive = [value for name, value in constants.items() if name.startswith("gamma")]

    def kept(b: float) -> float:
        return math.prod(-math.expm1(-b / gamma) for gamma in sensitive)

    return kept(bits) / kept(WIDE)


def number_formats(
    name: str = "gb200", ladder: tuple[str, ...] = ("fp64", "fp32", "bf16", "fp8", "fp4"), at_least: float = 1.0
) -> list[Finding]:
    """Findings on every step of the ladder of formats: peak, bytes, measured product, and what is left after the loss of quality."""
    part = chip(name)
    needed = math.nextafter(at_least, 2.0)
    found = []
    for wide, narrow in itertools.pairwise(ladder):
        gain = part.rate(narrow) / part.rate(wide)
        saved = precision(wide).bytes_per_element / precision(narrow).bytes_per_element
        how = f"dense peak of {name}; bytes per element /{saved:.3g}"
        found.append(Finding(f"{wide} to {narrow}, peak", gain, at_least=needed, method=how))
    for wide, narrow in (("bf16", "fp8"), ("bf16", "nvfp4")):
        ratio = _measured(name, wide, narrow)
        if ratio is not None:
            how = f"product of {EVEN:g} by {EVEN:g} matrices on {name}, kernel estimator with constants fitted to measurements"
            found.append(Finding(f"{wide} to {narrow}, measured product", ratio, at_least=needed, method=how))
    for narrow, bits in (("fp8", 8.0), ("fp4", 4.0)):
        left = part.rate(narrow) / part.rate("bf16") * quality(bits)
        how = f"peak gain times what {bits:g} bits keep of the effective parameters (x{quality(bits):.4f}), law of small integer models"
        found.append(Finding(f"bf16 to {narrow}, training at equal loss", left, at_least=needed, method=how))
    return found


def _measured(name: str, wide: str, narrow: str) -> float | None:
    try:
        times = [kernel(Gemm(m=EVEN, n=EVEN, k=EVEN, precision=form), name).value for form in (wide, narrow)]
    except MissingFigure:
        return None
    return float(times[0] / times[1])
