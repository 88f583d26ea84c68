"""A story with the changes of a person taken in: slides reordered, dropped, retitled, with own text and pictures."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from instar import steps
from instar.data.decode import Unreadable, decode
from instar.deck.edits import Edits, Entry, Own, check_ids
from instar.deck.words import Words
from instar.errors import UserError
from instar.records import Block, Gallery, Picture, Points, Slide

MOST_POINTS = 5
"""Points that one slide has room for."""


def edited(told: Sequence[Slide], edits: Edits, run: Path, words: Words) -> tuple[Slide, ...]:
    """The slides in the order of the file; those that it does not know stand behind the one that they follow.

    Raises:
        UserError: the file names a slide that instar does not know, a picture that is not there or no picture, or puts
            more on a slide than it holds.
    """
    if not edits.slides and not edits.offered:
        return tuple(told)
    check_ids(edits, tuple(told), run / steps.EDITS)
    by_key = {slide.key: slide for slide in told}
    made: list[Slide] = []
    for i, entry in enumerate(edits.slides):
        if entry.id is None:
            made.append(_own(entry, i, run, words))
        elif entry.id in by_key:
            made.append(_changed(by_key[entry.id], entry, i, run, words))
    if not made:
        raise UserError(f"{run / steps.EDITS} leaves no slide; put some back, or delete the file to begin anew")
    return _with_new(told, made, edits)


def _with_new(told: Sequence[Slide], made: list[Slide], edits: Edits) -> tuple[Slide, ...]:
    """Slides that the file has never offered, each behind the one that comes before it in instar's order."""
    known = {*edits.offered, *(entry.id for entry in edits.slides)}
    before: list[str] = []
    for slide in told:
        if slide.key not in known:
            keys = [s.key for s in made]
            at = next((keys.index(key) + 1 for key in reversed(before) if key in keys), 0)
            made.insert(at, slide)
        before.append(slide.key)
    return tuple(made)


def _own(entry: Entry, i: int, run: Path, words: Words) -> Slide:
    """A slide that a person wrote."""
    assert entry.title is not None
    blocks = _blocks((), entry, i, run)
    notes = "\n".join([words("own.slide"), *entry.notes, *entry.text[:MOST_POINTS]])
    return Slide(f"own-{i + 1}", entry.part, entry.title, blocks, notes, ())


def _changed(slide: Slide, entry: Entry, i: int, run: Path, words: Words) -> Slide:
    """One of instar's slides as a person changed it; its notes say what is his, so that figures can be followed."""
    lines = [*entry.notes]
    if entry.title is not None:
        lines.append(words("own.title", title=slide.title))
    if entry.text:
        lines.append(words("own.text", text=" · ".join(entry.text)))
    if entry.pictures:
        lines.append(words("own.pictures", files=words.listing([p.file for p in entry.pictures])))
    return replace(
        slide,
        title=entry.title or slide.title,
        blocks=_blocks(slide.blocks, entry, i, run),
        notes="\n".join([*lines, slide.notes]),
    )


def _blocks(blocks: tuple[Block, ...], entry: Entry, i: int, run: Path) -> tuple[Block, ...]:
    """Blocks with own pictures beside them and own text below its points."""
    points = tuple(text for block in blocks if isinstance(block, Points) for text in block.items)
    rest = [block for block in blocks if not isinstance(block, Points)]
    if entry.pictures:
        shown = tuple(_picture(picture, i, run) for picture in entry.pictures)
        rest.append(Gallery(shown, 0))
    if entry.text and len(points) + len(entry.text) > MOST_POINTS:
        raise UserError(
            f"{run / steps.EDITS}: slides.{i} has {len(points) + len(entry.text)} points, but a slide holds "
            f"{MOST_POINTS}; put some into its notes or on a slide of their own"
        )
    points += entry.text
    if not entry.pictures and not entry.text:
        return blocks
    return (*rest, Points(points)) if points else tuple(rest)


def _picture(picture: Own, i: int, run: Path) -> Picture:
    path, file = (run / picture.file).resolve(), run / steps.EDITS
    remedy = f"put it below {run} (its folder {steps.OWN} is for that) and give its path from there, or remove the line"
    if not path.is_relative_to(run.resolve()):
        raise UserError(f"{file}: slides.{i}.pictures: {picture.file} lies outside the run; {remedy}")
    if not path.is_file():
        raise UserError(f"{file}: slides.{i}.pictures: {picture.file} is not there; {remedy}")
    try:
        decode(path.read_bytes())
    except Unreadable as error:
        raise UserError(f"{file}: slides.{i}.pictures: {picture.file}: {error}; save it as PNG or JPEG") from None
    return Picture(str(path), picture.caption, picture.alt or picture.caption or Path(picture.file).stem)
