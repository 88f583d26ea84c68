"""Planted worlds: a clean set in which nothing is to be found, and sets with a single fault each."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from instar.audit.check import run_checks
from instar.audit.families import IMAGE_CHECKS, TEXT_CHECKS
from instar.data.grouping import ASKED, WHY
from instar.data.measure_texts import measure
from instar.data.opening import TWIN_OF
from instar.records import Audit, Dataset

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
    "ignored_files": 0,
    "ignored_hidden": 0,
    "ignored_names": [],
    "limit": None,
    "given_split": False,
    "random_leak": 0.0,
    "grouping": "near",
    "grouping_reason": WHY,
    "near_groups": 0,
    "rows_in_near_groups": 0,
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

    def mixed(self, which: pl.Expr, other: "World") -> "World":
        """Another world's input and measures in some of the rows."""
        names = [name for name in self.frame.columns if name == "input" or name.startswith("measure.")]
        return self.change(*(pl.when(which).then(other.frame[name]).otherwise(name).alias(name) for name in names))

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
            "twin": range(len(labels)),
            "group": range(len(labels)),
            "error": pl.Series([None] * len(labels), dtype=pl.String),
        }
    )


def pictures(sizes: dict[str, int] | None = None, seed: int = 0) -> World:
    """Pictures of one size; all that varies is drawn by chance, whatever the class."""
    frame = rows(sizes or dict.fromkeys(CLASSES, 120))
    rng, n = np.random.default_rng(seed), frame.height
    light = {"brightness": (0.3, 0.7), "red": (0.4, 0.6), "green": (0.4, 0.5), "blue": (0.3, 0.5)}
    measured: dict[str, Any] = {
        "bytes": rng.integers(9_000, 30_000, n),
        "format": ["JPEG"] * n,
        "mode": ["RGB"] * n,
        "width": [300] * n,
        "height": [300] * n,
        "grey": [False] * n,
        "contrast": [0.2] * n,
        "sharpness": rng.lognormal(-2, 0.6, n),
        "border": [0.0] * n,
        "phash": [bits.tobytes().hex() for bits in rng.integers(0, 256, (n, 32), dtype=np.uint8)],
        **{name: rng.uniform(*limits, n) for name, limits in light.items()},
        **{f"{name}_deviation": [0.2] * n for name in ("red", "green", "blue")},
    }
    frame = frame.with_columns(*(pl.Series(f"measure.{name}", values) for name, values in measured.items()))
    return World("image", frame, FOLDERS, tuple(sorted(sizes or CLASSES)))


WORDS = (
    "food", "was", "quite", "good", "and", "the", "fries", "we", "had", "were",
    "cold", "so", "long", "wait", "but", "nice", "staff", "then", "again", "never",
)  # fmt: skip

GERMAN = (
    "das", "Essen", "war", "ziemlich", "gut", "und", "die", "Pommes", "wir", "hatten",
    "kalt", "lange", "warten", "aber", "nettes", "Personal", "dann", "nie", "wieder", "sehr",
)  # fmt: skip


def texts(seed: int = 0, words: tuple[str, ...] = WORDS) -> World:
    """Eight to twenty words drawn by chance, whatever the class, and two columns that say nothing."""
    frame = rows(dict.fromkeys(CLASSES, 120)).with_row_index("n")
    rng, n = np.random.default_rng(seed), frame.height
    lines = [" ".join(rng.choice(words, rng.integers(8, 21))).capitalize() + f" {i}." for i in range(n)]
    measured = measure(pl.DataFrame({"id": [f"row {i}" for i in range(n)], "input": lines}), Path()).drop(
        "error", "twin"
    )
    frame = frame.with_columns(pl.Series("input", lines), id=measured["id"]).drop("n")
    frame = frame.join(measured, on="id", maintain_order="left").with_columns(
        pl.Series("extra.shop", rng.choice(["north", "south", "west"], n)),
        pl.Series("extra.price", rng.uniform(1, 9, n).round(2).astype(str)),
    )
    return World("text", frame, TABLE)


