"""Whether the confidence can be taken at its word, and what follows for the use of the network."""

import polars as pl

from instar import steps
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.words import LEVEL, Words
from instar.evaluate.risk import WISHES
from instar.records import Evaluation, Figure, Points, Score, Sets, Slide, Threshold

SURE = 0.9
"""A confidence at which people tend to believe a network."""
HALF = 0.5
"""A threshold that leaves more than this unanswered is not put into the title."""


def calibration(facts: Facts, words: Words) -> Slide:
    """Whether the confidence can be taken at its word, before and after the temperature."""
    accuracy, found = facts.evaluation.score("accuracy"), facts.evaluation.confidence
    mean, kind = mean_confidence(facts), trust(facts)
    raw, error = found.score("overconfidence", "before"), found.score("calibration_error")
    values = {
        "mean": words.percent(mean, 1),
        "accuracy": words.score(accuracy),
        "gap": words.points(abs(mean - accuracy.value)),
        "interval": words.interval(accuracy),
        "temperature": words.number(found.temperature),
        "raw": words.points(abs(raw.value)),
        "before": words.points(found.score("calibration_error", "before").value),
        "error": words.points(error.value),
        "low": words.points(error.low),
        "high": words.points(error.high),
        "n": words.whole(found.validation),
    }
    points = [
        words(f"calibration.point.{kind}", **values),
        words(f"calibration.raw.{off(raw)}", **values),
        words("calibration.error", **values),
    ]
    lines = [
        words("calibration.definition", level=words.percent(LEVEL), method=words("method.wilson")),
        words("calibration.range", level=words.percent(LEVEL), **values),
        words("calibration.debiased"),
    ]
    sure = facts.predictions.filter((pl.col("split") == "test") & (pl.col("confidence") >= SURE))
    if sure.height:
        right = float((sure["label"] == sure["predicted"]).mean())  # type: ignore[arg-type]
        said = {"level": words.percent(SURE), "n": words.whole(sure.height), "many": facts.many}
        lines.append(words("calibration.sure", right=words.percent(right, 1), **said))
    lines += common.scores(words, found.scores)
    files = ("5-eval/reliability.csv", steps.EVALUATION, steps.TEMPERATURE)
    return _slide(facts, words, "calibration", f"calibration.title.{kind}", values, (points, lines), files)


def off(overconfidence: Score) -> str:
    """over, under or fair: told apart only where the interval leaves out zero."""
    return "over" if overconfidence.low > 0 else "under" if overconfidence.high < 0 else "fair"


def mean_confidence(facts: Facts) -> float:
    """Mean confidence on the test part."""
    return float(facts.predictions.filter(pl.col("split") == "test")["confidence"].mean())  # type: ignore[arg-type]


def trust(facts: Facts) -> str:
    """over, under or fair: the mean confidence against the interval of the accuracy."""
    accuracy, mean = facts.evaluation.score("accuracy"), mean_confidence(facts)
    return "over" if mean > accuracy.high else "under" if mean < accuracy.low else "fair"


def useful(found: tuple[Threshold, ...]) -> Threshold | None:
    """The threshold for the most right answers that leaves most examples answered, or the mildest one."""
    mild = [t for t in found if t.coverage >= HALF]
    return mild[-1] if mild else next(iter(found), None)


def risk(facts: Facts, words: Words) -> Slide | None:
    """What is gained where the unsure answers are left to a person; nothing where no answer is wrong."""
    found = facts.evaluation.confidence
    accuracy, area, best = facts.evaluation.score("accuracy"), found.score("aurc"), useful(found.thresholds)
    if accuracy.value == 1:
        return None
    values = {
        "accuracy": words.score(accuracy),
        "n": words.whole(found.validation),
        "many": facts.many,
        "area": words.percent(area.value, 1),
        "error": words.percent(1 - accuracy.value, 1),
    }
    points = [words(f"risk.point.{kept(t)}", **of_threshold(t, words)) for t in found.thresholds]
    if best is not None:
        kind, said = "some", of_threshold(best, words)
        index = min(found.thresholds.index(best), max(len(points) - 3, 0))
        points = points[index : index + 3]
        if (beyond := [w for w in WISHES if w > found.thresholds[-1].wished]) and len(points) < 3:
            points.append(words("risk.beyond", wished=words.percent(beyond[0]), **values))
        if len(points) < 3:
            points.append(words("risk.area", **values))
    else:
        kind, said = "none", {}
        points = [words("risk.none", **values)]
    lines = [
        words("risk.definition", level=words.percent(LEVEL), **values),
        *(words("risk.threshold", **of_threshold(t, words)) for t in found.thresholds),
        words("risk.measure", **values),
        words("risk.command"),
        *common.scores(words, [area]),
    ]
    files = ("5-eval/risk_coverage.csv", steps.EVALUATION, steps.VALIDATION)
    return _slide(facts, words, "risk", f"risk.title.{kind}", {**said, **values}, (points, lines), files)


