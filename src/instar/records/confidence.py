"""What is known of a network's confidence: how far it can be trusted, and what follows for its use."""

from dataclasses import dataclass
from typing import Any, ClassVar

from instar.records.data import STRICT


@dataclass(frozen=True)
class Temperature:
    """What the logits of a trained network are divided by before they become probabilities
    (4-train/temperature.yaml)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    value: float
    """Below 1 the network was too modest, above 1 too sure of itself."""
    log_loss_before: float
    """Of the validation split, in nats, with the logits as they come."""
    log_loss_after: float
    n: int
    """Validation examples that it was fitted on."""
    metric: str
    """The metric that chose the checkpoint."""
    score_before: float
    """That metric of the validation answers with the logits as they come."""
    score_after: float
    moved: int
    """Validation answers that the temperature changes: none where the most probable class is the answer."""


@dataclass(frozen=True)
class Threshold:
    """The least confidence at which to answer so that a wished share of the answers is right: chosen on the validation
    split, judged on the test split."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    wished: float
    threshold: float
    coverage: float
    """Share of the test examples that are answered, with its 95 % interval."""
    coverage_low: float
    coverage_high: float
    accuracy: float
    """Share of these answers that are right, with its 95 % interval."""
    low: float
    high: float
    n: int
    """Test examples that are answered."""


@dataclass(frozen=True)
class Sets:
    """Prediction sets that promise to hold the true class at a level: made on the validation split, judged on the test
    split."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    method: str
    """lac or aps, see `evaluate.conformal`."""
    level: float
    """The share that is promised."""
    cut: float | None
    """Classes whose score is at most this are in the set; None where there are too few validation examples for the
    level, so that every class is."""
    coverage: float
    """Share of the test examples whose class is in their set, with its 95 % interval."""
    low: float
    high: float
    size: float
    """Mean number of classes in a set."""
    single: float
    """Share of the sets that hold one class."""
    n: int
    """Test examples."""
