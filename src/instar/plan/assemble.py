"""The plan: one live decision for every field of the recipe."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import polars as pl

from instar.plan import augment, batch, decode, edits, engine, input_size, loss, rates, rows, stages, text
from instar.plan import backbone as backbones
from instar.records import Audit, Card, Dataset, Decision, Json, Measurements, Plan


def make(
    dataset: Dataset,
    audit: Audit,
    card: Card,
    measurements: Measurements,
    backbone: Decision,
    weights: str | None,
    asked: Mapping[str, Json],
    *,
    seed: int,
    augmentations: Collection[str],
    fits: Collection[str],
) -> Plan:
    """Decide every field by its rule, then take in what the user asked for.

    Args:
        dataset: opened and split; numbers of rows are looked at, and how many tokens training texts have.
        audit: its findings.
        card: of the chosen backbone.
        measurements: of that backbone on this machine.
        backbone: the decision that chose it (`plan.backbone.choose`, or `plan.reasons.decision` among several).
        weights: the file that the user named, or None.
        asked: settings as `edits.parse_setting` gives them.
        seed: of the training.
        augmentations: names that the modality knows.
        fits: values of `Recipe.fit` that the modality knows.

    Raises:
        UserError: a setting names no field, or its value is out of range.
    """
    repairs = text.clean(audit)
    augmented = augment.augment(audit, augmentations)
    tokens = text.tokens(dataset, card, asked.get("clean", repairs.value)) if card.spec.tokenizer else None
    learnt = learnt_from(dataset, audit, asked)
    decisions = (
        backbones.tried(backbone, audit),
        backbones.weights(weights, card.title, card.weights),
        rows.grouping(dataset, audit),
        rows.exclude(dataset, audit),
        repairs,
        input_size.input_size(audit, card, tokens),
        input_size.fit(audit, card, fits, tokens, asked.get("input_size")),
        augmented,
        loss.metric(audit),
        decode.decode(audit),
        loss.loss_weights(audit),
        loss.label_smoothing(audit, card),
        batch.dropout(card),
        batch.batch_size(learnt),
        stages.stages(learnt, audit, card, measurements, _asked_length(asked)),
        rates.weight_decay(card),
        rates.warmup(),
        batch.clip_norm(),
        batch.patience(card),
        *engine.engine(measurements),
        batch.seed(seed),
        augment.test_augment(augmented, asked.get("augment", augmented.value)),
    )
    return edits.apply(Plan(decisions), asked)


def learnt_from(dataset: Dataset, audit: Audit, asked: Mapping[str, Json]) -> Dataset:
    """The data set without the training rows that the user leaves out (`exclude`): what follows from numbers of
    examples (steps, minutes, examples a class) counts those that are learnt from.

    Raises:
        UserError: a finding that names no rows, or a class that would be left without any.
    """
    codes = tuple(asked.get("exclude") or ())
    gone = rows.left_out(codes, audit, dataset.part("train"), "--set exclude")["id"]
    leaves = (pl.col("split") == "train") & pl.col("id").is_in(gone.implode())
    return replace(dataset, table=dataset.table.filter(~leaves)) if len(gone) else dataset


def _asked_length(asked: Mapping[str, Json]) -> stages.Length:
    """Epochs and batch size that the user wants: the rate follows the steps that these make."""
    epochs = asked.get("stages.top.epochs", asked.get("epochs"))
    return stages.Length(*(int(value) if value else None for value in (epochs, asked.get("batch_size"))))
