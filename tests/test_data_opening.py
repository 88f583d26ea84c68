"""From measured rows to a data set: quarantine, twins, limit, splits, sealed labels."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instar import store
from instar.data.measure_texts import measure
from instar.data.opening import TWIN_OF, build
from instar.data.raw import Raw
from instar.errors import UserError
from instar.records import Dataset

KEYS = (
    "layout", "table", "text_column", "image_column", "label_column", "guessed", "encoding", "not_utf8",
    "headers_stripped", "rows", "without_label", "quarantined", "missing_files", "ignored_files", "limit",
    "left_out_by_limit", "seed", "given_split", "shares", "twin_groups", "rows_in_twins", "random_leak",
)  # fmt: skip
FACTS: dict[str, Any] = {
    "layout": "a table of texts",
    "table": "a.csv",
    "text_column": "text",
    "image_column": "",
    "label_column": "label",
    "guessed": "",
    "encoding": "utf-8",
    "not_utf8": 0,
    "headers_stripped": [],
    "ignored_files": 0,
    "labels_stripped": 0,
}
Row = tuple[str, str | None, str | None]
"""text, label, given"""


def world(rows: Sequence[Row]) -> Raw:
    columns = {"input": [r[0] for r in rows], "label": [r[1] for r in rows], "given": [r[2] for r in rows]}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    frame = frame.insert_column(0, pl.Series("id", [f"row {i + 1}" for i in range(len(rows))]))
    return Raw("world", "text", "a.csv", ".", frame.with_columns(pl.lit("x").alias("extra.shop")), FACTS)


def opened(rows: Sequence[Row], limit: int | None = None, seed: int = 0) -> tuple[Dataset, pl.DataFrame]:
    raw = world(rows)
    return build(raw, measure(raw.frame.select("id", "input"), Path()), limit=limit, seed=seed)


def plain(n: int, classes: str = "ab") -> list[Row]:
    return [(f"text {i}", classes[i % len(classes)], None) for i in range(n)]


def test_test_labels_are_sealed() -> None:
    dataset, sealed = opened(plain(100))
    test = dataset.part("test")
    assert test["label"].null_count() == test.height == sealed.height == 15
    assert sealed["id"].to_list() == test["id"].to_list()
    assert dataset.part("train", "val")["label"].null_count() == 0
    assert dataset.counts == {"a": 50, "b": 50}
    assert set(dataset.opening) >= set(KEYS)
    assert {"extra.shop", "measure.words"} <= set(dataset.table.columns)
    assert not {"twin", "given"} & set(dataset.table.columns)


def test_it_can_be_stored(tmp_path: Path) -> None:
    dataset, sealed = opened([*plain(50), ("", "a", None)])
    store.write_dataset(tmp_path, dataset, sealed)
    again = store.read_dataset(tmp_path)
    assert again == dataset
    assert again.table.equals(dataset.table)


def test_what_cannot_be_read_is_kept_apart() -> None:
    dataset, _ = opened([*plain(40), ("", "a", None), ("words", None, None), ("more words", None, "unlabelled")])
    last = dataset.table.tail(3)
    assert last["split"].to_list() == ["quarantined", "unlabelled", "unlabelled"]
    assert last["error"].to_list() == ["no text", None, None]
    facts = dataset.opening
    assert (facts["rows"], facts["quarantined"], facts["without_label"]) == (43, 1, 1)
    assert sum(dataset.counts.values()) == 40


def test_missing_files_are_counted() -> None:
    raw = world(plain(20))
    measured = measure(raw.frame.select("id", "input"), Path())
    lost = pl.col("id").is_in(["row 3", "row 4"])
    dataset, _ = build(raw, measured.with_columns(error=pl.when(lost).then(pl.lit("file missing"))), limit=None, seed=0)
    assert dataset.opening["missing_files"] == dataset.opening["quarantined"] == 2
    assert dataset.table.height == 20


rows_of_few_texts = st.lists(
    st.tuples(st.integers(0, 30).map(lambda i: f"t{i}"), st.sampled_from("abc"), st.none()),
    min_size=30,
    max_size=120,
).filter(lambda rows: len({label for _, label, _ in rows}) > 1)


@settings(max_examples=40)
@given(rows_of_few_texts, st.integers(0, 2))
def test_no_group_straddles_a_split(rows: list[Row], seed: int) -> None:
    try:
        dataset, sealed = opened(rows, seed=seed)
    except UserError as error:  # a few texts, each many times over, do not fill three parts
        assert "at least three examples" in str(error)
        assert len({text for text, _, _ in rows}) < 12
        return
    used = dataset.part("train", "val", "test")
    assert used.height == len(rows)
    assert used.group_by("group").agg(pl.col("split").n_unique())["split"].max() == 1
    assert used.group_by("group").agg(pl.col("input").n_unique())["input"].max() == 1
    assert used["group"].n_unique() == len({text for text, _, _ in rows})
    again, sealed_again = opened(rows, seed=seed)
    assert again.table.equals(dataset.table)
    assert sealed_again.equals(sealed)


@settings(max_examples=40)
@given(rows_of_few_texts, st.sampled_from([1, 5, 20]), st.integers(0, 2))
def test_the_limit_holds_and_groups_stay_whole(rows: list[Row], limit: int, seed: int) -> None:
    sizes = Counter(text for text, _, _ in rows)
    try:
        dataset, _ = opened(rows, limit=limit, seed=seed)
    except UserError as error:
        assert limit < max(sizes.values()) or "at least three examples" in str(error)
        return
    assert max(dataset.counts.values()) <= limit
    kept = Counter(dataset.table["input"].to_list())
    assert all(sizes[text] == n for text, n in kept.items())
    assert dataset.opening["left_out_by_limit"] == len(rows) - dataset.table.height


def test_the_limit_is_reached_and_drawn_with_the_seed() -> None:
    dataset, _ = opened(plain(300, "abc"), limit=20)
    assert dataset.counts == {"a": 20, "b": 20, "c": 20}
    assert dataset.opening["left_out_by_limit"] == 240
    assert opened(plain(300, "abc"), limit=20, seed=1)[0].table["id"].to_list() != dataset.table["id"].to_list()
    assert opened(plain(300, "abc"), limit=20)[0].table.equals(dataset.table)


def test_a_class_with_few_groups_stays_in_train() -> None:
    dataset, _ = opened([*plain(60), ("rare one", "c", None), ("rare one", "c", None), ("rare two", "c", None)])
    assert dataset.table.tail(3)["split"].to_list() == ["train"] * 3
    assert dataset.opening["kept_in_train"] == ["c"]


def test_twins_are_counted() -> None:
    dataset, _ = opened([*plain(97), ("same", "a", None), ("Same", "b", None), (" same ", "a", None)])
    facts = dataset.opening
    assert (facts["twin_groups"], facts["rows_in_twins"]) == (1, 3)
    assert facts["random_leak"] == pytest.approx(3 * (1 - 0.3**2) / 100)


def test_a_given_test_is_kept_and_its_twins_are_not_trained_on() -> None:
    rows: list[Row] = [(f"{part} {i}", "ab"[i % 2], part) for part in ("train", "test") for i in range(50)]
    rows += [("copy", "a", "train"), ("copy", "a", "test"), ("copy", "b", None)]
    dataset, sealed = opened(rows)
    assert dataset.opening["given_split"]
    assert set(sealed["id"]) == {f"row {i}" for i in range(51, 101)} | {"row 102"}
    copies = dataset.table.tail(3)
    assert copies["split"].to_list() == ["quarantined", "test", "quarantined"]
    assert copies["error"].to_list() == [TWIN_OF["test"], None, TWIN_OF["test"]]
    assert copies["group"].n_unique() == 1
    assert dataset.part("val").height == pytest.approx(50 * 0.15 / 0.85, abs=1)
    assert dataset.opening["quarantined"] == 2
    assert dataset.opening["rows_in_twins"] == 3


def test_a_given_val_is_kept_and_test_is_drawn_from_train() -> None:
    rows: list[Row] = [(f"{part} {i}", "ab"[i % 2], part) for part in ("train", "val") for i in range(40)]
    dataset, _ = opened([*rows, ("train 0", "a", "val")])
    assert dataset.part("val").height == 41
    assert dataset.table["error"][0] == TWIN_OF["val"]
    assert dataset.part("test").height == pytest.approx(39 * 0.15 / 0.85, abs=1)


def test_three_given_parts_are_kept() -> None:
    rows: list[Row] = [(f"{part} {i}", "ab"[i % 2], part) for part in ("train", "val", "test") for i in range(9)]
    dataset, _ = opened(rows)
    assert dataset.table["split"].to_list() == [part for _, _, part in rows]


def test_train_alone_is_no_given_split() -> None:
    dataset, _ = opened([(text, label, "train") for text, label, _ in plain(100)])
    assert not dataset.opening["given_split"]
    assert dataset.table.equals(opened(plain(100))[0].table)


def test_a_given_test_without_anything_to_train_on() -> None:
    with pytest.raises(UserError, match="to train on"):
        opened([(text, label, "test") for text, label, _ in plain(10)])


def test_nothing_readable() -> None:
    with pytest.raises(UserError, match="9 rows cannot be used: no text"):
        opened([("", "a", None)] * 9 + [("fine", "b", None)])


def test_ordered_labels() -> None:
    dataset, _ = opened(plain(60, "312"))
    assert (dataset.classes, dataset.ordered) == (("1", "2", "3"), True)
    assert "rating" in dataset.opening["order"]


def test_swapping_test_labels_changes_nothing_that_is_seen() -> None:
    rows = plain(200)
    dataset, sealed = opened(rows)
    a, b = (sealed.filter(pl.col("label") == c)["id"][0] for c in "ab")
    swap = {a: "b", b: "a"}
    swapped = [(t, swap.get(f"row {i + 1}", label), g) for i, (t, label, g) in enumerate(rows)]
    given_rows = [(t, label, s) for (t, label, _), s in zip(swapped, dataset.table["split"], strict=True)]
    original = [(t, label, s) for (t, label, _), s in zip(rows, dataset.table["split"], strict=True)]
    first, second = opened(original)[0], opened(given_rows)[0]
    assert first == second
    assert first.table.equals(second.table)
