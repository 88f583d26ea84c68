"""deck.pptx: native titles, tables, notes and slide numbers; charts and pictures with alternative texts."""

import io
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any, assert_never

from pptx.enum.dml import MSO_THEME_COLOR
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.opc.package import Part
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn
from pptx.util import Pt

from instar import files
from instar.deck import theme
from instar.deck.items import Arrow, Grid, Item, Page, Panel, Runs, Shown, Text
from instar.deck.master import KICKER, emu, own_deck
from instar.deck.pictures import reduced
from instar.deck.template import Template, fill, opened, put_footer
from instar.deck.text import LINE
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
_NUMBER = f'<a:fld {nsdecls("a")} id="{{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}}" type="slidenum"><a:t/></a:fld>'
_VECTOR = (
    f'<a:extLst {nsdecls("a", "r")}><a:ext uri="{{{{96DAC541-7B7A-43D3-8B79-37D633B846F1}}}}">'
    '<asvg:svgBlip xmlns:asvg="http://schemas.microsoft.com/office/drawing/2016/SVG/main" r:embed="{name}"/>'
    "</a:ext></a:extLst>"
)
_ANCHORS = {"top": MSO_ANCHOR.TOP, "middle": MSO_ANCHOR.MIDDLE, "bottom": MSO_ANCHOR.BOTTOM}


def write_pptx(pages: tuple[Page, ...], path: Path, title: str, made: str, template: Template | None = None) -> None:
    """Write the presentation whole or not at all; `made` is its day, pages are laid out for the template if any."""
    deck, layout = opened(template) if template else own_deck()
    deck.core_properties.title = title
    deck.core_properties.author = "instar"
    deck.core_properties.created = deck.core_properties.modified = datetime.fromisoformat(made)
    for page in pages:
        slide = deck.slides.add_slide(layout)
        slide.shapes.title.text = page.title
        if template is None:
            slide.placeholders[KICKER].text = page.kicker
        else:
            fill(slide, page, template)
        for item in page.items:
            _draw(slide, item, template is not None)
        _foot(slide, layout, page, template)
        slide.notes_slide.notes_text_frame.text = page.notes
    stream = io.BytesIO()
    deck.save(stream)
    files.write_bytes(path, stream.getvalue())


def _foot(slide: Any, layout: Any, page: Page, template: Template | None) -> None:
    """Footer and slide number: placeholders of the layout, which python-pptx does not copy by itself."""
    for shape in layout.placeholders:
        kind = shape._element.ph.get("type")
        if kind not in ("ftr", "sldNum"):
            continue
        copy = deepcopy(shape._element)
        copy.nvSpPr.cNvPr.set("id", str(slide.shapes._next_shape_id))
        slide.shapes._spTree.append(copy)
        frame = slide.shapes[-1].text_frame
        if kind == "sldNum":
            field = copy.find(f".//{qn('a:fld')}")
            if field is None:
                field = parse_xml(_NUMBER)
                frame.paragraphs[0]._p.insert(0, field)
            field.find(qn("a:t")).text = str(page.number)
        elif template is not None:
            put_footer(frame, shape, page.footer, template)
        else:
            paragraph = frame.paragraphs[0]
            paragraph.alignment = PP_ALIGN.LEFT  # LibreOffice centres footers whatever their style says
            run = paragraph.add_run()
            run.text = page.footer
            run.font.size, run.font.name = Pt(theme.SMALL), "+mn-lt"
            run.font.color.theme_color = _SCHEME["muted"]


def _draw(slide: Any, item: Item, exact: bool) -> None:
    match item:
        case Text():
            shape = slide.shapes.add_textbox(*_box(item))
            _write(shape.text_frame, item, exact)
        case Runs():
            _write_runs(slide.shapes.add_textbox(*_box(item)).text_frame, item, exact)
        case Shown():
            content = item.path.read_bytes() if item.vector else reduced(item.path, item.box.w)
            picture = slide.shapes.add_picture(io.BytesIO(content), *_box(item))
            picture._element.nvPicPr.cNvPr.set("descr", item.alt)
            if item.vector:
                _add_vector(slide, picture, item.vector)
        case Panel():
            _fill(slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *_box(item)), item.colour)
        case Arrow():
            _fill(slide.shapes.add_shape(MSO_SHAPE.RIGHT_ARROW, *_box(item)), "accent")
        case Grid():
            _table(slide, item, exact)
        case _:
            assert_never(item)


