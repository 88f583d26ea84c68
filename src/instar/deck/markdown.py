"""Text in Markdown that stays text: names and quotations of the data are never markup."""

import re
from collections.abc import Iterable, Sequence

from instar.deck.text import clean

_MARKUP = re.compile(r"([\\`*_\[\]|~#$!])")
_LIST = re.compile(r"^(\d+)([.)])(?=\s|$)|^([-+=])")


def md(text: str) -> str:
    """One line of plain text, whatever it holds: no HTML, no link, no formula, no list."""
    line = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = _MARKUP.sub(r"\\\1", line).replace("://", ":\\/\\/").replace("www.", "www\\.").replace("@", "&#64;")
    return _LIST.sub(lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", line)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; texts are escaped here."""
    lines = [[md(cell) for cell in row] for row in (header, *rows)]
    lines.insert(1, ["---"] * len(header))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(items: Iterable[str]) -> str:
    """A list; texts are escaped here."""
    return "\n".join(f"- {md(item)}" for item in items)
