"""deck.pptx: native titles, tables, notes and slide numbers; charts and pictures with alternative texts."""

import io
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any, assert_never

from pptx.enum.dml import MSO_THEME_COLOR
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn
from pptx.util import Pt

from instar import files
from instar.deck import theme
from instar.deck.items import Arrow, Grid, Item, Page, Panel, Shown, Text
from instar.deck.master import KICKER, empty_deck, emu
from instar.deck.pictures import reduced
from instar.deck.theme import Colour

_SCHEME: dict[Colour, MSO_THEME_COLOR] = {
    "ink": MSO_THEME_COLOR.TEXT_1,
    "paper": MSO_THEME_COLOR.BACKGROUND_1,
    "muted": MSO_THEME_COLOR.TEXT_2,
    "panel": MSO_THEME_COLOR.BACKGROUND_2,
    "accent": MSO_THEME_COLOR.ACCENT_1,
    "good": MSO_THEME_COLOR.ACCENT_1,
    "bad": MSO_THEME_COLOR.ACCENT_2,
    "rule": MSO_THEME_COLOR.ACCENT_3,
}
_ANCHORS = {"top": MSO_ANCHOR.TOP, "middle": MSO_ANCHOR.MIDDLE, "bottom": MSO_ANCHOR.BOTTOM}


def write_pptx(pages: tuple[Page, ...], path: Path, title: str, made: str) -> None:
    """Write the presentation whole or not at all; `made` is its day."""
    deck = empty_deck()
    deck.core_properties.title = title
    deck.core_properties.author = "instar"
    deck.core_properties.created = deck.core_properties.modified = datetime.fromisoformat(made)
    layout = deck.slide_layouts[0]
    for page in pages:
        slide = deck.slides.add_slide(layout)
        slide.shapes.title.text = page.title
        slide.placeholders[KICKER].text = page.kicker
        for item in page.items:
            _draw(slide, item)
        _foot(slide, layout, page)
        slide.notes_slide.notes_text_frame.text = page.notes
    stream = io.BytesIO()
    deck.save(stream)
    files.write_bytes(path, stream.getvalue())


def _foot(slide: Any, layout: Any, page: Page) -> None:
    """Footer and slide number: placeholders of the layout, which python-pptx does not copy by itself."""
    for shape in layout.placeholders:
        kind = shape._element.ph.get("type")
        if kind not in ("ftr", "sldNum"):
            continue
        copy = deepcopy(shape._element)
        copy.nvSpPr.cNvPr.set("id", str(slide.shapes._next_shape_id))
        slide.shapes._spTree.append(copy)
        if kind == "sldNum":
            copy.find(f".//{qn('a:t')}").text = str(page.number)
            continue
        paragraph = slide.shapes[-1].text_frame.paragraphs[0]
        paragraph.alignment = PP_ALIGN.LEFT  # LibreOffice centres footers whatever their style says
        run = paragraph.add_run()
        run.text = page.footer
        run.font.size, run.font.name = Pt(theme.SMALL), "+mn-lt"
        run.font.color.theme_color = _SCHEME["muted"]


def _draw(slide: Any, item: Item) -> None:
    match item:
        case Text():
            shape = slide.shapes.add_textbox(*_box(item))
            _write(shape.text_frame, item)
        case Shown():
            content = item.path.read_bytes() if item.vector else reduced(item.path, item.box.w)
            picture = slide.shapes.add_picture(io.BytesIO(content), *_box(item))
            picture._element.nvPicPr.cNvPr.set("descr", item.alt)
        case Panel():
            _fill(slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *_box(item)), item.colour)
        case Arrow():
            _fill(slide.shapes.add_shape(MSO_SHAPE.RIGHT_ARROW, *_box(item)), "accent")
        case Grid():
            _table(slide, item)
        case _:
            assert_never(item)


def _box(item: Text | Shown | Panel | Arrow | Grid) -> tuple[Any, Any, Any, Any]:
    box = item.box
    return emu(box.x), emu(box.y), emu(box.w), emu(box.h)


def _fill(shape: Any, colour: Colour) -> None:
    """A plain surface without outline, shadow or text."""
    shape.fill.solid()
    shape.fill.fore_color.theme_color = _SCHEME[colour]
    shape.line.fill.background()
    shape._element.remove(shape._element.find(qn("p:style")))
    shape.name = "Surface"


def _write(frame: Any, item: Text) -> None:
    """Text as it was measured: no inset, no automatic size."""
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    frame.vertical_anchor = _ANCHORS[item.anchor]
    paragraph = frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.CENTER if item.centred else PP_ALIGN.LEFT
    run = paragraph.add_run()
    run.text = item.text
    run.font.size, run.font.bold = Pt(item.size), item.bold
    run.font.color.theme_color = _SCHEME[item.colour]


def _table(slide: Any, item: Grid) -> None:
    """A native table: no bands, a thin rule below each row."""
    frame = slide.shapes.add_table(len(item.rows), len(item.widths), *_box(item))
    frame._element.nvGraphicFramePr.cNvPr.set("descr", " | ".join(item.rows[0]))
    table = frame.table
    table.horz_banding = False
    for column, width in zip(table.columns, item.widths, strict=True):
        column.width = emu(width)
    for row, tall in zip(table.rows, item.heights, strict=True):
        row.height = emu(tall)
    for r, cells in enumerate(item.rows):
        for c, text in enumerate(cells):
            cell = table.cell(r, c)
            cell.fill.background()
            cell.margin_left = cell.margin_right = emu(0.07)
            cell.margin_top = cell.margin_bottom = emu(0.03)
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            run = cell.text_frame.paragraphs[0].add_run()
            run.text = text
            run.font.size, run.font.bold = Pt(item.size), r == 0
            run.font.color.theme_color = _SCHEME["accent" if r == 0 else "ink"]
            _underline(cell, r == 0)


def _underline(cell: Any, strong: bool) -> None:
    """The rule below a cell; python-pptx has no words for the borders of a table."""
    properties = cell._tc.get_or_add_tcPr()
    for place_, width in (("lnL", 0), ("lnR", 0), ("lnT", 0), ("lnB", 12700 if strong else 6350)):
        inner = (
            f'<a:solidFill><a:schemeClr val="accent{1 if strong else 3}"/></a:solidFill>' if width else "<a:noFill/>"
        )
        line = parse_xml(f'<a:{place_} {nsdecls("a")} w="{width}">{inner}</a:{place_}>')
        properties.insert(len(properties.findall("./*")) - 1, line)
