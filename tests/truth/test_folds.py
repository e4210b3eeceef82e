"""Folds of the bundled rows: every row has one, its constants never saw it, and they can be fitted again."""

import random

import numpy as np
import pytest

import nvscale as nv
from nvscale.truth.constants import shipped_constants
from nvscale.truth.folds import HELD_OUT, chips_of, folds_are_chips, folds_of, has_folds, shapes_of, without_chip, without_fold
from nvscale.truth.hierarchy import as_constants, classes_of, refit, touched
from nvscale.truth.kinds import kind_of_rows, kinds
from nvscale.truth.recipes import recipe_of
from nvscale.truth.refitting import difference
from nvscale.truth.tables import Table, bundled, has_bundled
from nvscale.truth.unseen import unseen

WITHOUT_FOLDS = {"energy", "memory", "training", "training_single_node", "hpc", "serving", "serving_throughput"}
"""Kinds that have no folds, or folds of their own."""
BUNDLED = [name for name in kinds() if has_bundled(name) and name not in WITHOUT_FOLDS]
IN_FOLDS = [name for name in BUNDLED if not folds_are_chips(name)]
SCHEMES = ("grouped folds", "unseen chip", "shipped")


@pytest.fixture(scope="module")
def scores() -> dict[str, nv.Scores]:
    """Scores of all bundled rows by each scheme."""
    return {scheme: nv.validate(scheme=scheme) for scheme in SCHEMES}


def test_the_default_holds_every_bundled_row_out() -> None:
    assert nv.validate("operators").scheme == "grouped folds"
    assert nv.validate("operators", bundled("operators")).scheme == "shipped"


def test_every_other_kind_has_folds() -> None:
    assert {name for name in kinds() if has_folds(name)} - WITHOUT_FOLDS == set(BUNDLED)


@pytest.mark.parametrize("name", BUNDLED)
def test_folds_hold_shapes_together_and_depend_on_nothing_else(name: str) -> None:
    kind, table = kind_of_rows(name), bundled(name)
    folds, shapes = folds_of(kind, table).tolist(), shapes_of(kind, table)
    by_shape = dict(zip(shapes, folds, strict=True))
    assert [by_shape[shape] for shape in shapes] == folds
    some = random.Random(1).sample(range(len(table.rows)), min(40, len(table.rows)))
    part = Table(table.name, table.columns, [table.rows[place] for place in some])
    assert folds_of(kind, part).tolist() == [folds[place] for place in some]


@pytest.mark.parametrize("name", BUNDLED)
def test_every_row_that_is_predicted_is_predicted_without_its_fold(name: str, scores: dict[str, nv.Scores]) -> None:
    shipped, held_out = (scores[scheme].predictions[name] for scheme in ("shipped", "grouped folds"))
    if folds_are_chips(name):
        return
    for column in kind_of_rows(name).measured:
        assert (np.isfinite(held_out.value[column]) == np.isfinite(shipped.value[column])).all()


@pytest.mark.parametrize("name", IN_FOLDS)
def test_constants_of_folds_are_others_than_those_that_ship(name: str, scores: dict[str, nv.Scores]) -> None:
    made = scores["shipped"].predictions[name]
    predicted = np.any([np.isfinite(values) for values in made.value.values()], axis=0)
    for fold in set(folds_of(made.kind, made.table)[predicted].tolist()):
        pairs = [
            (const.value, shipped_constants(work).rows[key][one].value)
            for work, table in without_fold(name, fold).items()
            for key, inner in table.rows.items()
            for one, const in inner.items()
            if const.scheme == HELD_OUT and one in shipped_constants(work).rows.get(key, {})
        ]
        if name == "operators" and not pairs:
            continue  # all-reduces, by constants of collectives that never saw them
        moved = sum(mine != pytest.approx(theirs, rel=1e-4) for mine, theirs in pairs)
        assert moved > 0.4 * len(pairs) > 0.0, f"{name}: fold {fold}: {moved} of {len(pairs)} constants differ"


@pytest.mark.parametrize("name", BUNDLED)
def test_an_unseen_chip_has_no_constants_of_its_own(name: str) -> None:
    for chip in set(chips_of(kind_of_rows(name), bundled(name)).tolist()) - {"radeon_vii"}:
        assert not [key for table in without_chip(name, chip).values() for key in table.rows if key[2] == chip]


def _changed(table: Table, held_out: np.ndarray) -> Table:
    """The table with the measurements of the rows that are held out three times as long."""
    at = table.columns.index("seconds")
    rows = [[*row[:at], str(3.0 * float(row[at])), *row[at + 1 :]] if out else row for row, out in zip(table.rows, held_out, strict=True)]
    return Table("changed", table.columns, rows)


def test_a_fold_is_fitted_without_its_rows_and_fitted_again_is_the_same() -> None:
    """The fit does not move when the held-out measurements do, and it gives the constants of the file."""
    kind, table = kind_of_rows("gemm"), bundled("gemm")
    gpu, precision = table.columns.index("gpu"), table.columns.index("precision")
    table = Table("some", table.columns, [row for row in table.rows if row[gpu] in ("h100_sxm", "gb200") and row[precision] == "bf16"])
    folds = folds_of(kind, table)
    fold = int(folds[0])
    made = refit(classes_of(kind, table), folds != fold)
    again = refit(classes_of(kind, _changed(table, folds == fold)), folds != fold)
    assert made.keys() == again.keys() and len(made) == 6
    shipped = without_fold("gemm", fold)["gemm"].rows
    for key, values in made.items():
        for name, value in values.items():
            assert value == pytest.approx(again[key][name], rel=1e-9)
            assert value == pytest.approx(shipped[key.class_, key.path, key.chip][name].value, rel=2e-3)


