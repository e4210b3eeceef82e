"""The laws that come with nvscale: complete, sourced, ranged; optima with intervals; warnings where they are due."""

import importlib.resources
import tomllib
import warnings

import numpy as np
import pytest
import sympy

import nvscale as nv
from nvscale import laws
from nvscale.errors import (
    BeyondRange,
    CatalogueError,
    ExtrapolationWarning,
    InvalidInput,
    MissingFigure,
    UnknownName,
    UnverifiedWarning,
)
from nvscale.laws import reading

EVERY = laws.names()
ALLOCATING = [name for name in EVERY if laws.load(name).form.optimum]
THREE = laws.DECISIONS[:3]


@pytest.mark.parametrize("name", EVERY)
def test_every_constant_has_a_source_with_place_and_date(name: str) -> None:
    law = laws.load(name)
    assert set(law.sources) == set(law.constants)
    for source in law.sources.values():
        assert source.document in reading.shipped_documents()
        assert source.title and source.place and source.date >= "2018" and source.printed
    assert name.partition("/")[2] and law.title and str(law) and law.to_dict()["name"] == name


def test_every_document_is_cited_and_no_law_stands_twice() -> None:
    cited = {source.document for name in EVERY for source in laws.load(name).sources.values()}
    text = "".join((importlib.resources.files("nvscale.laws") / "data" / file).read_text() for file in reading.FILES)
    assert {name for name in reading.shipped_documents() if name not in cited and f'from = "{name}"' not in text} == set()
    assert len(EVERY) == sum(
        len(tomllib.loads((importlib.resources.files("nvscale.laws") / "data" / f).read_text())) for f in reading.FILES
    )


def test_constants_from_memory_are_marked_and_nothing_else() -> None:
    marked = {name: laws.load(name).unverified for name in EVERY if laws.load(name).unverified}
    assert set(marked) == {"precision/kumar-2024-post-training", "distillation/busbridge-2025"}
    assert marked["precision/kumar-2024-post-training"] == ("gamma_post",)
    assert len(marked["distillation/busbridge-2025"]) == 9


def test_constants_from_memory_warn_when_they_are_used() -> None:
    law = laws.load("precision/kumar-2024-post-training")
    with pytest.warns(UnverifiedWarning, match="gamma_post"):
        law.value(parameters=1e9, tokens=2e10, bits=4)


TYPICAL = {
    "parameters": 1e9,
    "tokens": 2e10,
    "compute": 1e20,
    "loss": 2.5,
    "unique_tokens": 1e10,
    "fine_tuning_data": 1e6,
    "bits": 4.0,
    "teacher_loss": 2.2,
    "samples": 10.0,
    "train_compute": 1e15,
    "strength": -1000.0,
    "elapsed": 1e7,
}


@pytest.mark.parametrize("name", [name for name in EVERY if laws.load(name).form.function])
def test_every_curve_gives_a_plausible_number_and_an_expression(name: str) -> None:
    law = laws.load(name)
    given = {variable: TYPICAL[variable] for variable in law.form.variables if variable in TYPICAL}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnverifiedWarning)
        value = law.value(extrapolate="allow", **given)
        arrays = law.value(extrapolate="allow", **{key: np.full(3, number) for key, number in given.items()})
    assert np.isfinite(value) and arrays == pytest.approx(np.full(3, value), rel=1e-12)
    if law.form.quantity == "loss":
        assert 0.5 < value < 10.0
    expression = law.symbolic()
    assert {str(symbol) for symbol in expression.free_symbols} <= {"N", "D", "C", "L", *law.form.variables}


@pytest.mark.parametrize("name", ALLOCATING)
def test_every_allocation_spends_about_the_compute(name: str) -> None:
    """Those that fitted size and data apart do so within a factor of two."""
    best = laws.load(name).optimum(1e21, extrapolate="allow")
    assert 0.5 < 6.0 * best.parameters.value * best.tokens.value / 1e21 < 2.0
    assert best.parameters.value * best.tokens_per_parameter.value == pytest.approx(best.tokens.value, rel=1e-9)


