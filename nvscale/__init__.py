"""nvscale: how fast, how much energy, how many dollars, what is in the way, and what would change it.

Closed-form performance, energy and cost of accelerated computing, from one matrix multiply to a
gigawatt site. `import nvscale as nv`; names are loaded when they are first used.

>>> import nvscale as nv
>>> nv.chip("H100").ridge_point("fp8") > 500
True
"""

import importlib
from typing import TYPE_CHECKING, Any

from nvscale._version import __version__

if TYPE_CHECKING:
    from nvscale import catalogue, formulas, laws, quantities
    from nvscale.analysis.attribution import Attribution, attribute
    from nvscale.analysis.decomposition import Decomposition
    from nvscale.analysis.forecasts import Trend, fit_trend
    from nvscale.analysis.roadmap import Curves
    from nvscale.analysis.trends import Growth, fit_growth
    from nvscale.budgets import BudgetOptimum, optimum
    from nvscale.catalogue import Catalogue, chip, chips, load, model, models, network, networks, system, systems
    from nvscale.closed_forms import Crossover, crossovers, symbolic
    from nvscale.composition import Network, Part, System
    from nvscale.compute_paths import Prospects, prospects
    from nvscale.deployments import Deployment, Deployments
    from nvscale.disaggregation import Disaggregated, disaggregated
    from nvscale.efficiencies import IDEAL, GemmEfficiency
    from nvscale.efficiencies.serving import ServingEfficiency, ServingEngine
    from nvscale.efficiencies.training import TrainingEfficiency, TrainingStack
    from nvscale.errors import (
        BeyondRange,
        CatalogueError,
        ExtrapolationWarning,
        InvalidInput,
        MissingDependency,
        MissingFigure,
        MissingPrecision,
        NoFeasiblePlan,
        NvscaleError,
        NvscaleWarning,
        UnknownName,
        UnverifiedWarning,
        WrongUnit,
    )
    from nvscale.estimate import Estimate
    from nvscale.estimators.collectives import collective
    from nvscale.estimators.generation import decoding, prefill
    from nvscale.estimators.interruptions import goodput
    from nvscale.estimators.kernels import kernel
    from nvscale.estimators.memory_of_training import fits, training_memory
    from nvscale.estimators.power import kernel_energy, kernel_power, load_power
    from nvscale.estimators.rents import Rent, rents
    from nvscale.estimators.run_costs import run_costs
    from nvscale.estimators.runs import TrainingRun, training_run
    from nvscale.estimators.schedules import Phase, Schedule, training_schedule
    from nvscale.estimators.serving import serving
    from nvscale.estimators.site_choices import (
        Mix,
        best_mix,
        compare_sites,
        life_cycle,
        market_comparison,
        mixed_site,
        retirement_age,
    )
    from nvscale.estimators.site_tokens import TokenCost, site_cost_per_token
    from nvscale.estimators.sites import Site, site
    from nvscale.estimators.system_benchmarks import system_benchmark
    from nvscale.estimators.system_power import power
    from nvscale.estimators.training import training
    from nvscale.estimators.training_results import TrainingStep
    from nvscale.evidence.claims import Claim, claims
    from nvscale.evidence.hardware import trend
    from nvscale.formats import Precision, precision, precisions
    from nvscale.frontiers import Frontier, frontier
    from nvscale.grids import Sweep, sweep
    from nvscale.inverse import Solution, solve
    from nvscale.laws.fit_results import LawFit
    from nvscale.laws.fitting import fit_law
    from nvscale.laws.law import Law
    from nvscale.model_configs import from_config
    from nvscale.parallelism import Parallelism
    from nvscale.planning import best_plan
    from nvscale.provenance import Source
    from nvscale.record import Record
    from nvscale.sensitivities import Elasticity, Uncertain, elasticities, uncertain
    from nvscale.serving_search import best_serving_plans, most_users, serving_cost
    from nvscale.settings import Failures, Prices
    from nvscale.silicon import Chip, Rates
    from nvscale.sizing import latency_floor, size_deployment
    from nvscale.transformers import Model
    from nvscale.truth.fitting import calibrate
    from nvscale.truth.microbenchmarks import measure
    from nvscale.truth.scoring import Scores, validate
    from nvscale.units import Unit
    from nvscale.views import baselines, curves, failures, prices, rooflines
    from nvscale.workloads import Collective, ExpertExchange, Gemm, Training
    from nvscale.workloads.serving import Decoding, Prefill, Serving

