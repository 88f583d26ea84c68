"""Different runs tell different stories, and none claims more than its intervals allow."""

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image

from deck_fixture import make_run
from instar import files, steps
from instar.audit.check import run_checks
from instar.deck.facts import Facts, read_facts
from instar.deck.figures import charts
from instar.deck.items import Grid, Text
from instar.deck.layout import page
from instar.deck.story import story
from instar.deck.story.analysis import checks
from instar.deck.story.chain import resting
from instar.deck.story.common import POINT, brief
from instar.deck.story.decisions import pages
from instar.deck.story.hidden import near
from instar.deck.story.opening import verdict
from instar.deck.story.scores import headlines
from instar.deck.story.values import value
from instar.deck.words import read_words
from instar.errors import UserError
from instar.evaluate.subsets import SCHEMA
from instar.modality.modalities import MODALITIES
from instar.pipeline.readme import readme
from instar.records import (
    Audit,
    Chain,
    Decision,
    Epoch,
    Evaluation,
    Figure,
    Finding,
    Gallery,
    Plan,
    Points,
    Quotes,
    Recipe,
    Score,
    Slide,
    TableBlock,
)

PARTS = ("Data Analysis", "Data Pre-processing", "Model Architecture", "Model Performance", "Conclusion")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return read_facts(make_run(tmp_path_factory.mktemp("images"), per_class=40))


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    stars = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")
    return read_facts(make_run(tmp_path_factory.mktemp("texts"), "text", stars, ordered=True, per_class=80, skill=0.7))


def tell(facts: Facts) -> dict[str, Slide]:
    slides = {slide.key: slide for slide in story(facts, read_words())}
    assert len(slides) == len(story(facts, read_words()))
    return slides


def scored(facts: Facts, **scores: tuple[float, float, float]) -> Facts:
    """The same run with other scores (value, low, high) in the metric of its headline."""
    made = tuple(Score(subject, facts.metric, *score, 100, "wilson") for subject, score in scores.items())
    rest = tuple(s for s in facts.evaluation.scores if s.metric != facts.metric)
    ours = scores["tuned"]
    gains = tuple(
        Score(subject, facts.metric, ours[0] - value, ours[1] - high, ours[2] - low, 100, "paired")
        for subject, (value, low, high) in scores.items()
    )
    return replace(facts, evaluation=replace(facts.evaluation, scores=(*made, *rest), gains=gains))


@pytest.mark.parametrize("kind", ["images", "texts"])
def test_five_parts_in_order(kind: str, request: pytest.FixtureRequest) -> None:
    slides = story(request.getfixturevalue(kind), read_words())
    parts = list(dict.fromkeys(slide.part.partition("  ·")[0] for slide in slides))
    assert tuple(part for part in parts if part in PARTS) == PARTS
    assert parts[-1] == "Appendix"
    assert 18 <= len(slides) <= 32


@pytest.mark.parametrize("kind", ["images", "texts"])
def test_every_slide_is_whole(kind: str, request: pytest.FixtureRequest) -> None:
    for slide in story(request.getfixturevalue(kind), read_words()):
        said = [
            slide.title,
            slide.notes,
            *(text for b in slide.blocks if isinstance(b, Points) for text in b.items),
        ]
        assert all(said), slide.key
        assert not [text for text in said if re.search(r"[{}]|\bnan\b|\bNone\b(?! of )", text)], slide.key
        assert slide.sources and slide.sources[0] in slide.notes
        assert all(len(b.items) <= 3 for b in slide.blocks if isinstance(b, Points)), slide.key


def test_the_chain_is_numbered_on_later_slides(images: Facts) -> None:
    slides = tell(images)
    (chain,) = slides["chain"].blocks
    assert isinstance(chain, Chain)
    assert len(chain.rows) >= 3
    assert len({row[3] for row in chain.rows}) == 1
    assert slides["twins"].part.endswith("link 1 of the chain")


