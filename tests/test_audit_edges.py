"""Sentences of one and of none, copies as one witness, and which of several is named."""

from dataclasses import replace

import polars as pl
import pytest

from instar.audit import near_twins
from instar.audit.balance import class_counts, small_classes
from instar.audit.columns import idle_columns, label_columns
from instar.audit.image_checks import colour
from instar.audit.integrity import unreadable
from instar.audit.leakage import exact_twins
from instar.audit.text_checks import short_texts
from instar.audit.text_shortcuts import one_word_labels, whitespace_label
from planted_worlds import HASH, first, in_class, pictures, texts


def test_one_short_text() -> None:
    one = short_texts(texts().where(first(1), measure__words=1, measure__letters=0, input="!").seal())
    assert one.sentence.startswith("1 of 360 texts (0.28 %) is a single word")
    assert one.sentence.endswith("; 1 has no letter at all.")


def test_one_row_that_cannot_be_read() -> None:
    one = unreadable(pictures().where(first(1), split="quarantined", error="truncated").seal())
    assert "cannot be read and was set aside" in one.sentence


def test_a_class_without_any_example_has_no_ratio() -> None:
    world = replace(pictures({"ant": 120, "bee": 120}), classes=("ant", "bee", "cat"))
    found = class_counts(world.seal())
    assert "ratio" not in found.sentence and "from 0 (cat) to 120" in found.sentence
    assert found.verdict == "issue"


def test_one_small_class() -> None:
    found = small_classes(pictures({"ant": 120, "bee": 97}).seal())
    assert found.sentence == "1 of 2 classes has fewer than 100 examples; 3 examples are missing in bee."


def test_copies_by_class() -> None:
    """Three ants and two bees alike, and two cats alike, all of them seen in training."""
    world = pictures().where(in_class("ant", 3) | in_class("bee", 2), twin=0).where(in_class("cat", 2), twin=240)
    found = exact_twins(world.seal())
    e = found.evidence
    assert (e["within_classes"], e["between_classes"]) == (1, 1)
    assert e["classes"] == [["ant", 3], ["bee", 2], ["cat", 2]]
    assert found.sentence.endswith(
        "1 lies within one class and 1 has different labels; rows by class: ant (3), bee (2), cat (2)."
    )


def test_sealed_copies_belong_to_no_class() -> None:
    held = (pl.col("label") == "ant") & (pl.col("split") == "test")
    found = exact_twins(pictures().where(held, twin=500).seal())
    e = found.evidence
    assert (e["groups"], e["within_classes"], e["between_classes"], e["classes"]) == (1, 0, 0, [])
    assert found.sentence.endswith("Here a group stays in one split.")


def test_modes_in_which_pictures_are_stored() -> None:
    found = colour(pictures().where(first(2), measure__mode="L").seal())
    assert found.evidence["modes"] == {"RGB": 358, "L": 2}
    assert found.sentence.endswith("The labelled pictures are stored as RGB (358), L (2); all are read as RGB.")


@pytest.mark.parametrize(("copies", "verdict"), [(True, "passed"), (False, "issue")])
def test_copies_of_one_text_with_a_blank_are_one_witness(copies: bool, verdict: str) -> None:
    world = texts().change(
        pl.when(in_class("bee", 40)).then(pl.lit("Good ") if copies else pl.col("input") + " ").otherwise("input")
    )
    world = world.where(in_class("bee", 40), twin=120, group=120) if copies else world
    assert whitespace_label(world.seal()).verdict == verdict


def test_many_repeated_texts_are_looked_at_together() -> None:
    """Twenty of one label are surely 83 % (Wilson) where one text is looked at, but not where sixty are."""

    def world(others: int) -> pl.DataFrame:
        known = texts().where(in_class("bee", 20), input="Fine", measure__words=1, split="train")
        for i in range(others):
            own = pl.int_range(pl.len()).is_between(200 + 5 * i, 204 + 5 * i)
            known = known.where(own, input=f"so {i}", measure__words=2, split="train")
        return one_word_labels(known.seal()).rows.filter(pl.col("text") == "fine")

    assert world(0)["low"][0] > 0.8 > world(30)["low"][0]


def test_the_surest_column_is_named_not_the_largest() -> None:
    """`shelf` tells the bees, but these are two groups and so two witnesses; `legs` tells some cats, each a witness."""
    world = texts().where(in_class("bee", 40), label="ant")
    world = world.change(
        pl.when(pl.col("label") == "bee").then(pl.int_range(pl.len()) % 2).otherwise("group").alias("group")
    )
    some = in_class("cat", 60)
    world = world.change(
        pl.when(pl.col("label") == "bee").then(pl.lit("b")).otherwise(pl.lit("x")).alias("extra.shelf"),
        pl.when(some).then(pl.lit("4")).otherwise(pl.lit("?")).alias("extra.legs"),
    )
    found = label_columns(world.seal())
    by_gain = found.rows.sort("gain", descending=True)["column"].to_list()
    assert by_gain[:2] == ["shelf", "legs"]
    assert (found.evidence["column"], found.evidence["telling"], found.verdict) == ("legs", ["legs"], "note")


def test_whole_numbers_that_are_all_different_are_ids_however_they_are_stored() -> None:
    count = pl.int_range(pl.len())
    world = texts().change(count.cast(pl.Float64).alias("extra.key"), (count / 7).alias("extra.weight"))
    evidence = idle_columns(world.seal()).evidence
    assert evidence["id"] == ["key"]


def test_of_many_pairs_the_nearest_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_twins, "LISTED", 5)
    world = (
        pictures()
        .where(in_class("ant", 5), measure__phash=HASH)
        .where(in_class("ant", 1), measure__phash="1e" + HASH[2:])
    )
    found = near_twins.near_twin_pictures(world.seal())
    assert (found.evidence["pairs"], found.evidence["listed"], found.rows.height) == (10, 5, 5)
    assert found.rows["difference"].to_list() == [0] * 5
    assert "; the nearest 5 are listed" in found.sentence
