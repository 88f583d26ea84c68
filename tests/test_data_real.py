"""The three real sets, where they are present."""

from pathlib import Path

import polars as pl

from instar.data import measure_texts
from instar.data.opening import build
from instar.data.reading import read


def test_butterfly(shared: Path) -> None:
    raw = read(str(shared / "data/butterfly"), text=None, image=None, label=None)
    assert raw.frame["id"].n_unique() == raw.frame.height == 4401
    assert raw.frame["label"].n_unique() - 1 == 75
    assert raw.frame.filter(pl.col("given") == "unlabelled")["id"].str.starts_with("test/").sum() == 196
    assert all((Path(raw.root) / path).exists() for path in raw.frame["input"].sample(200, seed=0))


def test_caltech(shared: Path) -> None:
    raw = read(str(shared / "data/caltech101"), text=None, image=None, label=None)
    assert raw.frame.height == 3934
    assert raw.frame["label"].n_unique() == 102
    assert "BACKGROUND_Google/tmp" in raw.frame["id"]


def test_mcdonalds(shared: Path) -> None:
    source = str(shared / "data/mcdonalds/McDonald_s_Reviews.csv")
    raw = read(source, text=None, image=None, label=None)
    facts = raw.facts
    assert (facts["text_column"], facts["label_column"]) == ("review", "rating")
    assert (facts["encoding"], facts["headers_stripped"]) == ("cp1252", ["latitude"])
    assert raw.frame.equals(read(source, text="review", image=None, label="rating").frame)
    measured = measure_texts.measure(raw.frame.select("id", "input"), Path(raw.root))
    dataset, _ = build(raw, measured, limit=None, seed=0)
    assert dataset.ordered
    assert dataset.classes == tuple(f"{i} star{'s' * (i > 1)}" for i in range(1, 6))
    assert [dataset.part(part).height for part in ("train", "val", "test")] == [19740, 4230, 4230]
    assert 0.3 < dataset.opening["random_leak"] < 0.45
    assert (dataset.table["measure.replacement"] > 0).sum() > 100