def test_images_are_shown_and_texts_are_quoted(images: Facts, texts: Facts) -> None:
    assert isinstance(tell(images)["examples"].blocks[0], Gallery)
    quotes = tell(texts)["examples"].blocks[0]
    assert isinstance(quotes, Quotes)
    assert [q.caption for q in quotes.items] == list(texts.dataset.classes)
    assert "augmentation" in tell(images)
    assert "augmentation" not in tell(texts)


@pytest.mark.parametrize(
    ("tuned", "probe", "expected"),
    [
        ((0.9, 0.86, 0.93), (0.8, 0.75, 0.85), "better"),
        ((0.9, 0.86, 0.93), (0.88, 0.83, 0.92), "same"),
        ((0.9, 0.85, 0.93), (0.8, 0.75, 0.85), "same"),
        ((0.6, 0.55, 0.65), (0.8, 0.75, 0.85), "worse"),
        ((0.25, 0.2, 0.3), (0.2, 0.15, 0.25), "useless"),
    ],
)
def test_better_is_said_only_beyond_the_interval(
    images: Facts, tuned: tuple[float, float, float], probe: tuple[float, float, float], expected: str
) -> None:
    facts = scored(images, tuned=tuned, probe=probe, majority=(0.2, 0.15, 0.25))
    assert verdict(facts) == expected
    slides = tell(facts)
    claims = " ".join(slides[key].title for key in ("result", "scores", "learned"))
    assert ("beats" in claims) == (expected == "better")
    assert ("told apart" in claims) == (expected in ("same", "useless"))


def test_without_a_probe_nothing_is_compared(images: Facts) -> None:
    assert "probe" not in tell(scored(images, tuned=(0.9, 0.8, 0.95)))["result"].title


def test_training_from_scratch_is_said_plainly(images: Facts) -> None:
    slides = tell(replace(images, card=replace(images.card, pretrained=False, weights="random")))
    for key in ("result", "network", "scores"):
        said = [text for b in slides[key].blocks if isinstance(b, Points) for text in b.items]
        assert "Trained from scratch: no pre-trained weights were found." in said, key
    assert "fine-tun" not in " ".join(slide.title.lower() for slide in slides.values())
    assert "from scratch" not in " ".join(slide.title for slide in tell(images).values())


def test_twins_or_none(images: Facts, tmp_path: Path) -> None:
    assert "% of a random test part would stand in train too" in tell(images)["twins"].title
    none = read_facts(make_run(tmp_path, classes=3, twins=False, per_class=20))
    assert tell(none)["twins"].title == "No two images are exact copies, so nothing leaks that way"


def test_confidence_is_judged_against_the_interval(images: Facts) -> None:
    def accuracy(value: float, low: float, high: float) -> Evaluation:
        others = tuple(s for s in images.evaluation.scores if (s.subject, s.metric) != ("tuned", "accuracy"))
        score = Score("tuned", "accuracy", value, low, high, 100, "wilson")
        return replace(images.evaluation, scores=(score, *others))

    assert "Too sure" in tell(replace(images, evaluation=accuracy(0.5, 0.4, 0.6)))["calibration"].title
    assert "Too modest" in tell(replace(images, evaluation=accuracy(0.99, 0.98, 1.0)))["calibration"].title
    assert "at its word" in tell(replace(images, evaluation=accuracy(0.8, 0.5, 1.0)))["calibration"].title


def test_every_figure_is_drawn_for(images: Facts, texts: Facts) -> None:
    for facts in (images, texts):
        slides = story(facts, read_words())
        drawn = [stem for stem, *_ in charts(facts, read_words(), slides)]
        shown = {b.stem for s in slides for b in s.blocks if isinstance(b, Figure)}
        assert sorted(shown) == sorted(set(drawn) - {"16-tokens"})  # its slide marks the words themselves


