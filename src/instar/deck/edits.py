"""deck.yaml: what a person changes in a deck. It is written by the first deck and kept by every later one."""

import re
import textwrap
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from instar import files, steps
from instar.deck.text import shorten
from instar.deck.words import Words
from instar.errors import UserError
from instar.records import STRICT, Slide

LENIENT: dict[str, Any] = {**STRICT, "coerce_numbers_to_str": True, "str_strip_whitespace": True}
"""A title that is a number in YAML is a title; a key that is unknown is an error all the same."""
TITLE = 110
"""Letters of a title that stands in a comment."""


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str | dict) else value


Line = Annotated[str, Field(min_length=1)]
Lines = Annotated[tuple[Line, ...], BeforeValidator(_several)]


@dataclass(frozen=True)
class Own:
    """A picture of a person's own."""

    __pydantic_config__: ClassVar[dict[str, Any]] = LENIENT
    file: Line
    """Below the run directory."""
    caption: str = ""
    alt: str = ""
    """What it shows, for those who cannot see it; the caption where it is not given."""


def _picture(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


def _pictures(value: Any) -> Any:
    return tuple(_picture(one) for one in _several(value)) if isinstance(value, str | dict | list) else value


@dataclass(frozen=True)
class Entry:
    """A slide as a person wants it: one of instar's, named by its id, or one of his own, which has none."""

    __pydantic_config__: ClassVar[dict[str, Any]] = LENIENT
    id: Line | None = None
    title: Line | None = None
    text: Lines = ()
    pictures: Annotated[tuple[Own, ...], BeforeValidator(_pictures)] = ()
    notes: Lines = ()
    part: str = ""
    """The words above the title of an own slide."""


@dataclass(frozen=True)
class Edits:
    """The whole file."""

    __pydantic_config__: ClassVar[dict[str, Any]] = LENIENT
    slides: tuple[Entry, ...]
    offered: tuple[Line, ...] = ()
    """Slides that the file named when it was written: one that is here and not among `slides` has been dropped."""
    template: Line | None = None
    """A PowerPoint file below the run directory."""


def read_edits(run: Path) -> Edits:
    """What deck.yaml says; nothing where there is none.

    Raises:
        UserError: it is no YAML, or says what cannot be understood.
    """
    path = run / steps.EDITS
    if not path.exists():
        return Edits(())
    edits = files.read_yaml(path, Edits)
    seen: set[str] = set()
    for i, entry in enumerate(edits.slides):
        if entry.id is None and entry.title is None:
            raise UserError(f"{path}: slides.{i} has neither id nor title; give one of them, or remove it")
        if entry.id is not None and entry.part:
            raise UserError(f"{path}: slides.{i}: only slides of your own have a part; remove it from {entry.id}")
        if entry.id in seen:
            raise UserError(f"{path}: slides.{i}: {entry.id} stands there twice; remove one")
        seen |= {entry.id} if entry.id else set()
    return edits


def check_ids(edits: Edits, told: tuple[Slide, ...], path: Path) -> None:
    """Refuse a slide that instar does not know; one that this run once had, and has no more, is passed over.

    Raises:
        UserError: with the id that was probably meant.
    """
    known = [*(slide.key for slide in told), *edits.offered]
    for entry in edits.slides:
        if entry.id is not None and entry.id not in known:
            close = get_close_matches(entry.id, known, 1)
            guess = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(set(known)))}"
            raise UserError(f"{path}: there is no slide {entry.id}; {guess}")


def keep_edits(run: Path, told: tuple[Slide, ...], words: Words) -> None:
    """Write deck.yaml where there is none, and anew where nobody has changed anything in it but its comments."""
    path = run / steps.EDITS
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    edits = read_edits(run)
    if not text or _bare(text) == _bare(render(edits.offered, {}, edits.template, words)):
        new = render([s.key for s in told], {s.key: s.title for s in told}, edits.template, words)
        if new != text:
            files.write_text(path, new)


def render(keys: Any, titles: dict[str, str], template: str | None, words: Words) -> str:
    """The file as instar writes it: a list to edit, each slide with its title as a comment."""
    wide = max((len(key) for key in keys), default=0)
    lines = [*(f"# {line}".rstrip() for line in words("edits.head").splitlines()), ""]
    lines += [_template(template), "", "slides:"]
    lines += [f"- id: {key:{wide}}  # {shorten(titles.get(key, ''), TITLE)}".rstrip() for key in keys]
    lines += ["", *(f"# {line}" for line in words("edits.offered").splitlines())]
    lines += textwrap.wrap(f"offered: [{', '.join(keys)}]", TITLE, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join([*lines, ""])


def _template(path: str | None) -> str:
    return "template: null" if path is None else f"template: {path}"


def set_template(run: Path, path: str) -> None:
    """Name a template in deck.yaml and leave the rest of the file as it is."""
    file = run / steps.EDITS
    text = file.read_text(encoding="utf-8")
    line = re.compile(r"^template:.*$", re.M)
    new = line.sub(_template(path), text, count=1) if line.search(text) else f"{_template(path)}\n{text}"
    if new != text:
        files.write_text(file, new)


def _bare(text: str) -> str:
    """The file without the comments that hold titles."""
    return re.sub(r"^(- id: \S+) *#?.*$", r"\1", text, flags=re.M)
