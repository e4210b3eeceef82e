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
SHOWN = (
    "site_share",
    "attention_share",
    "element_wise",
    "unfused",
    "launch",
    "attention_kernels",
    "ffn_kernels",
    "micro_batch_launch",
    "tp_overlap",
    "dp_overlap",
    "fsdp_overlap",
    "pp_overlap",
    "ep_overlap",
    "ep_overlap_outside",
    "head_on_last_stage",
    "broadcast",
)


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put the table where its marker stands."""
    return markdown.replace(MARKER, profiles_table()) if MARKER in markdown else markdown


@functools.cache
def profiles_table() -> str:
    """Return the table: a row per figure of the software with its meaning, a column per profile."""
    chip = nvscale.chip(CHIP)
    profiles = [stack_of(name, chip) for name in STACKS]
    rows = [[f'<span class="nv-whole"><code>{name}</code></span>', *(_shown(getattr(one, name), name) for one in profiles), _meaning(name)] for name in SHOWN]
    return markup.table(("figure", *STACKS, "what it is"), rows)


def _shown(value: float, name: str) -> str:
    unit = units_of(TrainingStack)[name].text
    return html.escape(f"{value:.3g}" if unit == "1" else readable(value, unit))


def _meaning(name: str) -> str:
    """The words of the docstring; those that several figures share stand at each of them."""
    entries = markup.items(markup.sections(TrainingStack)["Parameters"])
    found = next(entry for entry in entries if name in entry.name.split(", "))
    return markup.inline(found.text)
