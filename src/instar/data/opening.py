"""From rows that were read and measured to a `Dataset` with splits and sealed test labels."""

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from instar.data.grouping import Kind, facts, group, twins
from instar.data.order import order
from instar.data.raw import Raw
from instar.data.split import SHARES, folds, random_leak, split
from instar.errors import UserError
from instar.records import Dataset

TWIN_OF = {"test": "exact twin of a test example", "val": "exact twin of a validation example"}
"""Why a row is taken out of a split that the source gave: training on it would be training on the answer."""


class Fold(NamedTuple):
    """One of several test parts that share out the labelled examples between them."""

    number: int
    """From 1."""
    of: int


def build(
    raw: Raw,
    measured: pl.DataFrame,
    *,
    limit: int | None,
    seed: int,
    grouping: Kind = "near",
    fold: Fold | None = None,
) -> tuple[Dataset, pl.DataFrame]:
    """Limit, order, group and split.

    Rows with an error are quarantined; rows without label are kept as unlabelled. A split that the source gives is
    kept: exact copies of a test row in train or val, and of a val row in train, are quarantined, and a val or test
    part that is missing is drawn from train. Otherwise labelled groups (see `grouping.group`) are split 70/15/15
    (see `split`).

    A limit draws whole sets of exact twins at random, passing over those that would exceed it, so it rather misses
    large ones. Near copies are looked for among what was drawn, not before: a film of 100 frames would else be
    wholly in or, with a limit of 50, wholly out; and so only what is used has to be compared.

    Args:
        measured: columns id, twin, error, measure.*, a row per row of `raw.frame`.
        limit: at most so many examples per class, or None.
        grouping: what is kept together: exact twins, or near copies too where they can be told.
        fold: the test part is this one of so many that equal arguments share all examples out to (`split.folds`); the
            rest is split to train on and to choose by as it would be without folds, 70 to 15.

    Raises:
        UserError: too little to split; or folds are wanted of a set that came split.

    Returns:
        The data set, labels of its test rows null, and those labels: columns id, label.
    """
    frame = raw.frame.join(measured, on="id", how="left", validate="1:1", maintain_order="left")
    frame = frame.with_columns(twins(frame), _state().alias("split"))
    rows, without = frame.height, frame.filter((pl.col("split") == "unlabelled") & ~_UNLABELLED).height
    frame, left_out = (frame, 0) if limit is None else _limit(frame, limit, seed)
    ordering = order(_labels(frame))
    if len(ordering.classes) < 2:
        worst = frame["error"].value_counts(sort=True).drop_nulls()
        reason = f"; {worst['count'][0]} rows cannot be used: {worst['error'][0]}" if worst.height else ""
        raise UserError(f"{raw.source}: fewer than two classes have readable examples{reason}")
    leak = random_leak(frame.filter(_USED)["twin"].to_numpy(), SHARES["train"])
    given = frozenset(frame.filter(_USED)["given"].drop_nulls()) - {"train"}
    if given and fold:
        raise UserError(
            f"{raw.source} comes with its own {' and '.join(sorted(given))} part, which folds would mix with the rest; "
            "leave --folds away (--seeds N repeats the training on the parts as they are)"
        )
    frame = _as_given(frame) if given else frame
    kept = group(frame, grouping)
    frame, too_few = _split(frame.with_columns(kept.groups), given, raw.source, ordering.classes, seed, fold)
    used = frame.filter(pl.col("split").is_in(list(SHARES)))
    sizes = frame.filter(pl.col("error").is_null() | pl.col("error").is_in(list(TWIN_OF.values())))[
        "twin"
    ].value_counts()
    several = sizes.filter(pl.col("count") > 1)
    counts = dict(used["label"].value_counts().iter_rows())
    opening = {
        **raw.facts,
        "rows": rows,
        "without_label": without,
        "quarantined": frame.filter(pl.col("split") == "quarantined").height,
        "missing_files": frame.filter(pl.col("error") == "file missing").height,
        "limit": limit,
        "left_out_by_limit": left_out,
        "seed": seed,
        "fold": list(fold) if fold else None,
        "given_split": bool(given),
        "shares": list(SHARES.values()),
        "kept_in_train": too_few,
        "twin_groups": several.height,
        "rows_in_twins": int(several["count"].sum()),
        "random_leak": leak,
        **facts(kept, frame),
        "order": ordering.reason,
    }
    _enough(raw.source, used, bool(opening["near_groups"]))
    test = pl.col("split") == "test"
    sealed = frame.filter(test).select("id", "label")
    table = frame.drop("given").with_columns(
        pl.when(test).then(None).otherwise("label").alias("label"),
    )
    front = ["id", "input", "label", "split", "twin", "group", "error"]
    table = table.select(*front, pl.exclude(front))
    return Dataset(
        name=raw.name,
        modality=raw.modality,
        source=raw.source,
        root=raw.root,
        classes=ordering.classes,
        ordered=ordering.ordered,
        counts={c: counts[c] for c in ordering.classes if c in counts},
        opening=opening,
        table=table,
    ), sealed


_UNLABELLED = (pl.col("given") == "unlabelled").fill_null(False)
_USED = pl.col("split") == "train"
"""Before the split every labelled, readable row stands as train."""


