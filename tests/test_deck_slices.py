"""What slides say of slices and of suspect labels follows from the tables."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from deck_fixture import make_run
from instar.charts import slices as chart
from instar.charts.theme import save
from instar.deck.facts import Facts, read_facts
from instar.deck.story.conclusion import following
from instar.deck.story.confidence import risk
from instar.deck.story.mistakes import mistakes
from instar.deck.story.slices import ROWS, shown, slices
from instar.deck.story.suspects import FIRST, suspects
from instar.deck.words import read_words
from instar.evaluate.slices import SCHEMA
from instar.records import Gallery, Points, Slide

WORDS = read_words()
COUNTED = pl.DataFrame(
    {"column": ["measure.width", "extra.id"], "looks": [18, 0], "why": [None, "an id"]},
    schema_overrides={"why": pl.String},
)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return read_facts(make_run(tmp_path_factory.mktemp("images"), per_class=40, skill=0.6))


def row(**changed: Any) -> dict[str, Any]:
    """A slice that is surely worse, by 22 points, of which its classes explain 2."""
    own: dict[str, Any] = {
        "column": "measure.width",
        "relation": "at most",
        "slice": "150",
        "n": 120,
        "groups": 118,
        **{"wrong": 0.31, "wrong_low": 0.24, "wrong_high": 0.4, "rest": 0.09, "rest_low": 0.07, "rest_high": 0.12},
        **{"difference": 0.22, "difference_low": 0.14, "difference_high": 0.31},
        **{"p": 0.0005, "expected": 0.11, "p_within": 0.002, "like": None},
    }
    return {**own, **changed}


def seen(facts: Facts, *rows: dict[str, Any]) -> Facts:
    frame = pl.DataFrame(list(rows), schema=SCHEMA)
    return replace(facts, evaluation=replace(facts.evaluation, slices=frame, slice_columns=COUNTED))


def plain(slide: Slide | None) -> str:
    assert slide is not None
    points = [p for block in slide.blocks if isinstance(block, Points) for p in block.items]
    return "\n".join([slide.title, *points, slide.notes]).replace("\xa0", " ")


def test_a_slice_surely_worse_is_the_title(facts: Facts) -> None:
    told = plain(slices(seen(facts, row()), WORDS))
    assert told.startswith(
        "Images with width up to 150 px are wrong 31 % of the time, others 9 %, whatever their class"
    )
    assert "Their classes let expect 11 %" in told and "p < 0.001, corrected for all" in told
    assert "Not looked at: id (an id)." in told


def test_what_classes_explain_is_said(facts: Facts) -> None:
    hard = plain(slices(seen(facts, row(expected=0.3, p_within=0.8)), WORDS))
    assert "they hold the harder classes" in hard.splitlines()[0]
    unclear = plain(slices(seen(facts, row(expected=0.15, p_within=0.3)), WORDS)).splitlines()
    assert unclear[0].endswith("others 9 %") and "more than chance is open" in unclear[1]


def test_none_is_a_result_too(facts: Facts) -> None:
    told = plain(slices(seen(facts, row(p=0.2), row(p=0.9, n=17)), WORDS))
    assert told.startswith("None of 18 slices that were looked at is surely worse than the rest")
    assert "31 % against 9 %; p = 0.200" in told and "n = 17" in told
    assert slices(seen(facts), WORDS) is None
    # easier than the rest, however surely, is no bad slice
    better = row(wrong=0.05, rest=0.3, difference=-0.25, p=0.001)
    told = plain(slices(seen(facts, better, row(p=0.7)), WORDS))
    assert told.startswith("None of 18") and "31 % against 9 %; p = 0.700" in told
    assert slices(seen(facts, better), WORDS) is None


def test_one_story_is_told_once(facts: Facts) -> None:
    same = row(column="measure.height", like=0)
    other = row(column="extra.source", relation="is", slice="phone {x} " + "y" * 60, p=0.01)
    told = plain(slices(seen(facts, row(), same, other), WORDS))
    assert "Next: images with source “phone {x} yyyyyyyyyyyyyyyyy…”, 31 % against 9 %" in told
    names = shown(seen(facts, row(), same, other), WORDS)["name"].to_list()
    assert names == ["width up to 150\xa0px", "source “phone {x} yyyyyyyyyyyyyyyyy…”"]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"column": "measure.brightness", "relation": "more than", "slice": "0.4738731"}, "brightness above 0.47"),
        ({"column": "extra.longitude", "slice": "-115.1758223"}, "longitude up to −115.18"),
        ({"column": "measure.bytes", "slice": "32617"}, "file size up to 32,617 bytes"),
        ({"column": "measure.grey", "relation": "is", "slice": "True"}, "grey tones alone"),
        ({"column": "extra.fresh", "relation": "is", "slice": "True"}, "fresh “True”"),
        ({"column": "measure.language", "relation": "missing", "slice": ""}, "no language"),
        ({"column": "measure.red_deviation", "slice": "0.0312"}, "spread of red up to 0.031"),
    ],
)
def test_names(facts: Facts, changed: dict[str, str], name: str) -> None:
    assert [n.replace("\xa0", " ") for n in shown(seen(facts, row(**changed)), WORDS)["name"]] == [name]


def test_the_chart_draws_every_row_once(facts: Facts, tmp_path: Path) -> None:
    rows = [row(column=f"extra.{'column' * 4} {i}", p=0.01 + i / 10, wrong=0.9, wrong_high=1.0) for i in range(12)]
    frame = shown(seen(facts, *rows), WORDS)
    assert frame.height == ROWS and frame["sure"].to_list() == [True] + [False] * (ROWS - 1)
    save(chart.slices(frame), frame, tmp_path, "13-slices")
    svg = (tmp_path / "13-slices.svg").read_text()
    assert svg.count("n = 120</text>") == ROWS
    for text in (*frame["name"], "surely worse, 95 % interval", "not surely worse", "what its classes explain"):
        assert f">{text}</text>" in svg
    width, height = map(float, re.search(r'width="([\d.]+)" height="([\d.]+)"', svg).groups())  # type: ignore[union-attr]
    assert width <= 840 and height <= 372


def doubted(facts: Facts, n: int) -> Facts:
    """The run with its n surest mistakes suspect."""
    errors = facts.evaluation.errors.with_row_index()
    marked = errors.with_columns(
        suspect=pl.col("index") < n,
        why=pl.when(pl.col("index") < n).then(pl.lit("probe, copies")).otherwise(pl.lit("")),
    )
    return replace(facts, evaluation=replace(facts.evaluation, errors=marked.drop("index")))


def test_suspects_are_shown_as_a_suspicion(facts: Facts) -> None:
    many, few, none = (doubted(facts, n) for n in (9, 2, 0))
    assert suspects(none, WORDS) is None
    slide = suspects(many, WORDS)
    told = plain(slide)
    n = facts.evaluation.errors.height
    assert told.startswith(f"9 of the {n} mistakes may be wrong labels, not wrong answers")
    assert "A suspicion, not a verdict" in told and "9 have copies" in told
    assert slide is not None and isinstance(slide.blocks[0], Gallery) and len(slide.blocks[0].pictures) <= FIRST
    pair = suspects(few, WORDS)
    assert pair is not None and isinstance(pair.blocks[0], Gallery)
    assert sum("from training" in picture.caption for picture in pair.blocks[0].pictures) == 2
    assert "a slide of their own" in plain(mistakes(many, WORDS)) and "none of the labels" in plain(
        mistakes(none, WORDS)
    )
    some, clear = (following(facts, WORDS) for facts in (few, none))
    assert "Check the 2 labels that are suspect" in plain(some) + some.notes
    assert "labels of the surest" in plain(clear) + clear.notes


def test_no_threshold_is_asked_for_where_no_answer_is_wrong(facts: Facts) -> None:
    perfect = tuple(replace(s, value=1.0) if s.metric == "accuracy" else s for s in facts.evaluation.scores)
    assert risk(facts, WORDS) is not None
    assert risk(replace(facts, evaluation=replace(facts.evaluation, scores=perfect)), WORDS) is None
