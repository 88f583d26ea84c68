"""Words and numbers as charts write them."""

from typing import Any

SUBJECTS = {
    "majority": "Largest class",
    "cheap": "Cheap baseline",
    "probe": "Linear probe",
    "tuned": "Fine-tuned",
}
"""From the least to the most that was done, in the order in which charts show them."""
METRICS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro-F1",
    "weighted_f1": "Weighted F1",
    "macro_precision": "Macro precision",
    "weighted_precision": "Weighted precision",
    "mcc": "MCC",
    "auroc": "AUROC",
    "top_2": "Top-2 accuracy",
    "top_5": "Top-5 accuracy",
    "log_loss": "Log loss",
    "log_loss_gain": "Log loss gained",
    "overconfidence": "Confidence less accuracy",
    "calibration_error": "Calibration error",
    "classwise_error": "Calibration error of all classes",
    "aurc": "Error averaged over coverage (AURC)",
    "brier": "Brier score",
    "mae": "Mean absolute error",
    "quadratic_kappa": "Quadratic kappa",
    "within_1": "Accuracy within one",
}
CONFIDENCE = ("overconfidence", "calibration_error", "classwise_error", "aurc")
_OF_EXAMPLES = ("accuracy", "balanced_accuracy", "macro_precision", "weighted_precision", "top_2", "top_5", "within_1")
SHARES = (*_OF_EXAMPLES, *CONFIDENCE)
"""Metrics that are shares of examples and are written in per cent."""
PER_CENT: dict[str, Any] = {"labelExpr": "replace(format(datum.value, '~%'), '%', ' %')"}
"""Arguments of an axis whose values are shares."""


def metric_name(metric: str) -> str:
    """The name of a metric for a reader; an unknown one with spaces for underscores."""
    return METRICS.get(metric, metric.replace("_", " "))


def figure(metric: str, value: float) -> str:
    """A value of a metric as it is written: 91.2 % for shares, 0.912 for all others."""
    return f"{value * 100:.1f} %" if metric in SHARES else f"{value:.3f}"


def amount(number: float) -> str:
    """A large number in two digits or three: 832, 83 k, 2.2 M."""
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{number / size:.{1 if number < 10 * size else 0}f}{letter}"
    return f"{number:.0f}"
