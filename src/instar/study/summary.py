"""What the runs of a study say together, written for people: study.yaml, README.md, tables and a figure."""

from dataclasses import asdict, replace
from pathlib import Path

import polars as pl

from instar import steps, store
from instar.charts.study import runs as chart
from instar.charts.theme import save
from instar.evaluate.joint import Answered, Together
from instar.records import Study
from instar.study.readme import readme


def summarise(folder: Path, study: Study) -> Study:
    """Read what the runs answered, write all but study.yaml, and return the study with its figures."""
    first = store.read_dataset(folder / study.runs[0])
    together = Together(study.kind, [answered(folder / name) for name in study.runs], first.classes, first.ordered)
    scores, gains, groups = together.figures()
    chosen = store.recipe_of(store.read_plan(folder / study.runs[0])[0]).metric
    rests_on = {name: store.digest(folder / name / steps.PREDICTIONS) for name in study.runs}
    made = replace(study, metric=chosen, groups=groups, rests_on=rests_on, scores=scores, gains=gains)
    of_runs = by_run(folder, made)
    store.write_frame(folder / "scores.csv", pl.DataFrame([asdict(s) for s in scores]))
    store.write_frame(folder / "gains.csv", pl.DataFrame([asdict(s) for s in gains]))
    store.write_frame(folder / "runs.csv", of_runs)
    frame = together_with(made, of_runs)
    save(chart(frame, made.metric), frame, folder / "figures", f"19-{study.kind}")
    store.write_text(folder / "README.md", readme(folder, made, of_runs))
    return made


def answered(run: Path) -> Answered:
    """What one run answered on its test part."""
    predictions = store.read_frame(run / steps.PREDICTIONS)
    test = predictions.filter(pl.col("split") == "test").sort("id")
    learnt = store.read_dataset(run).part("train", "val").height
    return Answered(test, store.read_frame(run / steps.BASELINES), learnt)


def by_run(folder: Path, study: Study) -> pl.DataFrame:
    """run, subject, metric, value, low, high, n: the scores of each run as its own evaluation has them."""
    wanted = {(s.subject, s.metric) for s in study.scores}
    rows = [
        {
            "run": name,
            "subject": s.subject,
            "metric": s.metric,
            "value": s.value,
            "low": s.low,
            "high": s.high,
            "n": s.n,
        }
        for name in study.runs
        for s in store.read_evaluation(folder / name).scores
        if (s.subject, s.metric) in wanted
    ]
    return pl.DataFrame(rows, ("run", "subject", "metric", "value", "low", "high", "n"), orient="row")


def together_with(study: Study, of_runs: pl.DataFrame) -> pl.DataFrame:
    """What the figure shows: name, value, low, high, n, joint, of the network in the metric of the headline."""
    ours = (pl.col("subject") == "tuned") & (pl.col("metric") == study.metric)
    rows = of_runs.filter(ours).select(pl.col("run").alias("name"), "value", "low", "high", "n", joint=pl.lit(False))
    score = study.score(study.metric)
    called = ALL[study.kind].format(number=len(study.runs))
    joint = {"name": called, "value": score.value, "low": score.low, "high": score.high, "n": score.n, "joint": True}
    return pl.concat([rows, pl.DataFrame([joint], schema=rows.schema)])


ALL = {"folds": "all {number} folds", "seeds": "mean of {number} seeds"}
