"""The slides on what a person would have missed: only where something was found, and never more than three."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from deck_fixture import make_run
from instar.deck.facts import Facts, read_facts
from instar.deck.figures import charts
from instar.deck.story import story
from instar.deck.story.hidden import SLIDES, hidden
from instar.deck.words import read_words
from instar.records import Audit, Figure, Finding, Gallery, Json, Points, Slide, Verdict


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return read_facts(make_run(tmp_path_factory.mktemp("images"), per_class=20))


def separability(cheap: tuple[float, float, float] | None = (0.31, 0.28, 0.34)) -> Finding:
    evidence: dict[str, Json] = {
        "n": 300,
        "accuracy": 0.862,
        "low": 0.85,
        "high": 0.873,
        "majority": 0.2,
        "judged_by": "accuracy",
    }
    if cheap is not None:
        evidence |= dict(zip(("cheap_accuracy", "cheap_low", "cheap_high"), cheap, strict=True)) | {"cheap_n": 60}
    rows = pl.DataFrame({"class": ["species 1", "species 2"], "n": [20, 12], "recall": [0.4, 0.9]})
    return Finding("separability", "passed", "The probe is good.", evidence, rows)


def curve(low: float, high: float) -> Finding:
    rows = pl.DataFrame({"n": [50, 100, 200], "accuracy": [0.6, 0.7, 0.8], "low": [0.5, 0.6, 0.7]})
    rows = rows.with_columns(high=pl.col("accuracy") + 0.05)
    evidence = {"gain_if_doubled": (low + high) / 2, "low": low, "high": high, "worth": 0.01}
    return Finding("learning-curve", "note", "It rises.", evidence, rows)


def suspects(facts: Facts, n: int) -> Finding:
    rows = facts.dataset.part("train").head(n).select("id", "label")
    rows = rows.with_columns(suggested=pl.lit("species 5"), probability=pl.lit(0.93), own=pl.lit(0.01))
    return Finding("suspect-labels", "issue", "Wrong.", {"suspects": n, "share": n / 100, "n": 100}, rows)


def pairs(facts: Facts, across: int) -> Finding:
    ids = facts.dataset.part("train", "test")["id"].to_list()
    labels = dict(facts.dataset.table.select("id", "label").iter_rows())
    splits = dict(facts.dataset.table.select("id", "split").iter_rows())
    rows = pl.DataFrame(
        [
            {"id": a, "other_id": b, "label": labels[a], "other_label": labels[b], "split": splits[a],
             "other_split": splits[b], "similarity": 0.99}
            for a, b in zip(ids[:8], ids[20:28], strict=True)
        ]
    )  # fmt: skip
    evidence = {"pairs": 8, "across_classes": across, "across_splits": 2, "test_with_near_copy": 2, "class_pairs": []}
    return Finding("feature-twins", "issue", "Near copies.", evidence, rows)


def lookalikes() -> tuple[Finding, Finding]:
    rows = pl.DataFrame({"id": ["a", "b"], "label": ["species 1", "species 2"], "x": [0.0, 1.0], "y": [0.0, 2.0]})
    confused = pl.DataFrame({"first": ["species 1"], "second": ["species 2"], "share": [0.3], "n": [6]})
    return (
        Finding("feature-map", "passed", "A map.", {"method": "t-SNE"}, rows),
        Finding("confusable-classes", "note", "Confused.", {"pairs": 1}, confused),
    )


def told(facts: Facts, *found: Finding) -> tuple[Slide, ...]:
    kept = tuple(f for f in facts.audit.findings if f.code not in {g.code for g in found})
    return hidden(replace(facts, audit=Audit((*kept, *found))), read_words())


def test_nothing_is_told_where_nothing_was_found(facts: Facts) -> None:
    assert told(facts) == ()
    skipped = [Finding(code, "skipped", "No network.") for code in ("separability", "suspect-labels", "feature-twins")]
    assert told(facts, *skipped) == ()


def test_never_more_than_three_slides_and_each_is_whole(facts: Facts) -> None:
    found = (separability(), curve(0.02, 0.05), suspects(facts, 20), pairs(facts, 3), *lookalikes())
    slides = told(facts, *found)
    assert [s.key for s in slides] == ["difficulty", "suspects", "near"] and len(slides) == SLIDES
    for slide in slides:
        assert slide.title and slide.notes and slide.sources and "{" not in slide.title + slide.notes
    assert "86.2" in slides[0].title and "31.0" in slides[0].title and "3.5" in slides[0].title
    assert isinstance(slides[1].blocks[0], Gallery) and "20 of 100 labels look wrong" in slides[1].title
    assert slides[2].title == "8 pairs of images are nearly the same, 3 of them with different labels"


@pytest.mark.parametrize(
    ("cheap", "low", "high", "said"),
    [
        ((0.31, 0.28, 0.34), 0.02, 0.05, "may add"),
        ((0.31, 0.28, 0.34), 0.0, 0.005, "hardly help"),
        ((0.31, 0.28, 0.34), 0.0, 0.05, "is open"),
        ((0.86, 0.84, 0.88), 0.02, 0.05, "no surer than a cheap baseline"),
        (None, 0.02, 0.05, "Frozen features alone tell 86.2"),
    ],
)
def test_no_claim_goes_beyond_its_interval(
    facts: Facts, cheap: tuple[float, float, float] | None, low: float, high: float, said: str
) -> None:
    (slide,) = told(facts, separability(cheap), curve(low, high))
    assert said in slide.title
    assert ("cheap" in slide.title) == (cheap is not None)


def test_features_that_do_no_better_than_a_guess_are_not_praised(facts: Facts) -> None:
    found = separability()
    weak = replace(found, verdict="issue", evidence={**found.evidence, "majority": 0.86})
    for curves in ((), (curve(0.02, 0.05),), (curve(0.0, 0.005),), (curve(0.0, 0.05),)):
        (slide,) = told(facts, weak, *curves)
        assert "not surely better" in slide.title and "86.0" in slide.title


def test_uneven_classes_are_judged_by_the_mean_of_the_classes(facts: Facts) -> None:
    found = separability((0.84, 0.83, 0.85))
    uneven = {"judged_by": "balanced accuracy", "balanced": 0.5, "balanced_low": 0.45, "balanced_high": 0.55}
    uneven |= {"balanced_majority": 0.2, "cheap_balanced": 0.47, "cheap_balanced_high": 0.49, "majority": 0.84}
    cases: tuple[tuple[float, Verdict, str], ...]
    cases = ((0.45, "note", "no surer"), (0.495, "passed", "of a class right"), (0.19, "issue", "not surely"))
    for low, verdict, said in cases:
        evidence = {**found.evidence, **uneven, "balanced_low": low}
        (slide,) = told(facts, replace(found, verdict=verdict, evidence=evidence))
        assert said in slide.title and "50.0" in slide.title
        points = [p for b in slide.blocks if isinstance(b, Points) for p in b.items]
        assert "86.2" in points[0] and points[1].startswith("On the mean of the classes")


def test_no_class_is_hardest_where_all_are_found(facts: Facts) -> None:
    found = separability()
    for recall, said in ((1.0, False), (0.99, True)):
        (slide,) = told(facts, replace(found, rows=found.rows.with_columns(recall=pl.lit(recall))))
        assert said == any("Hardest" in p for b in slide.blocks if isinstance(b, Points) for p in b.items)


def test_what_hidden_slides_show_is_drawn(facts: Facts) -> None:
    found = (separability(), *lookalikes())
    kept = replace(facts, audit=Audit((*facts.audit.findings, *found)))
    slides = story(kept, read_words())
    shown = {b.stem for s in slides for b in s.blocks if isinstance(b, Figure)}
    assert {"02-separability", "02-feature-map"} <= shown
    drawn = [stem for stem, *_ in charts(kept, read_words(), slides)]
    assert {"02-separability", "02-feature-map"} <= set(drawn) and len(drawn) == len(set(drawn))


def test_shortcuts_name_the_class_that_is_given_away(tmp_path: Path) -> None:
    facts = read_facts(make_run(tmp_path, per_class=40))
    table = facts.dataset.table.with_columns(
        pl.when(pl.col("label") == "species 2").then(500).otherwise("measure.width").alias("measure.width")
    )
    from instar.audit.check import run_checks

    dataset = replace(facts.dataset, table=table)
    audit = run_checks(dataset, facts.modality.checks)
    assert audit["shortcuts"].verdict == "issue"
    (slide,) = [s for s in hidden(replace(facts, dataset=dataset, audit=audit), read_words()) if s.key == "shortcuts"]
    assert slide.title.startswith("“species 2” can be told by its")
    assert isinstance(slide.blocks[0], Figure) and slide.blocks[0].stem == "02-shortcuts-classes"