def _state() -> pl.Expr:
    """quarantined, unlabelled or train: what a row is before the split."""
    unlabelled = _UNLABELLED | pl.col("label").is_null()
    return (
        pl.when(pl.col("error").is_not_null())
        .then(pl.lit("quarantined"))
        .when(unlabelled)
        .then(pl.lit("unlabelled"))
        .otherwise(pl.lit("train"))
    )


def _labels(frame: pl.DataFrame) -> list[str]:
    return frame.filter(_USED)["label"].unique().to_list()


def _limit(frame: pl.DataFrame, limit: int, seed: int) -> tuple[pl.DataFrame, int]:
    """At most `limit` labelled rows per class, in whole sets of exact twins; unlabelled and quarantined rows stay."""
    counts = frame.filter(_USED).group_by("twin", maintain_order=True).agg(pl.col("label").value_counts())
    room = dict.fromkeys(_labels(frame), limit)
    kept: list[int] = []
    for at in np.random.default_rng(seed).permutation(counts.height):
        twin, labels = counts.row(int(at))
        if all(entry["count"] <= room[entry["label"]] for entry in labels):
            kept.append(twin)
            for entry in labels:
                room[entry["label"]] -= entry["count"]
    limited = frame.filter(~_USED | pl.col("twin").is_in(kept))
    return limited, frame.height - limited.height


def _split(
    frame: pl.DataFrame, given: Set[str], source: str, classes: Sequence[str], seed: int, fold: Fold | None
) -> tuple[pl.DataFrame, list[str]]:
    """Column split in its final state, and the classes that had too few groups for every part."""
    missing = {part: share for part, share in SHARES.items() if part not in given}
    pool = frame.filter(_USED)
    if pool.is_empty():
        raise UserError(f"{source}: no readable example is left to train on; check the split that the source gives")
    if len(missing) == 1:
        return frame, []
    groups = _strata(pool, classes)
    sizes, strata = groups["size"].to_numpy(), _codes(groups["label"], classes)
    if fold:
        number, too_few = folds(sizes, strata, fold.of, seed)
        tested = number == fold.number - 1
        if not tested.any():
            most = len(np.unique(number[number >= 0]))
            raise UserError(f"{source}: {fold.of} folds are too many for its examples; ask for {max(most, 2)} at most")
        parts = np.where(tested, "test", "train").astype(object)
        parts[~tested] = split(sizes[~tested], strata[~tested], _of_one(missing, "train", "val"), seed)[0]
    else:
        drawn_parts, too_few = split(sizes, strata, _of_one(missing, *missing), seed)
        parts = np.array(drawn_parts, dtype=object)
    drawn = pl.DataFrame({"group": groups["group"], "drawn": list(parts)}, schema_overrides={"drawn": pl.String})
    frame = frame.join(drawn, on="group", how="left", maintain_order="left")
    frame = frame.with_columns(pl.when(_USED).then("drawn").otherwise("split").alias("split")).drop("drawn")
    return frame, [classes[i] for i in too_few]


def _of_one(shares: Mapping[str, float], *parts: str) -> dict[str, float]:
    """The shares of these parts among themselves."""
    total = sum(shares[part] for part in parts)
    return {part: shares[part] / total for part in parts}


def _as_given(frame: pl.DataFrame) -> pl.DataFrame:
    """Labelled rows in the parts that the source gives, without copies of what they are tested on."""
    part = pl.when(_USED).then(pl.col("given").fill_null("train")).otherwise("split")
    frame = frame.with_columns(part.alias("split"))
    for held, below in (("test", ["train", "val"]), ("val", ["train"])):
        held_out = frame.filter(pl.col("split") == held)["twin"].unique()
        copy = pl.col("split").is_in(below) & pl.col("twin").is_in(held_out.implode())
        frame = frame.with_columns(
            pl.when(copy).then(pl.lit(TWIN_OF[held])).otherwise("error").alias("error"),
            pl.when(copy).then(pl.lit("quarantined")).otherwise("split").alias("split"),
        )
    return frame


def _strata(rows: pl.DataFrame, classes: Sequence[str]) -> pl.DataFrame:
    """group, size, label: the most frequent label of each group; among equals the first of the classes."""
    position = pl.col("label").replace_strict({c: i for i, c in enumerate(classes)}, return_dtype=pl.Int64)
    counted = rows.group_by("group", "label").len().sort("group", pl.col("len") * -1, position)
    return counted.group_by("group", maintain_order=True).agg(
        pl.col("len").sum().alias("size"), pl.col("label").first()
    )


def _codes(labels: pl.Series, classes: Sequence[str]) -> NDArray[np.int64]:
    position = {c: i for i, c in enumerate(classes)}
    return np.array([position[label] for label in labels], dtype=np.int64)


def _enough(source: str, used: pl.DataFrame, near: bool) -> None:
    """Refuse a set too small to train on, to choose by and to judge by."""
    remedy = "; or keep only exact copies together: --set grouping=exact" if near else ""
    for part in SHARES:
        labels = used.filter(pl.col("split") == part)["label"]
        least = 2 if part == "train" else 1
        if labels.n_unique() < least:
            raise UserError(
                f"{source}: only {labels.n_unique()} classes have an example in the {part} part; "
                f"a class needs at least three examples that are no copies of each other{remedy}"
            )
