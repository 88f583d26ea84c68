"""A PowerPoint file of a person's own as the template of a deck: its layout, fonts and colours."""

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from pptx import Presentation
from pptx.exc import PythonPptxError
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml.ns import qn
from pptx.presentation import Presentation as PresentationType
from pptx.util import Emu, Inches, Pt

from instar import files, steps
from instar.deck.items import Body, Box, Page
from instar.deck.layout import CONTENT
from instar.deck.text import LINE, cut
from instar.deck.theme import SMALL
from instar.errors import UserError

KEPT = f"{steps.OWN}template.pptx"
"""Where a run keeps its template, so that it can be moved."""
TITLES, BODIES = ("title", "ctrTitle"), ("body", "obj")
WIDER = {
    "Calibri": 1.0,
    "Carlito": 1.0,
    "Times New Roman": 1.0,
    "Liberation Serif": 1.0,
    "Arial Narrow": 1.0,
    "Arial": 1.11,
    "Helvetica": 1.11,
    "Liberation Sans": 1.11,
    "Courier New": 1.5,
    "Liberation Mono": 1.5,
    "Consolas": 1.5,
}
"""How much wider than Calibri a font runs, measured on sentences of a deck with fonts of the same metrics."""
WIDEST = 1.28
"""For all other fonts: DejaVu Serif, and about Verdana, the widest that are common in running text."""
CAPITALS = 1.38
"""How much wider a title runs that its template sets in capitals, beyond `WIDER`: what 19 of 20 of 89 titles of decks
need at most in fonts of the metrics of Times (1.38), Arial (1.29) and Calibri (1.16), and in DejaVu Serif (1.25)."""
PLAIN_TITLE = 44.0
"""Points of a title whose template names no size: what PowerPoint takes."""


@dataclass(frozen=True)
class Template:
    """Where things go in a template. Boxes are in inches of its slides."""

    path: Path
    layout: int
    """Place of its layout among those of the file."""
    body: int
    """Index of the placeholder that takes the points."""
    title: Box
    title_points: float
    title_wider: float
    area: Box
    """The place of the body: all that a slide shows stands there."""
    wider: float

    @property
    def scale(self) -> float:
        """Inches of the template for an inch of our own slides, such that what fits in ours fits in it."""
        return min(self.area.w / CONTENT.w, self.area.h / CONTENT.h)


def keep_template(run: Path, path: Path) -> str:
    """Copy a template into a run directory, if it can serve as one.

    Returns:
        Its path below the run directory.

    Raises:
        UserError: it is none, or lacks a layout that a deck needs.
    """
    if not path.is_file():
        raise UserError(f"--template {path} is not there; name a PowerPoint file (.pptx)")
    read_template(path)
    if path.resolve() != (run / KEPT).resolve():
        files.write_bytes(run / KEPT, path.read_bytes())
    return KEPT


def named_template(run: Path, name: str | None) -> Template | None:
    """The template that deck.yaml names."""
    if name is None:
        return None
    path, file = (run / name).resolve(), run / steps.EDITS
    if not path.is_relative_to(run.resolve()) or not path.is_file():
        raise UserError(f"{file}: template: {name} is no file of this run; give it with `instar deck {run} --template`")
    return read_template(path)


def read_template(path: Path) -> Template:
    """Look for the layout that has a title, one place for text or content, and the least besides.

    Raises:
        UserError: the file is no presentation, or has no such layout.
    """
    deck = _opened(path)
    found = []
    for i, layout in enumerate(deck.slide_layouts):
        places: list[Any] = list(layout.placeholders)
        kinds = [_kind(shape) for shape in places]
        bodies = [shape for shape in places if _kind(shape) in BODIES]
        if "title" in kinds and bodies:
            body = max(bodies, key=lambda shape: shape.width * shape.height)
            found.append((len(kinds) - 2, -body.width * body.height, i, layout, places, body))
    if not found:
        raise UserError(
            f"{path} has no layout with a title and a place for text or content; add one in PowerPoint's slide master "
            "(Title and Content), or take another template"
        )
    *_, i, layout, places, body = min(found, key=lambda entry: entry[:3])
    title = next(shape for shape in places if _kind(shape) == "title")
    fonts = _fonts(layout.slide_master)
    points, capitals = _title_style(layout, title)
    wide = WIDER.get(fonts["major"], WIDEST) * (CAPITALS if capitals else 1.0)
    wider = WIDER.get(fonts["minor"], WIDEST)
    return Template(path, i, body.placeholder_format.idx, _box(title), points, wide, _box(body), wider)


