"""The table of software profiles of training, made from the constants that ship, in place of its marker in the guide."""

import functools
import html

import markup

import nvscale
from nvscale.efficiencies.training import TrainingStack
from nvscale.estimators.training import STACKS, stack_of
from nvscale.record import units_of
from nvscale.units import readable

MARKER = "<!-- software profiles -->"
CHIP = "H100"
SHOWN = {
    "site_share": "rate relative to the best tuned site",
    "attention_share": "attention kernel relative to 16-bit products",
    "element_wise": "traffic of passes relative to fused kernels",
    "unfused": "1: attention stores its scores",
    "launch": "host time of a kernel",
    "attention_kernels": "kernels of attention in a layer, forward",
    "ffn_kernels": "kernels of its feed-forward part",
    "micro_batch_launch": "host time of a micro-batch and stage",
    "tp_overlap": "hidden of tensor and context parallel exchanges",
    "dp_overlap": "micro-batches that hide the gradient exchange",
    "fsdp_overlap": "the same with fully sharded weights",
    "pp_overlap": "hidden of transfers between stages",
    "ep_overlap": "hidden of expert exchanges inside the domain",
    "ep_overlap_outside": "the same between domains",
    "head_on_last_stage": "1: on top of its layers; 0: balanced",
    "broadcast": "time per replica of broadcast states",
}
"""Figures of the table, in a few words; `TrainingStack` says more."""


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put the table where its marker stands."""
    return markdown.replace(MARKER, profiles_table()) if MARKER in markdown else markdown


@functools.cache
def profiles_table() -> str:
    """Return the table: a row per figure of the software, a column per profile."""
    chip = nvscale.chip(CHIP)
    profiles = [stack_of(name, chip) for name in STACKS]
    rows = [[_named(name), *(_shown(getattr(one, name), name) for one in profiles)] for name in SHOWN]
    return markup.table(("figure", *STACKS), rows)


def _named(name: str) -> str:
    return f'<span class="nv-whole"><code>{name}</code></span><br><small>{html.escape(SHOWN[name])}</small>'


def _shown(value: float, name: str) -> str:
    unit = units_of(TrainingStack)[name].text
    return f'<span class="nv-whole">{html.escape(f"{value:.3g}" if unit == "1" else readable(value, unit, 3))}</span>'
