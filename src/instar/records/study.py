"""What several runs say together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from instar.records.data import STRICT, Json

Kind = Literal["folds", "seeds"]


@dataclass(frozen=True)
class Joint:
    """A figure of several runs with its 95 % intervals."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    subject: str
    """Whose predictions: tuned, probe, cheap or majority."""
    metric: str
    value: float
    """Folds: of all test rows of all folds taken together. Seeds: the mean over the runs."""
    low: float
    high: float
    """Folds: how far other test examples would move it. Seeds: other test examples and other seeds."""
    n: int
    """Different test rows."""
    mean: float
    """Of the figures of the runs."""
    deviation: float
    """Standard deviation of the figures of the runs."""
    t_low: float
    t_high: float
    """Of the mean over the runs, by Student's t: for folds corrected for what their training parts share, for seeds
    other seeds on the very same test examples."""


@dataclass(frozen=True)
class Study:
    """Several runs of one kind of training, and what they say together once all are whole."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT
    kind: Kind
    """folds: the runs are tested on different parts of the data; seeds: they differ in the chance of training alone."""
    runs: tuple[str, ...]
    """Names of their directories, beside this file."""
    options: Mapping[str, Json]
    """What was asked for, of all runs alike."""
    metric: str = ""
    """That of the headline: the one that chooses the checkpoints."""
    groups: int = 0
    """Twin groups among the test rows."""
    rests_on: Mapping[str, str] = field(default_factory=dict)
    """Run -> digest of the predictions that the figures were made from; empty until all runs are whole."""
    scores: tuple[Joint, ...] = ()
    gains: tuple[Joint, ...] = ()
    """How much better the tuned network is than each baseline (`subject`), above 0 if it is better whatever the
    metric; both were judged on the same examples."""

    def score(self, metric: str, subject: str = "tuned") -> Joint:
        """The score of a subject, by metric."""
        return next(s for s in self.scores if (s.metric, s.subject) == (metric, subject))