_HOMES = {
    "nvscale.analysis.attribution": "Attribution attribute",
    "nvscale.analysis.decomposition": "Decomposition",
    "nvscale.analysis.forecasts": "Trend fit_trend",
    "nvscale.analysis.roadmap": "Curves",
    "nvscale.analysis.trends": "Growth fit_growth",
    "nvscale.budgets": "BudgetOptimum optimum",
    "nvscale.catalogue": "Catalogue chip chips load model models network networks system systems",
    "nvscale.closed_forms": "Crossover crossovers symbolic",
    "nvscale.composition": "Network Part System",
    "nvscale.efficiencies": "GemmEfficiency IDEAL",
    "nvscale.efficiencies.training": "TrainingEfficiency TrainingStack",
    "nvscale.errors": "BeyondRange CatalogueError ExtrapolationWarning InvalidInput MissingDependency MissingFigure MissingPrecision "
    "NoFeasiblePlan NvscaleError NvscaleWarning UnknownName UnverifiedWarning WrongUnit",
    "nvscale.estimate": "Estimate",
    "nvscale.estimators.collectives": "collective",
    "nvscale.efficiencies.serving": "ServingEfficiency ServingEngine",
    "nvscale.estimators.generation": "decoding prefill",
    "nvscale.estimators.kernels": "kernel",
    "nvscale.estimators.schedules": "Phase Schedule training_schedule",
    "nvscale.estimators.serving": "serving",
    "nvscale.workloads.serving": "Decoding Prefill Serving",
    "nvscale.estimators.power": "kernel_energy kernel_power load_power",
    "nvscale.estimators.runs": "TrainingRun training_run",
    "nvscale.estimators.interruptions": "goodput",
    "nvscale.estimators.rents": "Rent rents",
    "nvscale.estimators.run_costs": "run_costs",
    "nvscale.estimators.site_choices": "Mix best_mix compare_sites life_cycle market_comparison mixed_site retirement_age",
    "nvscale.estimators.site_tokens": "TokenCost site_cost_per_token",
    "nvscale.estimators.sites": "Site site",
    "nvscale.estimators.system_benchmarks": "system_benchmark",
    "nvscale.estimators.system_power": "power",
    "nvscale.estimators.training": "training",
    "nvscale.estimators.training_results": "TrainingStep",
    "nvscale.estimators.memory_of_training": "fits training_memory",
    "nvscale.evidence.claims": "Claim claims",
    "nvscale.evidence.hardware": "trend",
    "nvscale.formats": "Precision precision precisions",
    "nvscale.frontiers": "Frontier frontier",
    "nvscale.grids": "Sweep sweep",
    "nvscale.model_configs": "from_config",
    "nvscale.laws.fit_results": "LawFit",
    "nvscale.laws.fitting": "fit_law",
    "nvscale.laws.law": "Law",
    "nvscale.inverse": "Solution solve",
    "nvscale.compute_paths": "Prospects prospects",
    "nvscale.sensitivities": "Elasticity Uncertain elasticities uncertain",
    "nvscale.parallelism": "Parallelism",
    "nvscale.planning": "best_plan",
    "nvscale.provenance": "Source",
    "nvscale.record": "Record",
    "nvscale.serving_search": "best_serving_plans most_users serving_cost",
    "nvscale.deployments": "Deployment Deployments",
    "nvscale.disaggregation": "Disaggregated disaggregated",
    "nvscale.settings": "Failures Prices",
    "nvscale.silicon": "Chip Rates",
    "nvscale.sizing": "latency_floor size_deployment",
    "nvscale.transformers": "Model",
    "nvscale.truth.fitting": "calibrate",
    "nvscale.truth.scoring": "Scores validate",
    "nvscale.units": "Unit",
    "nvscale.truth.microbenchmarks": "measure",
    "nvscale.views": "baselines curves failures prices rooflines",
    "nvscale.workloads": "Collective ExpertExchange Gemm Training",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}
