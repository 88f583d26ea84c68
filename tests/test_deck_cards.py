"""report.md, MODEL_CARD.md and DATA_CARD.md: valid, whole, and inert whatever the names."""

import re
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import DatasetCard, ModelCard
from huggingface_hub.repocard_data import model_index_to_eval_results
from markdown_it import MarkdownIt

from deck_fixture import make_run
from instar import store
from instar.deck import build as building
from instar.deck.build import build
from instar.deck.markdown import md
from instar.records import Slide
from test_deck_files import HOSTILE, blank

RUNS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "image": ("image", HOSTILE, {}),
    "text": ("text", HOSTILE, {"hostile": True, "per_class": 40}),
}


@pytest.fixture(scope="module", params=RUNS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Slide, ...]]:
    modality, classes, options = RUNS[request.param]
    run = make_run(tmp_path_factory.mktemp("cards"), modality, classes, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "draw", blank)
        return run, build(run)


def html(path: Path) -> str:
    text = re.sub(r"\A---\n.*?\n---\n", "", path.read_text(encoding="utf-8"), flags=re.S)
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


def test_the_report_tells_every_slide(built: tuple[Path, tuple[Slide, ...]]) -> None:
    run, slides = built
    page = html(run / "report.md")
    assert page.count("<h2>") == len(slides) and page.count("Notes:") >= len(slides)
    assert page.count("<table>") >= 4
    linked = re.findall(r'src="([^"]+)"', page)
    assert len(linked) >= 8
    assert all(not name.startswith("/") and (run / name).is_file() for name in linked), "links hold where the run lies"
    assert {p.relative_to(run).as_posix() for p in (run / "figures/shown").glob("*.jpg")} <= set(linked)


def test_nothing_of_the_data_becomes_markup(built: tuple[Path, tuple[Slide, ...]]) -> None:
    run, _ = built
    for name in ("report.md", "MODEL_CARD.md", "DATA_CARD.md"):
        page = html(run / name)
        assert not re.search(r"<(?!/?(?:h\d|p|em|strong|ul|li|table|thead|tbody|tr|t[hd]|img|br|blockquote)\b)", page)
        assert "<a " not in page and "javascript:" not in page
    assert "&lt;script&gt;" in html(run / "report.md")


@pytest.mark.parametrize(
    "text",
    ["<script>x</script>", "[a](http://b.c)", "![a](b)", "`a`", "a | b", "1. one", "- x", "# y", "$x^2$", "www.a.de"],
)
def test_any_text_stays_text(text: str) -> None:
    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(md(text))
    inner = re.fullmatch(r"<p>(.*)</p>\n", shown)
    assert inner and not re.search(r"<", inner[1])
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("&quot;", '"')):
        inner_text = shown.replace(entity, letter)
        shown = inner_text
    assert text in shown


def test_the_model_card_is_one_of_the_hub(built: tuple[Path, tuple[Slide, ...]]) -> None:
    run, _ = built
    card = ModelCard.load(run / "MODEL_CARD.md", ignore_metadata_errors=False)
    evaluation = store.read_evaluation(run)
    data = card.data.to_dict()
    assert data["license"] and "instar" in data["tags"] and data["datasets"] and data["metrics"]
    assert data["pipeline_tag"] in ("image-classification", "text-classification")
    results = card.data.eval_results or model_index_to_eval_results(data["model-index"])[1]
    tuned = {s.metric: s for s in evaluation.scores if s.subject == "tuned"}
    assert {r.metric_type for r in results} == set(tuned)
    for result in results:
        score, args = tuned[result.metric_type], result.metric_args
        assert isinstance(args, dict)
        assert result.metric_value == pytest.approx(score.value, abs=1e-4)
        assert args["low"] <= result.metric_value <= args["high"]
        assert args["n"] == score.n and result.dataset_split == "test"
    heads = re.findall(r"^## (.*)$", card.text, re.M)
    assert heads[:5] == ["Intended use", "Limits", "Training data", "Training procedure", "Evaluation"]
    limits = card.text.partition("## Limits")[2].partition("##")[0]
    assert limits.count("\n- ") >= 3, "limits follow from findings"


def test_the_data_card_is_one_of_the_hub(built: tuple[Path, tuple[Slide, ...]]) -> None:
    run, _ = built
    card = DatasetCard.load(run / "DATA_CARD.md", ignore_metadata_errors=False)
    data, dataset = card.data.to_dict(), store.read_dataset(run)
    assert data["license"] and data["size_categories"] == ["n<1K"] and data["task_categories"]
    table = card.text.partition("## Classes")[2].partition("##")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(rows) == len(dataset.classes)
    counted = [sum(int(n) for n in re.findall(r"\| (\d+) (?=\|)", row)) for row in rows]
    assert sum(counted) == dataset.part("train", "val", "test").height
