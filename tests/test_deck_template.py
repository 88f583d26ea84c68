"""Templates of a person's own: any size, any font, their layouts; what cannot serve is told in a line."""

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from pptx import Presentation
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml.ns import qn
from pptx.util import Inches

from deck_fixture import make_run
from instar import steps
from instar.deck import build as building
from instar.deck.build import build
from instar.deck.template import KEPT, keep_template, read_template
from instar.deck.text import width
from instar.errors import UserError
from test_deck_files import HOSTILE, blank, kind
from test_deck_rendered import check_pages, office  # noqa: F401  a fixture

TEMPLATES = ("4:3 Calibri", "16:9 DejaVu Sans")


def template(path: Path, name: str) -> Path:
    """A template like those that PowerPoint makes, with a slide of its own in it."""
    shape, font = name.split(" ", 1)
    deck = Presentation()
    if shape == "16:9":
        deck.slide_width, deck.slide_height = Inches(13.333), Inches(7.5)
        boxes = [box for place in (deck.slide_master, *deck.slide_layouts) for box in place.placeholders]
        places = [(int(b.left * 4 / 3), b.top, int(b.width * 4 / 3), b.height) for b in boxes]
        for box, (left, top, width, height) in zip(boxes, places, strict=True):
            box.left, box.top, box.width, box.height = left, top, width, height
    part = deck.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    xml = re.sub(r'(<a:(?:major|minor)Font>\s*<a:latin typeface=")[^"]*', rf"\g<1>{font}", part.blob.decode())
    part._blob = re.sub(r"(<a:accent1>).*?(</a:accent1>)", r'\1<a:srgbClr val="7A1FA2"/>\2', xml, flags=re.S).encode()
    deck.slides.add_slide(deck.slide_layouts[0]).shapes.title.text = "A slide of the template"
    deck.save(str(path))
    return path


@pytest.fixture(scope="module", params=TEMPLATES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    made = make_run(folder, "image", HOSTILE, per_class=10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "draw", blank)
        build(made, template(folder / "my.pptx", request.param))
        build(made)
    return made


def test_titles_points_and_numbers_land_in_placeholders(run: Path) -> None:
    deck = Presentation(str(run / "deck.pptx"))
    assert f"template: {KEPT}" in (run / steps.EDITS).read_text(encoding="utf-8")
    points = 0
    for i, slide in enumerate(deck.slides, start=1):
        kinds = [kind(shape) for shape in slide.placeholders]
        assert set(kinds) <= {"title", "obj", "body", "ftr", "sldNum"}
        assert slide.shapes.title.text_frame.text not in ("", "A slide of the template")
        number = next(shape for shape in slide.shapes if kind(shape) == "sldNum")
        assert 'type="slidenum"' in number._element.xml and number.text_frame.text == str(i)
        bodies = [s for s in slide.placeholders if kind(s) == "obj" or s.placeholder_format.idx == 1]
        assert all(body.text_frame.text.strip() for body in bodies), "no empty prompt stays"
        points += len(bodies)
        assert slide.has_notes_slide
    assert points > 5
    assert "7A1FA2" in deck.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME).blob.decode()
    named = {run.font.name for s in deck.slides for x in s.shapes if x.has_text_frame for run in runs(x)}
    assert named <= {None, "+mn-lt"}, "no font but that of the template"


def runs(shape: Any) -> list[Any]:
    return [run for paragraph in shape.text_frame.paragraphs for run in paragraph.runs]


def test_nothing_lies_outside_or_on_top(run: Path) -> None:
    deck = Presentation(str(run / "deck.pptx"))
    assert deck.slide_width and deck.slide_height
    for slide in deck.slides:
        boxes = []
        for shape in slide.shapes:
            edges = (shape.left, shape.top, shape.left + shape.width, shape.top + shape.height)
            assert edges[0] >= 0 and edges[1] >= 0 and edges[2] <= deck.slide_width and edges[3] <= deck.slide_height
            if shape.name != "Surface" and not shape.name.startswith("Right Arrow"):
                boxes.append((*edges, shape.name))
        for a, b in itertools.combinations(boxes, 2):
            across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            assert across <= 9525 or down <= 9525, (slide.shapes.title.text, a, b)


@pytest.mark.slow
def test_libreoffice_shows_every_slide_whole(run: Path, tmp_path: Path, office: Path) -> None:  # noqa: F811
    check_pages(run, len(Presentation(str(run / "deck.pptx")).slides), tmp_path, office, footer=0.92)


def test_titles_in_capitals_are_taken_as_wider(tmp_path: Path) -> None:
    deck = Presentation(str(template(tmp_path / "plain.pptx", "4:3 Calibri")))
    plain = read_template(tmp_path / "plain.pptx").title_wider
    deck.slide_master._element.find(f".//{qn('p:titleStyle')}/{qn('a:lvl1pPr')}/{qn('a:defRPr')}").set("cap", "all")
    deck.save(str(tmp_path / "loud.pptx"))
    title = "“Common green birdwing” is found again least: 31 %, against 99 % for “Apollo”"
    louder = width(title.upper(), 20, True) / width(title, 20, True)
    assert plain == 1.0 < louder < read_template(tmp_path / "loud.pptx").title_wider


def test_what_cannot_serve_is_told_in_one_line(tmp_path: Path) -> None:
    deck = Presentation()
    for layout in list(deck.slide_layouts):
        if layout.name not in ("Title Slide", "Title Only", "Blank"):
            deck.slide_layouts.remove(layout)
    deck.save(str(tmp_path / "poor.pptx"))
    (tmp_path / "text.pptx").write_text("no presentation")
    for name, said in (("poor", "no layout with a title and a place for text"), ("text", "is no PowerPoint file")):
        with pytest.raises(UserError, match=said) as error:
            read_template(tmp_path / f"{name}.pptx")
        assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="is not there"):
        keep_template(tmp_path, tmp_path / "absent.pptx")