def test_the_three_decisions_stand_side_by_side_with_their_intervals() -> None:
    """Rounding alone moves the best size at the compute of Gopher from 40 to 32 billion; another fit of the same runs says 72."""
    with pytest.warns(ExtrapolationWarning, match="hoffmann-2022-rounded"):
        found = laws.compare("optimum", THREE, compute=5.76e23)
    assert [round(found[name].parameters.value / 1e9, 1) for name in THREE] == [32.2, 40.4, 72.2]
    rounded, refit = found[THREE[0]].parameters, found[THREE[2]].parameters
    assert rounded.low < 32.2e9 and rounded.high > 40.4e9
    assert 40.4e9 < refit.low < refit.high
    assert "72.25 billion" in str(found) and len(found.rows()) == 3


def test_comparison_without_names_takes_all_laws_that_allocate() -> None:
    found = laws.compare("optimum", compute=1e21, extrapolate="allow")
    assert set(ALLOCATING) - set(found.answers) == {"chinchilla/audio-tokens", "chinchilla/sparse-multimodal"}
    assert tuple(found.answers)[:4] == laws.DECISIONS
    losses = laws.compare("loss", parameters=1e9, tokens=2e10, extrapolate="allow")
    assert all(0.5 < value < 4.0 for value in losses.answers.values()) and "kaplan/joint-2020" in losses.answers


def test_comparisons_as_data_frames() -> None:
    pytest.importorskip("pandas")
    frame = laws.compare("optimum", THREE, compute=1e20, extrapolate="allow").to_pandas()
    assert set(frame.columns) >= {"parameters", "parameters_low", "tokens", "loss"} and list(frame.index) == list(THREE)


def test_delta_and_resampled_intervals_agree_inside_the_range() -> None:
    law = laws.load("chinchilla/nvscale-2026")
    delta, resampled = (law.optimum(1e21, interval=how) for how in ("delta", "bootstrap"))
    for part in ("parameters", "tokens", "loss"):
        one, other = getattr(delta, part), getattr(resampled, part)
        assert one.value == other.value
        assert one.low == pytest.approx(other.low, rel=0.05) and one.high == pytest.approx(other.high, rel=0.05)


def test_without_runs_the_covariance_is_drawn_from() -> None:
    known = laws.load("chinchilla/nvscale-2026")
    law = laws.fitted_law("mine", "chinchilla", known.constants, covariance=known.covariance)
    drawn, delta = (law.optimum(1e21, interval=how) for how in ("bootstrap", "delta"))
    assert drawn.interval == "4000 draws from the covariance"
    assert drawn.parameters.low == pytest.approx(delta.parameters.low, rel=0.03)
    many = law.optimum(np.array([1e20, 1e21]), interval="bootstrap").tokens
    assert many.low[1] == pytest.approx(drawn.tokens.low) and many.high.shape == (2,)


def test_a_wider_level_gives_a_wider_interval() -> None:
    law = laws.load("chinchilla/besiroglu-2024")
    narrow, wide = (law.optimum(1e21, level=level).parameters for level in (0.5, 0.95))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_delta_intervals_have_the_exact_slopes() -> None:
    """The logarithm of the best size is linear in ln A and ln B with slopes of one over the sum of the exponents."""
    law = laws.load("chinchilla/besiroglu-2024")
    only_a = laws.Covariance(("ln A",), ((0.01,),), "made up")
    moved = laws.Law("made-up", "made up", law.form, law.constants, covariance=only_a)
    best = moved.optimum(1e21).parameters
    spread = 1.6448536 * 0.1 / (law.constants["alpha"] + law.constants["beta"])
    assert best.high / best.value == pytest.approx(np.exp(spread), rel=1e-6)


