"""deck.html: one file that asks no network; the same boxes as in deck.pptx, scaled to the window."""

import base64
import hashlib
from functools import lru_cache
from html import escape
from importlib.resources import files as resources
from pathlib import Path
from typing import assert_never

from instar import files
from instar.charts.inline import inline
from instar.deck import theme
from instar.deck.items import Arrow, Box, Grid, Item, Page, Panel, Runs, Shown, Text
from instar.deck.layout import BREAK
from instar.deck.pictures import reduced
from instar.deck.text import height
from instar.deck.words import Words

DPI = 96
"""CSS pixels in an inch."""
_ASSETS = resources("instar.deck") / "assets"


def write_html(pages: tuple[Page, ...], path: Path, title: str, words: Words) -> None:
    """Write the page whole or not at all. Its policy forbids every request and every script but its own."""
    script = (_ASSETS / "deck.js").read_text(encoding="utf-8")
    style = _variables() + (_ASSETS / "deck.css").read_text(encoding="utf-8")
    sha = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{sha}'; base-uri 'none'; form-action 'none'"
    )
    slides = "\n".join(_slide(page, words) for page in pages)
    buttons = "".join(
        f'<button id="{key}" type="button">{escape(words(f"html.{key}"))}</button>'
        for key in ("back", "on", "overview", "notes")
    )
    files.write_text(
        path,
        f"""<!doctype html>
<html lang="{escape(words("html.language"))}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1, minimum-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
<main id="deck">
<h1 class="unseen">{escape(title)}</h1>
{slides}
</main>
<nav aria-label="{escape(words("html.navigation"))}">{buttons}
<span id="where" aria-live="polite"></span></nav>
<div id="tip" role="status" hidden></div>
<script>{script}</script>
</body>
</html>
""",
    )


def _variables() -> str:
    """The theme as CSS variables, for light and for dark."""
    light, dark = (
        "".join(f"--{role}:#{value};" for role, value in colours.items()) for colours in (theme.LIGHT, theme.DARK)
    )
    measures = f"--font:{theme.FALLBACKS};--x-height:{theme.X_HEIGHT};"
    measures += f"--wide:{_px(theme.WIDTH)};--tall:{_px(theme.HEIGHT)};"
    return f":root{{{light}{measures}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def _px(inches: float) -> str:
    return f"{inches * DPI:.1f}px"


def _at(box: Box) -> str:
    return f"left:{_px(box.x)};top:{_px(box.y)};width:{_px(box.w)};height:{_px(box.h)}"


def _slide(page: Page, words: Words) -> str:
    kicker = Text(Box(theme.MARGIN, theme.KICKER_TOP, theme.ACROSS, 0.26), page.kicker, theme.SMALL, "accent", True)
    title = Box(theme.MARGIN, theme.TITLE_TOP, theme.ACROSS, theme.TITLE_HEIGHT)
    foot = Box(theme.MARGIN, theme.FOOTER_TOP, theme.ACROSS - 1, theme.FOOTER_HEIGHT)
    number = Box(theme.WIDTH - theme.MARGIN - theme.NUMBER_WIDTH, theme.FOOTER_TOP, theme.NUMBER_WIDTH, foot.h)
    notes = "".join(f'<p dir="auto">{escape(line)}</p>' for line in page.notes.splitlines())
    heading = escape(page.title).replace(BREAK, "<br>")
    n = page.number
    return f"""<section class="slide" id="s{n}" aria-labelledby="t{n}" data-key="{escape(page.key)}">
<div class="stage">
{_item(kicker, page.key)}
<h2 id="t{n}" class="text b z{theme.TITLE}" style="{_at(title)}"><span>{heading}</span></h2>
{"".join(_item(item, page.key) for item in page.items)}
<div class="text muted z{theme.SMALL}" style="{_at(foot)}"><span>{escape(page.footer)}</span></div>
<div class="text muted right z{theme.SMALL}" style="{_at(number)}"><span>{n}</span></div>
</div>
<aside tabindex="0" aria-label="{escape(words("html.notes"))}">{notes}</aside>
</section>"""


def _item(item: Item, key: str) -> str:
    match item:
        case Text():
            names = f"text z{item.size} {item.colour} {item.anchor}" + " b" * item.bold + " centred" * item.centred
            inner = f'<span dir="auto">{escape(item.text)}</span>'
            return f'<div class="{names}" style="{_at(item.box)}">{inner}</div>\n'
        case Runs():
            inner = "".join(_run(text, strength) for text, strength in item.runs)
            return f'<div class="text z{item.size} ink" style="{_at(item.box)}"><span dir="auto">{inner}</span></div>\n'
        case Shown():
            return _chart(item, item.vector, key) if item.vector else _picture(item)
        case Panel():
            return f'<div class="panel" style="{_at(item.box)};background:var(--{item.colour})"></div>\n'
        case Arrow():
            return f'<div class="arrow" aria-hidden="true" style="{_at(item.box)}"></div>\n'
        case Grid():
            return _table(item)
        case _:
            assert_never(item)


def _chart(item: Shown, svg: Path, key: str) -> str:
    """A chart as part of the page: its marks can be pointed at, its text can be found, its colours turn in the dark."""
    drawn = inline(svg.read_text(encoding="utf-8"), f"{key}-{svg.stem}", tips=True)
    alt = escape(item.alt, quote=True)
    return f'<div class="chart" role="img" aria-label="{alt}" style="{_at(item.box)}">{drawn}</div>\n'


def _picture(item: Shown) -> str:
    alt, source = escape(item.alt, quote=True), _jpeg(item.path, round(item.box.w, 2))
    return f'<img style="{_at(item.box)}" alt="{alt}" src="{source}">\n'


def _run(text: str, strength: int) -> str:
    """A piece of text: what speaks for the answer is marked, what speaks against it is struck in the other colour."""
    if not strength:
        return escape(text)
    return f'<mark class="{"for" if strength > 0 else "against"} m{abs(strength)}">{escape(text)}</mark>'


@lru_cache(maxsize=256)
def _jpeg(path: Path, inches: float) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(reduced(path, inches)).decode()


def _table(item: Grid) -> str:
    columns = "".join(f'<col style="width:{_px(w)}">' for w in item.widths)
    rows = ""
    for r, (cells, tall) in enumerate(zip(item.rows, item.heights, strict=True)):
        tag = 'th scope="col"' if r == 0 else "td"
        inner = "".join(f'<{tag}><span dir="auto">{escape(c)}</span></{tag[:2]}>' for c in cells)
        rows += f'<tr style="height:{_px(tall)}">{inner}</tr>'
    assert sum(item.heights) >= height(len(item.rows), item.size)
    return f'<table class="z{item.size}" style="{_at(item.box)}"><colgroup>{columns}</colgroup>{rows}</table>\n'
