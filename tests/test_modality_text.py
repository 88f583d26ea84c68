"""Texts as they are shown to a reader."""

from dataclasses import replace

import polars as pl
import pytest

from deck_fixture import make_run
from instar.modality.text import show
from instar.records import Dataset
from instar.store import read_dataset


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("McDonald" + "ï¿½" * 16 + "s", "McDonald[ï¿½ ×16]s"),
        ("It\N{REPLACEMENT CHARACTER}" + "\N{REPLACEMENT CHARACTER}" * 5 + "s", "It[\N{REPLACEMENT CHARACTER} ×6]s"),
        ("never again!!!!!!!!!!!!!!!! ..........", "never again!!!!!!!!!!!!!!!! .........."),
        ("ï¿½" * 5, "ï¿½" * 5),
        ("no " * 9, "no " * 9),
    ],
)
def test_a_run_of_damage_is_told_by_its_length(dataset: Dataset, text: str, told: str) -> None:
    row = dataset.table.head(1).with_columns(input=pl.lit(text))
    (quote,) = show(replace(dataset, table=row), row["id"].to_list(), [""], ["plain"]).items
    assert quote.text == told


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return read_dataset(make_run(tmp_path_factory.mktemp("texts"), "text", 3, per_class=5))
