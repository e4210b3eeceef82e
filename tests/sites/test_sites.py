"""Sites, powers and plans as people ask for them: a planner's script, bad input, plots, JSON."""

import contextlib
import importlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import nvscale as nv
from nvscale.cli.application import application

PLANNER = """
import nvscale as nv

for name in ("dgx-h100", "gb200-nvl72", "vera-rubin-nvl72"):
    site = nv.site(nv.system(name), power="100 MW", pue=1.2, energy_price="0.06 USD/kWh", life="5 year")
    print(name, site)
work = nv.Serving(model=nv.model("deepseek-v3"), isl=1024, osl=1024, concurrency=256, precision="fp8")
axes = {"energy_price": ["0.03 USD/kWh", "0.06 USD/kWh", "0.12 USD/kWh"], "life": ["3 year", "5 year", "7 year"]}
found = nv.sweep(nv.site_cost_per_token, axes, work=work, system=nv.system("gb200-nvl72"), power="100 MW")
print(found.to_pandas())
"""


@pytest.fixture(scope="module")
def planned() -> dict[str, Any]:
    pytest.importorskip("pandas")
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(PLANNER, "site.py", "exec"), names)
    return names | {"printed": printed.getvalue()}


def test_the_planners_script_says_chips_peak_money_and_what_binds(planned: dict[str, Any]) -> None:
    text = planned["printed"]
    for words in (
        "65,352 chips in 8,169 systems",
        "49,968 chips in 694 systems",
        "power binds",
        "EFLOP/s",
        "capex: ",
        "a year: ",
        "per chip-hour",
    ):
        assert words in text


def test_the_planners_sweep_has_a_price_for_every_tariff_and_life(planned: dict[str, Any]) -> None:
    value = planned["found"]["value"]
    assert value.shape == (3, 3) and (value > 0.1).all() and (value < 20.0).all()
    assert (value[1:] > value[:-1]).all()  # dearer energy
    assert (value[:, 1:] < value[:, :-1]).all()  # longer life
    assert set(planned["found"]["by"].ravel()) == {"power"}


def test_a_token_costs_the_whole_site_over_all_its_tokens() -> None:
    work = nv.Serving(model=nv.model("llama-3.1-70b"), isl=1024, osl=1024, concurrency=64, precision="fp8")
    found = nv.site_cost_per_token(work, "dgx-h200", "10 MW", utilisation=0.5)
    tokens = found["tokens per second"].value * 365.25 * 86400 * 0.5
    assert found.value == pytest.approx(found.site["yearly cost"].value / tokens * 1e6)
    one = nv.serving(work, "dgx-h200")["tokens per second"].value
    assert found["tokens per second"].value == pytest.approx(one * found.site.terms["systems"].value)
    assert found.by == "power" and "USD per million output tokens" in str(found)


