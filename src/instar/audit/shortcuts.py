"""Can something that is not the content predict the label? Then a network may learn that instead."""

from dataclasses import asdict

import numpy as np
import polars as pl

from instar.audit.association import LEAST, Floats, Gain, by_tree, gain, known, wilson_low
from instar.audit.check import WORTH_KNOWING
from instar.audit.wording import DIGITS, listed, percent, several
from instar.records import Dataset, Finding, Json, Verdict

IMAGE_TRAITS = (
    "grey", "width", "height", "aspect", "bytes", "format", "mode", "border", "brightness", "contrast", "sharpness",
)  # fmt: skip
TEXT_TRAITS = ("characters", "words", "replacement", "entities", "script")
MATTERS = 0.1
"""Gain in accuracy, surely exceeded, from which a shortcut is an issue (our judgement)."""
GIVEN_AWAY = 0.5
"""Informedness, surely exceeded, from which one trait gives a class away (our judgement)."""


def image_shortcuts(dataset: Dataset) -> Finding:
    """Size, aspect, file type, colour and light against the majority."""
    return _shortcuts(dataset, IMAGE_TRAITS)


def text_shortcuts(dataset: Dataset) -> Finding:
    """Length, damage, markup and script against the majority."""
    return _shortcuts(dataset, TEXT_TRAITS)


def _shortcuts(dataset: Dataset, traits: tuple[str, ...]) -> Finding:
    rows = dataset.part("train", "val")
    if {"measure.width", "measure.height"} <= set(rows.columns):
        rows = rows.with_columns((pl.col("measure.width") / pl.col("measure.height")).alias("measure.aspect"))
    present = [trait for trait in traits if f"measure.{trait}" in rows.columns]
    varied = [trait for trait in present if rows[f"measure.{trait}"].n_unique() > 1]
    if rows.height < LEAST or rows["label"].n_unique() < 2:
        return Finding("shortcuts", "skipped", f"{several(rows.height, 'labelled example')} are too few to tell.")
    lacking = [trait for trait in traits if trait not in present]
    note = f" Not measured when the set was opened: {', '.join(lacking)}." if lacking else ""
    if not varied:
        sentence = f"Every {dataset.modality} is the same in {', '.join(present)}: nothing to take for the content."
        return Finding("shortcuts", "passed", sentence + note)
    of = known(rows)
    columns = {trait: _figures(rows[f"measure.{trait}"]) for trait in varied}
    together = gain(of, by_tree(of, np.stack(list(columns.values()), axis=1)))
    single: dict[str, Gain] = {}
    classes: list[dict[str, Json]] = []
    for trait, column in columns.items():
        answers = by_tree(of, column[:, None])
        single[trait] = gain(of, answers, at_once=len(columns))
        classes += [{"trait": trait, **told} for told in _told(of.classes, of.labels, answers)]
    table = pl.DataFrame(classes).sort("informedness", "n", "class", "trait", descending=[True, True, False, False])
    best = max(single, key=lambda trait: single[trait].gain)
    given_away = table.filter(pl.col("low") >= GIVEN_AWAY)
    worst = (given_away if given_away.height else table).row(0, named=True)
    evidence: dict[str, Json] = {
        **asdict(together),
        "traits": varied,
        "best": best,
        "best_accuracy": single[best].accuracy,
        "best_low": single[best].low,
        "single": {trait: asdict(value) for trait, value in single.items()},
        "class": worst["class"],
        "class_trait": worst["trait"],
        "class_recall": worst["recall"],
        "class_elsewhere": worst["elsewhere"],
        "classes_given_away": given_away.unique("class", keep="first", maintain_order=True)
        .select("class", "trait")
        .rows(),
    }
    evidence["classes_given_away"] = [list(row) for row in evidence["classes_given_away"]]
    surely = max(together.low, single[best].low)
    verdict: Verdict = "passed"
    if surely >= MATTERS or given_away.height:
        verdict = "issue"
    elif surely >= WORTH_KNOWING:
        verdict = "note"
    sentence = (
        f"A small tree that sees nothing but {', '.join(varied)} gets {percent(together.accuracy)} of the labels of "
        f"train and val right, against {percent(together.majority)} for the most frequent label "
        f"(difference {percent_points(together.gain)}, 95 % interval {percent_points(together.low)} to "
        f"{percent_points(together.high)} points)"
    )
    if verdict != "passed":
        sentence += f"; most is told by {best} alone ({percent(single[best].accuracy)})"
    if given_away.height:
        sentence += (
            f". {worst['trait'].capitalize()} alone gives “{worst['class']}” away: so judged are "
            f"{percent(worst['recall'])} of its examples and {percent(worst['elsewhere'])} of all others"
        )
        others = [f"{name} ({trait})" for name, trait in evidence["classes_given_away"] if name != worst["class"]]
        sentence += f"; likewise {listed(others)}" if others else ""
    return Finding("shortcuts", verdict, sentence + "." + note, evidence, table)


def percent_points(difference: float) -> str:
    """0.0412 -> 4.1; -0.003 -> −0.3"""
    return f"{'−' if difference < 0 else ''}{percent(abs(difference)).removesuffix(' %')}"


def _figures(column: pl.Series) -> Floats:
    """Numbers for a tree: names by their frequency, which a tree can part; what is missing as -1."""
    if column.dtype == pl.String:
        names = column.fill_null("").value_counts(sort=True)[column.name].to_list()
        column = column.fill_null("").replace_strict(names, range(len(names)), return_dtype=pl.Int64)
    return column.cast(pl.Float64).fill_null(-1).to_numpy()


def _told(classes: list[str], labels: np.ndarray, answers: np.ndarray) -> list[dict[str, Json]]:
    """How well answers tell each class from all others: recall, false alarms, informedness (Youden 1950) and a
    lower bound of it from the Wilson bounds of both."""
    found: list[dict[str, Json]] = []
    for code, name in enumerate(classes):
        own, said = labels == code, answers == code
        n, others = int(own.sum()), int((~own).sum())
        hits, alarms = int((own & said).sum()), int((~own & said).sum())
        low = wilson_low(hits, n) - (1 - wilson_low(others - alarms, others))
        figures = {
            "recall": hits / n,
            "elsewhere": alarms / others,
            "informedness": hits / n - alarms / others,
            "low": low,
        }
        found.append({"class": name, "n": n, **{key: round(value, DIGITS) for key, value in figures.items()}})
    return found
