"""How large an example is when the network sees it, and how it is brought to that size."""

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from instar.audit.wording import number, percent, several
from instar.modality.extent import usual
from instar.plan.rows import OPEN
from instar.records import Audit, Card, Decision

Tokens = NDArray[np.int64]
STEP = 16
"""Lengths are rounded up to a multiple of this, which matrix units like."""
NEARLY_SQUARE = (3 / 4, 4 / 3)
"""Aspects of which a centre crop loses a quarter of the picture at most."""
ALIKE = 1.1
"""Ratio of the 95th to the 5th percentile of the aspects up to which all pictures have one shape."""
SQUASHABLE = (1 / 2, 2.0)
"""Aspects that may be squashed to a square where all pictures are distorted alike."""
SHAPE = ("width", "height", "aspect")
"""Traits of `shortcuts` that are those of size and shape."""
JUDGEMENT = "our judgement"


def input_size(audit: Audit, card: Card, tokens_N: Tokens | None) -> Decision:
    """Pictures: the size that the network was trained at. Texts: as long as 19 of 20 are, within bounds.

    Args:
        audit: holds `sizes` for pictures.
        card: knows the most that the network takes.
        tokens_N: tokens of each of some training texts, repaired and not cut (`plan.text.tokens`); None for pictures.
    """
    limit = card.spec.size
    if tokens_N is None:
        found = audit["sizes"].evidence
        smaller = max(found["median_width"], found["median_height"]) < limit
        reason = (
            f"{card.title} works at {limit} × {limit} pixels; the pictures have a median of "
            f"{found['median_width']} × {found['median_height']}"
            f"{', so they are enlarged, which adds no detail' if smaller else ''}."
        )
        reason += f" {card.assumed}" if card.assumed else ""
        return Decision("input_size", limit, "fixed", (), reason, "configuration of the backbone")
    longest = usual(tokens_N)
    wanted = STEP * math.ceil(longest / STEP)
    value = min(wanted, limit)
    cut = float((tokens_N > value).mean())
    reason = (
        f"19 in 20 of {several(len(tokens_N), 'training text')} make {number(longest)} tokens or fewer for "
        f"{card.title}, repaired, and with markers of begin and end; rounded up to a multiple of {STEP}."
    )
    if wanted > limit:
        reason += f" {card.title} reads no more than {number(limit)}."
    reason += f" {percent(cut)} of these texts are longer and cut." if cut else " None of these is cut."
    source = f"measurement with the network's own tokenizer; 19 in 20: {JUDGEMENT}"
    return Decision("input_size", value, "measured", ("lengths",), reason, source)


def fit(audit: Audit, card: Card, fits: Collection[str], tokens_N: Tokens | None, asked: int | None = None) -> Decision:
    """crop, pad or squash by the aspects of the pictures; head or ends by how many texts are too long.

    Args:
        audit: holds `sizes` for pictures.
        card: knows the most that the network takes.
        fits: what the modality can do.
        tokens_N: as in `input_size`.
        asked: the size that the user wants.
    """
    decision = _fit_pictures(audit) if tokens_N is None else _fit_texts(usual(tokens_N), card, asked)
    assert decision.value in fits, (decision.value, fits)
    return decision


def _fit_texts(longest: int, card: Card, asked: int | None) -> Decision:
    most = min(asked or card.spec.size, card.spec.size)
    if longest > most:
        whose = f"that {card.title} reads" if most == card.spec.size else "asked for"
        reason = (
            f"More than 1 in 20 texts are longer than the {number(most)} tokens {whose}; "
            "beginning and end of a text tell more than its beginning alone."
        )
        return Decision("fit", "ends", "measured", ("lengths",), reason, "arXiv 1905.05583")
    reason = "At most 1 in 20 texts are cut, and of these the beginning is kept."
    return Decision("fit", "head", "measured", ("lengths",), reason, JUDGEMENT)


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
    told = _told_by_size(audit)
    if told and value == "pad":
        reason += (
            f" But the bars beside a picture show its shape, and {told} goes with the class: --set fit=crop hides "
            "that, at the price named."
        )
    elif told:
        reason += f" All pictures having one shape then, {told}, which goes with the class, is hardly to be seen."
    return Decision("fit", value, "rule", ("sizes",), reason, JUDGEMENT)


def _told_by_size(audit: Audit) -> str:
    """The trait of size or shape that tells the class best of all traits, or gives a class away; else nothing."""
    found = audit["shortcuts"]
    if found.verdict not in OPEN:
        return ""
    traits = [found.evidence["best"], *(trait for _, trait in found.evidence["classes_given_away"])]
    return next((trait for trait in traits if trait in SHAPE), "")
