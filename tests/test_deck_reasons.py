"""The slides of reasons: pictures with maps, texts with marked words, two tests, and nothing where there are none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import vl_convert
from pptx import Presentation

from deck_fixture import make_run
from instar.charts.theme import CONFIG
from instar.deck.facts import Facts, read_facts
from instar.deck.figures import charts
from instar.deck.html import write_html
from instar.deck.items import Runs
from instar.deck.layout import CONTENT, page
from instar.deck.marked import excerpt, marked_items
from instar.deck.pptx import write_pptx
from instar.deck.story.reasons import deletion, reasons, runs, standing
from instar.deck.text import wrap
from instar.deck.words import read_words
from instar.explain.files import read_reasons, write_reasons
from instar.records import Gallery, MarkedQuote, MarkedQuotes, Reasons
from test_deck_files import HOSTILE

WORDS = read_words()


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return read_facts(make_run(tmp_path_factory.mktemp("images"), classes=3, per_class=20))


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("texts"), "text", HOSTILE, hostile=True, per_class=20)


def test_pictures_stand_right_above_wrong(images: Facts) -> None:
    slide = reasons(images, WORDS)
    assert slide is not None
    gallery = slide.blocks[0]
    assert isinstance(gallery, Gallery)
    tones = [picture.tone for picture in gallery.pictures]
    assert tones == sorted(tones, reverse=True) and gallery.columns == 3
    assert "31.0 points" in slide.title and "24 test examples" in slide.notes


def test_the_title_says_only_what_both_tests_bear(images: Facts) -> None:
    found = images.reasons
    assert found is not None and found.gain is not None
    chance = replace(found, gain=replace(found.gain, low=-0.01))
    alike = replace(found, sanity=(*found.sanity[:-1], replace(found.sanity[-1], high=0.9)))
    assert [standing(one) for one in (found, chance, alike)] == ["proven", "open", "doubtful"]
    titles = {str(deletion(replace(images, reasons=one), WORDS)) for one in (found, chance, alike)}
    assert len(titles) == 3


@pytest.mark.parametrize("none", [None, Reasons(why_not="the network makes no grid")])
def test_without_reasons_there_is_no_slide(images: Facts, none: Reasons | None) -> None:
    facts = replace(images, reasons=none)
    assert reasons(facts, WORDS) is None and deletion(facts, WORDS) is None


def test_reasons_come_back_as_they_were_written(images: Facts, tmp_path: Path) -> None:
    found = images.reasons
    assert found is not None
    write_reasons(tmp_path, found, {})
    back = read_reasons(tmp_path)
    assert back == found and back.examples.equals(found.examples) and back.deletion.equals(found.deletion)
    write_reasons(tmp_path, Reasons(why_not="none"), {})
    assert read_reasons(tmp_path) == Reasons(why_not="none")
    assert [path.name for path in (tmp_path / "5-eval/reasons").iterdir()] == ["reasons.yaml"]
    assert read_reasons(tmp_path / "elsewhere") is None


def test_words_are_marked_by_their_share_of_the_heaviest() -> None:
    frame = pl.DataFrame(
        {
            "place": [0, 1, 2, 3, 4],
            "word": ["so", "good", "!", "not", "bad"],
            "joined": [False, False, True, False, False],
            "weight": [0.05, 2.0, None, -0.5, -1.5],
        }
    )
    assert runs(frame) == (("so", 0), (" ", 0), ("good", 3), ("!", 0), (" ", 0), ("not", -1), (" ", 0), ("bad", -3))
    assert runs(frame.with_columns(weight=pl.lit(None, pl.Float64)))[0] == ("so", 0)


def test_an_excerpt_fits_and_holds_the_marks() -> None:
    words = [(f"word{i}", 3 if i == 70 else 0) for i in range(100)]
    pieces = [piece for word in words for piece in (word, (" ", 0))]
    found = excerpt(pieces, 5.0, 2)
    assert ("word70", 3) in found and found[0] == found[-1] == ("…", 0)
    assert len(wrap("".join(text for text, _ in found), 5.0, 18, True)) <= 2
    assert excerpt(pieces[:4], 5.0, 2) == pieces[:4]
    assert excerpt([("x" * 900, 2)], 2.0, 1)


def test_marked_quotations_stay_inside_their_boxes() -> None:
    text = tuple((("word", 2) if i % 2 else (" ", 0)) for i in range(400))
    items = marked_items(MarkedQuotes((MarkedQuote(text, "caption", "bad"),) * 6), CONTENT)
    boxes = [item.box for item in items if isinstance(item, Runs)]
    assert len(boxes) == 6
    assert all(box.bottom <= CONTENT.bottom + 0.01 and box.right <= CONTENT.right + 0.01 for box in boxes)


def test_both_formats_mark_the_words(texts: Path) -> None:
    slide = reasons(read_facts(texts), WORDS)
    assert slide is not None
    pages = (page(slide, 1, "", texts),)
    write_html(pages, texts / "deck.html", "title", WORDS)
    write_pptx(pages, texts / "deck.pptx", "title", "2026-02-03")
    html = (texts / "deck.html").read_text()
    assert 'class="for m3"' in html and "<script>alert" not in html
    (shown,) = Presentation(str(texts / "deck.pptx")).slides
    assert "<a:highlight" in "".join(shape._element.xml for shape in shown.shapes)


def test_each_chart_is_drawn(texts: Path, images: Facts) -> None:
    words = read_words()
    for facts, stems in ((read_facts(texts), {"16-tokens", "17-deletion"}), (images, {"17-deletion"})):
        drawn = {stem: chart for stem, chart, _ in charts(facts, words, ()) if stem[:2] in ("16", "17")}
        assert set(drawn) == stems
        assert all(vl_convert.vegalite_to_svg({**chart.to_dict(), "config": CONFIG}) for chart in drawn.values())


def test_a_mark_is_darker_the_heavier_it_is(texts: Path) -> None:
    found = read_reasons(texts)
    assert found is not None
    shares = [abs(strength) for row in found.examples["id"] for _, strength in runs(found.tokens.filter(id=row))]
    assert np.unique(shares).tolist() == [0, 1, 2, 3]
