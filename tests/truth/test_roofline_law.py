"""The law of the bare roofline: every row that breaks it is listed, and nearly every one has its reason."""

from collections import Counter

import pytest

import nvscale as nv
from nvscale.truth.roofline_law import LIMIT, checked_kinds, exceptions


def test_exceptions_are_few_and_named() -> None:
    found = exceptions()
    assert Counter(one.kind for one in found) == {"gemm": 3, "attention": 53, "moe": 11}
    assert all(0.0 < one.ratio < LIMIT and one.reason for one in found)


def test_attention_and_matrix_multiplies_run_from_the_cache() -> None:
    """All are on one chip, with exactly 128 x 2^20 bytes: its 128 MB."""
    found = [one for one in exceptions() if one.kind != "moe"]
    assert {one.row["gpu"] for one in found} == {"rtx_pro_6000_server"}
    assert all(one.explained and "fits the last-level cache" in one.reason for one in found)


def test_what_has_no_reason_is_said() -> None:
    assert sum(not one.explained for one in exceptions("moe")) == 5
    assert exceptions("mla") == ()


def test_only_kinds_with_a_law_are_taken() -> None:
    assert checked_kinds() == ("gemm", "attention", "mla", "moe")
    with pytest.raises(nv.UnknownName, match="gemm"):
        exceptions("gem")
