"""The page itself: overview, the classes, and the findings by gravity."""

import base64
import hashlib
from html import escape
from importlib.resources import files as resources

import polars as pl

from instar.charts.inline import dark_rules
from instar.deck import theme
from instar.deck.text import clean
from instar.deck.words import Words
from instar.records import Dataset
from instar.report.album import MEAN_OF, MOST_CLASSES
from instar.report.examples import Group, show
from instar.report.facts import Facts
from instar.report.sections import CLOSED, OPEN, name_of, of_kind, section
from instar.report.slots import ABOUT, mark, slot

_ASSETS = resources("instar.report") / "assets"
CLASSES_OPEN = 8
"""Classes whose pictures are shown before the rest is folded."""
QUOTES = 10


def page(facts: Facts, words: Words) -> str:
    """The whole page. Its policy forbids every request and every script but its own."""
    script = (_ASSETS / "report.js").read_text(encoding="utf-8")
    style = _variables() + (_ASSETS / "report.css").read_text(encoding="utf-8")
    sha = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{sha}'; base-uri 'none'; form-action 'none'"
    )
    name = escape(clean(facts.dataset.name))
    title = escape(words("page.title", dataset=clean(facts.dataset.name)))
    sections = "\n".join(section(kind, facts, words) for kind in (*OPEN, *CLOSED))
    version = str(facts.machine.get("versions", {}).get("instar", ""))
    return f"""<!doctype html>
<html lang="{escape(words("page.language"))}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
{mark(facts.digest)}
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#{OPEN[0]}">{escape(words("page.skip"))}</a>
<header id="top"><p class="kicker">{escape(words("page.kicker"))}</p><h1 dir="auto">{name}</h1>
<p class="lead">{escape(_lead(facts, words))}</p>{_cards(facts, words)}</header>
<div class="columns">
<nav aria-label="{escape(words("page.contents"))}">{_contents(facts, words)}</nav>
<main>
{_about(facts, words)}
{_classes(facts, words)}
{sections}
<footer><p class="small">{escape(words("page.made", version=version))}</p></footer>
</main>
</div>
<script>{script}</script>
</body>
</html>
"""


def _variables() -> str:
    """The colours of the slides as CSS variables, for light and for dark."""
    light, dark = (
        "".join(f"--{role}:#{colour};" for role, colour in colours.items()) for colours in (theme.LIGHT, theme.DARK)
    )
    dark_charts = f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}{dark_rules()}}}"
    return f":root{{{light}--font:{theme.FALLBACKS};--x-height:{theme.X_HEIGHT}}}\n{dark_charts}\n"


def _lead(facts: Facts, words: Words) -> str:
    n = facts.dataset.part("train", "val", "test").height
    classes = words.whole(len(facts.dataset.classes))
    return words("page.lead", n=words.whole(n), many=facts.modality.many, classes=classes)


def _cards(facts: Facts, words: Words) -> str:
    """How many findings of each gravity, as links to their sections."""
    cards = "".join(
        f'<li class="{kind}"><a href="#{kind}"><strong>{len(of_kind(facts, kind))}</strong> '
        f"{escape(words(f'page.{kind}'))}</a></li>"
        for kind in (*OPEN, *CLOSED)
    )
    return f'<ul class="cards">{cards}</ul>'


def _contents(facts: Facts, words: Words) -> str:
    links = [("about", words("page.about")), ("classes", words("looks.title" if facts.looks else "looks.quotes"))]
    html = "".join(f'<li><a href="#{to}">{escape(said)}</a></li>' for to, said in links)
    for kind in (*OPEN, *CLOSED):
        found = "".join(f'<li><a href="#{f.code}">{escape(name_of(f, words))}</a></li>' for f in of_kind(facts, kind))
        if found:
            html += f'<li class="{kind}"><a href="#{kind}">{escape(words(f"page.{kind}"))}</a><ul>{found}</ul></li>'
    return f"<ul>{html}</ul>"