_PACKAGES = ("catalogue", "formulas", "laws", "quantities")

__all__ = [  # noqa: RUF022 - in the order of `sorted`, as a test says
    "Attribution",
    "BeyondRange",
    "BudgetOptimum",
    "Catalogue",
    "CatalogueError",
    "Chip",
    "Claim",
    "Collective",
    "Crossover",
    "Curves",
    "Decoding",
    "Decomposition",
    "Deployment",
    "Deployments",
    "Disaggregated",
    "Elasticity",
    "Estimate",
    "ExpertExchange",
    "ExtrapolationWarning",
    "Failures",
    "Frontier",
    "Gemm",
    "GemmEfficiency",
    "Growth",
    "IDEAL",
    "InvalidInput",
    "Law",
    "LawFit",
    "MissingDependency",
    "MissingFigure",
    "MissingPrecision",
    "Mix",
    "Model",
    "Network",
    "NoFeasiblePlan",
    "NvscaleError",
    "NvscaleWarning",
    "Parallelism",
    "Part",
    "Phase",
    "Precision",
    "Prefill",
    "Prices",
    "Prospects",
    "Rates",
    "Record",
    "Rent",
    "Schedule",
    "Scores",
    "Serving",
    "ServingEfficiency",
    "ServingEngine",
    "Site",
    "Solution",
    "Source",
    "Sweep",
    "System",
    "TokenCost",
    "Training",
    "TrainingEfficiency",
    "TrainingRun",
    "TrainingStack",
    "TrainingStep",
    "Trend",
    "Uncertain",
    "Unit",
    "UnknownName",
    "UnverifiedWarning",
    "WrongUnit",
    "__version__",
    "attribute",
    "baselines",
    "best_mix",
    "best_plan",
    "best_serving_plans",
    "calibrate",
    "catalogue",
    "chip",
    "chips",
    "claims",
    "collective",
    "compare_sites",
    "crossovers",
    "curves",
    "decoding",
    "disaggregated",
    "elasticities",
    "failures",
    "fit_growth",
    "fit_law",
    "fit_trend",
    "fits",
    "formulas",
    "from_config",
    "frontier",
    "goodput",
    "kernel",
    "kernel_energy",
    "kernel_power",
    "latency_floor",
    "laws",
    "life_cycle",
    "load",
    "load_power",
    "market_comparison",
    "measure",
    "mixed_site",
    "model",
    "models",
    "most_users",
    "network",
    "networks",
    "optimum",
    "power",
    "precision",
    "precisions",
    "prefill",
    "prices",
    "prospects",
    "quantities",
    "rents",
    "retirement_age",
    "rooflines",
    "run_costs",
    "serving",
    "serving_cost",
    "site",
    "site_cost_per_token",
    "size_deployment",
    "solve",
    "sweep",
    "symbolic",
    "system",
    "system_benchmark",
    "systems",
    "training",
    "training_memory",
    "training_run",
    "training_schedule",
    "trend",
    "uncertain",
    "validate",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use."""
    if name in _HOME_OF:
        value = getattr(importlib.import_module(_HOME_OF[name]), name)
    elif name in _PACKAGES:
        value = importlib.import_module(f"nvscale.{name}")
    else:
        raise AttributeError(f"module 'nvscale' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
