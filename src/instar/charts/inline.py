"""Charts inside a page: an SVG without what repeats, its ids made its own, its colours open to a dark ground."""

import re
from xml.etree import ElementTree

from instar.charts.theme import ACCENT, CLASSES, GREY, INK, LIGHT, PALE, SOFT, WARN
from instar.charts.tips import ROLE

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", XLINK)
PAPER = "white"
DARK = {
    INK: "#E8ECEF",
    GREY: "#A3AEB7",
    LIGHT: "#53606B",
    PALE: "#2A3540",
    ACCENT: "#5CC1E0",
    WARN: "#F29A66",
    SOFT: "#3C7F99",
    PAPER: "#151C23",
    CLASSES[0]: "#5AA9E6",
    CLASSES[6]: "#C7A500",
}
"""What the colours of a chart become on a dark ground; those that are not named stay."""
IDLE = ("role", "class")
LONG = re.compile(r"(\d\.\d{2})\d+")
"""A number of more places than a screen can show."""


TIP = "data-tip"
"""Where a mark says what it stands for, if it shall."""


def inline(svg: str, name: str, tips: bool = False) -> str:
    """A chart as an element of a page; `name` keeps its ids apart from those of other charts.

    tips: marks keep the row that they stand for (`charts.tips`) in the attribute `TIP`.
    """
    root = ElementTree.fromstring(svg)
    for child in list(root):
        if child.tag == f"{{{SVG}}}rect" and child.get("fill") == PAPER:
            root.remove(child)
    for element in root.iter():
        if tips and element.get("aria-roledescription") == ROLE and element.get("aria-label"):
            element.set(TIP, element.attrib["aria-label"])
        for key, value in list(element.attrib.items()):
            if key.startswith("aria-") or key in IDLE:
                del element.attrib[key]
            elif key == "id":
                element.set(key, f"{name}-{value}")
            elif "url(#" in value:
                element.set(key, value.replace("url(#", f"url(#{name}-"))
            elif key in ("d", "transform"):
                element.set(key, LONG.sub(r"\1", value))
    width, height = (root.attrib.pop(side) for side in ("width", "height"))
    root.set("viewBox", root.get("viewBox", f"0 0 {width} {height}"))
    root.set("focusable", "false")
    root.set("aria-hidden", "true")
    return ElementTree.tostring(root, encoding="unicode")


def dark_rules() -> str:
    """CSS that turns the colours of charts for a dark ground; rules win over attributes."""
    return "".join(
        f'.chart svg [{what}="{light}"]{{{what}:{dark}}}' for light, dark in DARK.items() for what in ("fill", "stroke")
    )
