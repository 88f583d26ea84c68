"""Different runs tell different stories, and none claims more than its intervals allow."""

import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from deck_fixture import make_run
from instar.audit.check import run_checks
from instar.deck.facts import Facts, read_facts
from instar.deck.story import story
from instar.deck.story.opening import verdict
from instar.deck.words import read_words
from instar.records import Chain, Evaluation, Figure, Gallery, Points, Quotes, Score, Slide

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
    made = tuple(Score(subject, facts.metric, *score, 100) for subject, score in scores.items())
    rest = tuple(s for s in facts.evaluation.scores if s.metric != facts.metric)
    ours = scores["tuned"]
    gains = tuple(
        Score(subject, facts.metric, ours[0] - value, ours[1] - high, ours[2] - low, 100)
        for subject, (value, low, high) in scores.items()
    )
    return replace(facts, evaluation=replace(facts.evaluation, scores=(*made, *rest), gains=gains))


@pytest.mark.parametrize("kind", ["images", "texts"])
def test_five_parts_in_order(kind: str, request: pytest.FixtureRequest) -> None:
    slides = story(request.getfixturevalue(kind), read_words())
    parts = list(dict.fromkeys(slide.part.partition("  ·")[0] for slide in slides))
    assert tuple(part for part in parts if part in PARTS) == PARTS
    assert parts[-1] == "Appendix"
    assert 18 <= len(slides) <= 26


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
        score = Score("tuned", "accuracy", value, low, high, 100)
        return replace(images.evaluation, scores=(score, *others))

    assert "Too sure" in tell(replace(images, evaluation=accuracy(0.5, 0.4, 0.6)))["calibration"].title
    assert "Too modest" in tell(replace(images, evaluation=accuracy(0.99, 0.98, 1.0)))["calibration"].title
    assert "agree" in tell(replace(images, evaluation=accuracy(0.8, 0.5, 1.0)))["calibration"].title


def test_every_figure_is_drawn_for(images: Facts, texts: Facts) -> None:
    from instar.deck.figures import _data, _model, _result

    for facts in (images, texts):
        drawn = {stem for part in (_data, _model, _result) for stem, *_ in part(facts, read_words())}
        shown = {b.stem for s in story(facts, read_words()) for b in s.blocks if isinstance(b, Figure)}
        assert shown == drawn


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
