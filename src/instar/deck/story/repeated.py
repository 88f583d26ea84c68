"""What other runs of the same study say: how far this run's figure may be trusted to come again."""

from instar import steps
from instar.charts.wording import SHARES
from instar.deck.facts import Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.words import LEVEL, Words
from instar.records import Figure, Points, Slide


def repeated(facts: Facts, words: Words) -> Slide | None:
    """The mean over seeds, or all folds together, with the interval; None for a run that stands alone."""
    study = facts.study
    if study is None:
        return None
    score, kind = study.score(study.metric), study.kind
    each = facts.study_runs.filter(~facts.study_runs["joint"])
    low, high = (words.value(score.metric, v) for v in (score.low, score.high))
    t_low, t_high = (words.value(score.metric, v) for v in (score.t_low, score.t_high))
    spread = "points" if score.metric in SHARES else "plain"
    value = words.points(score.deviation) if spread == "points" else words.number(score.deviation, 3)
    own = facts.baseline("tuned", score.metric)
    values = {
        "number": words.whole(len(study.runs)),
        "metric": words.metric(score.metric),
        "value": words.value(score.metric, score.value),
        "interval": words("format.interval", low=low, high=high),
        "mean": words.value(score.metric, score.mean),
        "t": words("format.interval", low=t_low, high=t_high),
        "deviation": words(f"repeated.deviation.{spread}", value=value),
        "least": words.value(score.metric, min(each["value"])),
        "most": words.value(score.metric, max(each["value"])),
        "run": facts.run,
        "own": words.score(own) if own is not None else "",
        "n": words.whole(score.n),
        "groups": words.whole(study.groups),
        "many": facts.many,
        "level": words.percent(LEVEL),
    }
    points = tuple(words(f"repeated.{kind}.{point}", **values) for point in ("value", "mean", "range"))
    lines = [words(f"repeated.{kind}.definition", **values), words("repeated.groups", **values)]
    files = (f"../{steps.STUDY}", f"figures/19-{kind}.csv")
    return Slide(
        kind,
        part(facts, words, "result"),
        words(f"repeated.{kind}.title", **values),
        (Figure(f"19-{kind}", words(f"repeated.{kind}.alt", **values)), Points(points)),
        common.notes(words, lines, files),
        files,
    )
