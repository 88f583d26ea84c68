"""Every chart of the deck, drawn into figures/ as SVG, PNG and CSV."""

from collections.abc import Container, Iterator, Sequence
from pathlib import Path

import polars as pl

from instar.audit.balance import MINIMUM
from instar.charts import audit as data_charts
from instar.charts import backbones as backbone_charts
from instar.charts import confidence as confidence_charts
from instar.charts import evaluation as result_charts
from instar.charts import reasons as reason_charts
from instar.charts import slices as slice_charts
from instar.charts import study as study_charts
from instar.charts import training as training_charts
from instar.charts.findings import drawings
from instar.charts.subsets import subsets as subset_chart
from instar.charts.theme import Chart, save
from instar.charts.worth import worth as worth_chart
from instar.deck.facts import Facts
from instar.deck.story import backbones as compared
from instar.deck.story import slices
from instar.deck.story.confidence import shown_sets
from instar.deck.story.hidden import CHARTED
from instar.deck.story.opening import kept
from instar.deck.story.scores import headlines
from instar.deck.story.subsets import shown
from instar.deck.story.worth import STEM, charted
from instar.deck.text import clean
from instar.deck.words import Words
from instar.records import Dataset, Evaluation, Figure, Finding, Json, Slide, Stage

FROZEN = "never"
"""How the drawing of a network is told that a group stayed frozen."""
UNDRAWN = ("input", "other_input", "other_id")
"""Columns of findings that no chart draws."""
Drawn = tuple[str, Chart, pl.DataFrame]
"""Stem of the file, chart, the table behind it."""


def draw(facts: Facts, words: Words, run: Path, slides: Sequence[Slide]) -> None:
    """Draw all charts that this run has something for."""
    for stem, chart, frame in charts(facts, words, slides):
        save(chart, frame, run / "figures", stem)


def charts(facts: Facts, words: Words, slides: Sequence[Slide]) -> Iterator[Drawn]:
    """All charts, those of findings as far as the slides show them."""
    shown = {block.stem for slide in slides for block in slide.blocks if isinstance(block, Figure)}
    yield from _data(facts, words)
    yield from _hidden(facts, shown)
    yield from _model(facts, words)
    yield from _result(facts, words)


def inert(frame: pl.DataFrame) -> pl.DataFrame:
    """A table without the control characters that a renderer of SVG ends the whole process on."""
    return frame.with_columns(_inert_column(frame[name]) for name, kind in frame.schema.items() if kind == pl.String)


def _inert_column(column: pl.Series) -> pl.Series:
    """Each value is looked at once, however often it stands there."""
    values = column.unique().drop_nulls()
    return column.replace_strict(values, [clean(text) for text in values], default=None, return_dtype=pl.String)


def inert_finding(finding: Finding) -> Finding:
    """A finding whose strings can be drawn; without the columns that no chart draws, which may be whole texts."""
    evidence: dict[str, Json] = _inert(dict(finding.evidence))
    rows = inert(finding.rows.drop(UNDRAWN, strict=False))
    return Finding(finding.code, finding.verdict, clean(finding.sentence), evidence, rows)


def _inert(value: Json) -> Json:
    match value:
        case str(text):
            return clean(text)
        case dict(entries):
            return {_inert(key): _inert(entry) for key, entry in entries.items()}
        case list(items) | tuple(items):
            return [_inert(item) for item in items]
        case other:
            return other


def labelled(dataset: Dataset) -> pl.DataFrame:
    """What charts of findings need of the examples: label, where it is not sealed, and what was measured."""
    return inert(dataset.part("train", "val", "test").select("label", "^measure\\..*$"))


def _hidden(facts: Facts, shown: Container[str]) -> Iterator[Drawn]:
    """The charts of what a person would have missed, as far as slides show them."""
    table = labelled(facts.dataset)
    for code in CHARTED:
        found = facts.finding(code)
        for drawing in drawings(inert_finding(found), table) if found is not None else ():
            if drawing.stem in shown:
                yield drawing.stem, drawing.chart, drawing.frame


def _data(facts: Facts, words: Words) -> Iterator[Drawn]:
    counts, sizes, lengths = (facts.finding(code) for code in ("class-counts", "sizes", "lengths"))
    if counts is not None:
        frame = inert(counts.rows.select("class", "n"))
        yield "01-class-counts", data_charts.class_counts(frame, MINIMUM), frame
    if sizes is not None and sizes.rows.height > 1:
        frame = sizes.rows.select("width", "height", "n")
        yield "03-sizes", data_charts.sizes(frame), frame
    if lengths is not None:
        frame = lengths.rows.select("words", "n")
        yield "03-lengths", data_charts.lengths(frame), frame
    frame = inert(splits(facts, words))
    yield "04-splits", data_charts.splits(frame), frame


