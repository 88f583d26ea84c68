"""The findings of the page, by gravity: sentence, charts, what and why, consequence, examples, rows."""

from html import escape

from instar.deck.text import clean
from instar.deck.words import Words
from instar.records import Finding
from instar.report.examples import chosen, show
from instar.report.facts import Facts
from instar.report.slots import slot
from instar.report.tables import table

OPEN, CLOSED = ("issue", "note"), ("passed", "idle")
SEEN = ("class-counts", "separability", "learning-curve", "feature-map")
"""Findings that are worth seeing though they passed."""


def kind_of(finding: Finding) -> str:
    """The section in which a finding stands."""
    return finding.verdict if finding.verdict in ("issue", "note", "passed") else "idle"


def of_kind(facts: Facts, kind: str) -> list[Finding]:
    """The findings of a section, in the order of the audit."""
    return [f for f in facts.audit.findings if kind_of(f) == kind]


def name_of(finding: Finding, words: Words) -> str:
    """What a finding is called."""
    return words.known(f"name.{finding.code}", finding.code)


def section(kind: str, facts: Facts, words: Words) -> str:
    """The findings of one gravity."""
    found = of_kind(facts, kind)
    body = "".join(_finding(f, facts, words) for f in found)
    body = body or f"<p>{escape(words('page.nothing'))}</p>"
    return (
        f'<section id="{kind}" class="{kind}"><h2>{escape(words(f"page.{kind}"))} '
        f'<span class="count">{len(found)}</span></h2><p>{escape(words(f"page.{kind}.lead"))}</p>{body}</section>'
    )


def _finding(finding: Finding, facts: Facts, words: Words) -> str:
    """One finding: open with all that belongs to it, or folded where nothing was found."""
    name, sentence = escape(name_of(finding, words)), escape(clean(finding.sentence))
    verdict = escape(words(f"page.verdict.{finding.verdict}"))
    badge = f'<span class="badge">{verdict}</span>'
    inner = _inner(finding, facts, words)
    if kind_of(finding) in OPEN:
        head = f'<h3>{name} {badge}</h3><p class="sentence" dir="auto">{sentence}</p>'
        return f'<article id="{finding.code}">{head}{inner}</article>'
    head = f'<summary><h3>{name}</h3> {badge}<span class="said" dir="auto">{sentence}</span></summary>'
    unfolded = " open" if finding.code in SEEN and finding.verdict == "passed" else ""
    return f'<details class="finding" id="{finding.code}"{unfolded}>{head}{inner}</details>'


def _inner(finding: Finding, facts: Facts, words: Words) -> str:
    name = name_of(finding, words)
    html = "".join(_chart(stem, svg, name, finding, words) for stem, svg in facts.charts.get(finding.code, ()))
    told = [
        (words(f"page.{group}"), words.known(f"{group}.{finding.code}", ""))
        for group in ("what", "why")
        if f"{group}.{finding.code}" in words.templates
    ]
    html += f'<div class="told">{"".join(f"<div><h4>{escape(h)}</h4><p>{escape(t)}</p></div>" for h, t in told)}</div>'
    html += slot(finding.code, facts.said)
    shown, whole = show(
        chosen(finding, facts.dataset, words, facts.garbled), facts.dataset, facts.modality, facts.album
    )
    if shown or not whole:
        html += f"<h4>{escape(words('page.examples'))}</h4>{shown}"
        html += "" if whole else f'<p class="small">{escape(words("page.left-out"))}</p>'
    return html + table(finding, words)


def _chart(stem: str, svg: str, name: str, finding: Finding, words: Words) -> str:
    alt = escape(words("page.chart", name=name, sentence=clean(finding.sentence)), quote=True)
    links = words.listing([f'<a href="../figures/{stem}.{end}">{stem}.{end}</a>' for end in ("png", "csv")])
    files_ = escape(words("page.files", files="\0")).replace("\0", links)
    return (
        f'<figure class="chart"><div class="scroll" tabindex="0" role="img" aria-label="{alt}">{svg}</div>'
        f'<figcaption class="small">{files_}</figcaption></figure>'
    )
