"""2-audit/report.html as a person sees it: whole, safe, searchable, readable on every screen."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image

from deck_fixture import make_run
from instar import steps, store
from instar.charts.findings import CHARTS, WITHOUT
from instar.files import read_frame, write_frame
from instar.records import Audit, Decision, Finding, Plan
from instar.report.album import MOST_CLASSES, Album, looks, sheets
from instar.report.build import REPORT, read_report_words, write_report
from instar.report.svg import DARK, inline
from instar.report.tables import MOST, table

CHROMIUM = Path("/usr/bin/chromium")
NASTY = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    '"><svg onload=alert(3)>',
    "مرحبا بالعالم",
    "\x00\x0bcontrol 👩‍👩‍👧",
)


def suspects(run: Path) -> Finding:
    """What the checks on frozen features would find: labels under suspicion."""
    rows = store.read_dataset(run).part("train").head(30).select("id", "label")
    rows = rows.with_columns(
        suggested=pl.lit(NASTY[0]), probability=pl.int_range(pl.len()) / 100 + 0.5, own=pl.lit(0.01)
    )
    evidence = {"suspects": 30, "share": 0.1, "n": 300, "worst_class": NASTY[0]}
    return Finding("suspect-labels", "issue", "30 labels are probably wrong.", evidence, rows)


def audited(folder: Path, modality: str, classes: Any, **options: Any) -> Path:
    """A run up to its plan, with a finding on frozen features and one that did not run."""
    run = make_run(folder, modality, classes, **options)
    audit = store.read_audit(run)
    skipped = Finding("outliers", "skipped", "No pre-trained network is at hand.")
    store.write_audit(run, Audit((*audit.findings, suspects(run), skipped)))
    plan, _ = store.read_plan(run)
    codes = tuple(f.code for f in store.read_audit(run).findings)
    last = Decision("metric", "macro_f1", "rule", codes, "It counts {every} class <b>alike</b>.", "our judgement")
    store.write_plan(run, Plan((*plan.decisions, last)))
    return run


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = audited(tmp_path_factory.mktemp("pictures"), "image", NASTY, per_class=16)
    write_report(run)
    return run


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = audited(tmp_path_factory.mktemp("texts"), "text", NASTY, hostile=True, per_class=40)
    write_report(run)
    return run


@pytest.fixture(scope="module")
def browser() -> Any:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


def visit(browser: Any, run: Path, width: int = 1440, scheme: str = "light") -> tuple[Any, list[str]]:
    """The page in a window, and what the browser complains of or asks the network for."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else complaints.append(r.url))
    page.goto((run / REPORT).as_uri())
    return page, complaints


def test_every_finding_is_on_the_page_with_its_words(pictures: Path, texts: Path) -> None:
    for run in (pictures, texts):
        html = (run / REPORT).read_text(encoding="utf-8")
        for finding in store.read_audit(run).findings:
            assert html.count(f'id="{finding.code}"') == 1, finding.code
        assert "No pre-trained network is at hand." in html
        assert html.index('id="issue"') < html.index('id="note"') < html.index('id="passed"') < html.index('id="idle"')
        assert '<article id="suspect-labels">' in html and '<details class="finding" id="outliers">' in html


def test_words_are_complete_and_hold_no_figure() -> None:
    templates = read_report_words().templates
    for code in (*CHARTS, *WITHOUT):
        assert all(f"{group}.{code}" in templates for group in ("name", "what", "why")), code
    own = [k for k in templates if k.partition(".")[0] in ("page", "looks", "example", "name", "what", "why", "column")]
    entries = [templates[k] for k in own]
    said = [t for e in entries for t in ([e] if isinstance(e, str) else e.values())]
    assert not [text for text in said if re.search(r"\d", str(text).replace("UTF-8", ""))]


