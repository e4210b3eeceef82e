"""The equations that laws can have: which formula, which constants, which variables, and how compute is best spent."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nvscale.errors import unknown
from nvscale.formulas import scaling_laws as f

OPERATIONS = 6.0
"""Operations per parameter and training token."""
PETAFLOP_DAY = 8.64e19
BILLION = 1e9
CHINCHILLA = ("E", "A", "B", "alpha", "beta")
Optimum = tuple[Any, Any, Any]
"""Parameters, tokens, and the loss if the law gives one."""


@dataclass(frozen=True)
class LawForm:
    """One equation.

    Parameters
    ----------
    name : str
        As the data files say it.
    quantity : str
        What the law gives: "loss", "coverage" ...; empty where it only allocates or only holds figures.
    unit : str
        Unit of the quantity.
    variables : tuple of str
        What it is a function of.
    constants : tuple of str
        What has to be known; empty for a form that only holds figures.
    function : callable or None
        From variables and constants to the quantity.
    optimum : callable or None
        From the constants and the compute to the best allocation.
    defaults : dict
        Values of variables that need not be given.
    """

    name: str
    quantity: str
    unit: str
    variables: tuple[str, ...]
    constants: tuple[str, ...]
    function: Callable[..., Any] | None = None
    optimum: Callable[[Mapping[str, Any], Any], Optimum] | None = None
    defaults: Mapping[str, float] | None = None


def _form(
    name: str,
    quantity: str,
    variables: str,
    function: Callable[..., Any],
    *,
    called: Mapping[str, str] | None = None,
    fixed: Mapping[str, float] | None = None,
    **more: Any,
) -> LawForm:
    """A form by a formula: its parameters that are neither variables nor fixed are the constants.

    `called` says what the formula calls a variable, or a constant, of ours.
    """
    ours = {theirs: own for own, theirs in (called or {}).items()}
    wanted, held = tuple(variables.split()), dict(fixed or {})
    known = tuple(ours.get(key, key) for key in inspect.signature(function).parameters if key not in held)
    constants = tuple(key for key in known if key not in (*wanted, "operations", "inference_operations"))

    def asked(**given: Any) -> Any:
        return function(**{(called or {}).get(key, key): value for key, value in given.items()}, **held)

    unit = "nats/token" if quantity in ("loss", "added loss") else "1"
    return LawForm(name, quantity, unit, wanted, constants, asked, **more)


def sum_constants(form: str, constants: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the constants of the Chinchilla form that a law is equal to; None where it is not of that type."""
    if form == "chinchilla":
        return {name: constants[name] for name in CHINCHILLA}
    if form == "overtraining":
        eta = constants["eta"]
        return {
            "E": constants["E"],
            "A": constants["a"] * OPERATIONS ** (-eta),
            "B": constants["b"] * OPERATIONS ** (-eta),
            "alpha": 2.0 * eta,
            "beta": 2.0 * eta,
        }
    return None


def _sum_optimum(form: str) -> Callable[[Mapping[str, Any], Any], Optimum]:
    def optimum(constants: Mapping[str, Any], compute: Any) -> Optimum:
        known = sum_constants(form, constants)
        assert known is not None
        rest = {name: known[name] for name in CHINCHILLA[1:]}
        return f.optimal_parameters(compute, **rest), f.optimal_tokens(compute, **rest), f.optimal_loss(compute, **known)

    return optimum


def _overtrained(parameters: Any, tokens: Any, E: Any, a: Any, b: Any, eta: Any) -> Any:
    return f.overtrained_loss(f.training_operations(parameters, tokens), tokens / parameters, E, a, b, eta)


def _repeated(
    parameters: Any,
    unique_tokens: Any,
    epochs: Any,
    E: Any,
    A: Any,
    B: Any,
    alpha: Any,
    beta: Any,
    R_N: Any,
    R_D: Any,
) -> Any:
    matched = f.matched_parameters(unique_tokens, A, B, alpha, beta)
    return f.repeated_data_loss(parameters, unique_tokens, epochs, matched, E, A, B, alpha, beta, R_N, R_D)


def _distilled(parameters: Any, tokens: Any, teacher_loss: Any, **constants: Any) -> Any:
    alone = {name: constants[name] for name in (*CHINCHILLA, "gamma")}
    student = {name: constants[f"{name}_student"] for name in ("A", "B", "alpha", "beta", "gamma")}
    rest = {name: constants[name] for name in ("c_0", "c_1", "d_1", "f_1")}
    return f.distilled_loss(parameters, tokens, teacher_loss, f.supervised_loss(parameters, tokens, **alone), **student, **rest)


DISTILLED = (*CHINCHILLA, "gamma", *(f"{name}_student" for name in ("A", "B", "alpha", "beta", "gamma")), "c_0", "c_1", "d_1", "f_1")


def _with_parameters(parameters: Any, compute: Any) -> Optimum:
    return parameters, compute / OPERATIONS / parameters, None


