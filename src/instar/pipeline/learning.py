"""The steps prepare, train and evaluate, and prediction for new examples."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import polars as pl

from instar import store
from instar.modality.modalities import MODALITIES
from instar.pipeline.common import network_of, settled, step
from instar.pipeline.data import unchanged
from instar.progress import say
from instar.records import Dataset, Evaluation


def prepare(folder: Path) -> Path:
    """Bring every example into the form that the network takes, once, in the cache; returns the cache's folder."""
    unchanged(folder)
    with step(folder, "prepare"):
        dataset = store.read_dataset(folder)
        _, recipe = settled(folder)
        feed = MODALITIES[dataset.modality].feed()
        spec = store.read_card(folder).spec
        prepared = feed.prepare(dataset, recipe, spec)
        feed.previews(prepared, dataset, recipe, spec, folder)
    return prepared


def train(folder: Path) -> None:
    """Fine-tune stage by stage as planned; goes on from the last checkpoint after an interruption."""
    if not store.current(folder, "prepare"):
        prepare(folder)
    with step(folder, "train") as record:
        started = monotonic()
        from instar.train.training import TrainingData, fit

        dataset = store.read_dataset(folder)
        _, recipe = settled(folder)
        feed = MODALITIES[dataset.modality].feed()
        spec = store.read_card(folder).spec
        cache = feed.prepare(dataset, recipe, spec)
        prepared = feed.open(cache, recipe, spec)
        train_rows, train_labels = rows_of(dataset, prepared.ids, "train")
        val_rows, val_labels = rows_of(dataset, prepared.ids, "val")
        data = TrainingData(prepared, train_rows, train_labels, val_rows, val_labels, len(dataset.classes), cache)
        stamp = hashlib.sha256(f"{recipe} {store.digest(folder / store.TABLE)}".encode()).hexdigest()
        epochs = fit(folder / "4-train", network_of(dataset, recipe), recipe, data, stamp)
        record["seconds"] = round(max(monotonic() - started, sum(e.seconds for e in epochs)), 2)
        store.write_epochs(folder, epochs)


def rows_of(
    dataset: Dataset, ids: Sequence[str], split: Any, labels: Mapping[str, str] | None = None
) -> tuple[Any, Any]:
    """Rows in the prepared form, and class indices, of one split."""
    place = {id_: row for row, id_ in enumerate(ids)}
    index = {name: i for i, name in enumerate(dataset.classes)}
    part = dataset.part(split)
    rows = np.array([place[i] for i in part["id"]], dtype=np.int64)
    given = [labels[i] for i in part["id"]] if labels is not None else part["label"].to_list()
    return rows, np.array([index[label] for label in given], dtype=np.int64)


def evaluate(folder: Path) -> Evaluation:
    """Open the test split: predictions, baselines, scores with intervals."""
    with step(folder, "evaluate"):
        from instar.evaluate import predictions
        from instar.evaluate.evaluation import evaluate as score
        from instar.evaluate.predict import load_best, probe_logits
        from instar.prepare.passes import logits

        opened = store.count(folder, "test_opened")
        dataset = store.read_dataset(folder)
        _, recipe = settled(folder)
        modality = MODALITIES[dataset.modality]
        spec = store.read_card(folder).spec
        feed = modality.feed()
        prepared = feed.open(feed.prepare(dataset, recipe, spec), recipe, spec)
        network = load_best(network_of(dataset, recipe), folder / store.BEST)
        sealed = dict(store.read_sealed(folder).iter_rows())
        val_rows, val_labels = rows_of(dataset, prepared.ids, "val")
        test_rows, test_labels = rows_of(dataset, prepared.ids, "test", sealed)
        tuned = {
            "val": predictions.frame(
                dataset, "val", val_labels, logits(network, prepared, val_rows, recipe, "predict validation")
            ),
            "test": predictions.frame(
                dataset, "test", test_labels, logits(network, prepared, test_rows, recipe, "predict test")
            ),
        }
        fresh = network_of(dataset, recipe)
        probe = probe_logits(fresh, folder / store.PROBE, prepared, test_rows, recipe)
        made = pl.concat(tuned.values())
        baselines = predictions.baselines(dataset, test_labels, probe=probe, cheap=modality.cheap(dataset))
        store.write_frame(folder / store.PREDICTIONS, made)
        store.write_frame(folder / store.BASELINES, baselines)
        result = score(made, baselines, dataset.classes, ordered=dataset.ordered, opened=opened, seed=recipe.seed)
        store.write_evaluation(folder, result)
    best = result.score("accuracy")
    say(f"accuracy on {best.n} test {modality.many}: {best.value:.1%}, 95 % interval {best.low:.1%} to {best.high:.1%}")
    return result


def predict(folder: Path, arguments: Sequence[str]) -> pl.DataFrame:
    """Label new examples, prepared by the very functions that prepared the training examples.

    Returns:
        input, label, probability, error, and p.<class> per class; rows that cannot be read have an error and no label.
    """
    store.begin(folder, "evaluate")
    from instar.evaluate import predictions
    from instar.evaluate.predict import load_best
    from instar.prepare.passes import logits

    dataset = store.read_dataset(folder)
    _, recipe = settled(folder)
    modality = MODALITIES[dataset.modality]
    inputs = modality.gather(arguments, dataset)
    asked = pl.DataFrame({"id": [str(i) for i in range(len(inputs))], "input": inputs})
    measured = modality.measure(asked, Path()).select("id", "error")
    asked = asked.join(measured, on="id", how="left", maintain_order="left")
    readable = asked.filter(pl.col("error").is_null())["input"].to_list()
    if not readable:
        return predictions.answers(asked, dataset.classes, None)
    network = load_best(network_of(dataset, recipe), folder / store.BEST)
    prepared = modality.feed().examples(readable, recipe, store.read_card(folder).spec)
    found = logits(network, prepared, np.arange(len(readable)), recipe, "predict")
    return predictions.answers(asked, dataset.classes, found)
