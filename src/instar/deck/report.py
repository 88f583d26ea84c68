"""report.md: the slides as a text with tables and pictures, for a repository or a wiki."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import assert_never

from instar import files
from instar.deck.markdown import bullets, md, table
from instar.deck.pictures import reduced
from instar.deck.words import Words
from instar.records import Block, Chain, Figure, Gallery, Headline, MarkedQuotes, Points, Quotes, Slide, TableBlock

SHOWN = "figures/shown"
"""Where the pictures of examples lie, as small as a page shows them."""
INCHES = 1.4
"""Width of a picture of an example."""
CLEAR = 2
"""Strength of a mark from which a word is told as marked."""
MOST = 6
"""Pictures in a row."""


def write_report(slides: tuple[Slide, ...], run: Path, title: str, words: Words) -> None:
    """Write report.md and the pictures of examples that it shows, in place of those of an earlier one."""
    shutil.rmtree(run / SHOWN, ignore_errors=True)
    parts = [f"# {md(title)}"]
    for slide in slides:
        parts.append(f"## {md(slide.title)}")
        if slide.part:
            parts.append(f"*{md(slide.part)}*")
        names = (f"{SHOWN}/{slide.key}-{n}.jpg" for n in count(1))
        parts += [part for block in slide.blocks if (part := _block(block, run, names))]
        lines = [md(line) for line in slide.notes.splitlines() if line.strip()]
        if lines:
            parts.append(f"**{md(words('report.notes'))}** " + "  \n".join(lines))
    files.write_text(run / "report.md", "\n\n".join(parts) + "\n")


def _block(block: Block, run: Path, names: Iterator[str]) -> str:
    match block:
        case Points():
            return bullets(block.items)
        case Figure():
            return f"![{md(block.alt)}](figures/{block.stem}.svg)"
        case Gallery():
            return _gallery(block, run, names)
        case Quotes():
            return "\n\n".join(f"> {md(q.text)}\n>\n> — {md(q.caption)}" for q in block.items)
        case MarkedQuotes():
            return "\n\n".join(f"> {_marked(q.runs)}\n>\n> — {md(q.caption)}" for q in block.items)
        case TableBlock():
            return table(block.header, block.rows)
        case Headline():
            small = [f"{figure}: {caption}" for figure, caption in block.small]
            return f"**{md(block.large[0])}** {md(block.large[1])}\n\n{bullets(small)}".rstrip()
        case Chain():
            return table(("", *block.header), [(str(i), *row) for i, row in enumerate(block.rows, start=1)])
        case _:
            assert_never(block)


def _marked(runs: tuple[tuple[str, int], ...]) -> str:
    """A text whose clear marks are bold; what speaks against the answer is struck through as well."""
    found = ""
    for text, strength in runs:
        mark = "" if text == " " or abs(strength) < CLEAR else "**" if strength > 0 else "~~"
        found += f"{mark}{md(text)}{mark}" if text != " " else " "
    return found


def _gallery(block: Gallery, run: Path, names: Iterator[str]) -> str:
    """Pictures in rows with their captions: a table without a header that says anything."""
    columns = min(block.columns or MOST, MOST, len(block.pictures))
    cells = []
    for picture, name in zip(block.pictures, names, strict=False):
        files.write_bytes(run / name, reduced(run / picture.path, INCHES))
        cells.append(f"![{md(picture.alt or picture.caption)}]({name})<br>{md(picture.caption)}")
    cells += [""] * (-len(cells) % columns)
    rows = [cells[i : i + columns] for i in range(0, len(cells), columns)]
    lines = [[" "] * columns, ["---"] * columns, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
