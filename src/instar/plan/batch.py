"""How many examples a step takes, and what keeps the steps in bounds."""

from instar.modality.modalities import MODALITIES
from instar.records import Card, Dataset, Decision

USUAL, SMALLEST = 32, 8
STEPS = 10
"""Steps that an epoch of a tiny set should have at least."""
JUDGEMENT = "our judgement"


def batch_size(dataset: Dataset) -> Decision:
    """32, or the largest power of two that leaves a tiny set ten steps an epoch, never more than there is."""
    n = dataset.part("train").height
    size = USUAL
    while size > SMALLEST and n < STEPS * size:
        size //= 2
    size = min(size, n)
    steps = -(-n // size)
    reason = f"{n:,} training {dataset.modality}s make {steps:,} steps an epoch"
    reason += "." if size == USUAL else f"; at {USUAL} there would be too few."
    because = ("class-counts",)
    return Decision("batch_size", size, "rule", because, reason, f"arXiv 1804.07612; floor: {JUDGEMENT}")


def clip_norm() -> Decision:
    """Gradients longer than 1 are shortened."""
    reason = "A single odd batch cannot throw the network off: longer gradients are shortened to this norm."
    return Decision("clip_norm", 1.0, "fixed", (), reason, "arXiv 1211.5063; the value: our judgement")


def dropout(card: Card) -> Decision:
    """Share of the features that is dropped before the head."""
    usual = MODALITIES[card.modality].habits.dropout
    return Decision("dropout", usual.value, "fixed", (), usual.reason, usual.source)


def patience(card: Card) -> Decision:
    """Epochs without a better validation score before a stage ends."""
    if card.pretrained:
        reason = "Fine-tuning settles in few epochs; three without gain are not noise any more."
        return Decision("patience", 3, "fixed", (), reason, JUDGEMENT)
    reason = "From a random start the score is noisy for long and gains most while the rate falls; wait longer."
    return Decision("patience", 10, "fixed", (), reason, JUDGEMENT)


def seed(value: int) -> Decision:
    """The seed of everything random in the training."""
    reason = "The same seed gives the same order of examples, the same augmentations and the same new head."
    return Decision("seed", value, "fixed", (), reason, JUDGEMENT)