def test_hostile_names_stay_text(pictures: Path, texts: Path, browser: Any) -> None:
    for run in (pictures, texts):
        page, complaints = visit(browser, run)
        assert page.locator("script").count() == 1
        assert page.locator("img[onerror], svg[onload]").count() == 0
        assert page.get_by_text(NASTY[0], exact=False).count() > 0
        assert complaints == []
        page.close()


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out_and_charts_follow_the_light(pictures: Path, browser: Any, width: int, scheme: str) -> None:
    page, complaints = visit(browser, pictures, width, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    inks = page.evaluate("[...document.querySelectorAll('.chart svg text')].map(t => getComputedStyle(t).fill)")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = ground == "rgb(21, 28, 35)"
    assert dark == (scheme == "dark")
    assert ("rgb(232, 236, 239)" in inks) == dark and ("rgb(36, 41, 46)" in inks) == (not dark)
    assert complaints == []
    page.close()


def test_rows_can_be_searched_and_sorted_by_keyboard(pictures: Path, browser: Any) -> None:
    page, complaints = visit(browser, pictures)
    box = page.locator("#suspect-labels details.rows")
    box.locator("summary").focus()
    page.keyboard.press("Enter")
    rows = box.locator("tbody tr")
    assert rows.count() == 30 and "30 of 30" in box.locator("output").inner_text()
    wanted = rows.nth(4).locator("td").first.inner_text()
    box.locator("input").fill(wanted.upper())
    assert [r.is_visible() for r in rows.all()].count(True) == 1
    assert "1 of 30" in box.locator("output").inner_text()
    box.locator("input").fill("")
    head = box.locator("th", has_text="probability of that")
    column = ["id", "label", "suggested", "probability"].index("probability")
    for direction, first in (("ascending", "0.5"), ("descending", "0.79")):
        head.locator("button").focus()
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == direction
        assert rows.first.locator("td").nth(column).inner_text() == first
    page.evaluate("location.hash = '#outliers'")
    page.wait_for_function("document.getElementById('outliers').open")
    assert complaints == []
    page.close()


CONTRAST = """() => {
  const parts = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (c) => parts(c).slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor; if (!c.endsWith(", 0)")) return c; } return "rgb(255,255,255)"; };
  return [...document.querySelectorAll("main *, header *, nav *")].filter(e => !e.closest("svg") && e.checkVisibility()
      && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
    .map(e => { const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
      return [(a + 0.05) / (b + 0.05), e.tagName + " " + e.className + " " + e.textContent.slice(0, 40)]; })
    .filter(([ratio]) => ratio < 4.5).map(([ratio, what]) => ratio.toFixed(2) + " " + what);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_alternatives_and_headings(pictures: Path, browser: Any, scheme: str) -> None:
    page, _ = visit(browser, pictures, scheme=scheme)
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate("[...document.images].filter(i => !i.alt).length") == 0
    assert page.locator("h1").count() == 1
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))")
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert page.locator("table").count() == page.locator("table > caption").count() > 0
    assert page.locator(".chart [role=img]:not([aria-label])").count() == 0
    page.close()


def test_sealed_labels_are_not_read(pictures: Path) -> None:
    before = (pictures / REPORT).read_bytes()
    sealed = read_frame(pictures / steps.SEALED)
    write_frame(pictures / steps.SEALED, sealed.with_columns(pl.col("label").reverse()))
    write_report(pictures, redraw=False)
    assert (pictures / REPORT).read_bytes() == before
    (pictures / steps.SEALED).unlink()
    write_report(pictures, redraw=False)
    assert (pictures / REPORT).read_bytes() == before
    write_frame(pictures / steps.SEALED, sealed)


def test_the_plan_shows_once_there_is_one(tmp_path: Path) -> None:
    run = audited(tmp_path, "text", 3, per_class=20)
    write_report(run)
    planned = (run / REPORT).read_text(encoding="utf-8")
    assert "What it changed in the plan" in planned and "There is no plan yet" not in planned
    assert "It counts {every} class &lt;b&gt;alike&lt;/b&gt;." in planned
    (run / steps.PLAN).unlink()
    write_report(run, redraw=False)
    bare = (run / REPORT).read_text(encoding="utf-8")
    assert "What it changed in the plan" not in bare and "There is no plan yet" in bare


def test_every_chart_has_its_files(pictures: Path) -> None:
    html = (pictures / REPORT).read_text(encoding="utf-8")
    linked = set(re.findall(r'href="(\.\./figures/[^"]+|findings/[^"]+)"', html))
    assert linked and not [link for link in linked if not (pictures / "2-audit" / link).exists()]
    for stem in ("02-class-pictures", "02-mean-pictures"):
        assert (pictures / f"figures/{stem}.png").exists() and (pictures / f"figures/{stem}.csv").exists()


def test_classes_are_shown_by_training_pictures_alone(pictures: Path) -> None:
    dataset = store.read_dataset(pictures)
    seen = looks(dataset)
    assert [look.label for look in seen] == list(dataset.classes)
    train = set(dataset.part("train")["id"])
    assert all(set(look.ids) <= train and len(look.tiles) == len(look.ids) for look in seen)
    sheet, frame = sheets(seen)["02-class-pictures"]
    assert frame.height == len(seen) and sheet.width < 2000
    many = replace(dataset, classes=dataset.classes * MOST_CLASSES)
    assert len(looks(many)) == MOST_CLASSES


def test_a_mean_picture_is_the_mean(tmp_path: Path) -> None:
    run = make_run(tmp_path, "image", 2, per_class=20, twins=False)
    dataset = store.read_dataset(run)
    for i, path in enumerate(dataset.part("train")["input"]):
        Image.new("RGB", (40, 30), (100 if i % 2 else 200, 50, 50)).save(Path(dataset.root) / path)
    for look in looks(dataset):
        n = dataset.part("train").filter(pl.col("label") == look.label).height
        red = look.mean.getpixel((5, 5))[0]  # type: ignore[index]
        assert abs(red - 150) <= 100 / n + 1


def test_room_for_pictures_is_bounded(tmp_path: Path) -> None:
    Image.effect_noise((400, 300), 90).convert("RGB").save(tmp_path / "it.png")
    album = Album(left=30_000)
    kept = [album.thumbnail(tmp_path / "it.png") for _ in range(9)]
    assert kept[0].startswith("data:image/jpeg;base64,") and kept[-1] == ""
    assert sum(map(len, kept)) < 2 * 60_000


def test_long_tables_are_cut_and_say_where_the_rest_is() -> None:
    rows = pl.DataFrame({"id": [f"row {i}" for i in range(MOST + 5)], "text": ["<b>" + "x" * 999] * (MOST + 5)})
    html = table(Finding("mojibake", "issue", "Lost.", {}, rows), read_report_words())
    assert html.count("<tr>") == MOST + 1 and "findings/mojibake.csv" in html and f"{MOST + 5}" in html
    assert "<b>" not in html and "x" * 300 not in html


def test_charts_on_one_page_do_not_share_ids() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="5"><rect fill="white" width="10" height="5"/>'
        '<defs><clipPath id="c"/></defs><g clip-path="url(#c)" aria-label="x" role="img"><text>1.23456</text>'
        '<path d="M1.23456,2"/></g></svg>'
    )
    made = inline(svg, "one")
    assert 'id="one-c"' in made and "url(#one-c)" in made and 'fill="white"' not in made
    assert "1.23456</text>" in made and "M1.23,2" in made and "aria-label" not in made
    assert all(re.fullmatch(r"#[0-9A-F]{6}", dark) for dark in DARK.values())
