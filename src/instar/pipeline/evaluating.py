"""The step evaluate: the test split is opened once for each trained model, and its tables are made from the answers."""

from pathlib import Path

import polars as pl

from instar import steps, store
from instar.audit.doubts import doubted
from instar.evaluate.evaluation import evaluate as tables
from instar.modality.modalities import MODALITIES
from instar.pipeline.calibrating import calibrated
from instar.pipeline.common import at_hand, planned
from instar.pipeline.data import originals, originals_unchanged
from instar.pipeline.learning import kept_in_training, rows_of
from instar.pipeline.networks import trained_network
from instar.progress import say
from instar.records import Dataset, Evaluation, Recipe

OPENED = "test_opened"
"""Entry of machine.yaml: how many times the test split has been opened for this run, whatever came of it."""


def evaluate(folder: Path) -> Evaluation:
    """Predictions, baselines, scores with intervals.

    The test split is opened for a model that has not answered it yet. Answers that stand in the run stay as they are
    while the model and all else that they rest on do (`answered`); then only the tables are made anew, without
    a network and without the originals.
    """
    if not answered(folder):
        originals_unchanged(folder)
    return score(folder)


def score(folder: Path) -> Evaluation:
    """`evaluate` for a run whose source has just been found unchanged."""
    with planned(folder, "evaluate") as (recipe, _):
        dataset = store.read_dataset(folder)
        if not answered(folder):
            _open(folder, recipe, dataset)
        audit = store.read_audit(folder)
        result = tables(
            store.read_frame(folder / store.PREDICTIONS),
            store.read_frame(folder / store.BASELINES),
            dataset.classes,
            ordered=dataset.ordered,
            opened=int(store.read_machine(folder)[OPENED]),
            seed=recipe.seed,
            table=dataset.table,
            audit=audit,
            temperature=calibrated(folder)[0].value,
            doubted=doubted(dataset, audit, MODALITIES[dataset.modality].doubts),
        )
        store.write_evaluation(folder, result)
    best, many = result.score("accuracy"), MODALITIES[dataset.modality].many
    say(f"accuracy on {best.n} test {many}: {best.value:.1%}, 95 % interval {best.low:.1%} to {best.high:.1%}")
    return result


def answered(folder: Path) -> bool:
    """Whether the answers to the test split stand in the run as its model, as it is now, gave them.

    A step that failed half-way has left no record of its answers; then the split is opened once more, and counted.
    """
    return steps.current(folder, "evaluate", *steps.ANSWERS_REST_ON, steps.PREDICTIONS, steps.BASELINES)


def _open(folder: Path, recipe: Recipe, dataset: Dataset) -> None:
    """Let the trained network and what is simpler answer the test split, and count that they did."""
    from instar.evaluate import predictions, temperature
    from instar.prepare.passes import answer_logits

    at_hand(dataset)
    steps.count(folder, OPENED)
    modality = MODALITIES[dataset.modality]
    spec = store.read_card(folder).spec
    feed = modality.feed()
    prepared = feed.open(feed.prepare(dataset, recipe, spec), recipe, spec)
    network = trained_network(folder, store.BEST, dataset, recipe)
    sealed = dict(store.read_sealed(folder).iter_rows())
    val_rows, val_labels = rows_of(dataset, prepared.ids, "val")
    test_rows, test_labels = rows_of(dataset, prepared.ids, "test", sealed)
    known, validation = calibrated(folder)
    found = answer_logits(network, prepared, test_rows, recipe, "predict test")
    made = pl.concat([validation, predictions.frame(dataset, "test", test_labels, found, recipe.decode, known.value)])
    untuned = trained_network(folder, store.PROBE, dataset, recipe)
    seen, probe = (
        answer_logits(untuned, prepared, rows, recipe, f"predict {part} with the probe")
        for rows, part in ((val_rows, "validation"), (test_rows, "test"))
    )
    probe /= temperature.fit(seen, val_labels, recipe.decode, recipe.metric).value  # as fair as that of the network
    with originals(dataset):
        cheap = modality.cheap(kept_in_training(dataset, folder))
    baselines = predictions.baselines(dataset, test_labels, probe=probe, cheap=cheap, decode=recipe.decode)
    store.write_frame(folder / store.PREDICTIONS, made)
    store.write_frame(folder / store.BASELINES, baselines)
