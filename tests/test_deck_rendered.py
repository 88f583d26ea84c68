"""The decks as a person sees them: rendered by LibreOffice and by Chromium, measured for overflow."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deck_fixture import make_run
from instar.deck.build import build
from test_deck_files import HOSTILE

CHROMIUM = Path("/usr/bin/chromium")
TABLES = {"image-5": ("image", 5, {}), "text-hostile": ("text", HOSTILE, {"hostile": True, "per_class": 40})}
MANY: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "image-2": ("image", 2, {}),
    "image-75": ("image", 75, {"per_class": 20}),
    "image-102": ("image", 102, {"per_class": 14, "pretrained": False}),
    "image-hostile": ("image", HOSTILE, {}),
    "text-5": (
        "text",
        ("1 star", "2 stars", "3 stars", "4 stars", "5 stars"),
        {"ordered": True, "per_class": 80},
    ),
    **TABLES,
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run with hostile texts, with real charts."""
    run = make_run(tmp_path_factory.mktemp("run"), "text", HOSTILE, hostile=True, per_class=30)
    build(run)
    return run


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile of LibreOffice, which it takes seconds to set up, for all decks."""
    return tmp_path_factory.mktemp("office")


def pages(
    run: Path, tmp_path: Path, office: Path
) -> list[tuple[float, float, list[tuple[float, float, float, float, str]]]]:
    """Width, height and words (box and text) of each page of the presentation as LibreOffice shows it."""
    for program in ("soffice", "pdftotext"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    command = [
        "soffice",
        "--headless",
        f"-env:UserInstallation=file://{office}",
        "--convert-to",
        "pdf",
    ]
    command += ["--outdir", str(tmp_path), str(run / "deck.pptx")]
    surroundings = {**os.environ, "HOME": str(office)}
    subprocess.run(command, check=True, capture_output=True, timeout=240, env=surroundings)
    pdf = tmp_path / "deck.pdf"
    boxes = subprocess.run(["pdftotext", "-bbox", str(pdf), "-"], check=True, capture_output=True, text=True).stdout
    found = []
    for page in boxes.split("<page ")[1:]:
        size = [float(x) for x in re.findall(r'(?:width|height)="([\d.]+)"', page)[:2]]
        word = r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>'
        words = [(float(a), float(b), float(c), float(d), t) for a, b, c, d, t in re.findall(word, page)]
        found.append((size[0], size[1], words))
    return found


def check_pages(run: Path, slides: int, tmp_path: Path, office: Path, footer: float = 7.0 / 7.5) -> None:
    """As many pages as slides; every word lies on its page, and none runs into the footer."""
    shown = pages(run, tmp_path, office)
    assert len(shown) == slides
    for number, (width, tall, words) in enumerate(shown, start=1):
        assert words
        foot = footer * tall
        for left, top, right, bottom, text in words:
            assert left >= 0 and right <= width + 1 and top >= 0 and bottom <= tall, (number, text)
            assert bottom <= foot + 2 or top >= foot - 1, (number, text, "runs into the footer")


def test_libreoffice_shows_every_slide_whole(built: Path, tmp_path: Path, office: Path) -> None:
    html = (built / "deck.html").read_text(encoding="utf-8")
    check_pages(built, html.count('<section class="slide"'), tmp_path, office)


@pytest.mark.slow
@pytest.mark.parametrize("name", MANY)
def test_many_decks_in_libreoffice(name: str, tmp_path: Path, office: Path) -> None:
    modality, classes, options = MANY[name]
    run = make_run(tmp_path, modality, classes, **options)
    check_pages(run, len(build(run)), tmp_path, office)


@pytest.fixture(scope="module")
def browser() -> Any:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


def test_the_page_in_a_browser(built: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((built / "deck.html").as_uri())
    slides = page.locator(".slide").count()

    def now() -> int:
        visible = [i for i in range(slides) if page.locator(".slide").nth(i).is_visible()]
        assert len(visible) == 1
        return visible[0]

    assert now() == 0
    for key, expected in (
        ("ArrowRight", 1),
        ("End", slides - 1),
        ("ArrowRight", slides - 1),
        ("Home", 0),
        ("ArrowLeft", 0),
    ):
        page.keyboard.press(key)
        assert now() == expected, key
    page.keyboard.press("n")
    assert page.locator(".slide.now aside").is_visible()
    page.keyboard.press("n")
    assert not page.locator(".slide.now aside").is_visible()
    page.keyboard.press("o")
    assert page.locator(".slide").nth(slides - 1).is_visible()
    page.locator(".slide").nth(2).click()
    assert now() == 2
    page.locator("#on").focus()
    page.keyboard.press("Enter")
    assert now() == 3

    overflow = """() => [...document.querySelectorAll(".stage, .text, td, th")]
        .filter(e => e.offsetParent)
        .filter(e => e.scrollHeight > e.clientHeight + 2 || e.scrollWidth > e.clientWidth + 2)
        .map(e => e.className + ": " + e.textContent.slice(0, 60))"""
    for number in range(slides):
        page.evaluate("n => { location.hash = '#' + n }", number + 1)
        page.wait_for_function("n => document.querySelectorAll('.slide')[n].classList.contains('now')", arg=number)
        assert page.evaluate(overflow) == [], number + 1
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    page.close()


@pytest.mark.parametrize(("wide", "tall"), [(390, 844), (844, 390)], ids=["upright", "lying"])
def test_a_phone_shows_the_slide_whole(built: Path, browser: Any, wide: int, tall: int) -> None:
    phone = browser.new_context(viewport={"width": wide, "height": tall}, is_mobile=True, has_touch=True)
    page = phone.new_page()
    page.goto((built / "deck.html").as_uri())
    assert page.evaluate("[innerWidth, innerHeight, visualViewport.scale]") == [wide, tall, 1]
    box = page.locator(".slide.now .stage").bounding_box()
    assert box["x"] >= -1 and box["x"] + box["width"] <= wide + 1
    assert box["y"] >= -1 and box["y"] + box["height"] <= tall + 1
    assert box["width"] > wide - 2 or box["height"] > tall - 2
    phone.close()


def test_it_prints_a_slide_a_page(built: Path, browser: Any, tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto((built / "deck.html").as_uri())
    slides = page.locator(".slide").count()
    page.pdf(path=str(tmp_path / "print.pdf"), prefer_css_page_size=True)
    page.close()
    content = (tmp_path / "print.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == slides


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_mind(built: Path, browser: Any, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    shown = browser.new_context(viewport={"width": 1280, "height": 720}, color_scheme=scheme)
    page = shown.new_page()
    page.goto((built / "deck.html").as_uri())
    for number, key in ((1, ""), (2, "n"), (4, "n"), (8, ""), (8, "o")):
        page.evaluate("n => { location.hash = '#' + n }", number)
        page.wait_for_function("n => document.querySelectorAll('.slide')[n].classList.contains('now')", arg=number - 1)
        if key:
            page.keyboard.press(key)
        minded = axe.Axe().run(page).response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in minded] == [], (number, key)
    shown.close()


def test_charts_answer_to_the_mouse(built: Path, browser: Any) -> None:
    """What stands under the mouse is the row of the chart's own table, and a hostile name in it is text."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto((built / "deck.html").as_uri())
    told = set()
    for number in range(page.locator(".slide").count()):
        page.evaluate("n => { location.hash = '#' + n }", number + 1)
        page.wait_for_function("n => document.querySelectorAll('.slide')[n].classList.contains('now')", arg=number)
        marks = page.locator(".slide.now [data-tip]")
        if not marks.count():
            continue
        box = marks.first.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_selector("#tip:not([hidden])")
        lines = page.locator("#tip p").all_inner_texts()
        assert lines and all(": " in line for line in lines)
        seen = page.locator("#tip").bounding_box()
        assert (
            seen["x"] >= 0
            and seen["y"] >= 0
            and seen["x"] + seen["width"] <= 1280
            and seen["y"] + seen["height"] <= 720
        )
        told.add(lines[0].partition(":")[0])
    assert len(told) >= 3
    assert page.locator("#tip script, #tip b").count() == 0
    page.mouse.move(5, 5)
    assert page.locator("#tip").is_hidden()
    page.close()
