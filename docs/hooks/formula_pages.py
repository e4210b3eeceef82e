"""Formula pages, made from the functions: what the docstring says, and beside it what the code computes."""

import html
import inspect
import itertools
import re
from collections.abc import Callable
from fractions import Fraction
from types import ModuleType
from typing import TYPE_CHECKING, Any

import markup
import sympy
from mathml import mathml

from nvscale import formulas
from nvscale.quantities import formula_units

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

SECTION = "Formulas"
Formula = Callable[..., Any]


def on_config(config: "MkDocsConfig") -> "MkDocsConfig":
    """Put the topics into the navigation."""
    markup.fill_navigation(config, SECTION, pages())
    return config


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Add a page for every topic."""
    return markup.add_pages(config, files, pages())


def pages() -> markup.Pages:
    """Return all formula pages by path."""
    topics = {name: getattr(formulas, name) for name in formulas.__all__}
    made = {f"formulas/{name}.md": (title(name), topic_page(name, module)) for name, module in topics.items()}
    return {"formulas/index.md": ("All formulas", index_page(topics)), **made}


def title(topic: str) -> str:
    """Return the heading of a topic."""
    return topic.replace("_", " ").capitalize()


def functions(module: ModuleType) -> dict[str, Formula]:
    """Return the public functions of a topic in the order of its files."""
    found = {name: getattr(module, name) for name in module.__all__}
    return dict(sorted(found.items(), key=lambda pair: (pair[1].__module__, pair[1].__code__.co_firstlineno)))


def index_page(topics: dict[str, ModuleType]) -> str:
    """Return the list of all formulas."""
    rows = [
        [
            f'<a href="{topic}.html#{name}"><code>{name}</code></a>',
            f'<a href="{topic}.html">{title(topic)}</a>',
            markup.inline(markup.sections(formula)[""].partition("\n")[0]),
        ]
        for topic, module in topics.items()
        for name, formula in functions(module).items()
    ]
    lead = (
        f"{len(rows)} formulas in {len(topics)} topics. Each is one plain function of numbers in SI base units, and serves floats, arrays, "
        "symbols, tracers and quantities. These pages are made from the functions: the first equation is the one in the literature, "
        "the second is what the code returned when it was called with symbols."
    )
    return f"# All formulas\n\n{lead}\n\n" + markup.table(["formula", "topic", "what it gives"], rows)


def topic_page(topic: str, module: ModuleType) -> str:
    """Return the page of one topic."""
    lead = markup.paragraphs(inspect.getdoc(module) or "", _links(topic))
    parts = [f"# {title(topic)}", lead, f"`from nvscale.formulas import {topic}`"]
    return "\n\n".join([*parts, *(formula_part(topic, name, formula) for name, formula in functions(module).items())])


def formula_part(topic: str, name: str, formula: Formula) -> str:
    """Return one formula: sentence, both equations, parameters, assumptions, source, example."""
    said = markup.sections(formula)
    sentence, _, rest = said[""].partition("\n")
    unit, _, returned = said["Returns"].partition("\n")
    link = _links(topic)
    equations = [mathml(equation, block=True) for equation in re.findall(r"\$\$(.+?)\$\$", rest, re.S)]
    both = [("equation", "".join(equations)), ("as the code computes it", mathml(as_computed(formula), block=True))]
    figures = "".join(f"<figure><figcaption>{caption}</figcaption>{body}</figure>" for caption, body in both)
    rows = [
        [f"<code>{p.name}</code>", _unit(p.kind), _default(formula, p.name), markup.inline(p.text, link)]
        for p in markup.items(said["Parameters"])
    ]
    rows.append(["returns", _unit(unit), "", markup.inline(" ".join(returned.split()), link)])
    return "\n\n".join(
        [
            f"## {name}",
            markup.paragraphs(sentence, link),
            f'<div class="nv-equations">{figures}</div>',
            markup.table(["parameter", "unit", "default", "meaning"], rows),
            _titled("Assumptions", said["Assumptions"], link),
            _titled("Source", said["References"], link),
            markup.examples(said["Examples"]),
        ]
    )


def _titled(heading: str, text: str, link: Callable[[str], str]) -> str:
    return f'<div class="nv-said"><b>{heading}</b>{markup.paragraphs(text, link)}</div>'


def _unit(kind: str) -> str:
    return html.escape(kind.removesuffix(", broadcast"))


def _default(formula: Formula, parameter: str) -> str:
    default = inspect.signature(formula).parameters[parameter].default
    return "" if default is inspect.Parameter.empty else f"{default:g}"


def _links(topic: str) -> Callable[[str], str]:
    """Return what links `name` and `topic.name` to the formula's heading."""

    def target(text: str) -> str:
        page, _, name = text.rpartition(".")
        page = page or topic
        return f"{page}.html#{name}" if page in formulas.__all__ and name in getattr(formulas, page).__all__ else ""

    return target


def as_computed(formula: Formula) -> str:
    """Return what the function computes, as LaTeX: its result for symbols named like its parameters."""
    arguments = symbols_for(formula)
    names: dict[Any, str] = {}
    for name, symbol in arguments.items():
        word = rf"\text{{{name.replace('_', ' ')}}}"
        names |= {each: f"{word}_{{{i}}}" for i, each in enumerate(symbol, start=1)} if isinstance(symbol, list) else {symbol: word}
    expression = tidy(sympy.sympify(formula(**arguments)))
    return str(sympy.latex(expression, symbol_names=names, ln_notation=True, mul_symbol="dot"))


def symbols_for(formula: Formula) -> dict[str, Any]:
    """Return a symbol per parameter; two for a sequence, so that its pattern can be seen."""
    units = {name: unit for name, unit in formula_units(formula).items() if name != "return"}
    return {
        name: list(sympy.symbols(f"{name}_1:3", positive=True)) if isinstance(unit, list) else sympy.Symbol(name, positive=True)
        for name, unit in units.items()
    }


def tidy(expression: Any) -> Any:
    """Write 2.0 as 2, 0.125 as 1/8 and 1.4427 as 1/ln 2; drop cases inside a case that rules them out."""
    exact = expression.xreplace({number: _exact(float(number)) for number in expression.atoms(sympy.Float)})
    return min(exact, sympy.piecewise_fold(exact), key=sympy.count_ops)


def _exact(value: float) -> Any:
    """A decimal as a small fraction, or one times or over ln 2, or the square root of such; six digits of any other."""
    for power, scale in itertools.product((1, 2), (sympy.Integer(1), 1 / sympy.log(2), sympy.log(2))):
        ratio = Fraction(abs(value) ** power / float(scale)).limit_denominator(1000)
        size = (sympy.Rational(ratio.numerator, ratio.denominator) * scale) ** sympy.Rational(1, power)
        if abs(float(size) - abs(value)) <= 1e-12 * abs(value) < 1e-6:
            return size if value >= 0.0 else -size
    return sympy.Float(value, 6)
