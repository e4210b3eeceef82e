"""Decisions: data that have run out, and a student of a teacher against a model of its own."""

import math
import warnings

import pytest

from nvscale import laws
from nvscale.errors import BeyondRange, ExtrapolationWarning, InvalidInput, MissingFigure, UnverifiedWarning
from nvscale.laws.searching import least_amount, lowest

REPEATED = laws.load("data/muennighoff-2023")
STUDENTS = laws.load("distillation/busbridge-2025")


def test_with_data_enough_the_limit_does_not_bind() -> None:
    best = laws.data_limited_optimum(REPEATED, 1e21, 1e15)
    plain = laws.load("chinchilla/muennighoff-2023").optimum(1e21)
    assert best.epochs == 1.0
    assert best.parameters == pytest.approx(plain.parameters.value, rel=1e-3)
    assert best.loss == pytest.approx(best.loss_without_limit, rel=1e-9)
    assert plain.loss is not None and best.loss == pytest.approx(plain.loss.value, rel=1e-9)


def test_fewer_data_mean_more_epochs_a_smaller_model_and_a_higher_loss() -> None:
    found = [laws.data_limited_optimum(REPEATED, 1e22, unique, extrapolate="allow") for unique in (1e12, 1e11, 2.5e10, 1e10)]
    assert [one.loss for one in found] == sorted(one.loss for one in found)
    assert [one.epochs for one in found] == sorted(one.epochs for one in found)
    assert found[-1].parameters < found[0].parameters
    assert all(6.0 * one.parameters * one.tokens == pytest.approx(1e22) for one in found)
    assert "epochs" in str(found[-1])


def test_no_other_size_is_better_with_the_same_data() -> None:
    best = laws.data_limited_optimum(REPEATED, 1e22, 2.5e10)
    for factor in (0.97, 1.03):
        tokens = 1e22 / 6.0 / (best.parameters * factor)
        other = REPEATED.loss(parameters=best.parameters * factor, unique_tokens=2.5e10, epochs=tokens / 2.5e10, extrapolate="allow")
        assert other > best.loss


def student(loss: float, use: float, **changes: float) -> laws.StudentOrOwn:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnverifiedWarning)
        teacher = {"teacher_parameters": 7e9, "teacher_tokens": 1.4e11} | changes
        return laws.student_or_own(STUDENTS, loss, use, extrapolate="refuse", **teacher)


def test_both_contenders_reach_the_loss() -> None:
    found = student(2.2, 1e12)
    with pytest.warns(UnverifiedWarning):
        reached = STUDENTS.loss(parameters=found.student.parameters, tokens=found.student.tokens, teacher_loss=found.teacher_loss)
    assert reached == pytest.approx(2.2, rel=1e-6)
    alone = laws.load("distillation/busbridge-2025-supervised")
    assert alone.loss(parameters=found.own.parameters, tokens=found.own.tokens) == pytest.approx(2.2, rel=1e-6)
    assert "student" in str(found) and found.own.cost < math.inf


def test_a_student_pays_where_the_teacher_is_there_and_use_is_small() -> None:
    """As published: a student takes less training where a teacher exists; where it must be trained, own data win."""
    there, to_be_trained = student(2.1, 0.0), student(2.1, 0.0, teacher_is_paid=False)
    assert there.student_wins and not to_be_trained.student_wins
    assert to_be_trained.student.cost - there.student.cost == pytest.approx(6.0 * 7e9 * 1.4e11)


def test_more_use_makes_both_contenders_smaller() -> None:
    sizes = [(student(2.2, use).student.parameters, student(2.2, use).own.parameters) for use in (1e11, 1e12, 1e13)]
    assert sizes == sorted(sizes, reverse=True)


def test_no_student_is_much_better_than_its_teacher() -> None:
    found = student(1.9, 1e12, teacher_parameters=1e9, teacher_tokens=2e10)
    assert found.student.cost == math.inf and found.own.cost < math.inf and not found.student_wins
    assert "none reaches the loss" in str(found)


def test_warnings_and_refusals() -> None:
    with pytest.warns(UnverifiedWarning), pytest.warns(ExtrapolationWarning):
        laws.student_or_own(STUDENTS, 2.02, 0.0, teacher_parameters=12e9, teacher_tokens=5e11)
    with pytest.raises(BeyondRange):
        laws.data_limited_optimum(REPEATED, 1e25, 1e12, extrapolate="refuse")
    with pytest.raises(MissingFigure, match="muennighoff"):
        laws.data_limited_optimum(STUDENTS, 1e22, 1e10)
    with pytest.raises(MissingFigure, match="busbridge"):
        laws.student_or_own(REPEATED, 2.0, 0.0, teacher_parameters=1e9, teacher_tokens=1e10)
    with pytest.raises(InvalidInput, match="irreducible"):
        student(1.2, 0.0)
    with pytest.raises(InvalidInput, match="unique_tokens"):
        laws.data_limited_optimum(REPEATED, 1e22, 0.0)


def test_searches() -> None:
    assert lowest(lambda x: (math.log(x) - 3.0) ** 2, 1e-9, 1e9) == pytest.approx(math.exp(3.0), rel=1e-6)
    assert least_amount(lambda x: 1.0 / x, 1e-6, 1.0, 1e3) == math.inf
