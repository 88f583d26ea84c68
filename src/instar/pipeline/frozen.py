"""What a pre-trained network, frozen, makes of the data: the second half of the step audit."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from instar import machine, store
from instar.audit.association import FOLDS, LEAST
from instar.audit.frozen import Features, Frozen, Ints, Mirrored
from instar.audit.frozen_checks import FROZEN_CHECKS, run_frozen, skipped
from instar.audit.frozen_probe import CrossFit, crossfit, drawn, folds_of, strength_of
from instar.audit.wording import number, several
from instar.errors import UserError
from instar.modality.base import Modality
from instar.modality.modalities import MODALITIES
from instar.pipeline.choosing import choose_backbone
from instar.pipeline.options import OF_THE_FEED, wishes
from instar.plan import assemble
from instar.prepare.flipped import FLIP, Flipped
from instar.progress import bar, say
from instar.records import Audit, Card, Dataset, Decision, Finding, Json, Measurements, Recipe, Split, Timing

if TYPE_CHECKING:
    from instar.models.network import Network
    from instar.prepare.base import Prepared

MOST = 100_000
"""Examples that are looked at; of more, as many are drawn: the checks compare examples with one another."""
CELLS = 40_000_000
"""... times the classes: a probability for each takes 320 MB, and a few such tables are held at a time."""
MIRRORED = 1_000
"""Labelled pictures whose mirror images are looked at."""
SPLITS: tuple[Split, ...] = ("train", "val", "test")


def frozen_findings(
    folder: Path, dataset: Dataset, audit: Audit, loaded: "tuple[Decision, Network] | None" = None
) -> tuple[Finding, ...]:
    """The findings that rest on frozen features; all of them, with verdict skipped, where there can be none.

    The backbone is the one that the plan will choose, fed as the plan will feed it, so that prepared examples are found
    again by the later steps, and features too where the plan measures the way of computing that is taken here for the
    fastest (`provisional`). Labels of test rows are not there to be seen.

    Args:
        folder: the run, for what was asked for.
        dataset: opened, grouped and split.
        audit: the findings so far, on which the size and form of the input rest.
        loaded: what `choose_backbone` has chosen already; without it, it is asked.

    Raises:
        UserError: a setting that no plan can have, or a source file that is no longer what was measured.
    """
    known = dataset.part("train", "val")
    classes = known["label"].n_unique()
    if known.height < LEAST or classes < 2:
        return skipped(
            f"{several(known.height, 'labelled example')} of {several(classes, 'class', 'classes')} are too few."
        )
    options, asked = wishes(folder)
    try:
        chosen, network = loaded or choose_backbone(dataset, options.backbone, options, asked.get("input_size"))
    except UserError as error:
        return skipped(f"No frozen features, as the network cannot be loaded: {error}.")
    if not network.card.pretrained:
        return skipped(f"No frozen features: {network.card.title} starts at random; name a pre-trained --backbone.")
    recipe = provisional(dataset, audit, network.card, chosen, options.weights, asked)
    found = look(dataset, network, recipe)
    if isinstance(found, str):
        return skipped(found)
    with bar("checks on frozen features", len(FROZEN_CHECKS)) as advance:
        return run_frozen(found, advance)


def provisional(
    dataset: Dataset, audit: Audit, card: Card, chosen: Decision, weights: str | None, asked: dict[str, Json]
) -> Recipe:
    """The recipe as the plan's rules would have it on a machine of which nothing was measured: fp32, all cores, and
    channels_last for pictures. Features are computed once more where the plan measures another way to be faster."""
    ways = ((False, 1.0),) if card.spec.tokenizer else ((False, 1.0), (True, 2.0))
    timings = tuple(Timing("fp32", last, machine.cores(), speed, speed) for last, speed in ways)
    unmeasured = Measurements(timings, "cpu", machine.cores(), machine.memory_gb())
    modality = MODALITIES[dataset.modality]
    plan = assemble.make(
        dataset,
        audit,
        card,
        unmeasured,
        chosen,
        weights,
        {key: value for key, value in asked.items() if key in OF_THE_FEED},
        seed=0,
        augmentations=tuple(modality.augmentations),
        fits=modality.fits,
    )
    return store.recipe_of(plan)


def look(dataset: Dataset, network: "Network", recipe: Recipe) -> Frozen | str:
    """Features of all examples, and a probe out of fold; or why there can be none."""
    modality = MODALITIES[dataset.modality]
    feed = modality.feed()
    started = monotonic()
    cache = feed.prepare(dataset, recipe, network.card.spec)
    prepared = feed.open(cache, recipe, network.card.spec)
    rows, left_out = looked_at(dataset)
    labels = labels_of(rows, dataset.classes)
    place = {id_: row for row, id_ in enumerate(prepared.ids)}
    where = np.array([place[i] for i in rows["id"]], dtype=np.int64)
    features_ND = np.empty((len(where), network.card.features), np.float32)
    for split in SPLITS:
        part = np.flatnonzero(rows["split"] == split)
        if len(part):
            features_ND[part] = passed(network, prepared, where[part], cache, recipe, f"frozen features, {split}")
    bad = rows["id"].filter(pl.Series(~np.isfinite(features_ND).all(1)))
    if len(bad):
        return f"The network's features are not numbers for {several(len(bad), 'example')}, {bad[0]} among them."
    known = np.flatnonzero(labels >= 0)
    groups = rows["group"].to_numpy()
    probe = probed(features_ND[known], labels[known], groups[known], len(dataset.classes))
    mirrored = None
    if FLIP in modality.augmentations:
        mirrored = mirror_images(network, Flipped(prepared), where[known], labels[known], probe, cache, recipe)
    seconds = kept_seconds(cache, [recipe.backbone, prepared.key, list(rows["id"])], monotonic() - started)
    return Frozen(
        modality=dataset.modality,
        classes=dataset.classes,
        backbone=network.card.title,
        ids=rows["id"].to_list(),
        labels=labels,
        splits=rows["split"].to_list(),
        groups=groups,
        twins=rows["twin"].to_numpy(),
        features=features_ND,
        probe=probe,
        cheap=cheap_answers(dataset, modality, rows[known], probe.folds),
        cheap_name=modality.cheap_name,
        mirrored=mirrored,
        seconds=seconds,
        left_out=left_out,
        grouping=dataset.opening["grouping"],
    )


def probed(features_MD: Features, labels: Ints, groups: Ints, classes: int) -> CrossFit:
    """The probe of the labelled examples, out of fold."""
    folds = folds_of(labels, groups)
    with bar("probing frozen features", FOLDS) as advance:
        strength = strength_of(features_MD, labels, folds, classes)
        return crossfit(features_MD, labels, folds, classes, strength=strength, advance=advance)


def looked_at(dataset: Dataset) -> tuple[pl.DataFrame, int]:
    """The rows of all splits, as many as `MOST` and `CELLS` allow, drawn by chance, and how many are left out."""
    rows = dataset.part(*SPLITS)
    most = min(MOST, CELLS // len(dataset.classes))
    if rows.height <= most:
        return rows, 0
    kept = np.sort(np.random.default_rng(0).permutation(rows.height)[:most])
    say(f"{number(rows.height - most)} of {number(rows.height)} examples take no part in the checks on frozen features")
    return rows[kept], rows.height - most


def labels_of(rows: pl.DataFrame, classes: Sequence[str]) -> Ints:
    """Class indices; -1 where there is no label to be seen."""
    index = pl.col("label").replace_strict(list(classes), range(len(classes)), default=None, return_dtype=pl.Int64)
    codes: Ints = rows.select(index.fill_null(-1))["label"].to_numpy()
    return codes


def passed(network: "Network", prepared: "Prepared", rows: Ints, cache: Path, recipe: Recipe, what: str) -> Features:
    """Features (N, D) of the centre views, as the training's first stage asks for them."""
    from instar.prepare.features import features

    return features(network, prepared, rows, augment=(), seed=0, cache=cache, what=what, recipe=recipe)


