"""What is said of each class, and of each pair of classes."""

import numpy as np
import polars as pl

from instar.evaluate.metrics import Sparse, tally
from instar.evaluate.ranks import Ranked
from instar.evaluate.ranks import interval as ranks_interval
from instar.metrics import Ints, f1, precision, recall
from instar.shares import Counts, intervals_of

SCHEMA = {
    "label": pl.String,
    "n": pl.Int64,
    **{
        f"{metric}{end}": pl.Float64
        for metric in ("precision", "recall", "f1", "auroc")
        for end in ("", "_low", "_high")
    },
    "most_confused_with": pl.String,
    "confused_n": pl.Int64,
}


def per_class(
    truth: Ints, predicted: Ints, classes: tuple[str, ...], sums: Sparse, ranked: list[Ranked | None]
) -> pl.DataFrame:
    """One row per class, in the order of the classes; the intervals count twins as `shares.intervals_of` does.

    F1 is a share as well: of the examples of the class and the answers that name it, counted together, those that
    agree. A class without test examples has recall 0 in the interval from 0 to 1, and no AUROC; `most_confused_with`
    is the wrong answer given most often (the first of equals), null if there is none.

    Args:
        sums: of the groups of examples, see `intervals.by_group`.
        ranked: the AUROC of each class.
    """
    c = len(classes)
    t = tally(truth, predicted, c)
    hits, answers, actual = (Counts(sums[:, i * c : (i + 1) * c]) for i in range(3))
    found = {
        "precision": (precision(t), intervals_of(hits, answers)),
        "recall": (recall(t), intervals_of(hits, actual)),
        "f1": (f1(t), intervals_of(Counts(2 * hits), Counts(answers + actual))),
    }
    rows = []
    for i, name in enumerate(classes):
        row = {"label": name, "n": int(t.actual[i])}
        for metric, (values, ends) in found.items():
            row |= {metric: float(values[i]), f"{metric}_low": ends[i].low, f"{metric}_high": ends[i].high}
        own = ranked[i] if ranked else None
        if own is not None:
            ends_of = ranks_interval(own)
            row |= {"auroc": own.value, "auroc_low": ends_of.low, "auroc_high": ends_of.high}
        wrong = np.bincount(predicted[(truth == i) & (predicted != i)], minlength=c)
        taken = {"most_confused_with": classes[int(wrong.argmax())] if wrong.any() else None}
        rows.append(row | taken | {"confused_n": int(wrong.max())})
    return pl.DataFrame(rows, schema=SCHEMA)


def confusion(truth: Ints, predicted: Ints, classes: tuple[str, ...]) -> pl.DataFrame:
    """How often each pair of true and predicted class occurs, in the order of the classes."""
    pairs, n = np.unique(np.stack([truth, predicted], axis=1), axis=0, return_counts=True)
    names = np.array(classes, dtype=object)
    schema = {"label": pl.String, "predicted": pl.String, "n": pl.Int64}
    return pl.DataFrame({"label": names[pairs[:, 0]], "predicted": names[pairs[:, 1]], "n": n}, schema=schema)
