"""Prediction for new examples."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from instar import steps, store
from instar.evaluate.answering import sure_ones, with_sets
from instar.files import read_yaml
from instar.modality.modalities import MODALITIES
from instar.pipeline.networks import trained_network
from instar.records import Dataset, Recipe, Temperature


def predict(
    folder: Path, arguments: Sequence[str], *, sure: float | None = None, sets: float | None = None
) -> pl.DataFrame:
    """Label new examples, prepared by the very functions that prepared the training examples.

    Only the run directory is needed, and it is only read: neither the weights that the training started from nor
    the data set have to be there, and of the run only `steps.PREDICTS_WITH`; for `sure` and `sets` also the
    predictions for the validation split.

    Args:
        sure: the share of the labels that is to be right; less sure examples get none (`answering.sure_ones`).
        sets: the share of the examples whose class is to be in their set of classes (`answering.with_sets`).

    Returns:
        input, label, probability, sure and set where asked for, error, and p.<class> per class; rows that cannot be
        read have an error and no label.
    """
    wishes = [(make, wish) for make, wish in ((sure_ones, sure), (with_sets, sets)) if wish is not None]
    steps.begin_predict(folder, *[steps.VALIDATION] * bool(wishes))
    from instar.evaluate import predictions
    from instar.prepare.passes import answer_logits

    dataset, recipe = known(folder)
    modality = MODALITIES[dataset.modality]
    marks = [make(store.read_frame(folder / steps.VALIDATION), dataset.classes, wish) for make, wish in wishes]
    value = read_yaml(folder / steps.TEMPERATURE, Temperature).value
    asked = looked_at(arguments, dataset)
    readable = asked.filter(pl.col("error").is_null())["input"].to_list()
    found = None
    if readable:
        network = trained_network(folder, store.BEST, dataset, recipe)
        prepared = modality.feed().examples(readable, recipe, store.read_card(folder).spec)
        found = answer_logits(network, prepared, np.arange(len(readable)), recipe, "predict")
    answers = predictions.answers(asked, dataset.classes, found, recipe.decode, value)
    for mark in marks:
        answers = mark(answers)
    return answers


def known(folder: Path) -> tuple[Dataset, Recipe]:
    """What a run says of its data set, without the examples, and its recipe: all that new examples need of both."""
    content = read_yaml(folder / steps.DATASET, dict[str, Any])
    dataset = Dataset(**{**content, "classes": tuple(content["classes"])}, table=pl.DataFrame())
    return dataset, store.recipe_of(store.read_plan(folder)[0])


def looked_at(arguments: Sequence[str], dataset: Dataset) -> pl.DataFrame:
    """New examples in the order asked: id, input, error (null where the example can be read)."""
    modality = MODALITIES[dataset.modality]
    inputs = modality.gather(arguments, dataset)
    asked = pl.DataFrame({"id": [str(i) for i in range(len(inputs))], "input": inputs})
    measured = modality.measure(asked, Path()).select("id", "error")
    return asked.join(measured, on="id", how="left", maintain_order="left")
