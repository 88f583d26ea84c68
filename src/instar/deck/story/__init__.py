"""The slides of a run, as pure functions from facts to slides, one file per part."""

from instar.deck.facts import Facts
from instar.deck.story.analysis import analysis
from instar.deck.story.architecture import architecture
from instar.deck.story.conclusion import conclusion
from instar.deck.story.decisions import appendix
from instar.deck.story.opening import opening
from instar.deck.story.performance import performance
from instar.deck.story.preparation import preparation
from instar.deck.story.scores import every
from instar.deck.words import Words
from instar.records import Slide


def story(facts: Facts, words: Words) -> tuple[Slide, ...]:
    """Result, chain of evidence, the five parts, and what did not fit into them."""
    parts = (opening, analysis, preparation, architecture, performance, conclusion, appendix)
    return (*(slide for part in parts for slide in part(facts, words)), every(facts, words))