def opened(template: Template) -> tuple[PresentationType, Any]:
    """The template without its slides, and the layout to use."""
    deck = _opened(template.path)
    listed = deck.slides._sldIdLst
    for entry in list(listed):
        deck.part.drop_rel(entry.rId)
        listed.remove(entry)
    return deck, deck.slide_layouts[template.layout]


def _opened(path: Path) -> PresentationType:
    try:
        return Presentation(io.BytesIO(path.read_bytes()))
    except (BadZipFile, PythonPptxError, SyntaxError, KeyError, ValueError, AttributeError):
        raise UserError(f"{path} is no PowerPoint file; save the template as .pptx") from None


def _kind(shape: Any) -> str:
    return str(shape._element.ph.get("type", "obj"))


def _box(shape: Any) -> Box:
    return Box(*(Emu(side).inches for side in (shape.left, shape.top, shape.width, shape.height)))


def _fonts(master: Any) -> dict[str, str]:
    """The fonts of headings (major) and of text (minor)."""
    xml = master.part.part_related_by(RELATIONSHIP_TYPE.THEME).blob.decode("utf-8", errors="replace")
    found = re.findall(r"<a:(major|minor)Font>\s*<a:latin typeface=\"([^\"]*)\"", xml)
    return {"major": "", "minor": "", **dict(found)}


def _title_style(layout: Any, title: Any) -> tuple[float, bool]:
    """Size of titles in points, and whether they are set in capitals: of the layout, else of its master."""
    master = layout.slide_master
    sources = [title._element, *(s._element for s in master.placeholders if _kind(s) == "title")]
    styles = [element.find(f".//{qn('a:lvl1pPr')}/{qn('a:defRPr')}") for element in sources]
    styles.append(master._element.find(f".//{qn('p:titleStyle')}/{qn('a:lvl1pPr')}/{qn('a:defRPr')}"))
    given = [style for style in styles if style is not None]
    size = next((style.get("sz") for style in given if style.get("sz")), None)
    capitals = next((style.get("cap") for style in given if style.get("cap")), "none")
    return (int(size) / 100 if size else PLAIN_TITLE), capitals == "all"


def fill(slide: Any, page: Page, template: Template) -> None:
    """Give the title its size and the body its points; a body without points goes, so that no prompt stands there."""
    if page.title_size is not None and page.title_size < template.title_points:
        for paragraph in slide.shapes.title.text_frame.paragraphs:
            paragraph.font.size = Pt(round(page.title_size, 1))
    for shape in list(slide.placeholders):
        if shape.placeholder_format.idx == template.body and page.body is not None:
            _write(shape, page.body)
        elif shape.placeholder_format.idx != slide.shapes.title.placeholder_format.idx:
            shape._element.getparent().remove(shape._element)


def _write(shape: Any, body: Body) -> None:
    """Points with the bullets, font and colour of the template, in the size at which they were measured."""
    shape.left, shape.top, shape.width, shape.height = (
        Inches(side) for side in (body.box.x, body.box.y, body.box.w, body.box.h)
    )
    frame = shape.text_frame
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    for i, text in enumerate(body.items):
        paragraph = frame.paragraphs[0] if i == 0 else frame.add_paragraph()
        paragraph.line_spacing = Pt(round(body.size * LINE, 1))
        paragraph.space_before = Pt(round(body.size * 0.3, 1)) if i else Pt(0)
        paragraph.space_after = Pt(0)
        run = paragraph.add_run()
        run.text, run.font.size = text, Pt(round(body.size, 1))


def put_footer(frame: Any, layout_shape: Any, text: str, template: Template) -> None:
    """A footer in the template's place and colour, as small as that of our own slides and cut to one line."""
    size = SMALL * template.scale / template.wider
    frame.text = cut(text, _box(layout_shape).w - 0.25, 1, SMALL * template.scale)
    for run in frame.paragraphs[0].runs:
        run.font.size, run.font.name = Pt(round(size, 1)), "+mn-lt"  # LibreOffice asks for the font by name