def test_a_fold_with_pools_fitted_again_is_the_same() -> None:
    kind, table = kind_of_rows("attention"), bundled("attention")
    classes = [one for one in classes_of(kind, table) if one.key.class_ == "prefill fp8" and one.key.path == "trtllm"]
    folds = folds_of(kind, table)
    fold = int(folds[classes[0].places[0][0]])
    made = refit(classes, folds != fold, only=touched(classes, folds == fold))
    shipped = without_fold("attention", fold)["attention"].rows
    assert len(made) >= 3
    for one in classes:
        key = one.key
        there = as_constants({key: {name: const.value for name, const in shipped[key.class_, key.path, key.chip].items()}})
        here = as_constants({key: made[key]})
        assert np.median(np.abs(np.log(one.predict({}, there) / one.predict({}, here)))) < 5e-3


def test_what_an_unseen_chip_gets_found_again_is_the_same() -> None:
    kind, table = kind_of_rows("collectives_multinode"), bundled("collectives_multinode")
    classes, chips = classes_of(kind, table), chips_of(kind, table)
    made = unseen(kind, table, classes, chips == "h100-sxm", "h100-sxm", refit(classes))
    rows = without_chip("collectives_multinode", "h100-sxm")["collectives_multinode"].rows
    for key, values in made.items():
        for name, value in values.items():
            assert value == pytest.approx(rows[key.class_, key.path, key.chip][name].value, rel=1e-3)


def test_the_fit_to_all_rows_gives_the_constants_that_ship() -> None:
    kind, table = kind_of_rows("gemm"), bundled("gemm")
    classes = [one for one in classes_of(kind, table) if one.key.class_ in ("bf16", "nvfp4")]
    assert difference(classes, refit(classes)) < 1e-3


def test_every_class_of_the_bundled_rows_has_a_recipe() -> None:
    for name in BUNDLED:
        for one in classes_of(kind_of_rows(name), bundled(name)):
            recipe = recipe_of(one.key.kind, one.key.class_)
            assert recipe is not None, one.key
            assert set(recipe.beliefs) & set(one.own), one.key


# Mean absolute percentage errors of held-out rows as recorded when the folds were fitted: by shape, by chip.
RECORDED = {
    "gemm bf16 a100_sxm": (7.7, 14.5),
    "gemm bf16 h100_sxm": (7.4, 8.8),
    "gemm bf16 b200_sxm": (7.5, 6.6),
    "gemm bf16 b300_sxm": (6.9, 7.8),
    "gemm bf16 gb200": (9.5, 8.4),
    "gemm fp8 h100_sxm": (6.5, 15.5),
    "gemm fp8_block b200_sxm": (6.4, 5.9),
    "gemm nvfp4 b300_sxm": (10.2, 14.2),
    "gemm all": (9.6, 15.1),
    "attention prefill bf16 h100_sxm": (6.0, 24.0),
    "attention prefill fp8 b200_sxm": (3.4, 3.7),
    "attention decode bf16 a100_sxm": (11.3, 35.0),
    "attention decode bf16 gb200": (7.3, 7.3),
    "attention all": (7.7, 28.4),
    "mla prefill h100_sxm": (6.3, 26.9),
    "mla decode b200_sxm": (9.3, 6.3),
    "mla decode_module b200_sxm": (16.8, 19.1),
    "mla all": (11.8, 27.4),
    "moe bf16 h100_sxm": (15.6, 20.8),
    "moe fp8 b200_sxm": (9.6, 9.9),
    "moe fp8_block gb200": (13.7, 12.5),
    "moe nvfp4 b200_sxm": (24.3, 24.9),
    "moe int4_weight_only b200_sxm": (35.4, 15.0),
    "moe all": (14.5, 21.3),
    "collectives nccl h100_sxm": (5.1, 56.6),
    "collectives nccl b300_sxm": (4.3, 6.0),
    "collectives all": (9.4, 40.4),
    "all_to_all_multinode all": (6.2, 41.4),
    "collectives_multinode all": (8.5, 40.4),
    "operators matmul a100_sxm": (3.3, 21.2),
    "operators matmul mi210": (6.2, 31.6),
    "elementwise all": (9.6, 41.4),
    "hpc_kernels stream_copy achieved_bytes_per_s": (5.5, 5.5),
    "hpc_kernels stream_triad achieved_bytes_per_s": (8.5, 8.5),
}


@pytest.mark.parametrize("group", RECORDED)
def test_held_out_errors_are_those_recorded(group: str, scores: dict[str, nv.Scores]) -> None:
    kind, _, name = group.partition(" ")
    found = [next(row for row in scores[scheme].rows if (row.kind, row.group) == (kind, name)).mape for scheme in SCHEMES]
    assert found[:2] == pytest.approx(RECORDED[group], rel=0.02, abs=0.06)
    assert found[2] < found[0], "in sample the errors are smaller"


@pytest.mark.parametrize("name", ["gemm", "attention", "mla", "moe"])
def test_intervals_cover_held_out_rows(name: str, scores: dict[str, nv.Scores]) -> None:
    """Over all rows 90 % intervals hold between 85 and 95 % of those that were held out, with their shape or with their chip."""
    for scheme in ("grouped folds", "unseen chip"):
        whole = next(row for row in scores[scheme].rows if (row.kind, row.group) == (name, "all"))
        assert 85.0 <= whole.coverage <= 95.0, scheme
