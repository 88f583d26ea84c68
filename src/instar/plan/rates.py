"""Learning rates and what goes with them."""

from instar.modality.habits import Habit
from instar.modality.modalities import MODALITIES
from instar.records import Card, Decision

DECAY = 0.8
"""Factor on the rate per depth group, from the head down."""
RANDOM = 2e-3
"""Peak rate of a network that starts at random, which has far to go (our judgement)."""


LEAST = 0.1
"""Share of the usual peak rate that the shortest stage gets."""


def peak(card: Card, steps: int) -> Habit:
    """Peak learning rate of AdamW in the thawed part of a pre-trained network, for a stage of so many optimiser steps.

    What is pre-trained moves by the rate in every step, first away from where the solved head found it; a long stage
    has the time to arrive somewhere better while the rate falls, a short one has not. So short stages get less.
    """
    habits = MODALITIES[card.modality].habits
    usual, share = habits.rate, max(LEAST, min(1.0, steps / habits.steps))
    if share == 1:
        return usual
    value = float(f"{usual.value * share:.2g}")
    short = f"These are {steps:,} steps of the {habits.steps:,} that {usual.value:g} wants, so the peak is {value:g}."
    return Habit(value, f"{usual.reason} {short}", usual.source)


def weight_decay(card: Card) -> Decision:
    """Decay of AdamW."""
    usual = MODALITIES[card.modality].habits.weight_decay
    return Decision("weight_decay", usual.value, "fixed", (), usual.reason, usual.source)


def warmup() -> Decision:
    """Share of a stage in which the rate rises."""
    reason = "The first tenth of a stage raises the rate, so that a new head does not tear at old layers."
    return Decision("warmup", 0.1, "fixed", (), reason, "arXiv 1706.02677; arXiv 1608.03983 (cosine)")
