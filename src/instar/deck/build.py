"""Everything that a deck is written as, from the files of a run alone."""

from pathlib import Path

from instar.deck import edits, own, report
from instar.deck.card import data_card, model_card
from instar.deck.facts import read_facts
from instar.deck.figures import draw
from instar.deck.html import write_html
from instar.deck.layout import page
from instar.deck.pptx import write_pptx
from instar.deck.stacked import page_in
from instar.deck.story import story
from instar.deck.template import keep_template, named_template
from instar.deck.words import read_words
from instar.files import write_text
from instar.records import Slide


def build(run: Path, template: Path | None = None) -> tuple[Slide, ...]:
    """Draw the charts into figures/, write deck.pptx, deck.html, report.md and the cards, each whole or not at all.

    Args:
        run: a finished run; what a person has changed in its deck.yaml is kept.
        template: a PowerPoint file whose layout, fonts and colours deck.pptx takes from now on.

    Raises:
        UserError: a file of the run directory is broken, deck.yaml asks for what cannot be, or there is no room.
    """
    facts, words = read_facts(run), read_words()
    told = story(facts, words)
    edits.keep_edits(run, told, words)
    if template is not None:
        edits.set_template(run, keep_template(run, template))
    asked = edits.read_edits(run)
    slides = own.edited(told, asked, run, words)
    pattern = named_template(run, asked.template)
    draw(facts, words, run, slides)
    footer = words("deck.footer", dataset=facts.dataset.name, run=facts.run, date=facts.date)
    pages = tuple(page(slide, i + 1, footer, run) for i, slide in enumerate(slides))
    title = words("deck.title", dataset=facts.dataset.name, backbone=facts.card.title)
    native = pages
    if pattern is not None:
        native = tuple(page_in(pattern, slide, i + 1, footer, run) for i, slide in enumerate(slides))
    write_pptx(native, run / "deck.pptx", title, facts.date, pattern)
    write_html(pages, run / "deck.html", title, words)
    report.write_report(slides, run, title, words)
    write_text(run / "MODEL_CARD.md", model_card(facts, words))
    write_text(run / "DATA_CARD.md", data_card(facts, words))
    return slides
