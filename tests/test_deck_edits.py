"""deck.yaml: written once, kept by every rebuild, its changes on the slides, its mistakes told in a line."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from PIL import Image
from pptx import Presentation

from deck_fixture import make_run
from instar import files, steps
from instar.deck import build as building
from instar.deck.build import build
from instar.deck.edits import Edits, Entry
from instar.deck.own import edited
from instar.deck.words import read_words
from instar.errors import UserError
from instar.records import Points, Slide
from test_deck_files import blank

WORDS = read_words()
STORY = tuple(Slide(key, "part", f"Title of {key}", (Points(("one",)),), "notes", ()) for key in "abcd")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "draw", blank)
        made = make_run(tmp_path_factory.mktemp("edits"), "text", 2, per_class=20)
        build(made)
        yield made


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def titles(run: Path) -> list[str]:
    return [slide.shapes.title.text_frame.text for slide in Presentation(str(run / "deck.pptx")).slides]


def change(run: Path, old: str, new: str) -> None:
    text = (run / steps.EDITS).read_text(encoding="utf-8")
    assert old in text
    (run / steps.EDITS).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_file_lists_every_slide_with_its_title(finished: Path) -> None:
    text = (finished / steps.EDITS).read_text(encoding="utf-8")
    listed = yaml.safe_load(text)
    shown = titles(finished)
    assert len(listed["slides"]) == len(shown) == len(listed["offered"])
    for line, title in zip([x for x in text.splitlines() if x.startswith("- id: ")], shown, strict=True):
        assert title[:60].replace("\v", " ") in line


def test_a_rebuild_keeps_the_changes_and_the_file(run: Path) -> None:
    Image.new("RGB", (300, 200), "teal").save(run / "photo.png")
    text = (run / steps.EDITS).read_text(encoding="utf-8")
    lines = text.splitlines()
    moved = [x for x in lines if not x.startswith(("- id: limits", "- id: next"))]
    at = moved.index("slides:") + 1
    moved[at:at] = [
        "- id: next",
        "  title: 'My <b>own</b> title with {braces} and $x$'",
        "  text: [A point of mine]",
        "- title: Thank you",
        "  part: The end",
        "  text: Questions?",
        "  pictures: {file: photo.png, caption: Us, alt: Two people}",
    ]
    (run / steps.EDITS).write_text("\n".join(moved), encoding="utf-8")
    for _ in range(2):
        slides = build(run)
        shown = titles(run)
        assert shown[:2] == ["My <b>own</b> title with {braces} and $x$", "Thank you"]
        assert "limits" not in [s.key for s in slides] and len(slides) == len(lines_of(text))
        assert (run / steps.EDITS).read_text(encoding="utf-8") == "\n".join(moved)
    page = (run / "deck.html").read_text(encoding="utf-8")
    assert "<b>own" not in page and "&lt;b&gt;own" in page and "A point of mine" in page and 'alt="Two people"' in page
    notes = Presentation(str(run / "deck.pptx")).slides[0].notes_slide.notes_text_frame.text
    was = next(x for x in lines if x.startswith("- id: next")).partition("# ")[2]
    assert was[:40] in notes and "From: " in notes
    assert "A point of mine" in (run / "report.md").read_text(encoding="utf-8")


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("- id: ")]


def test_a_file_without_changes_follows_the_figures(run: Path) -> None:
    change(run, "# Not", "# An old title: Not") if "# Not" in (run / steps.EDITS).read_text() else None
    line = lines_of((run / steps.EDITS).read_text(encoding="utf-8"))[0]
    change(run, line, "- id: result  # an old title")
    build(run)
    assert lines_of((run / steps.EDITS).read_text(encoding="utf-8"))[0] == line


def keys(slides: tuple[Slide, ...]) -> str:
    return "".join(slide.key for slide in slides)


def test_order_drops_and_new_slides(tmp_path: Path) -> None:
    asked = Edits((Entry("c"), Entry("a")), offered=("a", "b", "c"))
    assert keys(edited(STORY, asked, tmp_path, WORDS)) == "cda", "b was dropped, d is new and stands behind c"
    new = (Slide("z", "part", "First", (), "", ()), *STORY)
    assert keys(edited(new, asked, tmp_path, WORDS)) == "zcda", "what comes first stays first"
    gone = Edits((Entry("a"), Entry("old")), offered=("a", "old", "b", "c", "d"))
    assert keys(edited(STORY, gone, tmp_path, WORDS)) == "a", "a slide that this result has no more is passed over"
    assert edited(STORY, Edits(()), tmp_path, WORDS) == STORY


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("slides: [{id: resullt}]\noffered: [result]", "did you mean result?"),
        ("slides: [{id: result}, {id: result}]", "stands there twice"),
        ("slides: [{text: alone}]", "neither id nor title"),
        ("slides: [{id: result, part: x}]", "remove it from result"),
        ("slides: [{id: result, colour: red}]", "unknown key slides.0.colour"),
        ("slides: [{id: result, pictures: none.png}]", "none.png is not there; put it"),
        ("slides: [{id: result, pictures: ../secret.png}]", "lies outside the run"),
        ("slides: [{id: result, pictures: README}]", "save it as PNG or JPEG"),
        ("slides: [{id: next, text: [a, b, c, d, e, f]}]", "but a slide holds 5"),
        ("slides: []\noffered: [result]", "delete the file to begin anew"),
        ("slides: [\n", "not valid YAML"),
        ("{}", "slides"),
        ("slides: []\ntemplate: x.pptx", "template: x.pptx is no file of this run"),
        ("slides: [{id: result, title: [a]}]", "slides.0.title"),
    ],
)
def test_mistakes_are_told_in_one_line(run: Path, content: str, said: str) -> None:
    (run / "README").write_text("no picture")
    everything = [line.split()[2] for line in lines_of((run / steps.EDITS).read_text(encoding="utf-8"))]
    if content == "slides: []\noffered: [result]":
        content = f"slides: []\noffered: [{', '.join(everything)}]"
    (run / steps.EDITS).write_text(content, encoding="utf-8")
    before = (run / "deck.pptx").read_bytes()
    with pytest.raises(UserError) as error:
        build(run)
    assert said in str(error.value) and "\n" not in str(error.value) and steps.EDITS in str(error.value)
    assert (run / "deck.pptx").read_bytes() == before
    assert (run / steps.EDITS).read_text(encoding="utf-8") == content


def test_an_edit_makes_the_step_run_again(run: Path) -> None:
    reads = steps.STEPS["deck"].reads
    assert steps.EDITS in reads and steps.OWN in reads
    (run / steps.OWN).mkdir()
    seen = {}
    for name, content in (("none", None), ("one", b"1"), ("two", b"2")):
        if content:
            (run / steps.OWN / "photo.png").write_bytes(content)
        seen[name] = files.digest_below(run, steps.OWN)
    assert len(set(seen.values())) == 3