def test_computes_may_be_text_arrays_and_symbols() -> None:
    law = laws.load("chinchilla/besiroglu-2024")
    assert law.optimum("1 ZFLOP").parameters.value == pytest.approx(law.optimum(1e21).parameters.value)
    many = law.optimum(np.array([1e20, 1e21]))
    assert many.parameters.low.shape == (2,) and many.parameters.value[1] == pytest.approx(law.optimum(1e21).parameters.value)
    symbol = sympy.Symbol("C", positive=True)
    exact = law.optimum(symbol).parameters.value
    assert float(exact.subs(symbol, 1e21)) == pytest.approx(law.optimum(1e21).parameters.value)


def test_closed_forms_as_symbols() -> None:
    law = laws.load("chinchilla/besiroglu-2024")
    size = law.symbolic("optimal_parameters", numbers=False)
    assert {str(symbol) for symbol in size.free_symbols} == {"A", "B", "C", "alpha", "beta"}
    names = {sympy.Symbol(key, positive=True): value for key, value in law.constants.items()}
    names[sympy.Symbol("C", positive=True)] = 1e21
    assert float(size.subs(names)) == pytest.approx(law.optimum(1e21).parameters.value)
    loss = law.symbolic(numbers=False)
    tokens = sympy.Symbol("D", positive=True)
    beta, rest = sympy.Symbol("beta", positive=True), loss - loss.subs(tokens, sympy.oo)
    assert sympy.simplify(sympy.diff(loss, tokens) + beta / tokens * rest) == 0


def test_extrapolation_warns_is_refused_or_allowed() -> None:
    law = laws.load("chinchilla/besiroglu-2024")
    with pytest.warns(ExtrapolationWarning, match="outside 1.39e"):
        law.optimum(5.76e23)
    with pytest.raises(BeyondRange, match="extrapolate='warn'"):
        law.optimum(5.76e23, extrapolate="refuse")
    assert law.optimum(5.76e23, extrapolate="allow").beyond
    assert not law.optimum(1e21, extrapolate="refuse").beyond
    with pytest.warns(ExtrapolationWarning):
        law.loss(parameters=1e12, tokens=1e12)
    with pytest.raises(BeyondRange):
        laws.compare("optimum", THREE, compute=5.76e23, extrapolate="refuse")


def test_a_warning_shows_the_line_of_the_caller() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        laws.load("chinchilla/besiroglu-2024").optimum(5.76e23)
        laws.compare("optimum", THREE, compute=5.76e23)
    assert {warning.filename for warning in caught} == {__file__}


def test_use_makes_the_cheapest_model_smaller() -> None:
    law = laws.load("chinchilla/besiroglu-2024")
    sizes = [law.lifetime_optimum(use, compute=1e22, extrapolate="allow").parameters for use in (0.0, 1e11, 1e12, 1e13)]
    assert sizes[0] == pytest.approx(law.optimum(1e22).parameters.value, rel=1e-6)
    assert sizes == sorted(sizes, reverse=True)


def test_the_lifetime_optimum_is_the_cheapest_along_the_curve_of_equal_loss() -> None:
    law = laws.load("chinchilla/besiroglu-2024")
    best = law.lifetime_optimum(1e12, compute=1e22, training=6.0, inference=5.0, extrapolate="allow")

    def cost(size: float) -> float:
        return size * (6.0 * law.closed_form("tokens_for_loss", loss=best.loss, parameters=size) + 5.0 * 1e12)

    assert best.operations == pytest.approx(cost(best.parameters))
    assert cost(best.parameters) < min(cost(1.02 * best.parameters), cost(0.98 * best.parameters))


