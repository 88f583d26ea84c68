"""Learning rates and what goes with them."""

from instar.records import Card, Decision

DECAY = 0.8
"""Factor on the rate per depth group, from the head down."""


def peak(card: Card) -> float:
    """Peak learning rate of AdamW in the thawed part: small for pre-trained text encoders, which forget."""
    if not card.pretrained:
        return 2e-3
    return 1e-4 if card.spec.tokenizer else 1e-3


def weight_decay(card: Card) -> Decision:
    """Decay of AdamW."""
    if card.spec.tokenizer:
        reason = "As in the training of BERT and its kin."
        return Decision("weight_decay", 0.01, "fixed", (), reason, "arXiv 1711.05101; arXiv 1810.04805")
    reason = "Usual for pictures with AdamW; decoupled from the rate's gradient steps."
    return Decision("weight_decay", 0.05, "fixed", (), reason, "arXiv 1711.05101; arXiv 2012.12877")


def warmup() -> Decision:
    """Share of a stage in which the rate rises."""
    reason = "The first tenth of a stage raises the rate, so that a new head does not tear at old layers."
    return Decision("warmup", 0.1, "fixed", (), reason, "arXiv 1706.02677; arXiv 1608.03983 (cosine)")