@pytest.mark.parametrize("n", range(1, len(MODALITIES["image"].augmentations) + 1))
def test_the_ways_of_varying_stand_whole_beside_the_pictures(images: Facts, tmp_path: Path, n: int) -> None:
    names = list(images.modality.augmentations)[:n]
    facts = decided(images, augment=names)
    live = facts.plan.live()
    long = replace(live["augment"], reason="This reason goes on and on, with 12.5 % of 4,205 and more. " * 12)
    slide = tell(replace(facts, plan=Plan((*facts.plan.decisions, long))))["augmentation"]
    assert len(said(slide)) == (n + 1 if n < 4 else n) and long.reason.strip() in slide.notes
    gallery = slide.blocks[0]
    assert isinstance(gallery, Gallery)
    for picture in gallery.pictures:
        (tmp_path / picture.path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 64)).save(tmp_path / picture.path)
    shown = [item.text for item in page(slide, 1, "", tmp_path).items if isinstance(item, Text)]
    assert set(said(slide)) <= set(shown)


def test_a_single_check_is_shown_as_itself(images: Facts) -> None:
    many = [Finding(f"check {i}", "passed" if i else "note", f"Sentence {i}.") for i in range(30)]
    first = [Finding(f"first {i}", "issue", "So.") for i in range(10)]
    facts = replace(images, audit=Audit((*first, *many)))
    table = checks(facts, read_words()).blocks[0]
    assert isinstance(table, TableBlock)
    assert ("check 0", "note", "Sentence 0.") in [(what, verdict, sentence) for what, verdict, sentence in table.rows]
    assert [row[0] for row in table.rows if "more" in row[0]] == ["29 more checks"]


def test_pictures_of_one_size_with_grey_ones_among_them_need_no_chart_of_sizes(images: Facts) -> None:
    """The chart of sizes is not drawn for a single size, so the slide must show something else."""
    table = images.dataset.table.with_columns(
        pl.lit(224).alias("measure.width"),
        pl.lit(224).alias("measure.height"),
        (pl.int_range(pl.len()) % 5 == 0).alias("measure.grey"),
    )
    dataset = replace(images.dataset, table=table)
    facts = replace(images, dataset=dataset, audit=run_checks(dataset, images.modality.checks))
    drawn = [block.stem for slide in tell(facts).values() for block in slide.blocks if isinstance(block, Figure)]
    assert "03-sizes" not in drawn
    slide = tell(facts)["sizes"]
    assert "grey" in slide.title
    assert isinstance(slide.blocks[0], Gallery)


def said(slide: Slide) -> list[str]:
    """The points of a slide."""
    return [text for b in slide.blocks if isinstance(b, Points) for text in b.items]


def decided(facts: Facts, **values: Any) -> Facts:
    """The same run with other values of some decisions."""
    live = facts.plan.live()
    taken = tuple(replace(d, value=values.get(d.field, d.value)) for d in live.values())
    return replace(facts, plan=Plan(taken), recipe=replace(facts.recipe, **values))


def test_smoothed_labels_are_named_where_the_losses_are(images: Facts) -> None:
    plain, smoothed = (tell(decided(images, label_smoothing=x))["curves"] for x in (0.0, 0.1))
    assert not any("smoothed" in text for text in [*said(plain), plain.notes])
    assert any("with labels smoothed by 0.1" in text for text in said(smoothed))
    assert "must not be compared" in smoothed.notes


def test_trials_of_the_head_are_no_passes(images: Facts) -> None:
    assert any(text.startswith("3 trials of the head and 4 passes") for text in said(tell(images)["curves"]))


def test_the_day_is_that_of_the_start(tmp_path: Path) -> None:
    """Not that of a file, which a copy or an archive changes."""
    assert read_facts(make_run(tmp_path, "text", 2, per_class=20)).date == "2026-02-03"


FROZEN = (
    "separability",
    "learning-curve",
    "confusable-classes",
    "suspect-labels",
    "outliers",
    "feature-twins",
    "mirror",
    "feature-map",
)
"""Findings on frozen features, which the audit of a made-up run lacks."""


def test_every_check_and_every_decision_has_a_title(images: Facts, texts: Facts) -> None:
    templates = read_words().templates
    codes = {f"check.{f.code}" for facts in (images, texts) for f in facts.audit.findings}
    names = codes | {f"check.{code}" for code in FROZEN} | {f"field.{f.name}" for f in fields(Recipe)}
    assert names <= set(templates)
    assert [name for name in names if not str(templates[name])[0].isupper()] == []


