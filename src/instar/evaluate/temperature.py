"""Temperature: one number, fitted on the validation split, that makes probabilities mean what they say.

Guo et al. 2017 (arXiv 1706.04599): the logits are divided by T > 0 before softmax. The order of the classes of an
example stays, and with it every answer that is the most probable class.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from instar.metrics import Floats, Ints, decoded, score
from instar.records import Temperature

SPREAD = 1.0
"""Standard deviation of log T before anything is seen. Where every validation answer is right the likelihood has no
optimum but T = 0, that is certainty; this keeps T finite there, and from some hundred examples on it hardly moves T
(our judgement, measured in docs/confidence.md)."""
BOUNDS = (-5.0, 5.0)
"""Of log T: five standard deviations."""
TINY = float(np.finfo(np.float64).tiny)


def fit(logits_NC: NDArray[np.float32], labels: Ints, decode: str, metric: str) -> Temperature:
    """Find T: the mode of the likelihood of the labels with a log-normal prior around 1 (`SPREAD`).

    The negative log-likelihood is convex in 1 / T, so a bounded search in log T finds its one minimum.

    Args:
        labels: (N,) class indices.
        decode: see `metrics.decoded`; the median of ordered classes may move with T. It is then taken from the
            probabilities that mean what they say, as Bayes' decision asks; how much that changes is told.
        metric: one of `metrics.CHOOSING`.
    """
    logits, rows = logits_NC.astype(np.float64), np.arange(labels.size)

    def loss(log_t: float) -> float:
        return -float(log_softmax(logits / np.exp(log_t), axis=1)[rows, labels].mean())

    found = minimize_scalar(
        lambda log_t: loss(log_t) + (log_t / SPREAD) ** 2 / (2 * labels.size), bounds=BOUNDS, method="bounded"
    )
    value = float(np.exp(found.x))
    before, after = (decoded(softmax(logits / t, axis=1), decode) for t in (1.0, value))
    classes = logits.shape[1]
    return Temperature(
        value=value,
        log_loss_before=loss(0.0),
        log_loss_after=loss(found.x),
        n=labels.size,
        metric=metric,
        score_before=score(metric, labels, before, classes),
        score_after=score(metric, labels, after, classes),
        moved=int((before != after).sum()),
    )


def uncalibrated(probabilities_NC: Floats, temperature: float) -> Floats:
    """The probabilities (N, C) that the logits give as they come, from those with a temperature."""
    restored: Floats = softmax(np.log(np.maximum(probabilities_NC, TINY)) * temperature, axis=1)
    return restored
