"""Which repairs a text gets before it is tokenised, and how many tokens it makes then."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from instar.audit.wording import listed, percent, several
from instar.data.measure_texts import MARKUP
from instar.plan.rows import OPEN
from instar.prepare.words import lengths
from instar.records import Audit, Card, Dataset, Decision, Finding

BLANKS = ("a leading blank", "a trailing blank", "a double blank")
"""Traits of `whitespace-label` that collapsing white space takes away."""
REPAIRS = {"replacement": "mojibake", "entities": "entities"}
"""Traits of `shortcuts` that a repair takes away, and which does."""
MOST = 5_000
"""Training texts that are tokenised to learn how long they are: a second."""


def clean(audit: Audit) -> Decision:
    """The repairs of what was found, and no others; none for pictures.

    Args:
        audit: `mojibake`, `markup` and `whitespace-label` of texts; `shortcuts` only to say what repairs make of it.
    """
    garbled = audit.get("mojibake")
    if garbled is None:
        return Decision("clean", [], "fixed", (), "Only texts are repaired.", "our judgement")
    value: list[str] = []
    because: list[str] = []
    parts: list[str] = []
    if garbled.verdict in OPEN:
        value.append("mojibake")
        because.append("mojibake")
        parts.append(
            f"{several(garbled.evidence['rows'], 'text')} ({percent(garbled.evidence['share'])}) "
            f"{'holds' if garbled.evidence['rows'] == 1 else 'hold'} characters of a "
            "wrong encoding: what can be read again is restored, what is lost becomes a blank, so that its remains "
            + ("no longer tell the label, as they do now, nor" if garbled.evidence["carries"] else "do not")
            + " take up tokens."
        )
    markup = audit["markup"]
    if markup.verdict in OPEN:
        value.append("entities")
        because.append("markup")
        parts.append(
            f"{several(markup.evidence['rows'], 'text')} {'holds' if markup.evidence['rows'] == 1 else 'hold'} HTML "
            "entities or tags: entities become the characters that they stand for; tags stay."
        )
    typed = audit["whitespace-label"]
    if typed.verdict in OPEN:
        carrying = typed.evidence["carrying"]
        blanks, others = [t for t in carrying if t in BLANKS], [t for t in carrying if t not in BLANKS]
        if blanks:
            value.append("whitespace")
            because.append("whitespace-label")
            parts.append(f"As {listed(blanks)} {_tells(blanks)} the label, blanks are collapsed.")
        if others:
            left = "is left as it is: capitals belong to what is written."
            parts.append(f"That {listed(others)} {_tells(others)} the label {left}")
    shortcuts = audit["shortcuts"]
    if shortcuts.verdict in OPEN:
        best = shortcuts.evidence["best"]
        parts.append(f"Of what is not content, “{best}” tells the label best: {_taken(best, value, markup)}.")
    if not value:
        parts.insert(
            0, "No text shows a wrong encoding, HTML, or blanks that tell the label: all are read as they are."
        )
        because = [f.code for f in (garbled, markup, typed) if f.verdict not in OPEN]
        return Decision("clean", [], "rule", tuple(because), " ".join(parts), "our judgement")
    parts.append("Training, evaluation and prediction repair alike; the table keeps the texts as they came.")
    source = "ftfy (Speer 2019, doi 10.5281/zenodo.2591652), html.unescape; when to use them: our judgement"
    return Decision("clean", value, "rule", tuple(because), " ".join(parts), source)


def _tells(traits: Sequence[str]) -> str:
    return "tells" if len(traits) == 1 else "tell"


def _taken(trait: str, repairs: Sequence[str], markup: Finding) -> str:
    """What the repairs make of a trait of `shortcuts`; `entities` counts tags too, which stay."""
    if REPAIRS.get(trait) not in repairs:
        return "no repair takes that away without taking content too"
    if trait == "entities" and any(
        mark.startswith("<") for text in markup.rows["text"] for mark in MARKUP.findall(text)
    ):
        return "the repairs take the entities away, but tags stay"
    return "the repairs take that away"


def tokens(dataset: Dataset, card: Card, repairs: Sequence[str]) -> NDArray[np.int64]:
    """Tokens (N,) that training texts make for this network once they are repaired; of `MOST` of them, evenly taken."""
    texts = dataset.part("train")["input"]
    step = -(-len(texts) // MOST)
    return lengths(texts.gather_every(step).to_list(), card.spec, repairs)