WRONG = {
    "name": (lambda: laws.load("chinchilla/besiroglu-2023"), UnknownName, "besiroglu-2024"),
    "family": (lambda: laws.names("chinchila"), UnknownName, "chinchilla"),
    "question": (lambda: laws.compare("best", compute=1e21), InvalidInput, "optimum, loss"),
    "no compute": (lambda: laws.compare("optimum", parameters=1e9), InvalidInput, "needs compute"),
    "level": (lambda: laws.load(THREE[2]).optimum(1e21, level=2.0), InvalidInput, "level"),
    "interval": (lambda: laws.load(THREE[2]).optimum(1e21, interval="bayes"), InvalidInput, "bootstrap"),
    "no interval": (lambda: laws.load(THREE[1]).optimum(1e21, interval="delta"), MissingFigure, "nothing that an interval"),
    "negative compute": (lambda: laws.load(THREE[2]).optimum(-1.0), InvalidInput, "compute"),
    "extrapolate": (lambda: laws.load(THREE[2]).optimum(1e21, extrapolate="no"), InvalidInput, "warn, refuse, allow"),
    "no variable": (lambda: laws.load(THREE[2]).loss(parameters=1e9), InvalidInput, "tokens must be given"),
    "wrong variable": (lambda: laws.load(THREE[2]).loss(parameters=1e9, token=1e9), InvalidInput, "'tokens'"),
    "negative size": (lambda: laws.load(THREE[2]).loss(parameters=-1.0, tokens=1e9), InvalidInput, "above 0"),
    "no loss": (lambda: laws.load("test-time/brown-2024").loss(samples=3), MissingFigure, "coverage"),
    "no curve": (lambda: laws.load("allocation/llama-3").value(compute=1e21), MissingFigure, "optimum"),
    "no optimum": (lambda: laws.load("kaplan/joint-2020").optimum(1e21), MissingFigure, "form is kaplan"),
    "no bits": (lambda: laws.load(THREE[2]).best_bits(), MissingFigure, "kumar"),
    "no formula": (lambda: laws.load(THREE[2]).symbolic("optimal_parameter"), MissingFigure, "optimal_parameters"),
    "no elasticity": (lambda: laws.load("kaplan/joint-2020").elasticities(1e9, 1e10), MissingFigure, "chinchilla"),
    "two losses": (lambda: laws.load(THREE[2]).lifetime_optimum(1e12, loss=2.0, compute=1e21), InvalidInput, "one of"),
    "loss below the floor": (lambda: laws.load(THREE[2]).lifetime_optimum(1e12, loss=1.5), InvalidInput, "irreducible"),
    "not compared": (lambda: laws.compare("optimum", THREE, compute=1e20, extrapolate="allow")["kaplan"], UnknownName, "compared"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_questions_say_what_to_ask(case: str) -> None:
    call, error, text = WRONG[case]
    with pytest.raises(error, match=text):
        call()


GOOD = {
    "form": "chinchilla",
    "title": "t",
    "document": "hoffmann-2022",
    "at": "a",
    "date": "2022",
    "kind": "measured",
    "constants": {name: {"value": 1.0} for name in ("A", "B", "E", "alpha", "beta")},
}
FAULTS = {
    "unknown key": (GOOD | {"titel": "t"}, "did you mean 'title'"),
    "missing": ({key: value for key, value in GOOD.items() if key != "date"}, "date must be given"),
    "document": (GOOD | {"document": "hofmann-2022"}, "hoffmann-2022"),
    "constants": (GOOD | {"constants": {"A": {"value": 1.0}}}, "not so: B, E, alpha, beta"),
    "constant": (GOOD | {"constants": GOOD["constants"] | {"A": {"valu": 1.0}}}, "did you mean 'value'"),  # type: ignore[operator]
    "covariance": (GOOD | {"covariance": {"of": ["ln A"], "rows": [[1.0, 2.0]]}}, "as many rows"),
    "coordinate": (GOOD | {"covariance": {"of": ["ln F"], "rows": [[1.0]]}}, "names 'ln F'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_a_data_file_are_named(fault: str) -> None:
    entry, text = FAULTS[fault]
    with pytest.raises(CatalogueError, match=text):
        reading.read_law("x/y", entry, reading.shipped_documents(), "file")
    assert reading.read_law("x/y", GOOD, reading.shipped_documents(), "file").constants["A"] == 1.0


def test_the_names_of_the_package() -> None:
    assert nv.laws is laws and nv.fit_law is laws.fit_law and nv.Law is laws.Law
