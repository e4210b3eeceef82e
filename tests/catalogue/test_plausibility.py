"""Figures that must fit each other: ladders, peak rates from units and clock, shares of prices, memory as reported.

Where the hardware really breaks the rule, the chip or the figure says so in a note; a break without a note is a typing error.
"""

import re
from collections.abc import Callable

import pytest

import nvscale as nv
from nvscale.silicon import Chip

CHIPS = {chip.name: chip for chip in nv.chips()}
SYSTEMS = {system.name: system for system in nv.systems()}
every_chip = pytest.mark.parametrize("name", CHIPS)

# Wider format at most as fast as the narrower one: (slower, faster).
LADDER = (
    ("fp64_vector", "fp32_vector"),
    ("fp64_vector", "fp64_tensor"),
    ("fp32_vector", "fp16_vector"),
    ("fp32_vector", "bf16"),
    ("fp64_tensor", "bf16"),
    ("tf32", "bf16"),
    ("bf16", "fp16"),
    ("bf16", "fp8"),
    ("fp16", "fp8"),
    ("fp8", "fp6"),
    ("fp8", "fp4"),
    ("fp6", "fp4"),
    ("bf16", "int8"),
    ("int8", "int4"),
)
# Dense flop per streaming multiprocessor and clock of the 16-bit tensor rate; below, the size of each part.
KNOWN_SIZES = (512, 1024, 2048, 4096, 8192)
DATA_CENTER_SIZE = {
    "v100-sxm2-16gb": 1024,
    "v100-sxm2-32gb": 1024,
    "v100-pcie-16gb": 1024,
    "t4": 1024,
    "a100-sxm-40gb": 2048,
    "a100-sxm-80gb": 2048,
    "a100-pcie-80gb": 2048,
    "a30": 2048,
    "a10": 1024,
    "a40": 1024,
    "l4": 1024,
    "h100-sxm": 4096,
    "h100-pcie": 4096,
    "h100-nvl": 4096,
    "h200-sxm": 4096,
    "gh200-96gb": 4096,
    "b100": 8192,
    "b200": 8192,
    "b300": 8192,
}
VECTOR_SIZE = {"Kepler": 384, "Volta": 128, "Pascal": 128}


def said(chip: Chip, *fields: str) -> str:
    """Everything that is noted about a chip or about some of its figures."""
    return " ".join([*chip.notes, *(chip.source(field).note for field in fields)])


@every_chip
def test_ladder_rises_or_a_note_says_why(name: str) -> None:
    chip = CHIPS[name]
    unexplained = []
    for wide, narrow in LADDER:
        slow, fast = getattr(chip.peak, wide), getattr(chip.peak, narrow)
        if slow and fast and slow > fast * 1.001 and not said(chip, f"peak.{wide}", f"peak.{narrow}"):
            unexplained.append(f"{wide} {slow:.4g} above {narrow} {fast:.4g}")
    assert not unexplained


def test_known_breaks_of_the_ladder_are_there() -> None:
    """The audit above is not empty: these chips break the ladder, and are recorded so."""
    broken = {
        name
        for name, chip in CHIPS.items()
        for wide, narrow in LADDER
        if getattr(chip.peak, wide) > 1.001 * getattr(chip.peak, narrow) > 0.0
    }
    assert {"b300", "gb300", "rubin", "p40"} <= broken


@every_chip
def test_steps_of_the_ladder_are_no_typing_errors(name: str) -> None:
    """A rate is within a factor 2 to 20 of its neighbour; a slip of the unit or the sparsity would show."""
    chip = CHIPS[name]
    rates = {field: getattr(chip.peak, field) for field in ("bf16", "fp8", "fp4") if getattr(chip.peak, field)}
    for wide, narrow in (("bf16", "fp8"), ("fp8", "fp4"), ("bf16", "fp4")):
        if wide in rates and narrow in rates:
            plausible = 0.99 <= rates[narrow] / rates[wide] <= 9.0
            assert plausible or said(chip, f"peak.{wide}", f"peak.{narrow}"), (wide, narrow)
    assert all(1e9 < getattr(chip.peak, field) < 1e18 for field in nv.Rates.__dataclass_fields__ if getattr(chip.peak, field))


def _recomputed(accept: Callable[[Chip], float]) -> list[str]:
    return [name for name, chip in CHIPS.items() if chip.vendor == "NVIDIA" and chip.compute_units and chip.clock and accept(chip)]


@pytest.mark.parametrize("name", _recomputed(lambda chip: chip.peak.bf16 or chip.peak.fp16))
def test_tensor_peak_is_units_times_clock_times_a_known_width(name: str) -> None:
    """The 16-bit tensor rate over SM count x clock is 512 ... 8192 flop within 2 %, or a note says which clock it holds at."""
    chip = CHIPS[name]
    field = "bf16" if chip.peak.bf16 else "fp16"
    width = getattr(chip.peak, field) / (chip.compute_units * chip.clock)
    fits = min(abs(width / size - 1.0) for size in KNOWN_SIZES) <= 0.02
    explained = re.search(r"clock|boost|GHz|MHz|SM", said(chip, "clock", f"peak.{field}", "compute_units"))
    assert fits or explained, f"{width:.1f} flop per unit and clock"