def _anchored(constants: Mapping[str, Any], compute: Any) -> Optimum:
    ratio = compute / constants["compute_at"]
    return _with_parameters(constants["parameters_at"] * ratio ** constants["exponent"], compute)


def _by_tokens(constants: Mapping[str, Any], compute: Any) -> Optimum:
    tokens = f.power_law_amount(compute, constants["coefficient"], constants["exponent"])
    return compute / OPERATIONS / tokens, tokens, None


def _kaplan(constants: Mapping[str, Any], compute: Any) -> Optimum:
    days = compute / PETAFLOP_DAY
    amounts = [f.power_law_amount(days, constants[f"{name}_e"], constants[f"{name}_exponent"]) for name in ("N", "D")]
    return amounts[0], amounts[1], None


def _model_scale(constants: Mapping[str, Any], compute: Any) -> Optimum:
    scale = f.power_law_amount(compute, constants["M_0"], constants["M_exponent"])
    return scale / OPERATIONS, f.power_law_amount(compute, constants["D_0"], constants["D_exponent"]), None


def _ratio(constants: Mapping[str, Any], compute: Any) -> Optimum:
    """Parameters over tokens, both in billions, as a power of compute."""
    product = compute / OPERATIONS / BILLION**2
    share = f.power_law_amount(product, constants["K_2"], constants["eta"])
    return _with_parameters(BILLION * (product * share) ** 0.5, compute)


_ALLOCATIONS: tuple[tuple[str, str, Callable[[Mapping[str, Any], Any], Optimum]], ...] = (
    ("anchored-allocation", "exponent parameters_at compute_at", _anchored),
    ("token-allocation", "coefficient exponent", _by_tokens),
    ("kaplan-allocation", "N_e N_exponent B_e B_exponent S_e S_exponent D_e D_exponent", _kaplan),
    ("model-scale-allocation", "M_0 M_exponent D_0 D_exponent", _model_scale),
    ("ratio-allocation", "K_2 eta", _ratio),
)
FLOOR = {"tokens": 1.0, "B": 0.0, "beta": 1.0}
"""One amount alone, and a loss that stays."""
_BITS = dict.fromkeys(("weight_bits", "activation_bits", "cache_bits"), 16.0)
FORMS: Mapping[str, LawForm] = {
    form.name: form
    for form in (
        _form("chinchilla", "loss", "parameters tokens", f.chinchilla_loss, optimum=_sum_optimum("chinchilla")),
        _form("overtraining", "loss", "parameters tokens", _overtrained, optimum=_sum_optimum("overtraining")),
        _form("kaplan", "loss", "parameters tokens", f.kaplan_loss),
        _form("power-of-parameters", "loss", "parameters", f.power_law_loss, called={"parameters": "amount"}),
        _form("power-of-tokens", "loss", "tokens", f.power_law_loss, called={"tokens": "amount"}),
        _form("power-of-compute", "loss", "compute", f.power_law_loss, called={"compute": "amount"}),
        _form("floor-of-parameters", "loss", "parameters", f.chinchilla_loss, fixed=FLOOR),
        _form("floor-of-tokens", "loss", "tokens", f.chinchilla_loss, called={"tokens": "parameters"}, fixed=FLOOR),
        _form("critical-batch", "critical batch", "loss", f.critical_batch_size),
        _form(
            "data-against-overfitting",
            "tokens",
            "parameters",
            f.power_law_amount,
            called={"parameters": "compute", "k": "coefficient", "p": "exponent"},
        ),
        _form("repeated-data", "loss", "parameters unique_tokens epochs", _repeated, defaults={"epochs": 1.0}),
        _form("transfer", "data transferred", "fine_tuning_data parameters", f.transferred_data),
        _form("low-precision", "loss", "parameters tokens weight_bits activation_bits cache_bits", f.low_precision_loss, defaults=_BITS),
        _form("post-training-rounding", "added loss", "parameters tokens bits", f.post_training_penalty),
        _form("granular-experts", "loss", "parameters tokens granularity", f.granular_expert_loss, defaults={"granularity": 1.0}),
        _form("sparse-experts", "loss", "parameters tokens sparsity", f.sparse_expert_loss, defaults={"sparsity": 0.0}),
        _form("routed-experts", "loss", "parameters experts", f.routed_loss, defaults={"experts": 1.0}),
        _form("supervised", "loss", "parameters tokens", f.supervised_loss),
        LawForm("distillation", "loss", "nats/token", ("parameters", "tokens", "teacher_loss"), DISTILLED, _distilled),
        _form("coverage", "coverage", "samples", f.coverage),
        _form("search-for-training", "compute per move", "train_compute strength", f.search_for_training_operations),
        _form("density", "parameters", "parameters elapsed", f.parameters_after),
        *(LawForm(name, "", "1", ("compute",), tuple(known.split()), None, optimum) for name, known, optimum in _ALLOCATIONS),
        LawForm("figures", "", "1", (), ()),
    )
}


def law_form(name: str) -> LawForm:
    """Return a form by name."""
    if name not in FORMS:
        raise unknown("form of a law", name, FORMS)
    return FORMS[name]
