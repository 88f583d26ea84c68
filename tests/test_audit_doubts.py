"""Which test rows are doubted: by what they hold, and by what the audit lists."""

import polars as pl

from instar.audit.doubts import IMAGE_DOUBTS, TEXT_DOUBTS, Doubt, doubted
from instar.records import Audit, Dataset, Finding


def dataset(rows: list[dict[str, object]], modality: str = "text") -> Dataset:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    whole = frame.with_columns(id=pl.format("row {}", pl.int_range(pl.len())), group="twin")
    return Dataset("d", modality, "", "", ("a", "b"), False, {}, {}, whole)


def told(data: Dataset, doubts: tuple[Doubt, ...], *findings: Finding) -> dict[str, list[str]]:
    found = doubted(data, Audit(findings), doubts)
    assert found.columns == ["doubt", "id"]
    return dict(found.group_by("doubt", maintain_order=True).agg("id").iter_rows())


TEXTS = dataset(
    [
        {"input": "Good food.", "split": "train", "twin": 0},
        {"input": "GOOD  food!!", "split": "test", "twin": 1},
        {"input": "good food and more", "split": "test", "twin": 2},
        {"input": "!!!", "split": "val", "twin": 3},
        {"input": "???", "split": "test", "twin": 4},
        {"input": "slow", "split": "test", "twin": 5},
        {"input": "slow", "split": "test", "twin": 5},
        {"input": "SLOW", "split": "test", "twin": 5},
    ]
)


def test_a_text_that_stands_in_train_but_for_its_marks_is_doubted() -> None:
    """Signs without a word are no text of their own, and copies within the test part stand there once too often."""
    assert told(TEXTS, TEXT_DOUBTS) == {"worded": ["row 1"], "copies": ["row 6", "row 7"]}


def test_listed_rows_are_doubted_as_far_as_they_stand_in_the_test_part() -> None:
    rows = pl.DataFrame({"id": ["row 0", "row 5"], "label": ["a", None]})
    found = told(TEXTS, TEXT_DOUBTS, *(Finding(code, "note", "", rows=rows) for code in ("mojibake", "short-texts")))
    assert found["mojibake"] == found["short-texts"] == ["row 5"]


def test_a_near_copy_of_train_is_doubted_with_its_exact_copies() -> None:
    """Either side of a pair may be the test row; a pair within the test part is none of train."""
    pairs = [("row 0", "train", "row 5", "test"), ("row 1", "test", "row 3", "val"), ("row 2", "test", "row 4", "test")]
    rows = pl.DataFrame(pairs, schema=["id", "split", "other_id", "other_split"], orient="row")
    for code in ("near-twins", "feature-twins"):
        found = told(TEXTS, TEXT_DOUBTS, Finding(code, "issue", "", rows=rows))
        assert found["near-copies"] == ["row 1", "row 5", "row 6", "row 7"]


def test_pictures_are_doubted_by_what_was_measured() -> None:
    rows = [
        {"input": "p", "split": split, "twin": i, "measure.grey": grey, "measure.width": width, "measure.height": 90}
        for i, (split, grey, width) in enumerate([("test", True, 90), ("test", False, 20), ("train", True, 20)])
    ]
    assert told(dataset(rows, "image"), IMAGE_DOUBTS) == {"grey": ["row 0"], "tiny": ["row 1"]}
