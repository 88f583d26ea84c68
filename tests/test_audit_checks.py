"""Planted worlds: a clean set in which nothing is found, and single faults, each found and nothing else."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from instar.audit.check import run_checks
from instar.audit.families import IMAGE_CHECKS, TEXT_CHECKS
from instar.audit.wording import listed, percent, several
from instar.data.opening import TWIN_OF
from instar.records import Audit, Dataset, Finding

CLASSES = ("ant", "bee", "cat")
QUIET = {"passed", "not applicable"}
CHECKS = {"image": IMAGE_CHECKS, "text": TEXT_CHECKS}
FOLDERS = {
    "layout": "folder per class",
    "table": "",
    "text_column": "",
    "image_column": "",
    "label_column": "",
    "guessed": "",
    "encoding": "",
    "not_utf8": 0,
    "headers_stripped": [],
    "limit": None,
    "given_split": False,
    "random_leak": 0.0,
}
TABLE = {
    **FOLDERS,
    "layout": "table",
    "table": "reviews.csv",
    "text_column": "review",
    "label_column": "stars",
    "encoding": "utf-8",
}


@dataclass(frozen=True)
class World:
    """A data set before its test labels are sealed."""

    modality: str
    frame: pl.DataFrame
    opening: dict[str, Any]
    classes: tuple[str, ...] = CLASSES
    ordered: bool = False

    def change(self, *columns: pl.Expr | pl.Series, **opening: Any) -> "World":
        return replace(self, frame=self.frame.with_columns(*columns), opening={**self.opening, **opening})

    def where(self, which: pl.Expr, **values: Any) -> "World":
        """Other values in some of the rows; names with a dot are written with two underscores."""
        names = {name.replace("__", "."): value for name, value in values.items()}
        return self.change(*(pl.when(which).then(pl.lit(v)).otherwise(pl.col(k)).alias(k) for k, v in names.items()))

    def seal(self) -> Dataset:
        labelled = self.frame.filter(pl.col("split").is_in(["train", "val", "test"]))
        counts = dict(labelled["label"].value_counts().iter_rows())
        unseen = pl.col("split").is_in(["test", "unlabelled"])
        table = self.frame.with_columns(pl.when(unseen).then(None).otherwise("label").alias("label"))
        return Dataset(
            name="planted",
            modality=self.modality,
            source="planted",
            root=".",
            classes=self.classes,
            ordered=self.ordered,
            counts={name: counts[name] for name in self.classes if name in counts},
            opening=self.opening,
            table=table,
        )

    def audit(self) -> Audit:
        return run_checks(self.seal(), CHECKS[self.modality])


def rows(sizes: dict[str, int]) -> pl.DataFrame:
    """So many examples per class, split 70/15/15, each a group of its own."""
    labels = [name for name, n in sizes.items() for _ in range(n)]
    place = [i % 20 for n in sizes.values() for i in range(n)]
    return pl.DataFrame(
        {
            "id": [f"{label}/{i}.jpg" for i, label in enumerate(labels)],
            "input": [f"{label}/{i}.jpg" for i, label in enumerate(labels)],
            "label": labels,
            "split": ["train" if p < 14 else "val" if p < 17 else "test" for p in place],
            "group": range(len(labels)),
            "error": pl.Series([None] * len(labels), dtype=pl.String),
        }
    )


def pictures(sizes: dict[str, int] | None = None) -> World:
    frame = rows(sizes or dict.fromkeys(CLASSES, 120))
    measured = {"width": 300, "height": 300, "grey": False, "contrast": 0.2}
    frame = frame.with_columns(*(pl.lit(value).alias(f"measure.{name}") for name, value in measured.items()))
    light = 0.3 + 0.4 * (pl.int_range(pl.len()) % 11) / 10
    return World(
        "image",
        frame.with_columns(light.alias("measure.brightness")),
        FOLDERS,
        tuple(sorted(sizes or CLASSES)),
    )


def texts() -> World:
    frame = rows(dict.fromkeys(CLASSES, 120)).with_row_index("n")
    frame = frame.with_columns(
        pl.format("row {}", "n").alias("id"),
        pl.format("the food was number {} and quite good", "n").alias("input"),
        pl.lit(8).alias("measure.words"),
        pl.lit(0).alias("measure.replacement"),
        pl.lit(30).alias("measure.letters"),
    )
    return World("text", frame.drop("n"), TABLE)


def in_class(name: str, first: int = 1_000_000) -> pl.Expr:
    """The first examples of a class."""
    return (pl.col("label") == name) & (pl.int_range(pl.len()).over("label") < first)


def first(n: int) -> pl.Expr:
    return pl.int_range(pl.len()) < n


SCATTERED = pl.int_range(pl.len()) % 20 == 3

PLANTED: dict[str, tuple[Callable[[], World], dict[str, str]]] = {
    "truncated file": (
        lambda: pictures().where(first(2), split="quarantined", error="truncated"),
        {"unreadable": "issue"},
    ),
    "guessed columns": (lambda: texts().change(guessed="label column by its name"), {"columns": "note"}),
    "blank in a header": (lambda: texts().change(headers_stripped=["latitude "]), {"columns": "note"}),
    "wrong encoding": (lambda: texts().change(encoding="cp1252", not_utf8=2940), {"encoding": "note"}),
    "uneven classes": (lambda: pictures({"ant": 300, "bee": 120}), {"class-counts": "note"}),
    "very uneven classes": (lambda: pictures({"ant": 1300, "bee": 120}), {"class-counts": "issue"}),
    "class absent from val": (
        lambda: pictures().where(in_class("bee") & (pl.col("split") == "val"), split="train"),
        {"class-counts": "issue"},
    ),
    "few examples": (lambda: pictures(dict.fromkeys(CLASSES, 80)), {"small-classes": "issue"}),
    "few were asked for": (
        lambda: pictures(dict.fromkeys(CLASSES, 80)).change(limit=80),
        {"small-classes": "note"},
    ),
    "stars": (lambda: replace(texts(), ordered=True), {"ordered-labels": "note"}),
    "twins": (lambda: pictures().where(first(5), group=0).change(random_leak=0.02), {"exact-twins": "issue"}),
    "rare twins": (
        lambda: pictures().where(first(2), group=0).change(random_leak=0.004),
        {"exact-twins": "note"},
    ),
    "twins across a given split": (
        lambda: (
            pictures()
            .where(first(2), group=0)
            .where(first(1), split="quarantined", error=TWIN_OF["test"])
            .change(given_split=True)
        ),
        {"exact-twins": "issue"},
    ),
    "one text, two labels": (
        lambda: (
            texts().where((pl.col("id") == "row 0") | (pl.col("id") == "row 120"), group=0).change(random_leak=0.003)
        ),
        {"exact-twins": "note", "conflicting-labels": "issue"},
    ),
    "unlabelled pictures": (lambda: pictures().where(first(5), split="unlabelled"), {"unlabelled": "note"}),
    "unlabelled twin": (
        lambda: pictures().where(first(2), group=0).where(first(1), split="unlabelled"),
        {"unlabelled": "issue"},
    ),
    "clashing name": (
        lambda: pictures().where(first(1), split="unlabelled", id="test/7.jpg"),
        {"unlabelled": "note"},
    ),
    "many sizes": (lambda: pictures().where(SCATTERED, measure__width=500), {"sizes": "note"}),
    "tiny pictures": (
        lambda: pictures().where(first(3), measure__width=20, measure__height=20),
        {"sizes": "issue"},
    ),
    "grey class": (lambda: pictures().where(in_class("cat"), measure__grey=True), {"colour": "issue"}),
    "some grey": (lambda: pictures().where(SCATTERED, measure__grey=True), {"colour": "note"}),
    "all grey": (lambda: pictures().change(pl.lit(True).alias("measure.grey")), {"colour": "note"}),
    "blank picture": (lambda: pictures().where(first(1), measure__contrast=0.001), {"brightness": "issue"}),
    "night pictures": (lambda: pictures().where(first(2), measure__brightness=0.01), {"brightness": "note"}),
    "long texts": (lambda: texts().where(SCATTERED, measure__words=1200), {"lengths": "note"}),
    "mojibake": (lambda: texts().where(SCATTERED, measure__replacement=3), {"mojibake": "issue"}),
    "rare mojibake": (lambda: texts().where(first(1), measure__replacement=1), {"mojibake": "note"}),
    "single words": (
        lambda: texts().where(SCATTERED, measure__words=1, input="Good"),
        {"short-texts": "note"},
    ),
}


def loud(audit: Audit) -> dict[str, str]:
    return {f.code: f.verdict for f in audit.findings if f.verdict not in QUIET}


@pytest.mark.parametrize("world", [pictures(), texts()], ids=["pictures", "texts"])
def test_nothing_is_found_in_a_clean_world(world: World) -> None:
    assert loud(world.audit()) == {}


@pytest.mark.parametrize("name", PLANTED)
def test_the_planted_fault_is_found_and_nothing_else(name: str) -> None:
    plant, expected = PLANTED[name]
    assert loud(plant().audit()) == expected


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
    shown = {f"{value:,}", f"{value:.1f}", f"{value:.2f}"}
    return shown | {percent(value).removesuffix(" %")} if isinstance(value, float) else shown


def sentences() -> list[tuple[str, Finding]]:
    return [
        (f"{name}: {finding.code}", finding)
        for name, (plant, _) in PLANTED.items()
        for finding in plant().audit().findings
    ]


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
    for name, (plant, _) in PLANTED.items():
        world = plant()
        for finding in world.audit().findings:
            if "id" in finding.rows.columns:
                assert set(finding.rows["id"]) <= set(world.frame["id"]), (name, finding.code)


@pytest.mark.parametrize("name", PLANTED)
def test_shuffled_test_labels_change_nothing(name: str) -> None:
    """The same counts per class, other labels on the test rows: not a byte of the audit may differ."""
    world = PLANTED[name][0]()
    test = world.frame["split"] == "test"
    labels = world.frame["label"].to_numpy().copy()
    labels[test.to_numpy()] = np.random.default_rng(0).permutation(labels[test.to_numpy()])
    shuffled = replace(world, frame=world.frame.with_columns(pl.Series("label", labels, dtype=pl.String)))
    assert not shuffled.frame.equals(world.frame)
    before, after = world.audit(), shuffled.audit()
    assert before == after
    assert all(a.rows.equals(b.rows) for a, b in zip(before.findings, after.findings, strict=True))


def test_class_counts_by_hand() -> None:
    evidence = pictures({"ant": 100, "bee": 100, "cat": 200}).audit()["class-counts"].evidence
    assert (evidence["n"], evidence["ratio"]) == (400, 2.0)
    assert evidence["effective"] == pytest.approx(2**1.5, abs=0.05)


def test_ceiling_by_hand() -> None:
    """One text with labels ant (3 times) and bee (once): one of the rows of train and val must be wrong."""
    same = in_class("ant", 3) | in_class("bee", 1)
    world = texts().where(same, group=0)
    finding = world.audit()["conflicting-labels"]
    known = world.frame.filter(pl.col("split").is_in(["train", "val"])).height
    assert finding.evidence["ceiling"] == pytest.approx(1 - 1 / known, abs=1e-6)
    assert sorted(finding.rows["label"]) == ["ant", "ant", "ant", "bee"]


def test_a_conflict_with_a_sealed_label_is_not_seen() -> None:
    world = texts()
    held_out = world.frame.filter((pl.col("split") == "test") & (pl.col("label") == "bee"))["id"][0]
    twins = (pl.col("id") == held_out) | in_class("ant", 1)
    audit = world.where(twins, group=0, split="test").audit()
    assert audit["conflicting-labels"].verdict == "passed"
    assert audit["exact-twins"].rows["label"].null_count() == 2


def test_a_grey_class_by_chance_is_no_shortcut() -> None:
    """Three pictures in ten are grey, whatever the class, and classes are small: hardly a world alarms."""
    alarms = 0
    for seed in range(100):
        world = pictures({f"class {i:02}": 6 for i in range(20)})
        grey = np.random.default_rng(seed).random(world.frame.height) < 0.3
        audit = world.change(pl.Series("measure.grey", grey)).audit()
        alarms += audit["colour"].verdict == "issue"
    assert alarms <= 3


def test_the_rows_of_unlabelled_say_what_each_is() -> None:
    plant, _ = PLANTED["clashing name"]
    row = plant().audit()["unlabelled"].rows.row(0, named=True)
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
