"""What was lost, whether it can be read again, and whether it goes with the label."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from instar.audit.text_checks import mojibake
from instar.data.measure_texts import measure
from instar.prepare.clean import cleaned
from instar.records import Finding
from planted_worlds import World, first, in_class, texts


def found(world: World) -> Finding:
    """Of a world whose texts are measured anew."""
    counted = measure(world.frame.select("id", "input"), Path())["measure.replacement"]
    return mojibake(world.change(counted).seal())


def garbled(which: pl.Expr, junk: str) -> World:
    return texts().change(pl.when(which).then(pl.col("input") + junk).otherwise("input").alias("input"))


EVERY_SIXTH = pl.int_range(pl.len()) % 6 == 0


def test_what_was_lost_is_counted_by_what_stands_there() -> None:
    evidence = found(garbled(EVERY_SIXTH, " caf" + "ï¿½" * 9 + " x" + "ï¿½" * 27 + " Ã© ýýýý")).evidence
    assert evidence["rows"] == 60
    assert evidence["characters"] == 60 * 38
    assert evidence["sequences"] == [["ï¿½", 60 * 36, ""], ["Ã©", 60, "é"]]
    assert (evidence["different_sequences"], evidence["lost"]) == (2, 60 * 3)


def test_what_is_lost_is_what_the_repair_takes_out() -> None:
    """Runs are counted as they are repaired: one that was cut in the middle belongs to the run that it ends."""
    junk = " it" + "ï¿½" * 3 + "ï¿ was ýýýý fine ï¿½"
    assert cleaned([f"So{junk}"], ["mojibake"]) == ["So it was fine "]
    assert found(garbled(EVERY_SIXTH, junk)).evidence["lost"] == 60 * 3


def test_damage_that_has_nothing_to_do_with_the_label() -> None:
    finding = found(garbled(EVERY_SIXTH, " itï¿½s"))
    assert not finding.evidence["carries"] and finding.evidence["cramers_v"] < 0.1
    assert "go with the label" not in finding.sentence


def test_damage_that_goes_with_the_label() -> None:
    finding = found(garbled(in_class("bee", 60), " itï¿½s"))
    evidence = finding.evidence
    assert evidence["carries"] and evidence["label"] == "bee" and evidence["label_share"] == 1
    assert evidence["usual"] == round(1 / 3, 6)
    # V of a 3 x 2 table by hand: 51 of 102 bees and no other text of train and val are damaged.
    assert round(evidence["cramers_v"], 3) == round((0.4) ** 0.5, 3)
    assert "They go with the label" in finding.sentence and "bee" in finding.sentence


def test_copies_are_one_witness() -> None:
    """Thirty copies of one damaged text, all of one label, are a single text."""
    world = garbled(in_class("bee", 30), " itï¿½s").where(in_class("bee", 30), twin=120, group=120)
    assert not found(world).evidence["carries"]


def test_too_few_to_tell() -> None:
    assert not found(garbled(first(1), " itï¿½s")).evidence["carries"]
    assert found(texts()).verdict == "passed"


def rare(in_rare: int, elsewhere: int) -> World:
    """A class of ten among 370, and damaged texts in it and elsewhere."""
    world = texts()
    small = in_class("bee", 10)
    held = world.change(pl.when(small).then(pl.lit("dog")).otherwise("label").alias("label"))
    damaged = in_class("dog", in_rare) | in_class("ant", elsewhere)
    junk = pl.when(damaged).then(pl.col("input") + " itï¿½s").otherwise("input").alias("input")
    return replace(
        held.where(pl.col("label") == "dog", split="train").change(junk), classes=("ant", "bee", "cat", "dog")
    )


def test_one_damaged_text_of_a_small_class_tells_nothing() -> None:
    assert not found(rare(1, 0)).evidence["carries"]
    assert not found(rare(2, 1)).evidence["carries"]


def test_the_class_that_holds_more_than_its_share_is_named() -> None:
    """Fourteen ants of a hundred are damaged, and eight of ten dogs."""
    evidence = found(rare(8, 14)).evidence
    assert evidence["carries"] and evidence["label"] == "dog"
    assert evidence["label_share"] < 0.5 and evidence["usual"] < 0.05


def test_chance_is_seldom_taken_for_a_cause() -> None:
    """Ten damaged texts dealt at random to classes of which some are small."""
    alarms = 0
    for seed in range(60):
        which = np.isin(np.arange(360), np.random.default_rng(seed).choice(360, 10, replace=False))
        small = pl.when(in_class("bee", 6)).then(pl.lit("dog")).otherwise("label").alias("label")
        alarms += found(garbled(pl.Series(which), " itï¿½s").change(small)).evidence["carries"]  # type: ignore[arg-type]
    assert alarms <= 4
