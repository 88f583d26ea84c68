"""What the domain classifier sees: frozen features of a network, or the modality's cheap baseline."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from instar.compose.domain import Scorer
from instar.machine import cores
from instar.modality.base import Modality, same_kind
from instar.records import Dataset, Recipe

STRENGTH = 100.0
"""1/C of the logistic regression on standardised features: the middle of what the linear probe of `train`
tries."""


def dataset_of(rows: pl.DataFrame, modality: str, root: Path, sources: Sequence[str]) -> Dataset:
    """Rows as a data set whose classes are the sources; all in train.

    Args:
        rows: columns id, input (below `root`, or the text), source and measure.*.
    """
    table = rows.select(
        "id",
        "input",
        pl.col("source").alias("label"),
        pl.lit("train").alias("split"),
        pl.int_range(pl.len()).alias("group"),
        pl.lit(None, dtype=pl.String).alias("error"),
        pl.col("^measure\\..*$"),
    )
    return Dataset("sources", modality, "", str(root), tuple(sources), False, {}, {}, table)


def cheap(modality: Modality, root: Path) -> Scorer:
    """The modality's baseline without a network, asked for the source instead of the class."""

    def score(rows: pl.DataFrame, fold: NDArray[np.int64], sources: Sequence[str]) -> NDArray[np.float64]:
        dataset = dataset_of(rows, modality.name, root, sources)
        result = np.zeros((rows.height, len(sources)))
        for held in np.unique(fold):
            hidden = pl.Series(fold == held)
            table = dataset.table.with_columns(
                pl.when(hidden).then(pl.lit("test")).otherwise("split").alias("split"),
                pl.when(hidden).then(None).otherwise("label").alias("label"),
            )
            result[fold == held] = modality.cheap(replace(dataset, table=table))
        return result

    return score


def frozen(
    rows: pl.DataFrame, modality: Modality, root: Path, backbone: str, weights: Path | None, seed: int
) -> tuple[Scorer, str]:
    """Logistic regression on what the body of a pre-trained network makes of the examples.

    Args:
        rows: all rows that the scorer will be asked for.

    Returns:
        The scorer, and what to call it.

    Raises:
        UserError: no such network, no weights, or a network for another modality.
    """
    from instar.models import sources as networks
    from instar.prepare.features import features

    network = networks.load(backbone, weights, classes=2, dropout=0.0, seed=seed)
    card = network.card
    same_kind(card, modality)
    recipe = Recipe(
        backbone=backbone,
        weights=str(weights) if weights else None,
        grouping="exact",
        exclude=(),
        clean=(),
        input_size=card.spec.size,
        fit=modality.fits[0],
        augment=(),
        metric="accuracy",
        decode="argmax",
        loss_weights="none",
        label_smoothing=0.0,
        dropout=0.0,
        batch_size=1,
        stages=(),
        weight_decay=0.0,
        warmup=0.0,
        clip_norm=1.0,
        patience=1,
        precision="fp32",
        channels_last=True,
        threads=cores(),
        seed=seed,
    )
    feed = modality.feed()
    folder = feed.prepare(dataset_of(rows, modality.name, root, ()), recipe, card.spec)
    prepared = feed.open(folder, recipe, card.spec)
    found = features(
        network,
        prepared,
        np.arange(len(prepared.ids)),
        augment=(),
        seed=seed,
        cache=folder,
        what="features of the sources",
        recipe=recipe,
    )
    place = {id_: row for row, id_ in enumerate(prepared.ids)}

    def score(rows: pl.DataFrame, fold: NDArray[np.int64], sources: Sequence[str]) -> NDArray[np.float64]:
        x = found[[place[id_] for id_ in rows["id"]]].astype(np.float64)
        truth = np.array([sources.index(name) for name in rows["source"]])
        result = np.zeros((rows.height, len(sources)))
        for held in np.unique(fold):
            model = make_pipeline(StandardScaler(), LogisticRegression(C=1 / STRENGTH, max_iter=1000))
            result[fold == held] = model.fit(x[fold != held], truth[fold != held]).predict_proba(x[fold == held])
        return result

    return score, f"frozen features of {card.title}"
