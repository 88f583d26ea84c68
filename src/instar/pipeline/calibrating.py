"""The temperature of a trained network, and what stands on its validation split: fitted by `train`, used by `evaluate`
and `predict`."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from instar import steps, store
from instar.evaluate import predictions, temperature
from instar.files import read_yaml
from instar.modality.modalities import MODALITIES
from instar.progress import say
from instar.records import Recipe, Temperature


def calibrate(folder: Path, recipe: Recipe, labels: NDArray[np.int64], logits: NDArray[np.float32]) -> None:
    """Fit the temperature, and write it and the predictions for the validation split that follow from it.

    labels: (N,) class indices of the validation split; logits: (N, C) of the best weights.
    """
    dataset = store.read_dataset(folder)
    found = temperature.fit(logits, labels, recipe.decode, recipe.metric)
    frame = predictions.frame(dataset, "val", labels, logits, recipe.decode, found.value)
    store.write_yaml(folder / steps.TEMPERATURE, asdict(found))
    store.write_frame(folder / steps.VALIDATION, frame)
    many = MODALITIES[dataset.modality].many
    say(
        f"temperature {found.value:.3f}, fitted on {found.n} validation {many}: log loss {found.log_loss_before:.3f} "
        f"before, {found.log_loss_after:.3f} with it"
    )
    if found.moved:
        say(
            f"  it moves {found.moved} of the validation answers, which are the median class: {found.metric} "
            f"{found.score_before:.3f} before, {found.score_after:.3f} with it"
        )


def calibrated(folder: Path) -> tuple[Temperature, pl.DataFrame]:
    """What `calibrate` wrote: the temperature, and the predictions for the validation split."""
    return read_yaml(folder / steps.TEMPERATURE, Temperature), store.read_frame(folder / steps.VALIDATION)
