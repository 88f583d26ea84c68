"""The steps prepare and train."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from instar import processes, steps, store
from instar.modality.modalities import MODALITIES
from instar.pipeline.calibrating import calibrate
from instar.pipeline.common import at_hand, planned
from instar.pipeline.data import unchanged
from instar.pipeline.networks import network_of
from instar.progress import say
from instar.records import Dataset, Epoch, Recipe, Split

if TYPE_CHECKING:
    from instar.models.network import Network
    from instar.train.loop import TrainingData


def prepare(folder: Path) -> Path:
    """Bring every example into the form that the network takes, once, in the cache; returns the cache's folder."""
    unchanged(folder)
    return bring(folder)


def bring(folder: Path) -> Path:
    """`prepare` for a run whose source has just been found unchanged."""
    with planned(folder, "prepare") as (recipe, _):
        dataset = store.read_dataset(folder)
        at_hand(dataset)
        feed = MODALITIES[dataset.modality].feed()
        spec = store.read_card(folder).spec
        prepared = feed.prepare(dataset, recipe, spec)
        feed.previews(prepared, dataset, recipe, spec, folder)
    return prepared


def train(folder: Path) -> None:
    """Fine-tune stage by stage as planned; goes on from the last checkpoint after an interruption.

    Several processes (`processes`) call it with the same folder, which all of them must see: the first one prepares,
    holds the run and writes; the others help it to train.
    """
    for wish in processes.wishes():
        say(wish)
    with joined():
        if not processes.first():
            processes.meet()
            _trained(folder, store.recipe_of(store.read_plan(folder)[0]))
            return
        if not store.current(folder, "prepare"):
            prepare(folder)
        with planned(folder, "train") as (recipe, record):
            started = monotonic()
            processes.meet()
            epochs, labels, logits = _trained(folder, recipe)
            record["seconds"] = round(max(monotonic() - started, sum(e.seconds for e in epochs)), 2)
            if processes.number() > 1:
                record["processes"] = processes.number()
            store.write_epochs(folder, epochs)
            calibrate(folder, recipe, labels, logits)


def joined() -> AbstractContextManager[None]:
    """The processes of this command, connected; torch is not asked which device there is where there is but one."""
    if processes.number() == 1:
        return nullcontext()
    from instar.prepare.passes import device

    say(f"{processes.number()} processes share every batch")
    return processes.joined(device().type)


def _trained(folder: Path, recipe: Recipe) -> tuple[tuple[Epoch, ...], Any, Any]:
    """Train, or help the first process to; the plan and what it rests on stand in the run, settled.

    Returns:
        The epochs, and of the validation split class indices (N,) and logits (N, C) of what the best weights answer.
    """
    from instar.prepare.passes import answer_logits
    from instar.train.team import shared_logits
    from instar.train.training import fit

    network, data, stamp = material(folder, recipe)
    epochs = fit(folder / "4-train", network, recipe, data, stamp)
    found = answer_logits(network, data.prepared, data.val_rows, recipe, "calibrate on validation", shared_logits)
    return epochs, data.val_labels, found


def material(folder: Path, recipe: Recipe, excluded: str = steps.EXCLUDED) -> "tuple[Network, TrainingData, str]":
    """What a training works with: the network as it comes, the examples, and the digest of all that it rests on.

    Args:
        excluded: file of the run with the rows that are left out of training.
    """
    from instar.train.training import TrainingData

    dataset = store.read_dataset(folder)
    feed = MODALITIES[dataset.modality].feed()
    spec = store.read_card(folder).spec
    cache = feed.prepare(dataset, recipe, spec)
    prepared = feed.open(cache, recipe, spec)
    train_rows, train_labels = rows_of(kept_in_training(dataset, folder, excluded), prepared.ids, "train")
    val_rows, val_labels = rows_of(dataset, prepared.ids, "val")
    data = TrainingData(prepared, train_rows, train_labels, val_rows, val_labels, len(dataset.classes), cache)
    network = network_of(folder, dataset, recipe)
    kept = store.read_machine(folder)["steps"]["plan"]["writes"][steps.KEPT]  # what the network was made from
    files = [store.digest(folder / f) for f in (store.TABLE, excluded)]
    rests_on = [network.card.weights_sha256, kept, prepared.key, *files]
    learnt = replace(recipe, weights=None, grouping="", exclude=())  # what stands for these is in `rests_on`
    rests_on += [f"{stage.name} views={stage.views}" for stage in recipe.stages if stage.views]
    rests_on += [f"second classifier after {part.after}" for part in network.model.seconds()]
    stamp = hashlib.sha256(f"{learnt} {dataset.classes} {rests_on}".encode()).hexdigest()
    return network, data, stamp


def kept_in_training(dataset: Dataset, folder: Path, excluded: str = steps.EXCLUDED) -> Dataset:
    """The data set without the rows that the plan leaves out of training; validation and test keep every row."""
    out = store.read_frame(folder / excluded)["id"]
    gone = (pl.col("split") == "train") & pl.col("id").is_in(out.implode())
    rest = replace(dataset, table=dataset.table.filter(~gone))
    many = MODALITIES[dataset.modality].many
    if rest.table.height < dataset.table.height:
        say(f"{dataset.table.height - rest.table.height} training {many} are left out, see {folder / excluded}")
    return rest


def rows_of(
    dataset: Dataset, ids: Sequence[str], split: Split, labels: Mapping[str, str] | None = None
) -> tuple[Any, Any]:
    """Rows in the prepared form, and class indices, of one split."""
    place = {id_: row for row, id_ in enumerate(ids)}
    index = {name: i for i, name in enumerate(dataset.classes)}
    part = dataset.part(split)
    rows = np.array([place[i] for i in part["id"]], dtype=np.int64)
    given = [labels[i] for i in part["id"]] if labels is not None else part["label"].to_list()
    return rows, np.array([index[label] for label in given], dtype=np.int64)
