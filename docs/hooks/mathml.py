"""Mathematics between dollar signs becomes MathML while the site is built, so that a page needs no script to show it."""

import functools
import re
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

if TYPE_CHECKING:
    from markdown import Markdown
    from mkdocs.config.defaults import MkDocsConfig

_DISPLAY = r"\$\$(.+?)\$\$"
_INLINE = r"(?<![\\$\w])\$(?![\s$])([^$\n]+?)(?<![\s\\])\$(?![\w$])"
_FUNCTIONS = r"<mi>(ln|log|exp|lim)</mi>"
_AFTER_CODE = 186.0
"""Below the pattern of `code` (190), above that of backslash escapes (180)."""


@functools.cache
def mathml(latex: str, *, block: bool) -> str:
    """Return LaTeX as a MathML element; words in a subscript stand upright, and ln, log and exp keep their distance."""
    from latex2mathml.converter import convert

    upright = re.sub(r"_\{([A-Za-z]{2,})\}", r"_{\\mathrm{\1}}", latex.strip())
    converted = convert(upright, display="block" if block else "inline")
    return re.sub(_FUNCTIONS, r'<mo lspace="0.167em" rspace="0.167em">\1</mo>', converted)


class _Mathematics(InlineProcessor):  # type: ignore[misc]
    """One kind of dollar signs."""

    def __init__(self, pattern: str, md: "Markdown", *, block: bool) -> None:
        super().__init__(pattern, md)
        self.compiled_re = re.compile(pattern, re.S)
        self.block = block

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str | Element, int, int]:  # noqa: ARG002, N802
        return self.md.htmlStash.store(mathml(m[1], block=self.block)), m.start(0), m.end(0)


class MathML(Extension):  # type: ignore[misc]
    """`$$...$$` stands alone, `$...$` in a line."""

    def extendMarkdown(self, md: "Markdown") -> None:  # noqa: N802
        """Add both patterns."""
        md.inlinePatterns.register(_Mathematics(_DISPLAY, md, block=True), "mathml-display", _AFTER_CODE + 1.0)
        md.inlinePatterns.register(_Mathematics(_INLINE, md, block=False), "mathml-inline", _AFTER_CODE)


def on_config(config: "MkDocsConfig") -> Any:
    """Add the extension to all pages."""
    config.markdown_extensions.append(MathML())
    return config
