"""How large an example is when the network sees it, and how it is brought to that size."""

import math
from collections.abc import Collection

from instar.audit.wording import percent
from instar.records import Audit, Card, Decision

TOKENS_PER_WORD = 1.4
"""Pieces of words per word, rounded up from what English reviews give a BERT vocabulary (our judgement)."""
MARKERS = 2
"""Tokens for begin and end of a text."""
STEP = 16
"""Lengths are rounded up to a multiple of this, which matrix units like."""
NEARLY_SQUARE = (3 / 4, 4 / 3)
"""Aspects of which a centre crop loses a quarter of the picture at most."""
ALIKE = 1.1
"""Ratio of the 95th to the 5th percentile of the aspects up to which all pictures have one shape."""
SQUASHABLE = (1 / 2, 2.0)
"""Aspects that may be squashed to a square where all pictures are distorted alike."""
JUDGEMENT = "our judgement"


def tokens_of(words: int) -> int:
    """Tokens that hold a text of so many words."""
    return math.ceil(words * TOKENS_PER_WORD + MARKERS)


def input_size(audit: Audit, card: Card) -> Decision:
    """Pictures: the size that the network was trained at. Texts: as long as 19 of 20 are, within bounds."""
    limit = card.spec.size
    lengths = audit.get("lengths")
    if lengths is None:
        found = audit["sizes"].evidence
        smaller = max(found["median_width"], found["median_height"]) < limit
        reason = (
            f"{card.title} works at {limit} × {limit} pixels; the pictures have a median of "
            f"{found['median_width']} × {found['median_height']}"
            f"{', so they are enlarged, which adds no detail' if smaller else ''}."
        )
        return Decision("input_size", limit, "rule", ("sizes",), reason, "configuration of the backbone")
    p95 = lengths.evidence["p95"]
    wanted = max(STEP, STEP * math.ceil(tokens_of(p95) / STEP))
    reason = (
        f"19 in 20 texts have {p95:,} words or fewer, about {tokens_of(p95):,} tokens at {TOKENS_PER_WORD} a "
        f"word and {MARKERS} markers; rounded up to a multiple of {STEP}."
    )
    if wanted > limit:
        reason += f" {card.title} reads no more than {limit:,}."
    return Decision("input_size", min(wanted, limit), "rule", ("lengths",), reason, JUDGEMENT)


def fit(audit: Audit, card: Card, fits: Collection[str]) -> Decision:
    """crop, pad or squash by the aspects of the pictures; head or ends by how many texts are too long.

    Args:
        audit: holds `lengths` for texts, `sizes` for pictures.
        card: knows the most that the network takes.
        fits: what the modality can do.
    """
    lengths = audit.get("lengths")
    decision = _fit_pictures(audit) if lengths is None else _fit_texts(lengths.evidence["p95"], card)
    assert decision.value in fits, (decision.value, fits)
    return decision


def _fit_texts(p95: int, card: Card) -> Decision:
    if tokens_of(p95) > card.spec.size:
        reason = (
            f"More than 1 in 20 texts are longer than the {card.spec.size:,} tokens that {card.title} reads; "
            "beginning and end of a text tell more than its beginning alone."
        )
        return Decision("fit", "ends", "rule", ("lengths",), reason, "arXiv 1905.05583")
    reason = "At most 1 in 20 texts are cut, and of these the beginning is kept."
    return Decision("fit", "head", "rule", ("lengths",), reason, JUDGEMENT)


def _fit_pictures(audit: Audit) -> Decision:
    found = audit["sizes"].evidence
    low, high = found["aspect_low"], found["aspect_high"]
    spread = f"Width to height is {low:.2f}"
    spread += " throughout" if low == high else f" to {high:.2f} for nine in ten pictures"
    lost = 1 - min(low, 1 / high, 1)
    if NEARLY_SQUARE[0] <= low and high <= round(NEARLY_SQUARE[1], 3):
        value = "crop"
        loses = f"at most {percent(lost)} of each of these" if lost else "nothing of these"
        reason = f"{spread}: a centre square loses {loses}."
    elif high / low <= ALIKE and SQUASHABLE[0] <= low and high <= SQUASHABLE[1]:
        value = "squash"
        reason = (
            f"{spread}: a centre square would lose {percent(lost)} of the worst of these. As all have about "
            "one shape, squashing distorts all alike, loses nothing and wastes no pixel."
        )
    else:
        value = "pad"
        reason = (
            f"{spread}: a centre square would lose {percent(lost)} of the worst of these, and squashing "
            "would distort each differently; so the whole picture is kept and the rest of the square filled."
        )
    return Decision("fit", value, "rule", ("sizes",), reason, JUDGEMENT)