def _add_vector(slide: Any, picture: Any, svg: Path) -> None:
    """Put the SVG of a chart beside its PNG: PowerPoint since 2016 and LibreOffice show it, others the PNG.

    The extension is that of [MS-ODRAWXML], section svgBlip; python-pptx has no words for it.
    """
    package = slide.part.package
    part = Part(package.next_partname("/ppt/media/chart%d.svg"), "image/svg+xml", package, svg.read_bytes())
    name = slide.part.relate_to(part, RELATIONSHIP_TYPE.IMAGE)
    picture._element.find(f".//{qn('a:blip')}").append(parse_xml(_VECTOR.format(name=name)))


def _box(item: Text | Runs | Shown | Panel | Arrow | Grid) -> tuple[Any, Any, Any, Any]:
    box = item.box
    return emu(box.x), emu(box.y), emu(box.w), emu(box.h)


def _fill(shape: Any, colour: Colour) -> None:
    """A plain surface without outline, shadow or text."""
    shape.fill.solid()
    shape.fill.fore_color.theme_color = _SCHEME[colour]
    shape.line.fill.background()
    shape._element.remove(shape._element.find(qn("p:style")))
    shape.name = "Surface"


def _bare(frame: Any) -> None:
    """Text as it was measured: no inset, no automatic size."""
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0


MARKS = {1: (25, 75), 2: (50, 50), 3: (75, 25)}
"""Strength of a mark -> per cent of the accent's lightness that stay, and that are added towards white."""


def _write_runs(frame: Any, item: Runs, exact: bool) -> None:
    """Marks are highlights in the accent (for) or the second one (against), stronger ones in bold; what speaks against
    is underlined, so that a print in grey tells them apart."""
    _bare(frame)
    paragraph = frame.paragraphs[0]
    if exact:
        paragraph.line_spacing = Pt(round(item.size * LINE, 1))
    for text, strength in item.runs:
        run = paragraph.add_run()
        run.text = text
        run.font.size = Pt(round(item.size, 1))
        run.font.bold, run.font.underline = abs(strength) > 1, strength < 0
        run.font.color.theme_color = _SCHEME["ink"]
        if strength:
            stay, added = MARKS[abs(strength)]
            colour = f'<a:schemeClr val="accent{1 if strength > 0 else 2}">'
            colour += f'<a:lumMod val="{stay}000"/><a:lumOff val="{added}000"/></a:schemeClr>'
            mark = parse_xml(f"<a:highlight {nsdecls('a')}>{colour}</a:highlight>")
            run.font._element.find(qn("a:solidFill")).addnext(mark)


def _write(frame: Any, item: Text, exact: bool) -> None:
    """A text in one tone, with lines as high as in our font where `exact`."""
    _bare(frame)
    frame.vertical_anchor = _ANCHORS[item.anchor]
    paragraph = frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.CENTER if item.centred else PP_ALIGN.LEFT
    run = paragraph.add_run()
    if exact:
        paragraph.line_spacing = Pt(round(item.size * LINE, 1))
    run.text = item.text
    run.font.size, run.font.bold = Pt(round(item.size, 1)), item.bold
    run.font.color.theme_color = _SCHEME[item.colour]


def _table(slide: Any, item: Grid, exact: bool) -> None:
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
            cell.margin_left = cell.margin_right = emu(item.pad)
            cell.margin_top = cell.margin_bottom = emu(0.03)
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            paragraph = cell.text_frame.paragraphs[0]
            if exact:
                paragraph.line_spacing = Pt(round(item.size * LINE, 1))
            run = paragraph.add_run()
            run.text = text
            run.font.size, run.font.bold = Pt(round(item.size, 1)), r == 0
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
