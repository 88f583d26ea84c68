"""What the validation split allows to say of answers to new examples: which are sure enough, and which sets hold the
class."""

from collections.abc import Callable
from math import floor

import numpy as np
import polars as pl

from instar.errors import UserError
from instar.evaluate.calibration import SMALLEST_BIN
from instar.evaluate.confidence import split_of, validation_curve
from instar.evaluate.conformal import cut, lac, members
from instar.evaluate.risk import threshold_for

Marking = Callable[[pl.DataFrame], pl.DataFrame]
"""From answers (`predictions.answers`) to answers with a column more."""


def sure_ones(validation: pl.DataFrame, classes: tuple[str, ...], wished: float) -> Marking:
    """Take the label from the answers that are less sure than the threshold for a wished share of right ones, and tell
    in a column `sure`, before `error`, which are sure enough.

    Raises:
        UserError: no threshold reaches the wish on the validation split.
    """
    curve = validation_curve(validation, classes)
    threshold = threshold_for(curve, wished)
    if threshold is None:
        told = f"no threshold makes the answers surely {wished:.1%} right: "
        enough = curve.filter(pl.col("n") >= SMALLEST_BIN)
        if enough.is_empty():
            raise UserError(f"{told}that takes {SMALLEST_BIN} validation examples, and there are {validation.height}")
        raise UserError(
            f"{told}of {validation.height} validation examples the surest ones are surely "
            f"{_at_most(enough['low'].to_numpy().max())} right; ask for less, or train with more validation examples"
        )

    def marked(answers: pl.DataFrame) -> pl.DataFrame:
        sure = pl.col("probability") >= threshold
        told = answers.with_columns(label=pl.when(sure).then("label"), sure=sure)
        return told.select("input", "label", "probability", "sure", pl.exclude("input", "label", "probability", "sure"))

    return marked


def with_sets(validation: pl.DataFrame, classes: tuple[str, ...], level: float) -> Marking:
    """Tell in a column `set`, before `error`, the classes among which the true one is with the level promised, most
    probable first (`conformal.lac`).

    Raises:
        UserError: there are too few validation examples for the level.
    """
    known = split_of(validation, classes)
    at = cut(lac(known.probabilities)[np.arange(known.truth.size), known.truth], level)
    if not np.isfinite(at):
        raise UserError(
            f"{known.truth.size} validation examples cannot promise sets that hold the class in {level:.1%} of all "
            f"cases; ask for {_at_most(known.truth.size / (known.truth.size + 1))} at most"
        )

    def marked(answers: pl.DataFrame) -> pl.DataFrame:
        readable = answers["label"].is_not_null() if "sure" not in answers.columns else answers["sure"].is_not_null()
        p = answers.select([f"p.{name}" for name in classes]).to_numpy().astype(np.float64)
        held = members(lac(p), at, np.nan_to_num(p))
        sets = [
            [classes[i] for i in np.argsort(-row, kind="stable") if held[n, i]] if there else None
            for n, (row, there) in enumerate(zip(p, readable, strict=True))
        ]
        before = [name for name in ("input", "label", "probability", "sure") if name in answers.columns]
        return answers.select(*before, pl.Series("set", sets, dtype=pl.List(pl.String)), pl.exclude(before))

    return marked


def _at_most(share: float) -> str:
    """A share in per cent, rounded down: what is told can be asked for."""
    return f"{floor(1000 * share) / 1000:.1%}"
