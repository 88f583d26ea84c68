"""Both decks of a run, from its files alone."""

from pathlib import Path

from instar.deck.facts import read_facts
from instar.deck.figures import draw
from instar.deck.html import write_html
from instar.deck.layout import page
from instar.deck.pptx import write_pptx
from instar.deck.story import story
from instar.deck.words import read_words
from instar.records import Slide


def build(run: Path) -> tuple[Slide, ...]:
    """Draw the charts into figures/, write deck.pptx and deck.html, each whole or not at all.

    Raises:
        UserError: a file of the run directory is broken, or there is no room to write.
    """
    facts, words = read_facts(run), read_words()
    slides = story(facts, words)
    draw(facts, words, run, slides)
    footer = words("deck.footer", dataset=facts.dataset.name, run=facts.run, date=facts.date)
    pages = tuple(page(slide, i + 1, footer, run) for i, slide in enumerate(slides))
    title = words("deck.title", dataset=facts.dataset.name, backbone=facts.card.title)
    write_pptx(pages, run / "deck.pptx", title, facts.date)
    write_html(pages, run / "deck.html", title, words)
    return slides