def splits(facts: Facts, words: Words) -> pl.DataFrame:
    """Examples of each class in each split: split, class, n, in the order of splits and classes."""
    parts = {"train": 0, "val": 1, "test": 2}
    order = {name: i for i, name in enumerate(facts.dataset.classes)}
    counted = facts.labelled.group_by("split", pl.col("label").alias("class")).agg(pl.len().alias("n"))
    return counted.sort(
        pl.col("split").replace_strict(parts, return_dtype=pl.Int64),
        pl.col("class").replace_strict(order, return_dtype=pl.Int64),
    ).with_columns(pl.col("split").replace_strict({name: words(f"split.{name}") for name in parts}))


def _model(facts: Facts, words: Words) -> Iterator[Drawn]:
    frame = inert(network(facts, words))
    yield "05-network", training_charts.network(frame), frame
    if facts.measurements.timings:
        frame = pl.DataFrame([vars(t) for t in facts.measurements.timings])
        yield "06-timings", training_charts.timings(frame), frame
    frame = compared.drawn(facts)
    if frame.height > 1:
        yield compared.STEM, backbone_charts.backbones(inert(frame)), frame
    frame = pl.DataFrame([vars(e) for e in facts.epochs])
    frame = frame.with_columns((pl.col("seconds").cum_sum() / 60).alias("minutes"))
    yield "07-curves", training_charts.curves(frame, facts.recipe.metric), frame


def network(facts: Facts, words: Words) -> pl.DataFrame:
    """The depth groups and the head: name, role, parameters, stage in which each first learns."""
    groups, stages = facts.card.groups, facts.recipe.stages
    trunk = [g.name for g in groups if g.role == "trunk"]

    def learns(name: str, role: str, stage: Stage) -> bool:
        if stage.thaw < 0 or role == "head":
            return True
        if role == "trunk":
            return trunk.index(name) >= len(trunk) - stage.thaw
        return role == "neck" and stage.thaw > 0

    parts = [(g.name, g.role, g.parameters) for g in groups]
    head = facts.card.parameters - sum(n for *_, n in parts)
    rows = [
        {
            "name": name,
            "role": role,
            "parameters": n,
            "stage": next((s.name for s in stages if learns(name, role, s)), FROZEN),
        }
        for name, role, n in [*parts, (words("network.head"), "head", head)]
    ]
    return pl.DataFrame(rows)


def _reasons(facts: Facts) -> Iterator[Drawn]:
    found = facts.reasons
    if found is None or found.why_not:
        return
    if found.tokens.height:
        frame = inert(found.tokens)
        yield "16-tokens", reason_charts.tokens(frame, inert(found.examples)), frame
    yield "17-deletion", reason_charts.deletion(found.deletion), found.deletion


def _result(facts: Facts, words: Words) -> Iterator[Drawn]:
    evaluation = facts.evaluation
    kind = "tuned" if facts.card.pretrained else "scratch"
    called = {name: words(f"subject.{name}") for name in ("majority", "cheap")}
    tuned = "training.row.kept" if kept(facts) else f"training.row.{kind}"
    called |= {"probe": words(f"probe.row.{kind}"), "tuned": words(tuned)}
    frame = pl.DataFrame([vars(s) for s in evaluation.scores])
    frame = pl.concat(frame.filter(pl.col("metric") == metric) for metric in headlines(facts))
    yield "08-scores", result_charts.scores(frame, called), frame
    frame = inert(evaluation.confusion)
    yield "09-confusion", result_charts.confusion(frame, tuple(map(clean, facts.dataset.classes))), frame
    frame = inert(evaluation.per_class)
    yield "10-per-class", result_charts.per_class(frame), frame
    frame = shown(facts)
    if frame["subset"].n_unique() > 1 if frame.height else False:
        names = {name: words(f"subset.{name}", many=facts.many) for name in frame["subset"].unique() if name != "all"}
        yield "12-subsets", subset_chart(frame, names), frame
    frame = inert(slices.shown(facts, words))
    if frame.height:
        yield "13-slices", slice_charts.slices(frame), frame
    yield from _confidence(evaluation)
    yield from _reasons(facts)
    if facts.study is not None:
        frame = inert(facts.study_runs)
        yield f"19-{facts.study.kind}", study_charts.runs(frame, facts.study.metric), frame
    if facts.worth.height:
        frame = charted(facts, words)
        yield STEM, worth_chart(frame, frame["metric"][0]), frame


def _confidence(evaluation: Evaluation) -> Iterator[Drawn]:
    """Whether the confidence is true, and what it is good for."""
    frame = evaluation.reliability
    yield "11-reliability", confidence_charts.reliability(frame), frame
    frame, chosen = evaluation.risk_coverage, [vars(t) for t in evaluation.confidence.thresholds]
    schema = dict.fromkeys(("wished", "coverage", "accuracy"), pl.Float64)
    points = pl.DataFrame(chosen, schema_overrides=schema) if chosen else pl.DataFrame(schema=schema)
    yield "14-risk-coverage", confidence_charts.risk_coverage(frame, points), frame
    level = shown_sets(evaluation).level
    sizes, classes = (
        inert(table.filter(pl.col("level") == level)) for table in (evaluation.conformal, evaluation.conformal_classes)
    )
    yield "15-conformal", confidence_charts.sets(sizes, classes), sizes