SITE = {"power": "100 MW"}
BAD: dict[str, tuple[Callable[[], Any], type[nv.NvscaleError], str]] = {
    "no limit": (lambda: nv.site("dgx-h100"), nv.InvalidInput, "power='100 MW', budget"),
    "too little power": (lambda: nv.site("gb200-nvl72", power="50 kW"), nv.InvalidInput, "power holds not one gb200-nvl72"),
    "too little money": (lambda: nv.site("gb200-nvl72", budget="1 MUSD"), nv.InvalidInput, "budget holds not one gb200-nvl72"),
    "power in USD": (lambda: nv.site("dgx-h100", power="1 USD"), nv.WrongUnit, "site: power"),
    "a method that is none": (lambda: nv.site("dgx-h100", **SITE, method="anuity"), nv.UnknownName, "annuity"),
    "a load that is none": (lambda: nv.power("dgx-h100", load="trainin"), nv.UnknownName, "training"),
    "a fleet that is none": (lambda: nv.goodput(1024, "llama-3.1-405"), nv.UnknownName, "llama-3.1-405b"),
    "a goal that is none": (lambda: nv.compare_sites(["dgx-h100"], by="flops", **SITE), nv.UnknownName, "goal"),
    "no failures": (lambda: nv.goodput(1024, failure_rate=0.0), nv.InvalidInput, "failure_rate = 0"),
    "half a chip": (lambda: nv.goodput(0.5), nv.InvalidInput, "chips"),
    "network alone": (lambda: nv.site("dgx-h100", **SITE, network_share=1.0), nv.InvalidInput, "network_share"),
    "shares above one": (lambda: nv.mixed_site({"dgx-h100": 0.8, "dgx-b200": 0.5}, **SITE), nv.InvalidInput, "sum to 1.3"),
    "no rent": (lambda: nv.market_comparison(nv.site("gb200-nvl72", **SITE)), nv.MissingFigure, "give rent"),
    "no price": (lambda: nv.site("gb300-nvl72", **SITE)["capex"], nv.MissingFigure, "no price"),
    "an axis that is none": (
        lambda: nv.sweep(nv.site, {"lif": ["3 year"]}, system="dgx-h100", power="100 MW"), nv.UnknownName, "no input or figure 'lif'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_names_what_is_wrong(name: str) -> None:
    call, error, says = BAD[name]
    with pytest.raises(error) as problem:
        call()
    assert says in str(problem.value)


def test_a_site_without_a_price_still_holds_chips() -> None:
    found = nv.site("gb300-nvl72", power="100 MW")
    assert found.value > 40_000 and found.by == "power"
    assert "no price of gb300" in str(found)
    assert "capex" not in found.to_dict()["results"]


def test_a_site_is_plain_json_and_explains_itself() -> None:
    found = nv.site("dgx-b200", power="100 MW", budget="1 BUSD")
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["by"] == "budget" and plain["unit"] == "1" and sum(plain["shares"].values()) == pytest.approx(1.0)
    text = found.explain()
    for words in ("least of", "network share", "Epoch AI", "capital recovery factor", "assumed: price basis"):
        assert words in text


def test_the_network_binds_where_it_joins_fewest() -> None:
    found = nv.site("dgx-h100", power="50 MW", network_chips=64**3 / 4)
    assert found.by == "power" and found.limits["network"].value == 8192.0
    assert nv.site("dgx-h100", power="1 GW", network_chips=64**3 / 4).by == "network"


def test_life_and_tariff_given_are_marked_as_given() -> None:
    found = nv.site("dgx-h100", power="100 MW", life="4 year", energy_price="0.05 USD/kWh")
    sources = {node.name: str(node.source) for _, node in found["yearly cost"].nodes() if node.source is not None}
    assert "given by the caller" in sources["life"]
    assert "given by the caller" in sources["energy price of Prices"]


def test_the_power_of_a_given_load_is_taken() -> None:
    drawn = nv.load_power("H100", byte_rate="2 TB/s", load="serving dense")
    found = nv.power("dgx-h100", load=drawn, pue=1.2)
    assert found["IT power"].value == pytest.approx(8 * drawn.value + 4600.0)
    assert found.low is not None and found.low < found.value < found.high
    assert nv.power("dgx-h100", load="500 W", pue=1.0).value == pytest.approx(8 * 500.0 + 4600.0)


def test_energy_rooflines_are_drawn_for_formats_that_the_chip_has(tmp_path: Path) -> None:
    plots = pytest.importorskip("matplotlib") and importlib.import_module("nvscale.plots")
    figure = plots.draw_energy_rooflines([nv.chip("h100"), nv.chip("b200")])
    lines = {line.get_label(): line for line in figure.axes[0].lines if not line.get_label().startswith("_")}
    assert set(lines) == {"h100-sxm bf16", "h100-sxm fp8", "b200 bf16", "b200 fp8", "b200 fp4"}
    for line in lines.values():
        values = list(line.get_ydata())
        assert values == sorted(values)  # operations per joule grow with intensity
    figure.savefig(tmp_path / "energy.svg")


def test_a_plan_of_a_run_has_its_figures_at_the_top() -> None:
    arguments = ["plan", "run", "llama-3.1-8b", "--tokens", "15e12", "--on", "dgx-h100", "--gpus", "1024", "--tp", "1", "--json"]
    result = CliRunner().invoke(application, arguments, catch_exceptions=False)
    plain = json.loads(result.output)
    assert {"days", "energy_mwh", "carbon_t", "cost_usd", "goodput", "mfu", "days_interval", "energy_mwh_interval"} <= set(plain)
    assert plain["days_interval"][0] < plain["days"] < plain["days_interval"][1]
    assert set(plain["costs"]) == {"cloud", "amortised", "purchase"}


def test_a_plan_of_a_run_without_a_price_has_days_and_energy() -> None:
    arguments = ["plan", "run", "llama-3.1-8b", "--tokens", "15e12", "--on", "gb300-nvl72", "--gpus", "1152", "--tp", "1"]
    shown = CliRunner().invoke(application, arguments, catch_exceptions=False)
    assert shown.exit_code == 0 and "not known: " in shown.output and "energy, MWh" in shown.output
    plain = json.loads(CliRunner().invoke(application, [*arguments, "--json"], catch_exceptions=False).output)
    assert plain["cost_usd"] is None and plain["energy_mwh"] > 0.0 and plain["costs"] == {}