@pytest.mark.parametrize(
    ("field", "code", "spoken"),
    [
        ("grouping", "near", "exact and near copies"),
        ("exclude", ["conflicting-labels", "suspect-labels"], "conflicting labels and suspect labels"),
        ("exclude", [], "nothing"),
        ("clean", ["mojibake", "entities", "whitespace"], "misread letters, HTML entities and blanks"),
        ("decode", "median", "the median class"),
        ("augment", ["horizontal_flip"], "mirroring"),
        ("test_augment", ["horizontal_flip"], "mirroring"),
        ("weights", None, "the published ones"),
        ("weights", "/a/b/own.safetensors", "own.safetensors"),
        ("channels_last", True, "yes"),
        ("dropout", 0.25, "0.25"),
    ],
)
def test_values_are_said_in_words(field: str, code: Any, spoken: str) -> None:
    assert value(read_words(), Decision(field, code, "rule", (), "", "")) == spoken


def test_all_decisions_stand_whole_on_the_tables(images: Facts, tmp_path: Path) -> None:
    """However long the reasons are, none of them is cut, and no decision is missing."""
    long = (
        "This reason goes on and on, with figures such as 12.5 % of 4,205, until it has filled several lines. " * 3
        + "End."
    )
    taken = tuple(replace(d, reason=long if i % 2 else d.reason) for i, d in enumerate(images.plan.live().values()))
    facts = replace(images, plan=Plan(taken))
    words = read_words()
    found = pages(facts, words)
    rows = [row for table in found for row in table.rows]
    assert len(rows) == len(taken) == len({row[0] for row in rows})
    later = [len(table.rows) for table in found[1:]]
    assert max(later) - min(later) <= 2, "one row left over on the last page"
    slides = [s for s in story(facts, words) if s.key.startswith(("decisions", "appendix"))]
    assert len(slides) == len({s.key for s in slides}) == len(pages(facts, words)) > 2
    for slide in slides:
        (block,) = slide.blocks
        assert isinstance(block, TableBlock)
        (grid,) = [item for item in page(slide, 1, "", tmp_path).items if isinstance(item, Grid)]
        assert grid.rows[1:] == block.rows


def test_words_of_a_table_are_not_broken(tmp_path: Path) -> None:
    block = TableBlock(("Basis", "Reason"), (("measured", "short"),), (0.07, 1))
    slide = Slide("t", "", "t", (block,), "", ())
    (grid,) = [item for item in page(slide, 1, "", tmp_path).items if isinstance(item, Grid)]
    assert grid.size == 12


def test_a_decision_that_changes_nothing_is_no_link(texts: Facts) -> None:
    def links(exclude: tuple[str, ...]) -> list[str]:
        live = decided(texts, exclude=exclude).plan.live().values()
        taken = tuple(replace(d, because=("short-texts",)) if d.field == "exclude" else d for d in live)
        return [d.field for d in resting(replace(texts, plan=Plan(taken)))["short-texts"]]

    assert links(()) == []
    assert links(("short-texts",)) == ["exclude"]


def test_when_the_head_alone_is_kept_it_is_called_the_probe(images: Facts) -> None:
    """Then fine-tuning and probe are one network, so that nothing is compared."""
    best = Epoch("head", 4, 0.3, 0.4, 0.9, 1.0, 2.0, 400, True)
    later = tuple(replace(e, best=False) for e in images.epochs if e.stage != "head")
    facts = scored(
        replace(images, epochs=(best, *later)),
        tuned=(0.9, 0.86, 0.93),
        probe=(0.9, 0.9, 0.9),
        majority=(0.2, 0.15, 0.25),
    )
    slides = tell(facts)
    assert verdict(facts) == "kept"
    assert slides["scores"].title.startswith("The linear probe on frozen features was kept")
    assert not any("told apart from the linear" in text for s in slides.values() for text in [s.title, *said(s)])


