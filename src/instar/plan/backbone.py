"""Which network to start from."""

from collections.abc import Sequence
from dataclasses import replace

from instar.audit.wording import number, percent
from instar.errors import UserError
from instar.records import Audit, Dataset, Decision

SCRATCH = "scratch:"
"""Source of networks that start at random."""
SERVES = {
    "passed": ": what was learnt elsewhere serves here.",
    "note": ", so it is not sure that what was learnt elsewhere serves here; another backbone may do better.",
    "issue": ", which is not surely better than always the largest class ({floor}), so it is not sure that what was "
    "learnt elsewhere serves here at all.",
}
"""What the verdict of `separability` says of pre-training."""


def choose(dataset: Dataset, candidates: Sequence[tuple[str, str]], asked: str | None) -> Decision:
    """The backbone that the user named, else the first that can be loaded.

    Args:
        dataset: to say how much there is to learn from.
        candidates: (backbone, "" or why it cannot be loaded), best first.
        asked: SOURCE:NAME, where the user named one; whether it loads is for the source to say.

    Raises:
        UserError: none of the candidates can be loaded.
    """
    if asked is not None:
        reason = "Asked for."
        if asked.startswith(SCRATCH):
            reason += " Nothing in it is pre-trained: it starts at random."
        return Decision("backbone", asked, "asked", (), reason, "the user")
    chosen = next((name for name, refusal in candidates if not refusal), None)
    if chosen is None:
        why = "; ".join(f"{name}: {refusal}" for name, refusal in candidates)
        raise UserError(f"no backbone can be loaded ({why}); name one with --backbone SOURCE:NAME")
    refused = candidates[: [name for name, _ in candidates].index(chosen)]
    n = dataset.part("train").height
    if chosen.startswith(SCRATCH):
        reason = (
            f"Nothing in this network is pre-trained: it starts at random and learns from {n:,} training "
            f"{dataset.modality}s alone."
        )
    else:
        reason = (
            f"Pre-trained, so that {n:,} training {dataset.modality}s need not teach it everything; the "
            "first of the proposed networks that could be loaded."
        )
    if refused:
        reason += " Not at hand: " + "; ".join(f"{name} ({refusal})" for name, refusal in refused) + "."
    source = "order of the candidates: our judgement; transfer against random start: arXiv 1805.08974"
    return Decision("backbone", chosen, "fixed", (), reason, source)


def tried(decision: Decision, audit: Audit) -> Decision:
    """The decision, with what frozen features are worth on these data where that was measured before; they had no say
    in it, as the first backbone that loads is taken. Where candidates were scored, their scores have been told.

    Args:
        audit: `separability` is there where pre-trained weights were at hand.
    """
    found = audit.get("separability")
    if found is None or found.verdict not in SERVES or decision.basis == "measured":
        return decision
    e = found.evidence
    worth = f" A linear probe on frozen features of {e['backbone']} gets "
    if e["judged_by"] == "accuracy":
        floor = e["majority"]
        worth += (
            f"{percent(e['accuracy'])} of {number(e['n'])} examples right (95 % interval {percent(e['low'])} to "
            f"{percent(e['high'])})"
        )
        cheap = e.get("cheap_accuracy")
    else:
        floor = e["balanced_majority"]
        worth += (
            f"{percent(e['balanced'])} right on the mean over the classes, of {number(e['n'])} examples (95 % interval "
            f"{percent(e['balanced_low'])} to {percent(e['balanced_high'])})"
        )
        cheap = e.get("cheap_balanced")
    if cheap is not None:
        worth += f", against {percent(cheap)} for {e['cheap']}"
    worth += SERVES[found.verdict].format(floor=percent(floor))
    return replace(decision, reason=decision.reason + worth)


def weights(file: str | None, title: str, origin: str) -> Decision:
    """The file of weights that the user named; without one the source finds them.

    Args:
        file: a safetensors file, or None.
        title: the backbone's name for a reader.
        origin: where its weights came from (`Card.weights`).
    """
    if file is not None:
        return Decision("weights", file, "asked", (), f"{title} is loaded from this file.", "the user")
    reason = f"No file was named. Weights of {title}: {origin}."
    return Decision("weights", None, "fixed", (), reason, "documentation of the backbone's source")