def _about(facts: Facts, words: Words) -> str:
    """Where the data come from, how they were read and how they are split."""
    dataset, opening = facts.dataset, facts.dataset.opening
    source = facts.machine.get("source", {})
    n = {split: words.whole(dataset.part(split).height) for split in ("train", "val", "test")}
    rows = [
        (words("page.source"), dataset.source),
        (words("page.read"), str(opening["layout"])),
        (words("page.licence"), str(source.get("licence", ""))),
        (words("page.citation"), str(source.get("citation", ""))),
        (words("page.parts"), f"{words('page.parts.are', **n)}. {words('page.sealed')}"),
        (
            words("page.apart"),
            words(
                "page.apart.are",
                unlabelled=words.whole(dataset.part("unlabelled").height),
                quarantined=words.whole(dataset.part("quarantined").height),
            ),
        ),
        (words("page.opened"), str(facts.machine.get("started", ""))[:10]),
    ]
    if opening["limit"] is not None:
        left = words.whole(opening["left_out_by_limit"])
        rows.insert(-1, ("", words("page.limit", limit=words.whole(opening["limit"]), left=left)))
    said = "".join(
        f'<dt>{escape(what)}</dt><dd dir="auto">{escape(clean(text))}</dd>' for what, text in rows if text.strip()
    )
    return (
        f'<section id="about"><h2>{escape(words("page.about"))}</h2><dl>{said}</dl>{slot(ABOUT, facts.said)}</section>'
    )


def _classes(facts: Facts, words: Words) -> str:
    """What the classes look like, or a few of their texts."""
    if not facts.looks:
        html, _ = show(_quoted(facts.dataset), facts.dataset, facts.modality, facts.album)
        head = words("looks.quotes")
        lead = words("looks.quotes.lead")
        return f'<section id="classes"><h2>{escape(head)}</h2><p>{escape(lead)}</p>{html}</section>'
    items = []
    for look in facts.looks:
        label = clean(look.label)
        n = words("looks.n", n=words.whole(facts.dataset.counts.get(look.label, 0)))
        n_tiles = words.whole(len(look.tiles))
        pictures = (
            (look.mean, words("looks.mean", label=label)),
            (look.strip, words("looks.strip", n=n_tiles, label=label)),
        )
        images = "".join(
            f'<img src="{facts.album.keep(picture)}" alt="{escape(alt, quote=True)}" width="{picture.width}" '
            f'height="{picture.height}" loading="lazy">'
            for picture, alt in pictures
        )
        items.append(
            f'<li><h3 dir="auto">{escape(label)}</h3><p class="small">{escape(n)}</p>'
            f'<div class="strip">{images}</div></li>'
        )
    if len(facts.dataset.classes) > MOST_CLASSES:
        shown = {"shown": words.whole(len(items)), "classes": words.whole(len(facts.dataset.classes))}
        items.append(f'<li class="small">{escape(words("looks.first", **shown))}</li>')
    lead = words("looks.lead", most=words.whole(MEAN_OF))
    html = f'<ul class="classes">{"".join(items[:CLASSES_OPEN])}</ul>'
    if len(items) > CLASSES_OPEN:
        rest = words("looks.all", count=words.whole(len(items) - CLASSES_OPEN))
        more = "".join(items[CLASSES_OPEN:])
        html += f'<details><summary>{escape(rest)}</summary><ul class="classes">{more}</ul></details>'
    head = escape(words("looks.title"))
    return f'<section id="classes"><h2>{head}</h2><p>{escape(lead)}</p>{html}</section>'


def _quoted(dataset: Dataset) -> list[Group]:
    """A training text of middling length of each class in turn."""
    length = pl.col("input").str.len_chars()
    middling = (length - length.median().over("label")).abs()
    rows = dataset.part("train").unique("group", keep="first", maintain_order=True)
    rows = rows.with_columns(middling.rank("ordinal").over("label").alias("turn"))
    names = list(dataset.classes)[:QUOTES]
    rows = rows.filter(pl.col("label").is_in(names) & (pl.col("turn") <= max(QUOTES // len(names), 1)))
    order = pl.col("label").replace_strict(names, range(len(names)), return_dtype=pl.Int64)
    return [Group((i,), (label,)) for i, label in rows.sort(order, "turn").select("id", "label").iter_rows()]