def mirror_images(
    network: "Network", flipped: Flipped, where: Ints, labels: Ints, probe: CrossFit, cache: Path, recipe: Recipe
) -> Mirrored:
    """Answers to the mirror images of at most `MIRRORED` examples, by the heads that have not seen them."""
    places = drawn(labels, MIRRORED)
    features_KD = passed(network, flipped, where[places], cache, recipe, "frozen features, mirrored")
    answers = np.empty(len(places), dtype=np.int64)
    for fold, head in enumerate(probe.heads):
        held = probe.folds[places] == fold
        answers[held] = head.probabilities(features_KD[held]).argmax(1)
    return Mirrored(places, answers)


def cheap_answers(dataset: Dataset, modality: Modality, rows: pl.DataFrame, folds: Ints) -> Ints:
    """What the modality's cheap baseline answers to the labelled rows of the first fold, learnt from the others; -1
    for these. One fold, as it is not so cheap to fit."""
    say(f"{modality.cheap_name}: one fold, to compare with")
    held = folds == 0
    parted = rows.with_columns(
        split=pl.Series(np.where(held, "test", "train")),
        label=pl.when(pl.Series(held)).then(None).otherwise(pl.col("label")),
    )
    others = dataset.table.join(rows.select("id"), on="id", how="anti").with_columns(split=pl.lit("unlabelled"))
    parted = pl.concat([parted, others.select(parted.columns)])
    answers = np.full(len(folds), -1, dtype=np.int64)
    answers[held] = modality.cheap(replace(dataset, table=parted)).argmax(1)
    return answers


def kept_seconds(cache: Path, about: Json, seconds: float) -> float:
    """How long it took when it was done first: what is found in the cache takes no time, and a repeated audit shall
    say the same as the first."""
    digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:20]
    path = cache / f"{digest}.seconds.json"
    if not path.exists():
        store.write_text(path, json.dumps(round(seconds, 1)))
    return float(json.loads(path.read_text()))
