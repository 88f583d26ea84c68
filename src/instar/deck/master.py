"""The empty PowerPoint file: 16:9, own colours, one layout with placeholders."""

import re
from copy import deepcopy
from typing import Any

from pptx import Presentation
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.presentation import Presentation as PresentationType
from pptx.util import Inches, Length, Pt

from instar.deck import theme
from instar.deck.items import Box

LAYOUT = "Title Only"
KICKER = 13
"""Index of the placeholder that names the part."""
_THEME = {
    "dk1": "ink",
    "lt1": "paper",
    "dk2": "muted",
    "lt2": "panel",
    "accent1": "accent",
    "accent2": "bad",
    "accent3": "rule",
}
_PLACES = {
    "title": Box(theme.MARGIN, theme.TITLE_TOP, theme.ACROSS, theme.TITLE_HEIGHT),
    "body": Box(theme.MARGIN, theme.KICKER_TOP, theme.ACROSS, 0.26),
    "ftr": Box(theme.MARGIN, theme.FOOTER_TOP, theme.ACROSS - theme.NUMBER_WIDTH - theme.GAP, theme.FOOTER_HEIGHT),
    "sldNum": Box(
        theme.WIDTH - theme.MARGIN - theme.NUMBER_WIDTH,
        theme.FOOTER_TOP,
        theme.NUMBER_WIDTH,
        theme.FOOTER_HEIGHT,
    ),
}
_STYLES = {
    "title": (theme.TITLE, "tx1", True, "l"),
    "body": (theme.SMALL, "accent1", True, "l"),
    "ftr": (theme.SMALL, "tx2", False, "l"),
    "sldNum": (theme.SMALL, "tx2", False, "r"),
}


def emu(inches: float) -> Length:
    """Inches in the unit of the format."""
    return Inches(round(inches, 4))


def empty_deck() -> PresentationType:
    """A presentation without slides; its only layout holds real placeholders, so a theme can be swapped."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = emu(theme.WIDTH), emu(theme.HEIGHT)
    for layout in list(deck.slide_layouts):
        if layout.name != LAYOUT:
            deck.slide_layouts.remove(layout)
    master, layout = deck.slide_master, deck.slide_layouts[0]
    _paint(master)
    for shape in list(master.placeholders):
        _settle(shape, master)
    for shape in list(layout.placeholders):
        if _kind(shape) == "dt":
            shape._element.getparent().remove(shape._element)
    _add_kicker(layout, master)
    return deck


def own_deck() -> tuple[PresentationType, Any]:
    """`empty_deck` and its layout."""
    deck = empty_deck()
    return deck, deck.slide_layouts[0]


def _kind(shape: Any) -> str:
    return str(shape._element.ph.get("type", "obj"))


def _settle(shape: Any, master: Any) -> None:
    """Give a placeholder of the master its place and its type; the date goes."""
    kind = _kind(shape)
    if kind not in _PLACES:
        shape._element.getparent().remove(shape._element)
        return
    place(shape, _PLACES[kind])
    body = shape.text_frame._txBody
    body.bodyPr.attrib.update({"lIns": "0", "tIns": "0", "rIns": "0", "bIns": "0"})
    body.bodyPr.set("anchor", "t")
    for child in list(body.bodyPr):
        body.bodyPr.remove(child)
    if kind in ("ftr", "sldNum"):
        style = body.find(_tag("a:lstStyle"))
        style.clear()
        style.append(_level(kind))
    if kind == "title":
        styles = master._element.find(_tag("p:txStyles")).find(_tag("p:titleStyle"))
        styles.replace(styles.find(_tag("a:lvl1pPr")), _level(kind))
    if kind == "body":
        styles = master._element.find(_tag("p:txStyles")).find(_tag("p:bodyStyle"))
        styles.replace(styles.find(_tag("a:lvl1pPr")), _level(kind))


def place(shape: Any, box: Box) -> None:
    """Move a shape to a box."""
    shape.left, shape.top, shape.width, shape.height = emu(box.x), emu(box.y), emu(box.w), emu(box.h)


def _add_kicker(layout: Any, master: Any) -> None:
    """The layout of the default template has no text placeholder: the master's is copied into it."""
    source = next(s for s in master.placeholders if _kind(s) == "body")
    element = deepcopy(source._element)
    element.nvSpPr.cNvPr.set("name", "Part")
    element.nvSpPr.cNvPr.set("id", "9")
    element.ph.set("idx", str(KICKER))
    element.ph.set("sz", "quarter")
    layout.shapes._spTree.append(element)


def _level(kind: str) -> Any:
    """The paragraph style of a placeholder."""
    from pptx.oxml import parse_xml

    size, colour, bold, align = _STYLES[kind]
    face = "+mj-lt" if kind == "title" else "+mn-lt"
    return parse_xml(
        '<a:lvl1pPr xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" marL="0" indent="0" '
        f'algn="{align}"><a:spcBef><a:spcPts val="0"/></a:spcBef><a:buNone/>'
        f'<a:defRPr sz="{Pt(size).centipoints}" b="{int(bold)}"><a:solidFill><a:schemeClr val="{colour}"/>'
        f'</a:solidFill><a:latin typeface="{face}"/></a:defRPr></a:lvl1pPr>'
    )


def _tag(name: str) -> str:
    from pptx.oxml.ns import qn

    return str(qn(name))


def _paint(master: Any) -> None:
    """Own colours and fonts in the theme part, so that every shape can name a role instead of a colour."""
    part = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    xml = part.blob.decode("utf-8")
    for slot, role in _THEME.items():
        colour = theme.LIGHT[role]  # type: ignore[index]
        xml = re.sub(rf"(<a:{slot}>).*?(</a:{slot}>)", rf'\g<1><a:srgbClr val="{colour}"/>\g<2>', xml, flags=re.S)
    xml = re.sub(r'(<a:(?:major|minor)Font>\s*<a:latin typeface=")[^"]*', rf"\g<1>{theme.FONT}", xml, flags=re.S)
    part._blob = xml.encode("utf-8")