def test_a_mistake_and_its_copies_are_shown_once(texts: Facts) -> None:
    (block, _) = tell(texts)["mistakes"].blocks
    assert isinstance(block, Quotes)
    rows = texts.evaluation.errors
    first = rows.row(0, named=True)["id"]
    group = texts.predictions.filter(pl.col("id") == first)["group"][0]
    copies = pl.concat([rows.head(1)] * 5 + [rows[1:]]).with_row_index("at")
    copies = copies.with_columns(
        id=pl.when(pl.col("at") < 5).then(pl.format("{} again {}", pl.lit(first), "at")).otherwise("id")
    ).drop("at")
    like = pl.DataFrame({"id": [f"{first} again {i}" for i in range(5)], "group": [group] * 5})
    known = pl.concat([texts.predictions, like], how="diagonal_relaxed")
    table = pl.concat(
        [
            texts.dataset.table,
            texts.dataset.table.filter(pl.col("id") == first)
            .select(pl.all().exclude("id"), id=pl.format("{} again {}", pl.lit(first), pl.lit(0)))
            .select(texts.dataset.table.columns),
        ]
    )
    facts = replace(
        texts,
        evaluation=replace(texts.evaluation, errors=copies),
        predictions=known,
        dataset=replace(texts.dataset, table=table),
    )
    (again, _) = tell(facts)["mistakes"].blocks
    assert again == block


def test_narrow_intervals_are_not_called_wide(images: Facts) -> None:
    def told(low: float, high: float) -> str:
        table = images.evaluation.per_class.with_columns(recall_low=pl.lit(low), recall_high=pl.lit(high))
        return " ".join(said(tell(replace(images, evaluation=replace(images.evaluation, per_class=table)))["classes"]))

    assert "wide intervals" in told(0.4, 0.9)
    assert "wide intervals" not in told(0.8, 0.85)


def test_a_broken_text_is_not_shown_as_a_typical_one(texts: Facts) -> None:
    def shown(facts: Facts) -> list[str]:
        (block,) = tell(facts)["examples"].blocks
        assert isinstance(block, Quotes)
        return [quote.text for quote in block.items]

    before = shown(texts)
    ids = texts.dataset.table.filter(pl.col("input") == before[0])["id"]
    lost = Finding(
        "mojibake", "issue", "Letters were lost.", {"rows": len(ids), "share": 0.1}, pl.DataFrame({"id": ids})
    )
    others = tuple(f for f in texts.audit.findings if f.code != "mojibake")
    after = shown(replace(texts, audit=replace(texts.audit, findings=(*others, lost))))
    assert before[0] not in after and len(after) == len(before)


def test_near_copies_that_can_be_read_are_shown_before_garbled_ones(texts: Facts) -> None:
    ids = texts.dataset.part("train")["id"].to_list()
    pairs = [(ids[i], ids[i + 1]) for i in range(0, 16, 2)]
    rows = pl.DataFrame(
        {
            "id": [a for a, _ in pairs], "other_id": [b for _, b in pairs],
            "label": ["x"] * 8, "other_label": ["y"] * 8, "similarity": [1.0] * 8,
        }
    )  # fmt: skip
    evidence = {"pairs": 8, "across_classes": 8, "test_with_near_copy": 0}
    twins = Finding("feature-twins", "issue", "Pairs.", evidence, rows)
    lost = Finding(
        "mojibake", "issue", "Lost.", {"rows": 5, "share": 0.1}, pl.DataFrame({"id": [a for a, _ in pairs[:5]]})
    )
    others = tuple(f for f in texts.audit.findings if f.code not in ("mojibake", "feature-twins"))
    slide = near(replace(texts, audit=replace(texts.audit, findings=(*others, lost, twins))), read_words())
    assert slide is not None
    quotes = slide.blocks[0]
    assert isinstance(quotes, Quotes)
    known = dict(texts.dataset.table.select("id", "input").iter_rows())
    assert [quote.text for quote in quotes.items] == [known[i] for pair in pairs[5:] for i in pair]


def test_notes_and_readme_say_how_each_interval_was_found(tmp_path: Path) -> None:
    run = make_run(tmp_path, "text", 3, per_class=30)
    notes = tell(read_facts(run))["scores"].notes
    assert "Wilson score interval at the effective number of examples; n =" in notes
    assert "bias-corrected and accelerated bootstrap over the groups; n =" in notes
    assert "the same bootstrap, paired" in notes
    table = readme(run)
    assert "| tuned | accuracy |" in table and "| Wilson |" in table and "| bootstrap |" in table


