"""Frames of predictions: the watershed after which nothing needs a network."""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import softmax

from instar.metrics import Floats, decoded
from instar.records import Dataset, Split


def frame(
    dataset: Dataset,
    split: Split,
    labels: NDArray[np.int64],
    logits: NDArray[np.float32],
    decode: str = "argmax",
    temperature: float = 1.0,
) -> pl.DataFrame:
    """Predictions of one split: id, split, group, label, predicted, confidence, p.<class>.

    confidence is the probability of the predicted class.

    Args:
        labels: class indices (N,), in the order of `dataset.part(split)`.
        logits: (N, C), in the same order.
        decode: see `decoded`.
        temperature: what the logits are divided by, see `evaluate.temperature`.
    """
    part = dataset.part(split)
    probabilities = softmax(logits.astype(np.float64) / temperature, axis=1)
    return part.select("id", "split", "group").with_columns(
        pl.Series("label", [dataset.classes[i] for i in labels], dtype=pl.String),
        *_answer(dataset.classes, probabilities, "predicted", "confidence", decode),
    )


def read_otherwise(found: pl.DataFrame, classes: tuple[str, ...], decode: str) -> pl.DataFrame:
    """Predictions with the answers that another `decode` makes of the same probabilities."""
    probabilities = found.select(f"p.{name}" for name in classes).to_numpy().astype(np.float64)
    return found.with_columns(_answer(classes, probabilities, "predicted", "confidence", decode)[:2])


def _answer(classes: tuple[str, ...], probabilities: Floats, label: str, share: str, decode: str) -> list[pl.Series]:
    """The answer, its probability, and a column per class."""
    best = decoded(probabilities, decode)
    return [
        pl.Series(label, [classes[i] for i in best], dtype=pl.String),
        pl.Series(share, probabilities[np.arange(len(best)), best]),
        *(pl.Series(f"p.{name}", probabilities[:, i]) for i, name in enumerate(classes)),
    ]


def baselines(
    dataset: Dataset,
    labels: NDArray[np.int64],
    *,
    probe: NDArray[np.float32],
    cheap: Floats,
    decode: str = "argmax",
) -> pl.DataFrame:
    """What simpler means answer on the test rows: subject, id, label, predicted, p.<class>.

    The majority's probabilities are the shares of the classes among the training rows: with nothing else known, these
    cost least (by log loss and Brier score).

    Args:
        labels: class indices of the test rows.
        probe: logits of the linear probe on frozen features.
        cheap: probabilities of the baseline without a network.
        decode: how both become answers, as those of the network do; see `decoded`.
    """
    test = dataset.part("test")
    counts = dict(dataset.part("train")["label"].value_counts().iter_rows())
    trained = np.array([counts.get(name, 0) for name in dataset.classes], dtype=np.float64)
    commonest = min(name for name, n in counts.items() if n == trained.max())
    unlearnt = softmax(probe.astype(np.float64), axis=1)
    found = {
        "majority": ([commonest] * test.height, np.tile(trained / trained.sum(), (test.height, 1))),
        "cheap": ([dataset.classes[i] for i in decoded(cheap, decode)], cheap),
        "probe": ([dataset.classes[i] for i in decoded(unlearnt, decode)], unlearnt),
    }
    truth = [dataset.classes[i] for i in labels]
    return pl.concat(
        pl.DataFrame({"subject": subject, "id": test["id"], "label": truth, "predicted": predicted}).with_columns(
            pl.Series(f"p.{name}", p[:, i]) for i, name in enumerate(dataset.classes)
        )
        for subject, (predicted, p) in found.items()
    )


def answers(
    asked: pl.DataFrame,
    classes: tuple[str, ...],
    logits: NDArray[np.float32] | None,
    decode: str = "argmax",
    temperature: float = 1.0,
) -> pl.DataFrame:
    """Answers to new examples: input, label, probability, error, p.<class>.

    Args:
        asked: id, input, error (null where the example can be read).
        logits: (readable rows, C); None where no row can be read.
        decode: see `decoded`.
        temperature: what the logits are divided by.
    """
    if logits is None:
        columns = [
            pl.lit(None, pl.String).alias("label"),
            *(pl.lit(None, pl.Float64).alias(n) for n in _names(classes)),
        ]
        return asked.with_columns(columns).select(
            "input", "label", "probability", "error", *(f"p.{c}" for c in classes)
        )
    readable = asked.filter(pl.col("error").is_null()).select("id")
    probabilities = softmax(logits.astype(np.float64) / temperature, axis=1)
    found = readable.with_columns(_answer(classes, probabilities, "label", "probability", decode))
    joined = asked.join(found, on="id", how="left", maintain_order="left")
    return joined.select("input", "label", "probability", "error", *(f"p.{c}" for c in classes))


def _names(classes: tuple[str, ...]) -> list[str]:
    return ["probability", *(f"p.{c}" for c in classes)]