def in_class(name: str, first: int = 1_000_000) -> pl.Expr:
    """The first examples of a class."""
    return (pl.col("label") == name) & (pl.int_range(pl.len()).over("label") < first)


def first(n: int) -> pl.Expr:
    return pl.int_range(pl.len()) < n


SCATTERED = pl.int_range(pl.len()) % 20 == 3

PLANTED: dict[str, tuple[Callable[[int], World], dict[str, str]]] = {
    "truncated file": (
        lambda seed: pictures(seed=seed).where(first(2), split="quarantined", error="truncated"),
        {"unreadable": "issue"},
    ),
    "files that take no part": (
        lambda seed: texts(seed).change(ignored_files=3, ignored_hidden=1, ignored_names=["LICENSE", "notes/a.txt"]),
        {"files": "note"},
    ),
    "picture without a suffix": (
        lambda seed: pictures(seed=seed).where(first(1), input="ant/tmp", id="ant/tmp"),
        {"files": "note"},
    ),
    "suffix of another format": (
        lambda seed: pictures(seed=seed).where(first(2), input="ant/odd.png"),
        {"files": "note"},
    ),
    "names in two parts": (
        lambda seed: (
            pictures(seed=seed)
            .where(in_class("ant", 1), input="train/1.jpg", split="train")
            .where(in_class("bee", 1), input="test/1.jpg", split="test")
            .change(table="list.csv", given_split=True)
        ),
        {"files": "note"},
    ),
    "guessed columns": (lambda seed: texts(seed).change(guessed="label column by its name"), {"columns": "note"}),
    "blank in a header": (lambda seed: texts(seed).change(headers_stripped=["latitude "]), {"columns": "note"}),
    "wrong encoding": (lambda seed: texts(seed).change(encoding="cp1252", not_utf8=2940), {"encoding": "note"}),
    "uneven classes": (lambda seed: pictures({"ant": 300, "bee": 120}, seed), {"class-counts": "note"}),
    "very uneven classes": (lambda seed: pictures({"ant": 1300, "bee": 120}, seed), {"class-counts": "issue"}),
    "class absent from val": (
        lambda seed: pictures(seed=seed).where(in_class("bee") & (pl.col("split") == "val"), split="train"),
        {"class-counts": "issue"},
    ),
    "few examples": (lambda seed: pictures(dict.fromkeys(CLASSES, 80), seed), {"small-classes": "issue"}),
    "few were asked for": (
        lambda seed: pictures(dict.fromkeys(CLASSES, 80), seed).change(limit=80),
        {"small-classes": "note"},
    ),
    "stars": (lambda seed: replace(texts(seed), ordered=True), {"ordered-labels": "note"}),
    "twins": (
        lambda seed: pictures(seed=seed).where(first(5), twin=0, group=0).change(random_leak=0.02),
        {"exact-twins": "issue"},
    ),
    "rare twins": (
        lambda seed: pictures(seed=seed).where(first(2), twin=0, group=0).change(random_leak=0.004),
        {"exact-twins": "note"},
    ),
    "twins across a given split": (
        lambda seed: (
            pictures(seed=seed)
            .where(first(2), twin=0, group=0)
            .where(first(1), split="quarantined", error=TWIN_OF["test"])
            .change(given_split=True)
        ),
        {"exact-twins": "issue"},
    ),
    "one text, two labels": (
        lambda seed: (
            texts(seed)
            .where((pl.col("id") == "row 0") | (pl.col("id") == "row 120"), twin=0, group=0)
            .change(random_leak=0.003)
        ),
        {"exact-twins": "note", "conflicting-labels": "issue"},
    ),
    "unlabelled pictures": (
        lambda seed: pictures(seed=seed).where(first(5), split="unlabelled"),
        {"unlabelled": "note"},
    ),
    "unlabelled twin": (
        lambda seed: pictures(seed=seed).where(first(2), twin=0, group=0).where(first(1), split="unlabelled"),
        {"unlabelled": "issue"},
    ),
    "clashing name": (
        lambda seed: pictures(seed=seed).where(first(1), split="unlabelled", id="test/7.jpg"),
        {"unlabelled": "note"},
    ),
    "many sizes": (lambda seed: pictures(seed=seed).where(SCATTERED, measure__width=500), {"sizes": "note"}),
    "tiny pictures": (
        lambda seed: pictures(seed=seed).where(first(3), measure__width=20, measure__height=20),
        {"sizes": "issue"},
    ),
    "grey class": (
        lambda seed: pictures(seed=seed).where(in_class("cat"), measure__grey=True),
        {"colour": "issue", "shortcuts": "issue"},
    ),
    "some grey": (lambda seed: pictures(seed=seed).where(SCATTERED, measure__grey=True), {"colour": "note"}),
    "all grey": (lambda seed: pictures(seed=seed).change(pl.lit(True).alias("measure.grey")), {"colour": "note"}),
    "blank picture": (
        lambda seed: pictures(seed=seed).where(first(1), measure__contrast=0.001),
        {"brightness": "issue"},
    ),
    "night pictures": (
        lambda seed: pictures(seed=seed).where(first(2), measure__brightness=0.01),
        {"brightness": "note"},
    ),
    "long texts": (lambda seed: texts(seed).where(SCATTERED, measure__words=1200), {"lengths": "note"}),
    "mojibake": (lambda seed: texts(seed).where(SCATTERED, measure__replacement=3), {"mojibake": "issue"}),
    "rare mojibake": (lambda seed: texts(seed).where(first(1), measure__replacement=1), {"mojibake": "note"}),
    "single words": (
        lambda seed: texts(seed).where(SCATTERED, measure__words=1, input="Good"),
        {"short-texts": "note"},
    ),
}