@pytest.mark.parametrize("lacking", ["gains", "groups"])
def test_an_older_evaluation_is_one_line_with_its_remedy(tmp_path: Path, lacking: str) -> None:
    run = make_run(tmp_path, "text", 2, per_class=20)
    content = files.read_yaml(run / steps.EVALUATION, dict[str, Any])
    files.write_yaml(run / steps.EVALUATION, {k: v for k, v in content.items() if k != lacking})
    with pytest.raises(UserError, match=rf"{lacking}: field required.*run `instar evaluate .*run`") as error:
        read_facts(run)
    assert "\n" not in str(error.value)


def test_a_long_reason_is_told_as_far_as_its_colon() -> None:
    short, long = (
        "All alike: nothing is lost. And more.",
        f"Width to height is 0.66 to 1.88: {'so it is, ' * 12}padded.",
    )
    assert (brief(short), brief(long)) == ("All alike: nothing is lost", "Width to height is 0.66 to 1.88")
    assert len(long) > POINT


def doubting(facts: Facts, *rows: tuple[str, str, float | None, int, int]) -> Facts:
    """With these subsets: subset, part, value, n, classes; intervals are a tenth to either side."""
    scored = [
        ("tuned", "accuracy", value, value and value - 0.1, value and value + 0.1, n, n, classes, value and "wilson")
        for _, _, value, n, classes in rows
    ]
    whole = [(subset, part, *of) for (subset, part, *_), of in zip(rows, scored, strict=True)]
    table = pl.DataFrame(whole, schema=SCHEMA, orient="row")
    return replace(facts, evaluation=replace(facts.evaluation, subsets=table))


ALL = ("all", "all", 0.7, 500, 5)


def test_what_is_doubted_is_said_with_and_without(images: Facts) -> None:
    parts = [("grey", "doubted", 0.3, 90, 5), ("grey", "rest", 0.8, 410, 5), ("grey", "apart", -0.5, 500, 5)]
    few = [("blur", "doubted", None, 4, 2), ("blur", "rest", 0.71, 496, 5), ("blur", "apart", None, 500, 2)]
    facts = doubting(images, ALL, *few, *parts)
    slide = tell(facts)["subsets"]
    assert slide.title == "Without the 90 grey pictures the accuracy is 80.0\xa0%, against 70.0\xa0% over all"
    (points,) = [block.items for block in slide.blocks if isinstance(block, Points)]
    assert points[0].startswith("On the 90 grey pictures it is surely lower: 30.0\xa0%, on all others 80.0\xa0%")
    assert points[-1] == "Too few for figures of their own: blurred pictures (4)"
    assert "blurred pictures, all others: 71.0\xa0%" in slide.notes.lower()
    (drawn,) = [frame for stem, _, frame in charts(facts, read_words(), ()) if stem == "12-subsets"]
    assert drawn["metric"].unique().to_list() == ["accuracy"] and drawn.height == 7


def test_a_doubt_that_changes_nothing_is_said_so(images: Facts) -> None:
    parts = [("grey", "doubted", 0.69, 90, 5), ("grey", "rest", 0.702, 410, 5), ("grey", "apart", -0.012, 500, 5)]
    assert tell(doubting(images, ALL, *parts))["subsets"].title.startswith("What the audit doubts hardly matters")
    assert "subsets" not in tell(doubting(images, ALL))


def test_the_chart_of_scores_shows_few_metrics_and_the_appendix_all(texts: Facts) -> None:
    slides = tell(texts)
    assert headlines(texts) == [texts.metric, "accuracy"]  # the made-up baselines tell no probabilities
    (table,) = slides["all-scores"].blocks
    assert isinstance(table, TableBlock)
    assert len(table.rows) == len({s.metric for s in texts.evaluation.scores}) > 10
    log_loss = next(row for row in table.rows if row[0] == "Log loss")
    assert log_loss[1].count("(") == 1 and set(log_loss[2:]) == {"–"}
