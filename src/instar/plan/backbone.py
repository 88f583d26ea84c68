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
    "issue": ", which is no better than a guess: what was learnt elsewhere does not serve here as it is.",
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
    return Decision("backbone", chosen, "rule", ("class-counts",), reason, source)


def tried(decision: Decision, audit: Audit) -> Decision:
    """The decision, with what frozen features are worth on these data where that was measured before.

    Args:
        audit: `separability` is there where pre-trained weights were at hand.
    """
    found = audit.get("separability")
    if found is None or found.verdict not in SERVES:
        return decision
    e = found.evidence
    worth = (
        f" A linear probe on frozen features of {e['backbone']} gets {percent(e['accuracy'])} of {number(e['n'])} "
        f"examples right (95 % interval {percent(e['low'])} to {percent(e['high'])})"
    )
    if "cheap_accuracy" in e:
        worth += f", against {percent(e['cheap_accuracy'])} for {e['cheap']}"
    worth += SERVES[found.verdict]
    return replace(decision, reason=decision.reason + worth, because=(*decision.because, "separability"))


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
