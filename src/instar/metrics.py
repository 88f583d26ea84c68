"""Metrics as functions of a few sums over examples. The one definition: training, evaluation and plan all use it.

Every metric here depends on the examples only through a few sums: hits, predictions and true examples per class,
distances, losses. `Tally` holds those sums, with any leading axes (none for a split as it is, one for bootstrap
draws), and a metric turns a tally into one figure per entry of the leading axes.

Definitions follow scikit-learn (https://scikit-learn.org/stable/modules/model_evaluation.html), with these choices
where a figure would otherwise be undefined or a matter of options:
  - macro-F1 and macro precision average over the classes that occur in truth or prediction, balanced accuracy over
    those that occur in the truth, as scikit-learn does when it is given no `labels`. A class of which the split has no
    example and that nobody predicted says nothing about the model; counting it as 0 would punish the model for the
    split, and every bootstrap draw for the rare classes that it missed.
  - precision, recall and F1 of a class without any prediction, example or both are 0.
  - macro recall is balanced accuracy, and recall weighted by the size of the classes is accuracy: both stand under
    these names only.
  - quadratic kappa and MCC are 0 where truth or prediction are all one class: nothing beyond chance has been shown.
  - the Brier score is the sum over the classes, from 0 to 2 (Brier 1950), for two classes too.
AUROC is not made of such sums; see `instar.evaluate.ranks`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def decoded(probabilities_NC: Floats, decode: str) -> Ints:
    """Indices of the classes that are the answers (N,).

    Args:
        decode: argmax is the most probable class: it is right most often (Bayes under 0-1 loss). median is the first
            class of the order up to which half of the probability lies: it is off by fewest classes on average (Bayes
            under absolute loss; Berger 1985, Statistical Decision Theory, 2.4), and right less often.
    """
    if decode == "median":
        reached: Ints = (probabilities_NC.cumsum(axis=1) >= 0.5).argmax(axis=1)
        return reached
    best: Ints = probabilities_NC.argmax(axis=1)
    return best


@dataclass(frozen=True)
class Tally:
    """Sums over examples; `...` are leading axes that all fields share, C is the number of classes."""

    hits: Floats
    """(..., C): examples of the class that were predicted as such."""
    predicted: Floats
    """(..., C): examples predicted as the class."""
    actual: Floats
    """(..., C): examples of the class."""
    near_2: Floats
    """(...): examples whose class is among the two most probable; 0 where there are no probabilities."""
    near_5: Floats
    """(...): examples whose class is among the five most probable; 0 where there are no probabilities."""
    loss: Floats
    """(...): minus the logarithm of the probability of the true class, summed; 0 without probabilities."""
    error: Floats
    """(...): squared differences of the probabilities from 1 for the true class and 0 for others, summed."""
    distance: Floats
    """(...): distance between predicted and true class in the order of the classes, summed."""
    squared: Floats
    """(...): the square of that distance, summed."""
    within: Floats
    """(...): examples predicted as their class or one beside it."""

    @property
    def n(self) -> Floats:
        """(...): number of examples."""
        return np.asarray(self.actual.sum(axis=-1))


Metric = Callable[[Tally], Floats]


def _ratio(above: Floats, below: Floats) -> Floats:
    """above / below, 0 where below is 0."""
    return np.divide(above, below, out=np.zeros(np.broadcast_shapes(above.shape, below.shape)), where=below > 0)


def precision(t: Tally) -> Floats:
    """(..., C): of the examples predicted as the class, the share that are."""
    return _ratio(t.hits, t.predicted)


def recall(t: Tally) -> Floats:
    """(..., C): of the examples of the class, the share predicted as such."""
    return _ratio(t.hits, t.actual)


def f1(t: Tally) -> Floats:
    """(..., C): harmonic mean of precision and recall."""
    return _ratio(2 * t.hits, t.predicted + t.actual)


def accuracy(t: Tally) -> Floats:
    """Share of the examples predicted right."""
    return _ratio(t.hits.sum(axis=-1), t.n)


def balanced_accuracy(t: Tally) -> Floats:
    """Mean recall over the classes that have examples (for Caltech-101: mean accuracy per class)."""
    return _ratio(recall(t).sum(axis=-1), (t.actual > 0).sum(axis=-1))


def macro_f1(t: Tally) -> Floats:
    """Mean F1 over the classes that occur in truth or prediction."""
    return _ratio(f1(t).sum(axis=-1), (t.predicted + t.actual > 0).sum(axis=-1))


def weighted_f1(t: Tally) -> Floats:
    """Mean F1 over the classes, each counting by its examples."""
    return _ratio((f1(t) * t.actual).sum(axis=-1), t.n)


def macro_precision(t: Tally) -> Floats:
    """Mean precision over the classes that occur in truth or prediction."""
    return _ratio(precision(t).sum(axis=-1), (t.predicted + t.actual > 0).sum(axis=-1))


def weighted_precision(t: Tally) -> Floats:
    """Mean precision over the classes, each counting by its examples."""
    return _ratio((precision(t) * t.actual).sum(axis=-1), t.n)


def mcc(t: Tally) -> Floats:
    """Matthews correlation of truth and answer, for any number of classes (Gorodkin 2004): 0 is what chance gives."""
    together = t.n * t.hits.sum(axis=-1) - (t.predicted * t.actual).sum(axis=-1)
    spread = (t.n**2 - (t.predicted**2).sum(axis=-1)) * (t.n**2 - (t.actual**2).sum(axis=-1))
    return _ratio(together, np.sqrt(spread))


def top_2(t: Tally) -> Floats:
    """Share of the examples whose class is among the two most probable (a tie counts against the model)."""
    return _ratio(t.near_2, t.n)


def top_5(t: Tally) -> Floats:
    """Share of the examples whose class is among the five most probable (a tie counts against the model)."""
    return _ratio(t.near_5, t.n)


def log_loss(t: Tally) -> Floats:
    """Mean of minus the natural logarithm of the probability that the true class was given (nats)."""
    return _ratio(t.loss, t.n)


def brier(t: Tally) -> Floats:
    """Mean squared distance of the probabilities from the truth, summed over the classes (Brier 1950)."""
    return _ratio(t.error, t.n)


def mae(t: Tally) -> Floats:
    """Mean distance between predicted and true class, in steps of the order of the classes."""
    return _ratio(t.distance, t.n)


def within_1(t: Tally) -> Floats:
    """Share of the examples predicted as their class or one beside it in the order of the classes."""
    return _ratio(t.within, t.n)


def quadratic_kappa(t: Tally) -> Floats:
    """Cohen's kappa with quadratic weights (Cohen 1968): 1 is agreement, 0 is what chance would give.

    The disagreement that chance would give, the mean of (i - j)^2 over independent marginals, is taken from
    their first two moments instead of a C x C table.
    """
    steps = np.arange(t.actual.shape[-1], dtype=np.float64)
    first = (t.actual @ steps) * (t.predicted @ steps)
    second = t.n * (t.actual @ steps**2 + t.predicted @ steps**2)
    by_chance = second - 2 * first
    return np.where(by_chance > 0, 1 - _ratio(t.n * t.squared, by_chance), 0.0)


METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_f1": macro_f1,
    "weighted_f1": weighted_f1,
    "macro_precision": macro_precision,
    "weighted_precision": weighted_precision,
    "mcc": mcc,
    "top_2": top_2,
    "top_5": top_5,
    "log_loss": log_loss,
    "brier": brier,
    "mae": mae,
    "quadratic_kappa": quadratic_kappa,
    "within_1": within_1,
}
"""Every metric that is made of a tally, by its name."""
LOWER_IS_BETTER = ("log_loss", "brier", "mae")
CHOOSING = ("accuracy", "balanced_accuracy", "macro_f1", "quadratic_kappa")
"""Values of `Recipe.metric`: more is better, and the answers alone tell it."""
LABELS = ("accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "macro_precision", "weighted_precision", "mcc")
"""Metrics that the answers alone tell."""
ORDERED = ("mae", "quadratic_kappa", "within_1")
"""Metrics that mean something for ordered classes only."""


def score(metric: str, truth: Ints, predicted: Ints, classes: int) -> float:
    """One of `CHOOSING` for a set of answers: truth and predicted (N,) are indices of classes."""
    hits, guessed, actual = (
        np.bincount(of, minlength=classes).astype(np.float64) for of in (truth[truth == predicted], predicted, truth)
    )
    steps = np.abs(truth - predicted).astype(np.float64)
    none = np.zeros(())
    ordered = steps.sum(), (steps**2).sum(), (steps <= 1).sum(dtype=np.float64)
    return float(METRICS[metric](Tally(hits, guessed, actual, none, none, none, none, *ordered)))
