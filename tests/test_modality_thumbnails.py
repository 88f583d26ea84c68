"""Thumbnails are made once, of what the data set measured, and are the means of a picture's areas."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from PIL import Image

from instar import pipeline, store
from instar.data.decode import decode
from instar.errors import UserError
from instar.modality import thumbnails
from instar.modality.image import cheap
from instar.modality.thumbnails import Thumbnails
from instar.records import Dataset


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.setenv("INSTAR_HOME", str(tmp_path / "home"))
    noise = np.random.default_rng(0)
    for label, level in {"dark": 60, "light": 190}.items():
        (tmp_path / "data" / label).mkdir(parents=True)
        for i in range(20):
            pixels = np.clip(noise.normal(level, 50, (32, 48, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / label / f"{i}.png")
    return store.read_dataset(pipeline.start(pipeline.Options(str(tmp_path / "data")), tmp_path / "run"))


def test_they_are_the_means_of_areas(dataset: Dataset) -> None:
    rows = dataset.part("train")
    found = Thumbnails(dataset, 8).of(rows)
    for picture, path in zip(found, rows["input"], strict=True):
        pixels = np.asarray(Image.open(Path(dataset.root) / path), dtype=np.float64)
        areas = pixels.reshape(8, 4, 8, 6, 3).mean(axis=(1, 3))
        assert np.abs(picture - areas).max() <= 1


def test_a_second_fit_decodes_nothing_whatever_stands_in_which_split(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = pl.col("split").is_in(["train", "val"])
    parted = replace(dataset, table=dataset.table.with_columns(split=pl.when(known).then(pl.lit("train"))))
    first = Thumbnails(parted, 8).of(parted.part("train"))
    decoded: list[int] = []
    real = decode

    def counted(content: bytes) -> NDArray[np.uint8]:
        decoded.append(len(content))
        return real(content)

    monkeypatch.setattr(thumbnails, "decode", counted)
    again = Thumbnails(dataset, 8).of(dataset.table.filter(known))
    assert np.array_equal(first, again) and decoded == []
    answers = cheap(dataset)
    assert len(decoded) == dataset.part("test").height
    assert np.array_equal(cheap(dataset), answers)
    assert len(decoded) == dataset.part("test").height
    assert answers.shape == (dataset.part("test").height, 2)


def test_a_picture_that_changed_is_not_taken_for_what_was_measured(dataset: Dataset) -> None:
    path = Path(dataset.root) / dataset.part("test")["input"][0]
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(UserError, match=r"\.png has changed since it was opened; run `instar run` again"):
        cheap(dataset)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        cheap(dataset)


def test_a_damaged_file_is_made_anew(dataset: Dataset) -> None:
    rows = dataset.part("train")
    found = Thumbnails(dataset, 8)
    first = found.of(rows)
    for content in (b"", found.path.read_bytes()[:100]):
        found.path.write_bytes(content)
        assert np.array_equal(Thumbnails(dataset, 8).of(rows), first)
