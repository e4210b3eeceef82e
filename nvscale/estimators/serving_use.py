"""What serving draws and costs: power from the rates of a step, energy and dollars, and their shares by kind of token."""

from typing import Any, NamedTuple

from nvscale.composition import System
from nvscale.errors import MissingFigure
from nvscale.estimate import Estimate, derived, figure, term, total
from nvscale.estimators.fleets import capital_rate
from nvscale.estimators.fleets import power as rated_power
from nvscale.estimators.generation import Loop
from nvscale.estimators.power import load_power
from nvscale.estimators.serving_shards import HALF, Instance
from nvscale.estimators.training_shards import has
from nvscale.formulas import cost, facilities
from nvscale.ops import FLOAT, carrier, minimum
from nvscale.settings import Prices
from nvscale.views import default_pue
from nvscale.workloads.serving import Serving

NAMEPLATE = "energy at the nameplate power of the system, whatever the load"
RATED = "parts of the system besides its chips draw their rated power"
MILLION, MEGAWATT = 1e6, 1e6
PASSES = 12.0
"""Activations of a layer that cross the memory, as in the time of the element-wise passes."""


class Shares(NamedTuple):
    """Shares of an instance's time: computing inputs, reading what is cached of them, and output; they add up to 1."""

    prompt: Any
    cached: Any
    output: Any


def shares(work: Serving, instance: Instance, found: Loop) -> Shares:
    """Return where the time of an instance goes, by kind of token."""
    prefills = found.cycle - found.step_time
    known = work.isl * work.prefix_cached
    if carrier(known) == FLOAT and known == 0.0:
        return Shares(prefills / found.cycle, 0.0 * prefills, found.step_time / found.cycle)
    plain = instance.first(work.isl - known, 0.0 * known, found.batch)
    without = instance.engine.interference * plain.mixed + plain.experts
    computed = prefills * minimum(without / found.prefill, 1.0)
    return Shares(computed / found.cycle, (prefills - computed) / found.cycle, found.step_time / found.cycle)


def chip_rates(work: Serving, instance: Instance, found: Loop) -> tuple[Any, Any]:
    """Return operations and bytes per second of one chip of an instance: what a step needs, over the time of a cycle."""
    model, plan, computed = work.model, instance.plan, work.isl * (1.0 - work.prefix_cached)
    before = work.isl - computed
    prompt = computed * model.flop_per_token(2.0 * before + computed, "inference")
    decoded = work.osl * model.flop_per_token(2.0 * work.context, "inference")
    flop = (prompt + decoded) / work.osl * found.output / instance.chips
    _, dense = instance.weights()
    read = dense * plan.pp + found.batch * instance.cached(work.context)
    if has(instance.expert_layers):
        read = read + instance.expert_bytes(found.batch * instance.ranks) * instance.at.bandwidth / instance.engine.expert_bytes
    written = PASSES * HALF * model.layers * found.batch * model.hidden
    return flop, (read + written) / (found.cycle * work.gained)


def information_power(work: Serving, system: System, instance: Instance, found: Loop, prices: Prices) -> Estimate:
    """Return the power of chips under this load, with the parts of the system at their rated power."""
    rated = system.power_terms()
    load = "serving experts" if has(instance.expert_layers) else "serving dense"
    try:
        if "chips" not in rated:
            raise MissingFigure(system.name)
        chip = load_power(system, *chip_rates(work, instance, found), precision=work.dense_storage.rate, load=load)
    except MissingFigure:
        tree = rated_power(system, work.precision, prices)
        tree.assumptions = (*tree.assumptions, NAMEPLATE)
        return tree
    chips = derived("power of the chips", system.chips * chip.value, "W", "chips x power of a chip", chip)
    sources = {part.name: part.source("power") for part in system.parts}
    others = [term(f"power of {name}", value, "W", source=sources[name]) for name, value in rated.items() if name != "chips"]
    made = total("power", chips, *(one for one in others if not (carrier(one.value) == FLOAT and one.value == 0.0)))
    made.assumptions = (RATED,) if len(made.terms) > 1 else ()
    return made


def grid_power(work: Serving, system: System, instance: Instance, found: Loop, prices: Prices) -> Estimate:
    """Return the power drawn from the grid: the system under this load, times PUE (the default one where it has none)."""
    drawn = information_power(work, system, instance, found, prices)
    default = carrier(system.pue) == FLOAT and system.pue == 1.0
    factor = term("PUE", default_pue()[0], "1", source=default_pue()[1]) if default else figure(system, "pue", "PUE")
    return derived("facility power", facilities.facility_power(drawn.value, factor.value), "W", "power x PUE", drawn, factor)


def spending(system: System, drawn: Estimate, prices: Prices, precision: str) -> Estimate:
    """Return what the system costs while it serves, in USD/s: its rent, or capital and the energy that it draws."""
    if prices.rent is not None:
        one = figure(prices, "rent", "rent of a chip")
        return derived("cost rate", system.chips * prices.rent, "USD/s", "chips x rent of a chip", one)
    tariff = figure(prices, "energy_price")
    burnt = derived(
        "energy", cost.energy_cost_rate(drawn.value, 1.0, tariff.value), "USD/s", "facility power x energy price", drawn, tariff
    )
    return total("cost rate", capital_rate(system, precision, prices), burnt)
