"""From measured rows to a data set: quarantine, twins, near copies, limit, splits, sealed labels."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instar import store
from instar.data.grouping import ASKED, Kind
from instar.data.measure_texts import measure
from instar.data.opening import TWIN_OF, Fold, build
from instar.data.raw import Raw
from instar.errors import UserError
from instar.records import Dataset

KEYS = (
    "layout", "table", "text_column", "image_column", "label_column", "guessed", "encoding", "not_utf8",
    "headers_stripped", "rows", "without_label", "quarantined", "missing_files", "ignored_files", "limit",
    "left_out_by_limit", "seed", "given_split", "shares", "twin_groups", "rows_in_twins", "random_leak",
    "grouping", "grouping_reason", "near_groups", "rows_in_near_groups", "largest_group",
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


def opened(
    rows: Sequence[Row], limit: int | None = None, seed: int = 0, grouping: Kind = "near"
) -> tuple[Dataset, pl.DataFrame]:
    raw = world(rows)
    return build(raw, measure(raw.frame.select("id", "input"), Path()), limit=limit, seed=seed, grouping=grouping)


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
    assert {dataset.table.schema[column] for column in ("twin", "group")} == {pl.Int64()}
    assert "given" not in dataset.table.columns


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


def near(base: int, variant: int) -> str:
    """Texts of one base are near copies of each other (at most one of 15 words differs), of two bases never."""
    return " ".join(f"w{base}x{i}" for i in range(14)) + f" v{variant}"


def straddling(dataset: Dataset, column: str) -> int:
    """Most parts in which one number of a column stands."""
    used = dataset.part("train", "val", "test")
    return int(used.group_by(column).agg(pl.col("split").n_unique())["split"].max())  # type: ignore[arg-type]


near_rows = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 3), st.sampled_from("abc")), min_size=40, max_size=120
).filter(lambda rows: len({label for _, _, label in rows}) > 1)
parts = st.sampled_from([(None,), ("train", "test"), ("train", "train", "val"), ("train", "val", "test", "train")])


@settings(max_examples=60)
@given(near_rows, parts, st.sampled_from(["near", "exact"]), st.sampled_from([None, 12]), st.integers(0, 2))
def test_no_near_copy_straddles(
    rows: list[tuple[int, int, str]],
    given_parts: tuple[str | None, ...],
    grouping: Kind,
    limit: int | None,
    seed: int,
) -> None:
    world_rows = [(near(b, v), label, given_parts[i % len(given_parts)]) for i, (b, v, label) in enumerate(rows)]
    try:
        dataset, _ = opened(world_rows, limit, seed, grouping)
    except UserError as error:
        assert "at least three examples" in str(error) or "left to train on" in str(error) or limit
        return
    facts, used = dataset.opening, dataset.part("train", "val", "test")
    assert straddling(dataset, "group") == straddling(dataset, "twin") == 1
    assert used.group_by("twin").agg(pl.col("group").n_unique())["group"].max() == 1
    assert used.group_by("twin").agg(pl.col("input").n_unique())["input"].max() == 1
    base = used.with_columns(base=pl.col("input").str.split("x").list.first())
    groups = base.group_by("group").agg(pl.col("base", "twin").n_unique(), pl.len().alias("rows"))
    assert groups["base"].max() == 1
    assert facts["near_groups"] == (groups["twin"] > 1).sum()
    assert facts["rows_in_near_groups"] == groups.filter(pl.col("twin") > 1)["rows"].sum()
    assert facts["largest_group"] == groups["rows"].max()
    if facts["grouping"] == "exact":
        assert grouping == "exact" and facts["grouping_reason"] == ASKED
        assert used["group"].equals(used["twin"], check_names=False)
    elif given_parts == (None,):
        assert groups.height == base["base"].n_unique()


def test_near_copies_of_two_classes_are_joined() -> None:
    rows: list[Row] = [*plain(60), (near(0, 0), "a", None), (near(0, 1), "b", None), (near(0, 1), "b", None)]
    dataset, _ = opened(rows)
    assert dataset.table.tail(3)["group"].n_unique() == 1
    assert dataset.table.tail(3)["twin"].n_unique() == 2
    facts = dataset.opening
    assert (facts["grouping"], facts["near_groups"], facts["rows_in_near_groups"], facts["largest_group"]) == (
        "near", 1, 3, 3,
    )  # fmt: skip
    assert (facts["twin_groups"], facts["rows_in_twins"]) == (1, 2)


def test_without_near_copies_both_groupings_are_one() -> None:
    assert opened(plain(200))[0].table.equals(opened(plain(200), grouping="exact")[0].table)


def test_a_chain_over_a_third_of_a_class_is_not_joined() -> None:
    """A template: 30 of the 50 examples of class b, of few of which nothing could be tested."""
    rows: list[Row] = [(f"text {i}", "a" if i < 300 else "b", None) for i in range(320)]
    template: list[Row] = [(near(0, i), "b", None) for i in range(30)]
    dataset, _ = opened(rows + template)
    facts = dataset.opening
    assert (facts["grouping"], facts["near_groups"], facts["largest_group"]) == ("exact", 0, 1)
    assert facts["grouping_reason"] == "a chain of near copies would hold 30 of the 50 examples of b"
    assert dataset.table["group"].equals(dataset.table["twin"], check_names=False)
    within, _ = opened(rows + template[:9])
    assert (within.opening["grouping"], within.opening["largest_group"]) == ("near", 9)


def test_a_chain_over_a_third_of_the_set_is_not_joined() -> None:
    """Ten classes with a template in common, a third of none of them taken alone but of the whole."""
    rows: list[Row] = [(near(0, i), f"c{i % 10}", None) for i in range(120)]
    rows += [(f"text {i}", f"c{i % 10}", None) for i in range(180)]
    dataset, _ = opened(rows)
    assert dataset.opening["grouping_reason"] == "a chain of near copies would hold 120 of all 300 examples"


def test_too_many_alike_fall_back_to_exact_copies() -> None:
    dataset, _ = opened([(near(0, i), "ab"[i % 2], None) for i in range(4000)])
    assert dataset.opening["grouping"] == "exact"
    assert "pairs are alike" in dataset.opening["grouping_reason"]


def test_near_copies_across_a_given_split_stay() -> None:
    """Only the exact copy is set aside; a drawn validation part still keeps near copies together."""
    rows: list[Row] = [(f"{part} {i}", "ab"[i % 2], part) for part in ("train", "test") for i in range(50)]
    rows += [(near(0, 0), "a", "test"), (near(0, 0), "a", "train"), (near(0, 1), "a", "train")]
    rows += [(near(1, i), "ab"[i % 2], "train") for i in range(4)]
    dataset, _ = opened(rows)
    held, copy, other = dataset.table[100:103].iter_rows(named=True)
    assert (held["split"], copy["split"]) == ("test", "quarantined")
    assert other["split"] in ("train", "val")
    assert held["group"] == copy["group"] != other["group"]
    assert dataset.table.tail(4)["group"].n_unique() == dataset.table.tail(4)["split"].n_unique() == 1
    assert straddling(dataset, "group") == 1
    assert dataset.opening["near_groups"] == 1


def test_an_unlabelled_near_copy_joins_nothing() -> None:
    """Two bases that are near copies only of one unlabelled text between them are split on their own."""
    line = near(0, 0).split()
    ends = (["x", *line[1:]], line, [*line[:-1], "y"])
    rows: list[Row] = [(" ".join(text), label, None) for text, label in zip(ends, ("a", None, "b"), strict=True)]
    apart, _ = opened([*plain(60), *rows])
    assert apart.table.tail(3)["group"].n_unique() == 3
    assert straddling(apart, "group") == 1


def test_the_limit_draws_near_copies_one_by_one() -> None:
    """Films of 50 frames under a limit of 10: each class is reached, and what is drawn of a film stays together."""
    rows: list[Row] = [(near(film, frame), "ab"[film % 2], None) for film in range(16) for frame in range(50)]
    dataset, _ = opened(rows, limit=10)
    assert dataset.counts == {"a": 10, "b": 10}
    assert dataset.opening["near_groups"] > 0
    assert straddling(dataset, "group") == 1


def test_near_pictures_are_kept_together() -> None:
    """Hashes of one picture in ten bits or fewer, and flat pictures, which have none."""
    ids = [f"{i}.png" for i in range(90)]
    near_hash = ["0f" * 32, "1f" + "0f" * 31, "0f" * 31 + "f0"]
    rng = np.random.default_rng(0)
    phash = [code.tobytes().hex() for code in rng.integers(0, 256, (80, 32), dtype=np.uint8)]
    frame = pl.DataFrame({"id": ids, "input": ids, "label": ["a", "b"] * 45, "given": [None] * 90})
    frame = frame.with_columns(pl.col("given").cast(pl.String))
    measured = pl.DataFrame(
        {"id": ids, "twin": ids, "error": [None] * 90, "measure.phash": [*near_hash, *phash, *[None] * 7]},
        schema_overrides={"error": pl.String},
    )
    dataset, _ = build(Raw("world", "image", "w", ".", frame, FACTS), measured, limit=None, seed=0)
    assert dataset.table.head(3)["group"].n_unique() == dataset.table.head(3)["split"].n_unique() == 1
    assert dataset.table["group"].n_unique() == 88
    assert dataset.opening["rows_in_near_groups"] == 3


def test_given_test_labels_do_not_decide_what_is_joined() -> None:
    """A chain in the test part, whatever classes it falls on: shuffled test labels leave every byte as it is."""
    rows: list[Row] = [(f"train {i}", "abc"[i % 3], "train") for i in range(90)]
    rows += [(near(i % 2, i), "ab"[i % 2], "test") for i in range(60)] + [(f"test {i}", "c", "test") for i in range(40)]
    dataset, sealed = opened(rows)
    labels = np.random.default_rng(0).permutation([str(label) for _, label, _ in rows[90:]])
    shuffled = [*rows[:90], *((t, str(label), g) for (t, _, g), label in zip(rows[90:], labels, strict=True))]
    again, other = opened(shuffled)
    assert not sealed.equals(other)
    assert dataset == again
    assert dataset.table.equals(again.table)
    assert (dataset.opening["grouping"], dataset.opening["near_groups"]) == ("near", 2)


def of_fold(rows: Sequence[Row], number: int, of: int) -> tuple[Dataset, pl.DataFrame]:
    raw = world(rows)
    measured = measure(raw.frame.select("id", "input"), Path())
    return build(raw, measured, limit=None, seed=0, fold=Fold(number, of))


def test_test_parts_of_folds_share_out_the_rows_and_copies_stay_together() -> None:
    rows = [*plain(90, "abc"), *[(f"text {i}", "abc"[i % 3], None) for i in range(0, 90, 7)], ("text 200", "d", None)]
    made = [of_fold(rows, k, 5) for k in range(1, 6)]
    tested = [set(sealed["id"]) for _, sealed in made]
    assert sum(map(len, tested)) == len(set().union(*tested)) == len(rows) - 1
    for dataset, sealed in made:
        used = dataset.part("train", "val", "test")
        assert used.group_by("group").agg(pl.col("split").n_unique())["split"].max() == 1
        assert dataset.opening["kept_in_train"] == ["d"]
        n = {part: dataset.part(part).height for part in ("train", "val", "test")}
        assert abs(n["test"] - len(rows) / 5) <= 3
        assert abs(n["val"] / (n["train"] + n["val"]) - 0.15 / 0.85) < 0.05
        assert set(sealed["label"]) == {"a", "b", "c"}
    groups = [d.table.sort("id")["group"].to_list() for d, _ in made]
    assert all(g == groups[0] for g in groups)


def test_folds_of_a_set_that_came_split_or_is_too_small_are_refused() -> None:
    with pytest.raises(UserError, match=r"its own test part.*leave --folds away"):
        of_fold([*plain(30), ("text 99", "a", "test"), ("text 98", "b", "test")], 1, 3)
    with pytest.raises(UserError, match="9 folds are too many"):
        of_fold(plain(8), 9, 9)
