"""Planted worlds: a clean set in which nothing is found, and single faults, each found and nothing else."""

import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from instar.audit.image_checks import colour
from instar.audit.wording import listed, percent, several
from instar.records import Audit, Finding
from planted_worlds import PLANTED, QUIET, World, in_class, pictures, texts


@cache
def planted(name: str) -> tuple[World, Audit]:
    world = PLANTED[name][0](0)
    return world, world.audit()


def loud(audit: Audit) -> dict[str, str]:
    return {f.code: f.verdict for f in audit.findings if f.verdict not in QUIET}


@pytest.mark.parametrize("world", [pictures(), texts()], ids=["pictures", "texts"])
def test_nothing_is_found_in_a_clean_world(world: World) -> None:
    assert loud(world.audit()) == {}


@pytest.mark.parametrize("name", PLANTED)
def test_the_planted_fault_is_found_and_nothing_else(name: str) -> None:
    assert loud(planted(name)[1]) == PLANTED[name][1]


def figures(value: Any) -> set[str]:
    """Every way in which a figure of the evidence may stand in a sentence, as strings of digits."""
    if isinstance(value, dict):
        return set().union(*(figures(part) for part in (*value, *value.values())))
    if isinstance(value, list | tuple):
        return set().union(*(figures(part) for part in value))
    if isinstance(value, bool) or value is None:
        return set()
    if isinstance(value, str):
        return set(re.findall(r"\d+(?:[.,]\d+)*", value))
    value = abs(value)
    shown = {f"{value:,}", f"{value:.1f}", f"{value:.2f}"}
    return shown | {percent(value).removesuffix(" %")} if isinstance(value, float) else shown


def sentences() -> list[tuple[str, Finding]]:
    return [(f"{name}: {finding.code}", finding) for name in PLANTED for finding in planted(name)[1].findings]


def test_no_figure_in_a_sentence_without_evidence() -> None:
    fixed = {"0", "1", "19", "20", "8", "95"}  # "0 black, 1 white", "19 in 20", UTF-8
    for where, finding in sentences():
        said = set(re.findall(r"\d+(?:[.,]\d+)*", finding.sentence))
        assert said - figures(finding.evidence) <= fixed, (where, finding.sentence, finding.evidence)


def test_evidence_is_plain_and_sentences_are_whole() -> None:
    for where, finding in sentences():
        assert yaml.safe_load(yaml.safe_dump(finding.evidence)) == finding.evidence, where
        assert finding.sentence.endswith("."), where
        assert ".." not in finding.sentence and "  " not in finding.sentence, finding.sentence


def test_rows_about_examples_have_ids_of_the_set() -> None:
    for name in PLANTED:
        world, audit = planted(name)
        for finding in audit.findings:
            if "id" in finding.rows.columns:
                assert set(finding.rows["id"]) <= set(world.frame["id"]), (name, finding.code)


@pytest.mark.parametrize("name", PLANTED)
def test_shuffled_test_labels_change_nothing(name: str) -> None:
    """The same counts per class, other labels on the test rows: not a byte of the audit may differ."""
    world, before = planted(name)
    test = world.frame["split"] == "test"
    labels = world.frame["label"].to_numpy().copy()
    labels[test.to_numpy()] = np.random.default_rng(0).permutation(labels[test.to_numpy()])
    shuffled = replace(world, frame=world.frame.with_columns(pl.Series("label", labels, dtype=pl.String)))
    assert not shuffled.frame.equals(world.frame)
    after = shuffled.audit()
    assert before == after
    assert all(a.rows.equals(b.rows) for a, b in zip(before.findings, after.findings, strict=True))


def test_class_counts_by_hand() -> None:
    evidence = pictures({"ant": 100, "bee": 100, "cat": 200}).audit()["class-counts"].evidence
    assert (evidence["n"], evidence["ratio"]) == (400, 2.0)
    assert evidence["effective"] == pytest.approx(2**1.5, abs=0.05)


def test_ceiling_by_hand() -> None:
    """One text with labels ant (3 times) and bee (once): one of the rows of train and val must be wrong."""
    same = in_class("ant", 3) | in_class("bee", 1)
    world = texts().where(same, twin=0, group=0)
    finding = world.audit()["conflicting-labels"]
    known = world.frame.filter(pl.col("split").is_in(["train", "val"])).height
    assert finding.evidence["ceiling"] == pytest.approx(1 - 1 / known, abs=1e-6)
    assert sorted(finding.rows["label"]) == ["ant", "ant", "ant", "bee"]


def test_a_conflict_with_a_sealed_label_is_not_seen() -> None:
    world = texts()
    held_out = world.frame.filter((pl.col("split") == "test") & (pl.col("label") == "bee"))["id"][0]
    twins = (pl.col("id") == held_out) | in_class("ant", 1)
    audit = world.where(twins, twin=0, group=0, split="test").audit()
    assert audit["conflicting-labels"].verdict == "passed"
    assert audit["exact-twins"].rows["label"].null_count() == 2


def test_a_grey_class_by_chance_is_no_shortcut() -> None:
    """Three pictures in ten are grey, whatever the class, and classes are small: hardly a world alarms."""
    alarms = 0
    for seed in range(100):
        world = pictures({f"class {i:02}": 6 for i in range(20)})
        grey = np.random.default_rng(seed).random(world.frame.height) < 0.3
        alarms += colour(world.change(pl.Series("measure.grey", grey)).seal()).verdict == "issue"
    assert alarms <= 3


def test_the_rows_of_unlabelled_say_what_each_is() -> None:
    row = planted("clashing name")[1]["unlabelled"].rows.row(0, named=True)
    assert row == {"id": "test/7.jpg", "twin_in_train": False, "clashing_name": True}


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.0153, "1.5 %"),
        (0.00042, "0.042 %"),
        (0.9996, "99.960 %"),
        (0.5, "50.0 %"),
    ],
)
def test_percent(share: float, text: str) -> None:
    assert percent(share) == text


def test_nouns() -> None:
    assert several(1, "class", "classes") == "1 class"
    assert several(4205, "row") == "4,205 rows"
    assert listed(["a", "b"], 1) == "a and 1 more"
