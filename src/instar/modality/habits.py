"""How pre-trained networks for one kind of data are usually fine-tuned, where kinds differ."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Habit:
    """A usual value, why, and where it comes from."""

    value: float
    reason: str
    source: str


@dataclass(frozen=True)
class Habits:
    """Constants of the plan's rules that depend on the kind of data."""

    epochs: tuple[int, int]
    """Fewest and most epochs of a stage that thaws part of a pre-trained network."""
    rate: Habit
    """Peak learning rate of AdamW in such a stage, where it has `steps` steps or more."""
    steps: int
    """A stage of fewer optimiser steps gets less in proportion (`plan.rates.peak`)."""
    weight_decay: Habit
    """Of AdamW, whatever the network."""
    dropout: Habit
    """Before the head, whatever the network."""
    plain_labels: str
    """Why labels are never smoothed; "" where they may be."""