HASH = "0f" * 32
"""A hash for planting: the random ones are about 128 bits away from it."""


def label_of(**values: Any) -> pl.Expr:
    """A value for each label, with an odd one now and then."""
    odd = pl.int_range(pl.len()) % 17 == 5
    told = pl.col("label").replace_strict(values)
    return pl.when(odd).then(told.reverse()).otherwise(told)


PLANTED |= {
    "near copies": (
        lambda seed: (
            pictures(seed=seed)
            .where(in_class("ant", 2), measure__phash=HASH)
            .where(in_class("ant", 1), measure__phash="1e" + HASH[2:])
            .where(in_class("ant", 2), group=0)
        ),
        {"near-twins": "note"},
    ),
    "many near copies": (
        lambda seed: pictures(seed=seed).where(in_class("ant", 14), measure__phash=HASH, group=0, split="train"),
        {"near-twins": "issue"},
    ),
    "near copies of unlabelled pictures": (
        lambda seed: (
            pictures(seed=seed).where(in_class("ant", 2), measure__phash=HASH).where(first(1), split="unlabelled")
        ),
        {"near-twins": "note", "unlabelled": "note"},
    ),
    "near copies with two labels": (
        lambda seed: pictures(seed=seed).where(in_class("ant", 1) | in_class("bee", 1), measure__phash=HASH, group=0),
        {"near-twins": "issue"},
    ),
    "near copies across the split": (
        lambda seed: (
            pictures(seed=seed)
            .where(in_class("ant", 20), measure__phash=HASH)
            .change(grouping="exact", grouping_reason=ASKED)
        ),
        {"near-twins": "issue"},
    ),
    "near copies across a given split": (
        lambda seed: pictures(seed=seed).where(in_class("ant", 20), measure__phash=HASH).change(given_split=True),
        {"near-twins": "issue"},
    ),
    "reworded text": (
        lambda seed: (
            texts(seed)
            .where(
                in_class("ant", 2),
                input="We came by on a cold day and had a fine meal at a fair price with old friends 7.",
            )
            .where(
                in_class("ant", 1),
                input="We came by on a cold day and had a fine meal at a fair price with old friends 8.",
            )
            .where(in_class("ant", 2), group=0)
        ),
        {"near-twins": "note"},
    ),
    "class of leftovers": (
        lambda seed: pictures({"ant": 120, "BACKGROUND_Google": 120, "cat": 120}, seed),
        {"junk-classes": "note"},
    ),
    "constant column": (lambda seed: texts(seed).change(pl.lit("x").alias("extra.kind")), {"idle-columns": "note"}),
    "column of ids": (lambda seed: texts(seed).change(pl.col("id").alias("extra.key")), {"idle-columns": "note"}),
    "column that is nearly empty": (
        lambda seed: texts(seed).change(pl.when(first(3)).then(pl.lit("x")).alias("extra.note")),
        {"idle-columns": "note"},
    ),
    "column that gives the label away": (
        lambda seed: texts(seed).change(label_of(ant="6", bee="4", cat="9").alias("extra.legs")),
        {"label-columns": "issue"},
    ),
    "measure that gives the label away": (
        lambda seed: texts(seed).change(
            (label_of(ant=6.0, bee=4.0, cat=9.0) + pl.int_range(pl.len()) / 1000).alias("extra.grams")
        ),
        {"label-columns": "issue"},
    ),
    "number that gives the label away": (
        lambda seed: texts(seed).change(
            (label_of(ant=6.0, bee=4.0, cat=9.0) + pl.int_range(pl.len()) / 1000).cast(pl.String).alias("extra.grams")
        ),
        {"label-columns": "issue"},
    ),
    "class of another size": (
        lambda seed: pictures(seed=seed).where(in_class("cat"), measure__width=500),
        {"sizes": "note", "shortcuts": "issue"},
    ),
    "class from another camera": (
        lambda seed: pictures(seed=seed).where(in_class("cat"), measure__format="PNG"),
        {"files": "note", "shortcuts": "issue"},
    ),
    "dark class": (
        lambda seed: pictures(seed=seed).change(
            pl.when(pl.col("label") == "bee")
            .then(pl.col("measure.brightness") / 3)
            .otherwise("measure.brightness")
            .alias("measure.brightness")
        ),
        {"shortcuts": "issue"},
    ),
    "framed pictures": (lambda seed: pictures(seed=seed).where(SCATTERED, measure__border=0.3), {"borders": "note"}),
    "blurred picture": (lambda seed: pictures(seed=seed).where(first(2), measure__sharpness=1e-4), {"blur": "note"}),
    "red light": (lambda seed: pictures(seed=seed).change(pl.lit(0.85).alias("measure.red")), {"channels": "note"}),
    "long class": (
        lambda seed: texts(seed).change(
            *(
                pl.when(pl.col("label") == "cat").then(pl.col(c) * 3).otherwise(c).alias(c)
                for c in ("measure.words", "measure.characters")
            )
        ),
        {"shortcuts": "issue"},
    ),
    "ready-made answers": (
        lambda seed: texts(seed).where(
            in_class("bee", 30), input="Fine!", twin=120, group=120, measure__words=1, measure__characters=5
        ),
        {"exact-twins": "note", "one-word-labels": "issue", "short-texts": "note"},
    ),
    "trailing blank": (
        lambda seed: texts(seed).change(
            pl.when(pl.col("label") == "cat").then(pl.col("input") + " ").otherwise("input").alias("input")
        ),
        {"whitespace-label": "issue"},
    ),
    "shouting": (
        lambda seed: texts(seed).change(
            pl.when(in_class("ant", 60)).then(pl.col("input").str.to_uppercase()).otherwise("input").alias("input")
        ),
        {"whitespace-label": "issue"},
    ),
    "markup": (lambda seed: texts(seed).where(SCATTERED, measure__entities=2), {"markup": "note"}),
    "another script": (
        lambda seed: texts(seed).where(SCATTERED, measure__script="Cyrillic", measure__language=None),
        {"language": "note"},
    ),
    "another language": (
        lambda seed: texts(seed).mixed(SCATTERED, texts(seed, GERMAN)),
        {"language": "note"},
    ),
    "texts too short to tell their language": (
        lambda seed: texts(seed).where(SCATTERED, measure__letters=9, measure__language=None),
        {},
    ),
    "telling word": (
        lambda seed: texts(seed).change(
            pl.when(pl.col("label") == "bee")
            .then(pl.col("input").str.replace(r"\w+", "Honey"))
            .otherwise("input")
            .alias("input")
        ),
        {"vocabulary": "note"},
    ),
}
