"""deck.pptx and deck.html: native, whole, inert, nothing outside the slide or on top of anything else."""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE

from deck_fixture import make_run
from instar.deck import build as building
from instar.deck.build import build
from instar.deck.facts import Facts
from instar.deck.story import story
from instar.deck.words import Words
from instar.records import Figure

HOSTILE = (
    "common green birdwing of the far east isles",
    "x" * 40,
    "<script>alert(1)</script>",
    "=CMD()|calc",
    "a\x07b\x0bc",
    "مرحبا بالعالم",
    "🎉👩‍👩‍👧 party",
    "{0.__class__}",
    "C&A <b>",
    "\u202ereversed",
)
RUNS: tuple[tuple[str, int | Sequence[str], dict[str, Any]], ...] = (
    ("image", 2, {"skill": 1.0}),
    ("text", 2, {"pretrained": False}),
    ("text", 5, {"ordered": True, "per_class": 60}),
    ("image", 102, {"per_class": 8, "skill": 0.4}),
    ("image", HOSTILE, {}),
    ("text", HOSTILE, {"hostile": True}),
)


def blank(facts: Facts, words: Words, run: Path, *_: object) -> None:
    """Stands in for the charts, which take most of the time and have tests of their own."""
    (run / "figures").mkdir(exist_ok=True)
    for stem in {b.stem for slide in story(facts, words) for b in slide.blocks if isinstance(b, Figure)}:
        Image.new("RGB", (240, 110), "white").save(run / "figures" / f"{stem}.png")
        (run / "figures" / f"{stem}.svg").write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" width="240" height="110"/>'
        )


@pytest.fixture(
    scope="module",
    params=RUNS,
    ids=lambda run: f"{run[0]}-{run[1] if isinstance(run[1], int) else 'hostile'}",
)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    modality, classes, options = request.param
    made = make_run(tmp_path_factory.mktemp("run"), modality, classes, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "draw", blank)
        build(made)
    return made


def slides(run: Path) -> list[Any]:
    return list(Presentation(str(run / "deck.pptx")).slides)


def kind(shape: Any) -> str:
    return str(shape._element.ph.get("type", "body")) if shape.is_placeholder else ""


def test_placeholders_notes_and_numbers(run: Path) -> None:
    for i, slide in enumerate(slides(run), start=1):
        kinds = [kind(s) for s in slide.placeholders]
        assert sorted(kinds) == ["body", "ftr", "sldNum", "title"]
        assert slide.shapes.title.text_frame.text.strip()
        assert slide.has_notes_slide and "From: " in slide.notes_slide.notes_text_frame.text
        number = next(s for s in slide.shapes if kind(s) == "sldNum")
        assert 'type="slidenum"' in number._element.xml and number.text_frame.text == str(i)
        footer = next(s for s in slide.shapes if kind(s) == "ftr").text_frame.text
        assert re.search(r"run  ·  \d{4}-\d\d-\d\d$|run · \d{4}-\d\d-\d\d$", footer)


def test_pictures_have_alternative_texts_and_their_own_proportions(run: Path) -> None:
    found = 0
    for slide in slides(run):
        for shape in slide.shapes:
            if shape.shape_type == MSO_SHAPE_TYPE.PICTURE:
                found += 1
                assert shape._element.nvPicPr.cNvPr.get("descr")
                w, h = shape.image.size
                assert abs(shape.width / shape.height / (w / h) - 1) < 0.05
            if shape.has_table:
                assert shape._element.nvGraphicFramePr.cNvPr.get("descr")
    assert found >= 8


def test_nothing_lies_outside_or_on_top(run: Path) -> None:
    deck = Presentation(str(run / "deck.pptx"))
    width, tall = deck.slide_width, deck.slide_height
    assert width is not None and tall is not None and abs(width / tall - 16 / 9) < 0.001
    for slide in deck.slides:
        boxes = []
        for shape in slide.shapes:
            left, top, right, bottom = (
                shape.left,
                shape.top,
                shape.left + shape.width,
                shape.top + shape.height,
            )
            assert left >= 0 and top >= 0 and right <= width and bottom <= tall, (
                slide.shapes.title.text,
                shape.name,
            )
            if shape.name != "Surface" and not shape.name.startswith("Right Arrow"):
                boxes.append((left, top, right, bottom, shape.name))
        for a, b in itertools.combinations(boxes, 2):
            across = min(a[2], b[2]) - max(a[0], b[0])
            down = min(a[3], b[3]) - max(a[1], b[1])
            assert across <= 9525 or down <= 9525, (slide.shapes.title.text, a, b)


def test_four_sizes_at_most(run: Path) -> None:
    sizes = {int(size) for slide in slides(run) for size in re.findall(r'<a:rPr[^>]*\bsz="(\d+)"', slide._element.xml)}
    assert sizes <= {5400, 2800, 1800, 1200}


def test_the_page_asks_no_network_and_runs_no_strange_script(run: Path) -> None:
    page = (run / "deck.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert page.count("<script>") == 1
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert len(re.findall(r'<section class="slide"', page)) == len(slides(run))


def test_a_broken_write_leaves_the_old_deck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, "text", 2)
    (run / "deck.pptx").write_bytes(b"as it was")

    def fail(*_: object) -> None:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(building, "draw", blank)
    monkeypatch.setattr("pptx.presentation.Presentation.save", fail)
    with pytest.raises(RuntimeError):
        build(run)
    assert (run / "deck.pptx").read_bytes() == b"as it was"
    assert [path.name for path in run.glob(".deck*")] == []
