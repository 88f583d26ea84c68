"""2-audit/report.html as a person sees it: whole, safe, searchable, readable on every screen."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
import vl_convert
from PIL import Image

from deck_fixture import make_run
from instar import steps, store
from instar.charts import theme
from instar.charts.findings import CHARTS, WITHOUT, drawings
from instar.charts.inline import DARK, inline
from instar.deck.facts import read_facts
from instar.deck.figures import charts, inert_finding, labelled
from instar.deck.story import story
from instar.files import digest_below, read_frame, write_frame
from instar.records import Audit, Decision, Finding, Plan
from instar.report.album import MOST_CLASSES, Album, looks, sheets
from instar.report.build import REPORT, charts_of, read_report_words, told_again, write_report
from instar.report.examples import chosen
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
    machine = store.read_machine(run)
    machine["steps"]["plan"]["reads"] = {file: digest_below(run, file) for file in steps.STEPS["plan"].reads}
    store.write_yaml(run / steps.MACHINE, machine)
    return run


@pytest.fixture(scope="module", autouse=True)
def drawn_once() -> Iterator[None]:
    """A description of a chart is drawn once: the pages here hold the same charts again and again."""

    @cache
    def svg(spec: str) -> str:
        return str(vl_convert.vegalite_to_svg(spec))

    @cache
    def png(svg: str, scale: float) -> bytes:
        return bytes(vl_convert.svg_to_png(svg, scale=scale))

    kept = SimpleNamespace(vegalite_to_svg=lambda spec: svg(json.dumps(spec)), svg_to_png=png)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(theme, "vl_convert", kept)
        yield


@pytest.fixture(scope="module")
def pictures(drawn_once: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = audited(tmp_path_factory.mktemp("pictures"), "image", NASTY, per_class=16)
    write_report(run)
    return run


@pytest.fixture(scope="module")
def texts(drawn_once: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
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
    write_report(pictures)
    assert (pictures / REPORT).read_bytes() == before
    (pictures / steps.SEALED).unlink()
    write_report(pictures)
    assert (pictures / REPORT).read_bytes() == before
    write_frame(pictures / steps.SEALED, sealed)


def test_the_plan_shows_once_there_is_one(tmp_path: Path) -> None:
    run = audited(tmp_path, "text", 3, per_class=20)
    write_report(run)
    planned = (run / REPORT).read_text(encoding="utf-8")
    assert "What it changed in the plan" in planned and "There is no plan yet" not in planned
    assert "It counts {every} class &lt;b&gt;alike&lt;/b&gt;." in planned
    (run / steps.PLAN).unlink()
    assert told_again(run)
    bare = (run / REPORT).read_text(encoding="utf-8")
    assert "What it changed in the plan" not in bare and "There is no plan yet" in bare
    write_report(run)
    assert (run / REPORT).read_text(encoding="utf-8") == bare


def test_a_later_plan_shows_on_a_page_of_this_audit_without_the_pictures(tmp_path: Path) -> None:
    run = audited(tmp_path, "image", 3, per_class=12)
    assert not told_again(run)
    write_report(run)
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    plan, _ = store.read_plan(run)
    last = replace(plan.live()["metric"], reason="It is said <!--/plan--> to be better.")
    store.write_plan(run, Plan((*plan.decisions, last)))
    for _ in range(2):
        assert told_again(run)
        html = (run / REPORT).read_text(encoding="utf-8")
        assert "It is said &lt;!--/plan--&gt; to be better." in html and "It counts {every} class" not in html
    store.write_audit(run, Audit(store.read_audit(run).findings[1:]))
    assert not told_again(run)
    assert (run / REPORT).read_text(encoding="utf-8") == html


def test_a_plan_that_rests_on_another_audit_is_not_told_as_if_it_did(tmp_path: Path) -> None:
    run = audited(tmp_path, "text", 3, per_class=20)
    machine = store.read_machine(run)
    machine["steps"]["plan"]["reads"] = {steps.AUDIT: "another"}
    store.write_yaml(run / store.MACHINE, machine)
    write_report(run)
    html = (run / REPORT).read_text(encoding="utf-8")
    assert "The plan rests on an earlier audit" in html and "What it changed in the plan" not in html


def test_pictures_that_vanished_are_left_out_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = audited(tmp_path, "image", 3, per_class=20)
    dataset = store.read_dataset(run)
    train = dataset.part("train")
    suspected = store.read_audit(run)["suspect-labels"].rows["id"][0]
    gone = train.filter(pl.col("label") == dataset.classes[0])["id"].to_list()
    for name in gone:
        (Path(dataset.root) / name).unlink()
    (Path(dataset.root) / train["id"][-1]).write_bytes(b"")
    album = Album()
    assert [look.label for look in looks(dataset, album)] == list(dataset.classes[1:])
    assert {path.relative_to(dataset.root).as_posix() for path in album.lost} == {*gone, train["id"][-1]}
    write_report(run)
    html = (run / REPORT).read_text(encoding="utf-8")
    assert suspected in gone and 'src="None"' not in html
    told = capsys.readouterr().err
    assert f"that can no longer be read: {len(gone) + 1}, among them" in told


def test_a_chart_that_cannot_be_drawn_is_told_and_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = audited(tmp_path, "text", 3, per_class=20)

    def broken(found: Finding, table: pl.DataFrame) -> Any:
        if found.code == "class-counts":
            raise KeyError("planted")
        return drawings(found, table)

    monkeypatch.setattr("instar.report.build.drawings", broken)
    write_report(run)
    html = (run / REPORT).read_text(encoding="utf-8")
    assert "01-class-counts" not in html and "02-suspect-labels.png" in html
    told = capsys.readouterr().err
    assert "the chart of class-counts cannot be drawn (KeyError('planted'))" in told and told.count("cannot be") == 1
    with pytest.raises(KeyError):
        charts_of(store.read_audit(run)["class-counts"], labelled(store.read_dataset(run)), run / "figures")


def numbered(run: Path) -> tuple[Finding, ...]:
    """Findings whose names of classes, wherever they stand, are numbers."""
    rows = store.read_dataset(run).part("train").head(20).select("id", "label", "split")
    other = rows.reverse().rename({name: f"other_{name}" for name in rows.columns})
    names = [str(i) for i in range(10)]
    probe = {
        "accuracy": 0.8,
        "low": 0.75,
        "high": 0.85,
        "majority": 0.1,
        "n": 200,
        "hardest": "7",
        "judged_by": "accuracy",
    }
    pairs = {"pairs": 20, "across_classes": 20, "across_splits": 0, "test_with_near_copy": 0, "class_pairs": []}
    place = pl.int_range(20, eager=True).cast(pl.Float64)
    return (
        Finding("separability", "note", "So.", probe, pl.DataFrame({"class": names}).with_columns(n=9, recall=0.5)),
        Finding("suspect-labels", "issue", "So.", {"suspects": 20, "share": 0.1, "n": 200, "worst_class": "0"},
                rows.select("id", "label", suggested=pl.lit("3"), probability=place / 30, own=pl.lit(0.1))),
        Finding("feature-twins", "issue", "So.", pairs,
                pl.concat([rows, other], how="horizontal").with_columns(similarity=pl.lit(0.99))),
        Finding("confusable-classes", "note", "So.", {"pairs": 1},
                pl.DataFrame({"first": ["1"], "second": ["2"], "share": [0.3], "n": [6]})),
        Finding("feature-map", "passed", "So.", {"method": "t-SNE"}, rows.select("id", "label", x=place, y=-place)),
    )  # fmt: skip


def test_pairs_that_can_be_read_come_first() -> None:
    rows = pl.DataFrame(
        {
            "id": ["a", "b", "c"],
            "other_id": ["x", "y", "z"],
            "label": ["1", "1", "1"],
            "other_label": ["2", "1", "1"],
            "split": ["train"] * 3,
            "other_split": ["train"] * 3,
            "similarity": [0.99, 0.98, 0.97],
        }
    )
    found = Finding("near-twins", "issue", "So.", {"pairs": 3}, rows)
    words, dataset = read_report_words(), Any
    assert [g.ids[0] for g in chosen(found, dataset, words)] == ["a", "b", "c"]  # type: ignore[arg-type]
    assert [g.ids[0] for g in chosen(found, dataset, words, ("x", "b"))] == ["c", "a", "b"]  # type: ignore[arg-type]


@pytest.mark.parametrize("modality", ["image", "text"])
def test_classes_may_be_called_by_numbers(modality: str, tmp_path: Path) -> None:
    run = make_run(tmp_path, modality, [str(i) for i in range(10)], per_class=12)
    audit = Audit((*store.read_audit(run).findings, *numbered(run)))
    store.write_audit(run, audit)
    kept, dataset, words = store.read_audit(run), store.read_dataset(run), read_report_words()
    table = labelled(dataset)
    for before, after in zip(audit.findings, kept.findings, strict=True):
        assert after == before and after.rows.equals(before.rows) and after.rows.schema == before.rows.schema
        assert len(drawings(inert_finding(after), table)) == len(drawings(inert_finding(before), table))
        assert [g.captions for g in chosen(after, dataset, words)] == [
            g.captions for g in chosen(before, dataset, words)
        ]
    write_report(run)
    assert "looks like “3”" in (run / REPORT).read_text(encoding="utf-8")
    facts = read_facts(run)
    slides = story(facts, words)
    assert {"difficulty", "suspects", "near"} <= {slide.key for slide in slides}
    assert "02-separability" in [stem for stem, *_ in charts(facts, words, slides)]


def test_every_chart_has_its_files(pictures: Path) -> None:
    html = (pictures / REPORT).read_text(encoding="utf-8")
    linked = set(re.findall(r'href="(\.\./figures/[^"]+|findings/[^"]+)"', html))
    assert linked and not [link for link in linked if not (pictures / "2-audit" / link).exists()]
    for stem in ("02-class-pictures", "02-mean-pictures"):
        assert (pictures / f"figures/{stem}.png").exists() and (pictures / f"figures/{stem}.csv").exists()


def test_classes_are_shown_by_training_pictures_alone(pictures: Path) -> None:
    dataset = store.read_dataset(pictures)
    seen = looks(dataset, Album())
    assert [look.label for look in seen] == list(dataset.classes)
    train = set(dataset.part("train")["id"])
    assert all(set(look.ids) <= train and len(look.tiles) == len(look.ids) for look in seen)
    sheet, frame = sheets(seen)["02-class-pictures"]
    assert frame.height == len(seen) and sheet.width < 2000
    many = replace(dataset, classes=dataset.classes * MOST_CLASSES)
    assert len(looks(many, Album())) == MOST_CLASSES


def test_a_mean_picture_is_the_mean(tmp_path: Path) -> None:
    run = make_run(tmp_path, "image", 2, per_class=20, twins=False)
    dataset = store.read_dataset(run)
    for i, path in enumerate(dataset.part("train")["input"]):
        Image.new("RGB", (40, 30), (100 if i % 2 else 200, 50, 50)).save(Path(dataset.root) / path)
    for look in looks(dataset, Album()):
        n = dataset.part("train").filter(pl.col("label") == look.label).height
        red = look.mean.getpixel((5, 5))[0]  # type: ignore[index]
        assert abs(red - 150) <= 100 / n + 1


def test_room_for_pictures_is_bounded(tmp_path: Path) -> None:
    Image.effect_noise((400, 300), 90).convert("RGB").save(tmp_path / "it.png")
    album = Album(left=30_000)
    kept = [album.thumbnail(tmp_path / "it.png") for _ in range(9)]
    assert str(kept[0]).startswith("data:image/jpeg;base64,") and kept[-1] == ""
    assert sum(len(str(one)) for one in kept) < 2 * 60_000


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
