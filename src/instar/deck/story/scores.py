"""How good the network is, and against what: the figures that matter first, and all of them."""

from instar import steps
from instar.deck.facts import BASELINES, Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.story.opening import origin, spoken, verdict
from instar.deck.words import LEVEL, Words
from instar.records import Figure, Points, Score, Slide, TableBlock

SUBJECTS = ("tuned", "probe", "cheap", "majority")
BESIDE = ("accuracy", "macro_f1", "log_loss")
"""Metrics that stand beside the headline's in the chart, as far as there are three with it."""
PANELS = 3


def headlines(facts: Facts) -> list[str]:
    """Metrics of the chart, the headline's first, as far as every subject has them."""
    scores = facts.evaluation.scores
    by_all = set.intersection(*({s.metric for s in scores if s.subject == o} for o in {s.subject for s in scores}))
    return [facts.metric, *(m for m in BESIDE if m != facts.metric and m in by_all)][:PANELS]


def scores(facts: Facts, words: Words) -> Slide:
    """The scores beside the baselines, with intervals."""
    values = spoken(facts, words)
    points = [words(f"scores.point.{verdict(facts)}", **values)]
    over = facts.gain("cheap")
    if over is not None:
        points.append(
            words(
                f"scores.cheap.{common.against(over)}",
                **{**values, "gain": words.gain(over)},
            )
        )
    says = origin(facts, words)
    mae = facts.baseline("tuned", "mae")
    kappa = facts.baseline("tuned", "quadratic_kappa")
    if says:
        points += says
    elif mae is not None and kappa is not None:
        points.append(words("scores.ordered", mae=words.score(mae), kappa=words.score(kappa)))
    lines = [
        words("notes.interval", level=words.percent(LEVEL), groups=words.whole(facts.evaluation.groups)),
        words("scores.compare", level=words.percent(LEVEL)),
        words("scores.majority", majority=words.name(facts.evaluation.majority)),
        words("scores.every-where"),
        *common.scores(words, [s for s in facts.evaluation.scores if s.metric in headlines(facts)]),
        *common.gains(words, [g for g in facts.evaluation.gains if g.metric in headlines(facts)]),
    ]
    files = (steps.EVALUATION, steps.PREDICTIONS, BASELINES, "figures/08-scores.csv")
    block = Figure("08-scores", words("alt.scores", **values))
    return Slide(
        "scores",
        part(facts, words, "result"),
        words(f"scores.title.{verdict(facts)}", **values),
        (block, Points(tuple(points[:3]))),
        common.notes(words, lines, files),
        files,
    )


def every(facts: Facts, words: Words) -> Slide:
    """All metrics of all subjects."""
    scores = facts.evaluation.scores
    said = [s for s in SUBJECTS if any(o.subject == s for o in scores)]
    metrics = list(dict.fromkeys(s.metric for s in scores))
    rows = []
    for metric in metrics:
        found = {s.subject: s for s in scores if s.metric == metric}
        rows.append((words.label(metric), *(_cell(words, found.get(subject)) for subject in said)))
    header = (words("scores.metric"), *(words(f"subject.{subject}") for subject in said))
    files = (steps.EVALUATION, steps.PREDICTIONS, BASELINES)
    lines = [
        words("notes.interval", level=words.percent(LEVEL), groups=words.whole(facts.evaluation.groups)),
        words("scores.definitions"),
        *(words(f"scores.definition.{metric}", metric=words.label(metric)) for metric in metrics),
        *common.scores(words, scores),
    ]
    return Slide(
        "all-scores",
        words("part.appendix"),
        words(
            "scores.every", len(metrics), n=words.whole(facts.headline.n), many=facts.many, level=words.percent(LEVEL)
        ),
        (TableBlock(header, tuple(rows), (1.0, *[1.25] * len(said))),),
        common.notes(words, lines, files),
        files,
    )


def _cell(words: Words, score: Score | None) -> str:
    """A score with its interval, short enough for a cell."""
    if score is None:
        return words("scores.none")
    if score.low == score.high:
        return words("scores.cell.fixed", value=words.score(score))
    return words("scores.cell", value=words.score(score), interval=words.interval(score))