def kept(threshold: Threshold) -> str:
    """kept, or missed where the test part surely has fewer right answers than wished."""
    return "missed" if threshold.high < threshold.wished else "kept"


def of_threshold(threshold: Threshold, words: Words) -> dict[str, str]:
    """The figures of a threshold as they are written."""
    return {
        "wished": words.percent(threshold.wished),
        "threshold": words.percent(threshold.threshold, 1),
        "left": words.percent(1 - threshold.coverage),
        "coverage": words.percent(threshold.coverage),
        "right": words.percent(threshold.accuracy, 1),
        "span": words("format.interval", low=words.percent(threshold.low, 1), high=words.percent(threshold.high, 1)),
        "answered": words.whole(threshold.n),
    }


def shown_sets(evaluation: Evaluation) -> Sets:
    """The sets that a slide shows: of the levels that the validation part can promise the first one above what single
    answers surely reach, for at a lower one there would be little to see."""
    possible = [s for s in evaluation.confidence.sets if s.method == "lac" and s.cut is not None]
    candidates = possible or [s for s in evaluation.confidence.sets if s.method == "lac"]
    above = [s for s in candidates if s.level > evaluation.score("accuracy").high]
    return above[0] if above else candidates[-1]


def sets(facts: Facts, words: Words) -> Slide:
    """How many classes must be named so that the true one is among them."""
    found, shown = facts.evaluation.confidence, shown_sets(facts.evaluation)
    short = "short" if shown.high < shown.level else "held"
    by_class = facts.evaluation.conformal_classes.filter(pl.col("level") == shown.level)
    single = facts.evaluation.conformal.filter((pl.col("level") == shown.level) & (pl.col("size") == 1))
    values = {
        "level": words.percent(shown.level),
        "coverage": words.percent(shown.coverage, 1),
        "span": words("format.interval", low=words.percent(shown.low, 1), high=words.percent(shown.high, 1)),
        "size": words.number(shown.size, 1),
        "single": words.percent(shown.single),
        "many": facts.many,
        "n": words.whole(shown.n),
        "validation": words.whole(found.validation),
    }
    points = [words(f"sets.{short}", **values)]
    if single.height:
        points.append(words("sets.single", right=words.percent(single["coverage"][0], 1), **values))
    least = by_class.sort("coverage", "n", descending=[False, True]).row(0, named=True)
    share, of = words.percent(least["coverage"]), words.whole(least["n"])
    points.append(words("sets.least", label=words.name(least["label"]), share=share, of=of, level=values["level"]))
    lines = [words("sets.definition", **values), words("sets.assumed"), words("sets.command")]
    for s in found.sets:
        span = words("format.interval", low=words.percent(s.low, 1), high=words.percent(s.high, 1))
        said = {"level": words.percent(s.level), "coverage": words.percent(s.coverage, 1), "span": span}
        lines.append(
            words("sets.line", method=words(f"sets.{s.method}"), size=words.number(s.size), n=values["n"], **said)
        )
    files = ("5-eval/conformal.csv", "5-eval/conformal_classes.csv", steps.EVALUATION)
    return _slide(facts, words, "sets", f"sets.title.{short}", values, (points, lines), files)


FIGURES = {"calibration": "11-reliability", "risk": "14-risk-coverage", "sets": "15-conformal"}


def _slide(
    facts: Facts,
    words: Words,
    key: str,
    title: str,
    values: dict[str, str],
    said: tuple[list[str], list[str]],
    files: tuple[str, ...],
) -> Slide:
    """A slide with its chart; said: points and lines of the notes."""
    stem = FIGURES[key]
    files = (*files, f"figures/{stem}.csv")
    return Slide(
        key,
        part(facts, words, "result"),
        words(title, **values),
        (Figure(stem, words(f"alt.{key}", **values)), Points(tuple(said[0]))),
        common.notes(words, said[1], files),
        files,
    )