@pytest.mark.parametrize("name", DATA_CENTER_SIZE)
def test_tensor_peak_of_a_data_center_part_recomputes(name: str) -> None:
    """A100: 108 SM x 1.41 GHz x 2048 flop = 311.9 TFLOP/s; H100: 132 x 1.83 x 4096 = 989.4; V100: 80 x 1.53 x 1024 = 125.3."""
    chip = CHIPS[name]
    expected = chip.compute_units * chip.clock * DATA_CENTER_SIZE[name]
    assert (chip.peak.bf16 or chip.peak.fp16) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("name", _recomputed(lambda chip: chip.peak.fp32_vector and chip.architecture in VECTOR_SIZE))
def test_vector_peak_recomputes(name: str) -> None:
    chip = CHIPS[name]
    size = VECTOR_SIZE[chip.architecture] * (2 if name in ("p4", "p40") else 1)  # GP102/GP104: 128 lanes a unit, not 64
    assert chip.peak.fp32_vector == pytest.approx(chip.compute_units * chip.clock * size, rel=0.02)


@every_chip
def test_a_clock_is_a_clock(name: str) -> None:
    clock = CHIPS[name].clock
    assert clock is None or 0.3e9 < clock < 6e9


@every_chip
def test_memory_as_reported_is_near_the_memory_as_printed(name: str) -> None:
    chip = CHIPS[name]
    if chip.memory is None or chip.memory_reported is None:
        return
    assert chip.memory_reported == pytest.approx(chip.memory, rel=0.15)


@every_chip
def test_sizes_are_in_the_range_of_things_that_exist(name: str) -> None:
    chip = CHIPS[name]
    bounds = {
        "power": (1.0, 3e4),
        "memory": (1e8, 1e13),
        "memory_bandwidth": (1e10, 3e16),
        "scaleup_bandwidth": (1e9, 3e13),
        "price": (1e2, 3e6),
    }
    bounds |= {"die_area": (1e-5, 0.06), "process_node": (1e-9, 4e-8), "transistors": (1e9, 5e12), "released": (2006.0, 2029.0)}
    for field, (low, high) in bounds.items():
        value = getattr(chip, field)
        assert value is None or low <= value <= high, (field, value)


@every_chip
def test_links_and_bandwidth_agree_with_an_nvlink_generation(name: str) -> None:
    """NVLink carries 20, 25, 50 or 100 GB/s a link and direction."""
    chip = CHIPS[name]
    if chip.vendor != "NVIDIA" or chip.kind != "gpu" or not chip.scaleup_links or not chip.scaleup_bandwidth:
        return
    each = chip.scaleup_bandwidth / chip.scaleup_links
    fits = any(each == pytest.approx(link, rel=0.03) for link in (20e9, 25e9, 50e9, 100e9))
    assert fits or said(chip, "scaleup_bandwidth", "scaleup_links"), f"{each / 1e9:.1f} GB/s a link"


SHARES = [name for name, chip in CHIPS.items() if chip.source("price").basis.startswith("share of")]


@pytest.mark.parametrize("name", SHARES)
def test_a_share_of_a_price_is_the_price_over_the_chips(name: str) -> None:
    """A chip price "share of ..." is the price of a system over its chips; the note says which, as "129000 USD / 8"."""
    source = CHIPS[name].source("price")
    stated = re.search(r"([\d.]+) (M?)USD / (\d+)", source.note)
    assert stated, source.note
    whole = float(stated[1]) * (1e6 if stated[2] else 1.0)
    assert CHIPS[name].price == pytest.approx(whole / float(stated[3]), rel=0.005)
    assert source.kind == "derived"


LAUNCHED = {
    "dgx-1-p100": "p100-sxm2",
    "dgx-1-v100": "v100-sxm2-16gb",
    "dgx-a100": "a100-sxm-40gb",
    "dgx-b200": "b200",
    "gb200-nvl72": "gb200",
    "vera-rubin-nvl72": "rubin",
}


@pytest.mark.parametrize(("system", "chip"), LAUNCHED.items())
def test_shares_agree_with_the_system_of_the_catalogue(system: str, chip: str) -> None:
    assert SYSTEMS[system].price / SYSTEMS[system].chips == pytest.approx(CHIPS[chip].price, rel=0.005)


def test_the_price_of_a_system_is_never_counted_with_its_chips_twice() -> None:
    """Where the chip's price is a share of a system's, the system's price holds the chips."""
    for name in SHARES:
        for system in (one for one in SYSTEMS.values() if one.chip.name == name and any(part.price for part in one.parts)):
            assert "chips" not in system.price_terms()


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_draws_at_least_its_chips(name: str) -> None:
    system = SYSTEMS[name]
    try:
        power = system.power
    except nv.MissingFigure:
        return
    covered = any(part.covers_chip_power for part in system.parts)
    chips = (system.chip.power or 0.0) * system.chips
    assert power >= chips * (0.6 if covered else 1.0), "the chips of a system may be capped, but not by half"
    assert power <= 6.0 * chips or not chips


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_is_made_of_what_exists(name: str) -> None:
    system = SYSTEMS[name]
    assert system.scaleup_chips <= system.chips if system.networks else True
    assert system.status != "shipped" or system.chip.status == "shipped"
    if system.released is not None and system.chip.released is not None:
        assert system.released >= system.chip.released - 1.5
    for network in system.networks:
        assert 1e9 < network.bandwidth < 3e13
