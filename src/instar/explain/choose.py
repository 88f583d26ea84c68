"""Which test examples are shown, and on which reasons are tested. From predictions alone, without torch."""

import numpy as np
import polars as pl

RIGHT = WRONG = 3
"""Right and wrong answers shown: two rows of pictures on a slide."""
MOST, FEWEST = 48, 12
"""Examples that reasons are tested on: of more than these the interval hardly shrinks for the time that they take; our
judgement."""


def shown(predictions: pl.DataFrame, classes: tuple[str, ...]) -> pl.DataFrame:
    """The most confident right answers, of different classes, and the most confident mistakes, of different kinds.

    One of each twin group, and the same ones every time.

    Returns:
        id, kind (right or wrong), label, predicted, confidence, other: the class that the answer is held against, which
        is the true one for mistakes and the second most probable one for right answers.
    """
    test = (
        predictions.filter(pl.col("split") == "test")
        .sort("confidence", "id", descending=[True, False])
        .unique("group", keep="first", maintain_order=True)
    )
    right = test.filter(pl.col("label") == pl.col("predicted")).unique("label", keep="first", maintain_order=True)
    wrong = test.filter(pl.col("label") != pl.col("predicted"))
    wrong = wrong.unique(["label", "predicted"], keep="first", maintain_order=True)
    both = pl.concat(
        [
            right.head(RIGHT).with_columns(kind=pl.lit("right")),
            wrong.head(WRONG).with_columns(kind=pl.lit("wrong")),
        ]
    )
    shares = both.select(f"p.{name}" for name in classes).to_numpy().astype(np.float64)
    answer = both["predicted"].replace_strict(list(classes), range(len(classes)), return_dtype=pl.Int64).to_numpy()
    shares[np.arange(both.height), answer] = -1.0
    second = pl.Series("second", [classes[i] for i in shares.argmax(1)], dtype=pl.String)
    other = pl.when(pl.col("kind") == "right").then(second).otherwise("label").alias("other")
    return both.with_columns(other).select("id", "kind", "label", "predicted", "confidence", "other")


def drawn(predictions: pl.DataFrame, n: int, seed: int) -> pl.DataFrame:
    """At most `n` test examples by lot, one of each twin group: id, predicted."""
    test = predictions.filter(pl.col("split") == "test").sort("id").unique("group", keep="first", maintain_order=True)
    places = np.random.default_rng(seed).permutation(test.height)[:n]
    return test[np.sort(places)].select("id", "predicted")
