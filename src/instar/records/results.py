"""What training and evaluation yield."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import polars as pl

from instar.records.confidence import Sets, Threshold
from instar.records.data import STRICT

Method = Literal["wilson", "groups", "bootstrap", "definition", "paired", "linear", "ranks", "apart"]
"""How an interval was found. wilson: Wilson score interval at the effective number of examples; groups: Wilson over the
number of twin groups, where these do not differ; bootstrap: BCa over groups; definition: no width, as one answer to
everything fixes the metric whatever the examples; paired: BCa over groups of a difference on the same examples; linear:
normal, with the variance over groups; ranks: a difference of AUROCs on the same examples, its variance over groups from
ranks (DeLong); apart: the intervals of two different sets of examples, combined for their difference."""


@dataclass(frozen=True)
class Epoch:
    """One pass over the training examples (or one solve of the head), as a row of 4-train/epochs.csv."""

    stage: str
    epoch: int
    """From 1 within the stage."""
    train_loss: float
    val_loss: float
    val_score: float
    """The plan's metric on the validation split."""
    lr: float
    """Rate of the head at the end of the epoch; for a solved head the strength of the regularisation, 1/C."""
    seconds: float
    examples: int
    best: bool
    """Whether this was the best validation score so far, over all stages."""


@dataclass(frozen=True)
class Score:
    """A figure with its 95 % interval and the number of examples that it rests on."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    subject: str
    """Whose predictions: tuned, probe, cheap or majority."""
    metric: str
    value: float
    low: float
    high: float
    n: int
    method: Method
    """How the interval was found."""


@dataclass(frozen=True)
class Confidence:
    """What the test split says of the network's confidence."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    scores: tuple[Score, ...] = ()
    """subject before: probabilities as the logits give them, after: with the temperature. Metrics: overconfidence (mean
    confidence less accuracy), calibration_error, classwise_error (`evaluate.calibration`), log_loss; log_loss_gain
    (before less after, paired) and aurc (`evaluate.risk`) of after alone."""
    temperature: float = 1.0
    """What the logits were divided by."""
    validation: int = 0
    """Validation examples that temperature, thresholds and sets were chosen on."""
    thresholds: tuple[Threshold, ...] = ()
    """Of the levels of `evaluate.risk` above the accuracy of the validation split, those that can be reached."""
    sets: tuple[Sets, ...] = ()

    def score(self, metric: str, subject: str = "after") -> Score:
        """A figure, by name."""
        return next(s for s in self.scores if s.metric == metric and s.subject == subject)


@dataclass(frozen=True)
class Evaluation:
    """How good the model is on the test split, and against what."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    scores: tuple[Score, ...]
    gains: tuple[Score, ...]
    """How much better the tuned network is than each baseline (`subject`), above 0 if it is better whatever the
    metric, with a paired interval: both were judged on the same examples."""
    groups: int
    """Twin groups among the test rows: what counts as one witness in every interval."""
    opened: int
    """How many times the test split has been opened for this run."""
    majority: str
    """The class that the majority baseline always answers."""
    confidence: Confidence = Confidence()
    per_class: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """label, n, precision, recall, f1 and auroc (null where there is nothing to rank), each with _low and _high,
    most_confused_with, confused_n"""
    confusion: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """label, predicted, n (pairs that occur)"""
    subsets: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """subset, part, subject, metric, value, low, high, n, groups, classes, method: test rows that the audit doubts and
    the rest of them (see `evaluate.subsets`)"""
    reliability: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """probabilities (before or after the temperature), confidence (mean of the bin), accuracy, low, high, n"""
    risk_coverage: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """threshold, coverage, accuracy, low, high, n: the answers with at least that confidence"""
    conformal: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """level, size, n, coverage, low, high: of the test examples with so many classes in their set, the share that has
    its class there"""
    conformal_classes: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """level, label, n, coverage, low, high, size (mean)"""
    errors: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """id, label, predicted, confidence, belief, suspect, why: the mistakes, most confident first, and which of their
    labels are suspect (see `evaluate.suspects.mistakes`)"""
    slices: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """What parts of the test rows have of mistakes, the surest worse first (see `evaluate.slices.slices`)"""
    slice_columns: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False)
    """column, looks (slices of it that were looked at), why (it was left out)"""

    def gain(self, metric: str, subject: str) -> Score | None:
        """The gain over a baseline, or None where there is no such baseline."""
        return next((s for s in self.gains if s.metric == metric and s.subject == subject), None)

    def score(self, metric: str, subject: str = "tuned") -> Score:
        """The score of a subject, by metric."""
        return next(s for s in self.scores if s.metric == metric and s.subject == subject)
