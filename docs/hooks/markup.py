"""What the generated pages share: text and tables as HTML, docstrings by section, pages and their place in the navigation."""

import html
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

Pages = Mapping[str, tuple[str, str]]
"""Path of a page -> its title in the navigation and its Markdown."""


class Item(NamedTuple):
    """One entry of a docstring section such as Parameters."""

    name: str
    kind: str
    text: str


def inline(text: str, link: Callable[[str], str] = lambda _: "") -> str:
    """Return text as HTML: escaped, `names` in backticks as code, linked where `link` knows a target."""

    def as_code(match: re.Match[str]) -> str:
        target = link(html.unescape(match[1]))
        code = f"<code>{match[1]}</code>"
        return f'<a href="{target}">{code}</a>' if target else code

    return re.sub(r"`([^`]+)`", as_code, html.escape(text, quote=False))


def paragraphs(text: str, link: Callable[[str], str] = lambda _: "") -> str:
    """Return text with blank lines between paragraphs as HTML."""
    return "".join(f"<p>{inline(part, link)}</p>" for part in re.split(r"\n\s*\n", text.strip()) if part)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are HTML already, fit to stand in Markdown."""
    head = "".join(f"<th>{name}</th>" for name in columns)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'\n<div class="nv-table"><table class="nv"><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>\n'


def sections(thing: object) -> dict[str, str]:
    """Return the docstring of a thing by section; the part before the first heading is ""."""
    parts = re.split(r"^(\w+)\n-{3,}$", inspect.getdoc(thing) or "", flags=re.M)
    return {"": parts[0].strip(), **{name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}}


def items(section: str) -> list[Item]:
    """Return the entries `name : kind` of a section, each with the text indented below it."""
    found: list[list[str]] = []
    for line in section.splitlines():
        if line.startswith(" ") and found:
            found[-1].append(line.strip())
        elif line:
            found.append([line])
    return [Item(*head.partition(" : ")[::2], " ".join(text)) for head, *text in found]


def examples(section: str) -> str:
    """Return an Examples section as Markdown: sentences, and code in fences."""
    parts = re.split(r"\n\s*\n", section.strip())
    return "\n\n".join(f"```python\n{part}\n```" if part.startswith(">>>") else inline(part) for part in parts if part)


def fill_navigation(config: "MkDocsConfig", section: str, pages: Pages) -> None:
    """Put generated pages under a section that mkdocs.yml leaves empty."""
    for entry in config.nav or []:
        if isinstance(entry, dict) and section in entry:
            entry[section] = [{title: path} for path, (title, _) in pages.items()]


def add_pages(config: "MkDocsConfig", files: "Files", pages: Pages) -> "Files":
    """Add generated pages to the build; nothing is written into the folder of the sources."""
    from mkdocs.structure.files import File

    for path, (_, text) in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def signature(name: str, thing: Callable[..., Any]) -> str:
    """Return a call as text, without annotations."""
    plain = inspect.signature(thing)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in plain.parameters.values() if p.name != "self"]
    return name + str(plain.replace(parameters=bare, return_annotation=inspect.Signature.empty))
