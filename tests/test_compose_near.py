"""Near copies between sources: found, counted apart, listed, and not dropped."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image

from instar.compose.build import compose
from instar.compose.near_copies import NearCopies, near_copies
from instar.data import near
from instar.files import read_frame


def drawing(seed: int, side: int = 96) -> Image.Image:
    """Smooth patches of colour, different for each seed."""
    rough = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return Image.fromarray(rough).resize((side, side), Image.Resampling.BICUBIC)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """Two sources of one size; of 12 pictures each, the first three of the second are re-scaled ones of the first."""
    for name, start in (("one", 0), ("two", 100)):
        for label, shift in (("ant", 0), ("bee", 6)):
            (tmp_path / name / label).mkdir(parents=True)
            for i in range(6):
                drawing(start + shift + i).save(tmp_path / name / label / f"{i}.png")
    for i, label in enumerate(("ant", "ant", "bee")):
        drawing(i).resize((72, 72), Image.Resampling.LANCZOS).save(tmp_path / "two" / label / f"{i}.png")
    wanted = {"title": "Near", "min_per_class": 5, "sources": [{"source": "one"}, {"source": "two"}]}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(wanted))
    return tmp_path / "recipe.yaml"


def test_the_same_picture_in_another_size_is_found_between_sources(recipe: Path, tmp_path: Path) -> None:
    out = compose(recipe, tmp_path / "out")
    pairs = read_frame(out / "left-out/near-copies.csv")
    listed = pairs.select("source", "original", "other_source", "other_original").sort("original").rows()
    assert listed == [
        ("one", "ant/0.png", "two", "ant/0.png"),
        ("one", "ant/1.png", "two", "ant/1.png"),
        ("one", "ant/2.png", "two", "bee/2.png"),
    ]
    assert read_frame(out / "table.csv").height == 24
    figures = yaml.safe_load((out / "novelty.yaml").read_text())["near"]
    assert figures == {"pairs": 3, "across": 3, "conflicts": 1, "skipped": ""}
    card = " ".join((out / "DATA_CARD.md").read_text().split())
    assert "3 pairs of examples that stay are near copies" in card
    assert "3 of them from different sources, 1 under different classes" in card


def test_texts_and_what_cannot_be_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "the quick brown fox jumps over the lazy dog and runs away into the deep dark wood"
    texts = [long, f"{long} today", "something else entirely that nobody would ever take for the other one"]
    rows = pl.DataFrame(
        {
            "source": ["a", "b", "b"],
            "original": ["1", "2", "3"],
            "label": ["x", "x", "y"],
            "input": texts,
            "twin": texts,
        }
    )
    listed, figures = near_copies(rows)
    assert (listed.height, figures) == (1, NearCopies(1, 1, 0, ""))
    monkeypatch.setattr(near, "MOST", 2)
    listed, figures = near_copies(rows)
    assert listed.is_empty() and figures.pairs == 0
    assert figures.skipped == "3 different texts are more than are compared with each other"
