"""A run in phases is the sum of its phases."""

import pytest

import nvscale as nv

JOB, PLAN = nv.Training(model=nv.model("llama-3.1-8b"), sequence=8192, global_batch=512), nv.Parallelism()
HALL = nv.system("dgx-h100").scale(512)


def test_phases_add_up_and_each_is_a_run_of_its_own() -> None:
    long = JOB.replace(sequence=131072, global_batch=64)
    phases = [nv.Phase(JOB, PLAN, 14e12, "main"), nv.Phase(long, nv.Parallelism(cp=8), 0.8e12, "long context")]
    made = nv.training_schedule(phases, HALL, goodput=0.9)
    alone = nv.training_run(long, HALL, nv.Parallelism(cp=8), tokens=0.8e12, goodput=0.9)
    assert made.runs["long context"].value == pytest.approx(alone.value)
    assert made.value == pytest.approx(sum(run.value for run in made.runs.values()))
    for figure in ("energy", "cost", "chip hours", "days"):
        assert made[figure].value == pytest.approx(sum(run[figure].value for run in made.runs.values()))
    assert made["main"].value == pytest.approx(made.runs["main"].value)
    assert len(str(made).splitlines()) == 3


def test_a_run_cut_in_two_equal_phases_is_the_same_run() -> None:
    whole = nv.training_run(JOB, HALL, PLAN, tokens=1e12)
    halves = nv.training_schedule([(JOB, PLAN, 5e11), (JOB, PLAN, 5e11)], HALL)
    assert halves.value == pytest.approx(whole.value) and halves["cost"].value == pytest.approx(whole["cost"].value)


def test_a_smaller_batch_at_the_start_takes_longer_for_the_same_tokens() -> None:
    """A batch ramp: fewer tokens a step cost more exchanges and optimizer steps."""
    ramp = nv.training_schedule([(JOB.replace(global_batch=512), PLAN, 1e11), (JOB.replace(global_batch=2048), PLAN, 9e11)], HALL)
    large = nv.training_run(JOB.replace(global_batch=2048), HALL, PLAN, tokens=1e12)
    assert ramp.value >= large.value


@pytest.mark.parametrize(
    ("phases", "said"), [([], "no phases"), ([nv.Phase(JOB, PLAN, 1e12, "a"), nv.Phase(JOB, PLAN, 1e12, "a")], "are called 'a'")]
)
def test_bad_schedules_are_refused(phases: list[nv.Phase], said: str) -> None:
    with pytest.raises(nv.InvalidInput, match=said):
        nv.training_schedule(phases, HALL)
