"""The slide on several backbones: there where there were several, and true to what was taken."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from deck_fixture import make_run
from instar import files, steps
from instar.charts.backbones import backbones as chart
from instar.charts.theme import save
from instar.deck.facts import Facts, read_facts
from instar.deck.story.architecture import architecture
from instar.deck.story.backbones import STEM, backbones, drawn
from instar.deck.words import read_words
from instar.records import Figure
from test_plan_candidates import scored


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """A run whose plan took timm:good."""
    run = make_run(tmp_path_factory.mktemp("run"))
    assert read_facts(run).candidates.is_empty()
    files.write_frame(run / steps.SCORES, scored())
    found = read_facts(run)
    return replace(found, recipe=replace(found.recipe, backbone="timm:good"))


def title(facts: Facts) -> str:
    slide = backbones(facts, read_words())
    assert slide is not None
    return slide.title


def test_there_is_no_slide_where_one_backbone_was_looked_at(facts: Facts) -> None:
    alone = facts.candidates.filter(pl.col("backbone") == "timm:good")
    for table in (pl.DataFrame(), alone):
        other = replace(facts, candidates=table)
        assert backbones(other, read_words()) is None
        assert "backbones" not in {slide.key for slide in architecture(other, read_words())}


def test_the_slide_tells_choice_gain_and_price(facts: Facts) -> None:
    slide = backbones(facts, read_words())
    assert slide is not None and slide in architecture(facts, read_words())
    assert slide.title.startswith("good is enough: none of 3 backbones that the time allows surely beats its 85.0\xa0%")
    assert [b.stem for b in slide.blocks if isinstance(b, Figure)] == [STEM]
    said = str(slide.blocks)
    assert "Against first, named first: +15.0 points (+8.4 to +21.6) for 10\\xa0s an epoch more" in said
    assert all(name in slide.notes for name in facts.candidates["backbone"])
    assert steps.SCORES in slide.sources


def test_the_best_is_called_the_best(facts: Facts) -> None:
    worse = pl.when(pl.col("accuracy") > 0.85).then(0.8).otherwise("accuracy").alias("accuracy")
    quick = pl.col("verdict").replace("too slow", "behind")
    table = facts.candidates.with_columns(worse, quick)
    assert title(replace(facts, candidates=table)).startswith("good does best of 4 backbones on these images: ")


def test_a_run_with_another_network_is_told_what_it_would_gain(facts: Facts) -> None:
    planned = replace(facts, recipe=replace(facts.recipe, backbone="timm:first"))
    assert title(planned).startswith("good in place of first: +15.0 points (+")


def test_names_that_occur_twice_carry_their_source(facts: Facts) -> None:
    alike = facts.candidates.with_columns(title=pl.lit("Net"))
    assert drawn(replace(facts, candidates=alike))["label"].unique().to_list() == ["Net (timm)"]


def test_the_chart_is_drawn(facts: Facts, tmp_path: Path) -> None:
    frame = drawn(facts)
    save(chart(frame), frame, tmp_path, STEM)
    svg = (tmp_path / f"{STEM}.svg").read_text()
    assert all(name in svg for name in frame["label"])
