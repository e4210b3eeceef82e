"""Collectives and expert exchanges: scores on the bundled rows, chips that were never fitted, laws of the estimator."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nvscale as nv
from nvscale.errors import InvalidInput, MissingFigure, UnknownName
from nvscale.truth.constants import Constants, shipped_constants
from nvscale.truth.scoring import predict, validate
from nvscale.truth.tables import Table, bundled

DATA_CENTRE = ("a100_sxm", "b200_sxm", "b300_sxm", "gb200", "h100_sxm")
OPERATIONS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all")
SIBLINGS = {"b200_sxm": ("b300", "gb200"), "b300_sxm": ("b200", "gb200"), "gb200": ("b200", "b300")}


@pytest.fixture(scope="module")
def scores():
    return {kind: validate(kind, scheme="shipped") for kind in ("collectives", "all_to_all_multinode", "collectives_multinode")}


# In-sample figures of the constants that come with nvscale; held out they are 4.7 (NVLink) and 8.7 (host) by nested folds of sizes.
@pytest.mark.parametrize(("chip", "most"), [*((chip, 5.0) for chip in DATA_CENTRE), ("rtx_pro_6000_server", 5.0), ("l40s", 11.0)])
def test_collectives_of_the_library(scores, chip, most):
    score = scores["collectives"][f"nccl {chip}"]
    assert score.mape < most and score.without_prediction == 0
    assert score.coverage >= 85.0 and score.interval < 1.5


def test_kernels_of_serving_engines_on_the_median(scores):
    rows = [row for row in scores["collectives"].rows if row.group.startswith("custom") and not row.group.endswith("l40s")]
    assert len(rows) == 28 and all(row.median < 8.0 for row in rows)


def test_expert_exchange_is_within_seven_percent_where_rows_are_many(scores):
    rows = [row for row in scores["all_to_all_multinode"].rows if row.rows >= 32 and row.group != "all"]
    over = {row.group: round(row.mape, 1) for row in rows if row.mape > 7.0}
    assert over == {"deepep_ht_default dispatch": 7.7, "trtllm_nvlinktwosided_nvfp4_lowprec combine": 7.7}  # the misses, said in the notes
    assert scores["all_to_all_multinode"]["all"].mape < 5.0 and 85.0 <= scores["all_to_all_multinode"]["all"].coverage <= 96.0


def test_rows_over_nodes_are_reported_with_a_wide_interval(scores):
    score = scores["collectives_multinode"]["all"]
    assert score.mape < 10.0 and score.interval >= 2.0 and score.coverage > 90.0


def _without(chip, others):
    """Constants as if a chip had never been measured: the median of its siblings stands for the family."""
    shipped = shipped_constants("collectives")
    rows = {key: dict(value) for key, value in shipped.rows.items() if key[2] != chip and not key[2].startswith("family:Blackwell")}
    rows |= {key: value for key, value in shipped.rows.items() if key[0] == ""}
    for class_, path in {key[:2] for key in shipped.rows if key[0] and key[2] in others}:
        sisters = [shipped.rows[class_, path, other] for other in others if (class_, path, other) in shipped.rows]
        for family in ("family:Blackwell", "family:Blackwell Ultra"):
            rows[class_, path, family] = {
                name: one._replace(chip=family, value=float(np.median([sister[name].value for sister in sisters])))
                for name, one in sisters[0].items()
            }
    return {"collectives": Constants("collectives", rows, shipped.intervals)}


@pytest.mark.parametrize("chip", SIBLINGS)
def test_a_chip_whose_generation_is_known(chip):
    """Predicted from its siblings alone; the limit for chips that were never fitted is 12 %."""
    table = bundled("collectives")
    gpu, how = table.columns.index("gpu"), table.columns.index("implementation")
    rows = Table("nccl", table.columns, [row for row in table.rows if row[gpu] == chip and row[how] == "nccl"])
    score = validate("collectives", rows, calibration=_without(nv.chip(chip).name, SIBLINGS[chip]))["all"]
    assert score.mape < 7.0 and score.coverage > 85.0 and score.interval == pytest.approx(1.2, rel=1e-3)


@pytest.mark.parametrize("op", OPERATIONS)
@pytest.mark.parametrize("name", ["h100", "h200", "gb300", "mi300x", "v100", "l40s", "l4"])
def test_one_device_needs_no_time_and_no_time_is_below_the_link(name, op):
    chip = nv.chip(name)
    alone = nv.collective(nv.Collective(op=op, message_bytes=1e6, n_gpus=1), chip)
    assert alone.value == 0.0 and alone.headroom == 1.0
    sizes = np.array([2.0**i for i in range(9, 31)])
    times = nv.collective(nv.Collective(op=op, message_bytes=sizes, n_gpus=8), chip)
    reduced_in_the_switch = 1.05  # a share of the link above 1, fitted on H100
    assert (times.headroom * reduced_in_the_switch > 1.0).all()
    assert (times.low < times.value).all() and (times.value < times.high).all()
    assert times.value[-1] > times.value[0]


@given(st.sampled_from(OPERATIONS), st.floats(512.0, 1e9), st.sampled_from([2.0, 4.0, 8.0]))
def test_the_terms_add_up_and_the_largest_binds(op, size, n):
    time = nv.collective(nv.Collective(op=op, message_bytes=size, n_gpus=n), "H100")
    parts = {name: time[name].value for name in time.contenders}
    assert sum(parts.values()) == pytest.approx(time.value, rel=1e-9)
    assert parts[time.by] == max(parts.values())


@given(st.floats(512.0, 1e9), st.sampled_from([2.0, 4.0, 8.0]))
def test_the_ideal_is_the_bare_link(size, n):
    work = nv.Collective(op="all_reduce", message_bytes=size, n_gpus=n)
    ideal = nv.collective(work, "H100", nv.IDEAL)
    assert ideal.value == pytest.approx(2.0 * size * (n - 1) / n / 450e9, rel=1e-9)
    assert nv.collective(work, "H100").value > ideal.value * 0.99


def test_floats_are_arrays_point_by_point():
    sizes = np.array([600.0, 5e4, 3e6, 4e8])
    for op in OPERATIONS:
        for implementation in ("nccl", "vllm", "vllm eager", "custom") if op == "all_reduce" else ("nccl",):
            many = nv.collective(nv.Collective(op=op, message_bytes=sizes, n_gpus=4, implementation=implementation), "B200")
            each = [nv.collective(nv.Collective(op=op, message_bytes=s, n_gpus=4, implementation=implementation), "B200") for s in sizes]
            assert many.value == pytest.approx([one.value for one in each], rel=1e-12)
            assert many.low == pytest.approx([one.low for one in each], rel=1e-12)


def test_closed_form_of_an_all_reduce():
    sympy = pytest.importorskip("sympy")
    size = sympy.Symbol("S", positive=True)
    form = nv.collective(nv.Collective(op="all_to_all", message_bytes=size, n_gpus=8.0), "H100").value
    number = nv.collective(nv.Collective(op="all_to_all", message_bytes=3e7, n_gpus=8.0), "H100").value
    assert float(form.subs({size: 3e7})) == pytest.approx(number, rel=1e-9)


def test_nodes_between_those_measured_lie_between():
    times = [nv.collective(nv.ExpertExchange(op="dispatch", tokens=4096, n_gpus=8 * n, n_nodes=n), "H100").value for n in (2.0, 3.0, 4.0)]
    assert min(times[0], times[2]) < times[1] < max(times[0], times[2])
    said = nv.collective(nv.ExpertExchange(op="dispatch", tokens=4096, n_gpus=24, n_nodes=3.0), "H100").assumptions
    assert "3 nodes were not measured: between 2 and 4 nodes" in said


def test_what_was_assumed_is_said():
    unseen = nv.collective(nv.Collective(op="all_gather", message_bytes=1e6, n_gpus=8), "H200")
    assert any("never measured" in text for text in unseen.assumptions)
    other = nv.collective(nv.Collective(op="all_gather", message_bytes=1e6, n_gpus=8), "MI300X")
    assert other.high / other.value == pytest.approx(2.0)
    larger = nv.collective(nv.Collective(op="all_gather", message_bytes=1e6, n_gpus=32), "GB200")
    assert larger.high / larger.value > 1.5


def test_misspelt_words_are_answered():
    with pytest.raises(UnknownName, match="all_reduce"):
        nv.Collective(op="allreduc", message_bytes=1, n_gpus=2)
    with pytest.raises(UnknownName, match="nccl"):
        nv.Collective(op="all_reduce", message_bytes=1, n_gpus=2, implementation="ncl")
    with pytest.raises(UnknownName, match="combine"):
        nv.ExpertExchange(op="combin", tokens=1, n_gpus=2)
    with pytest.raises(InvalidInput, match="all-reduce kernel"):
        nv.collective(nv.Collective(op="all_gather", message_bytes=1e6, n_gpus=2, implementation="vllm"), "H100")
    with pytest.raises(InvalidInput, match="wanted a Collective"):
        nv.collective(nv.Gemm(m=1, n=1, k=1), "H100")
    with pytest.raises(MissingFigure, match="neither a scale-up link nor a host link"):
        nv.collective(nv.Collective(op="all_gather", message_bytes=1e6, n_gpus=2), nv.Chip(name="mine"))


def test_rows_with_blanks_and_unknown_words_keep_a_prediction_or_a_reason():
    columns = ("gpu", "n_gpus", "op", "message_bytes", "implementation", "mine")
    rows = [
        ["h100_sxm", "8", "all_reduce", "1048576", "", "a"],
        ["h100_sxm", "8", "all_reduce", "1048576", "custom_new_engine", "b"],
        ["h100_sxm", "8", "all_reduce", "1048576", "some other library", "c"],
        ["h100_sxm", "8", "broadcast", "1048576", "nccl", "d"],
        ["no such chip", "8", "all_reduce", "1048576", "nccl", "e"],
        ["h100_sxm", "", "all_reduce", "1048576", "nccl", "f"],
    ]
    made = predict("collectives", Table("rows", columns, rows))
    there = np.isfinite(made.value["seconds"])
    assert there.tolist() == [True, True, True, False, False, False]
    assert [bool(reason) for reason in made.reasons] == [False, False, False, True, True, True]
    exchange = ("gpu", "n_gpus", "op", "tokens", "implementation", "n_nodes", "message_bytes")
    rows = [["gb300", "64", "dispatch", "128", "", "", ""], ["h100_sxm", "48", "combine", "128", "", "6", ""]]
    assert np.isfinite(predict("all_to_all_multinode", Table("rows", exchange, rows)).value["seconds"]).all()


# Rate per device of the systems of TOP500, June 2025 with the same device: tenth and ninetieth percentile, TFLOP/s; at least six systems.
BANDS = [
    ("linpack", "a100", 11.21, 16.66),
    ("linpack", "gh200", 31.72, 45.54),
    ("linpack", "h100", 31.18, 85.40),
    ("linpack", "h100_sxm_94gb", 33.94, 42.23),
    ("linpack", "h200_sxm", 40.54, 49.56),
    ("linpack", "max-1550", 15.87, 18.86),
    ("linpack", "mi250x", 30.77, 41.23),
    ("linpack", "mi300a", 39.51, 45.28),
    ("linpack", "v100", 3.993, 5.841),
    ("conjugate gradients", "a100", 0.241, 0.374),
    ("conjugate gradients", "gh200", 0.353, 0.631),
    ("conjugate gradients", "h100", 0.431, 0.701),
    ("conjugate gradients", "mi250x", 0.365, 0.416),
    ("conjugate gradients", "v100", 0.105, 0.118),
]


@pytest.mark.parametrize(("benchmark", "chip", "low", "high"), BANDS)
def test_benchmarks_of_systems_lie_in_the_band(benchmark, chip, low, high):
    assert low <= nv.system_benchmark(benchmark, chip).value / 1e12 <= high


def test_benchmarks_scale_with_chips_and_refuse_what_is_unknown():
    node = nv.system_benchmark("linpack", "dgx-h100")
    assert node.value == pytest.approx(8.0 * nv.system_benchmark("linpack", "h100").value)
    assert node.low < node.value < node.high
    with pytest.raises(UnknownName, match="linpack"):
        nv.system_benchmark("linpak", "h100")
    columns = ("gpu", "n_gpus", "rmax_flop_per_s")
    made = predict("hpc", Table("rows", columns, [["h100", "1000", "4e16"], ["h100", "", "1"], ["what", "1", "1"]]))
    assert np.isfinite(made.value["rmax_flop_per_s"]).tolist() == [True, False, False]


def test_at_most_six_constants_of_a_class_and_chip():
    for kind in ("collectives", "expert_exchange", "collectives_multinode", "hpc"):
        for (class_, path, chip), constants in shipped_constants(kind).rows.items():
            if class_:
                assert len(constants) <= 6, (kind, class_, path, chip)
