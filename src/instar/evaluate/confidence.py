"""All that the predictions say of the network's confidence."""

from typing import NamedTuple

import numpy as np
import polars as pl

from instar.evaluate.calibration import figures, mean_of, reliability
from instar.evaluate.conformal import Split, judged
from instar.evaluate.metrics import SMALLEST_PROBABILITY
from instar.evaluate.risk import aurc, curve, thresholds
from instar.evaluate.temperature import uncalibrated
from instar.metrics import Floats, Ints
from instar.records import Confidence, Score


class Judgement(NamedTuple):
    """Fields of `Evaluation`."""

    confidence: Confidence
    reliability: pl.DataFrame
    risk_coverage: pl.DataFrame
    conformal: pl.DataFrame
    conformal_classes: pl.DataFrame


def split_of(predictions: pl.DataFrame, classes: tuple[str, ...]) -> Split:
    """Probabilities, true classes and groups of the rows."""
    probabilities = predictions.select([f"p.{name}" for name in classes]).to_numpy().astype(np.float64)
    return Split(probabilities, _indices(predictions["label"], classes), predictions["group"].to_numpy())


def judge(predictions: pl.DataFrame, classes: tuple[str, ...], temperature: float, seed: int) -> Judgement:
    """Calibration, risk by coverage, and prediction sets.

    predictions: as `evaluation.evaluate` takes them; temperature: what the logits were divided by; seed: of the random
    part of sets by aps.
    """
    rows = predictions.filter(pl.col("split") == "test")
    earlier = predictions.filter(pl.col("split") == "val")
    validation, test = split_of(earlier, classes), split_of(rows, classes)
    predicted = _indices(rows["predicted"], classes)
    right = (predicted == test.truth).astype(np.float64)
    before = uncalibrated(test.probabilities, temperature)
    tables: list[pl.DataFrame] = []
    scores: tuple[Score, ...] = ()
    for subject, probabilities in (("before", before), ("after", test.probabilities)):
        scores += figures(subject, probabilities, test.truth, predicted, test.groups)
        stated = probabilities[np.arange(predicted.size), predicted]
        table = reliability(stated, right, test.groups)
        tables.append(table.select(pl.lit(subject).alias("probabilities"), pl.all()))
    gain = _loss(test.truth, before) - _loss(test.truth, test.probabilities)
    scores += (
        Score("after", "log_loss_gain", *mean_of(gain, test.groups), right.size, "linear"),
        aurc(stated, right, test.groups),
    )
    known = _curve(earlier, validation, classes)
    sets, by_size, by_class = judged(validation, test, classes, seed)
    return Judgement(
        Confidence(scores, temperature, earlier.height, thresholds(known, stated, right, test.groups), sets),
        pl.concat(tables),
        curve(stated, right, test.groups),
        by_size,
        by_class,
    )


def validation_curve(validation: pl.DataFrame, classes: tuple[str, ...]) -> pl.DataFrame:
    """The `risk.curve` of the validation rows of `predictions`."""
    return _curve(validation, split_of(validation, classes), classes)


def _curve(rows: pl.DataFrame, split: Split, classes: tuple[str, ...]) -> pl.DataFrame:
    if rows.is_empty():
        return pl.DataFrame()
    right = (rows["label"] == rows["predicted"]).to_numpy().astype(np.float64)
    return curve(rows["confidence"].to_numpy().astype(np.float64), right, split.groups)


def _loss(truth: Ints, probabilities: Floats) -> Floats:
    losses: Floats = -np.log(np.clip(probabilities[np.arange(truth.size), truth], SMALLEST_PROBABILITY, None))
    return losses


def _indices(names: pl.Series, classes: tuple[str, ...]) -> Ints:
    return names.replace_strict(list(classes), range(len(classes)), return_dtype=pl.Int64).to_numpy()
