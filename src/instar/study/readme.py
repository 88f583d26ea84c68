"""README.md of a study: what was repeated, how good it is on the whole, and which variance is which."""

from pathlib import Path

import polars as pl

from instar import store
from instar.charts.wording import SHARES, SUBJECTS, figure, metric_name
from instar.records import Joint, Study

WHAT = {
    "folds": """\
Each run is tested on another part of the data: the {number} test parts share out all examples that are tested
at all, no group of copies stands in two of them, and every class is spread over them evenly. What a run learns
from is split into train and validation as in a single run. Each run is audited and planned from its own
training part, so that nothing it rests on has seen its test labels.""",
    "seeds": """\
Each run has the same data, the same split, the same plan and another seed of training: order of the examples,
augmentation, dropout, what is new in the network. The split is that of seed {first}.""",
}
READ = {
    "folds": """\
- **value** is of all {n:,} test examples taken together, each answered by the run that had not seen it. Its
  interval says how far *other test examples* would move it, the {number} networks taken as they are; a group of
  copies counts as one witness ({groups:,} groups).
- **mean of the folds** is the mean of the {number} figures, with the corrected resampled t interval of Nadeau
  and Bengio (2003): it says how far *other training and test parts* of as many examples would move it. It is
  wide, as there are but {number} folds whose training parts share most examples.
- **deviation** is the standard deviation of the folds: what training and test examples do together. It is
  **not** what chance of training alone does; `instar run DATA --seeds N` measures that.""",
    "seeds": """\
- **value** is the mean over the {number} seeds. Its interval holds two kinds of chance: *other test examples*
  (a group of copies counts as one witness, {groups:,} groups of {n:,} examples) and *other seeds* of training,
  joined end by end as independent parts (Zou and Donner 2008).
- **other seeds alone** is Student's t interval over the {number} seeds: what chance of training does to the
  mean on these very test examples.
- **deviation** is the standard deviation of one run from seed to seed. It says **nothing** of other training or
  test examples; `instar run DATA --folds N` does.""",
}
T_NAME = {"folds": "mean of the folds (t)", "seeds": "other seeds alone (t)"}
GAINS = """\
What fine-tuning gains over simpler means, on the same examples (above 0: the network is better; an interval
that holds 0 is no proof of a difference):"""
CONTENTS = """\
| where | what |
|---|---|
{runs}
| `study.yaml` | what was asked for, and all figures of this page |
| `scores.csv`, `gains.csv` | the tables of this page, and more metrics |
| `runs.csv` | the scores of each run with their own intervals |
| `figures/` | the chart as SVG, PNG and CSV |

The same command, or `instar run` on this directory, goes on where it stopped; `--set key=value` with it asks all runs.
`instar compare` sets the study beside other runs and studies on the same test examples."""


def readme(folder: Path, study: Study, of_runs: pl.DataFrame) -> str:
    """The page, from the figures of the study and of its runs (`runs.csv`)."""
    run = folder / study.runs[0]
    dataset, card = store.read_dataset(run), store.read_card(run)
    n = study.scores[0].n
    values = {"number": len(study.runs), "n": n, "groups": study.groups, "first": study.runs[0].partition("-")[2]}
    t_name = T_NAME[study.kind]
    head = f"| metric | value | 95 % interval | {t_name} | 95 % interval | deviation |\n|---|---|---|---|---|---|"
    return "\n".join(
        [
            f"# {dataset.name}: {len(study.runs)} {study.kind} of {card.title}",
            "",
            WHAT[study.kind].format(**values),
            "",
            f"![{len(study.runs)} {study.kind}](figures/19-{study.kind}.svg)",
            "",
            "| whose " + head.replace("\n|", "\n|---|", 1),
            *(f"| {SUBJECTS[s.subject]} {_row(s)}" for s in study.scores if s.metric in _shown(study)),
            "",
            READ[study.kind].format(**values),
            "",
            GAINS,
            "",
            "| over " + head.replace("\n|", "\n|---|", 1),
            *(f"| {SUBJECTS[s.subject]} {_row(s, signed=True)}" for s in study.gains if s.metric in _shown(study)),
            "",
            f"{metric_name(study.metric)} of the network in each run, with its own interval:",
            "",
            "| run | value | 95 % interval | n |",
            "|---|---|---|---|",
            *_each(of_runs, study.metric),
            "",
            CONTENTS.format(runs="\n".join(f"| `{name}/` | a run, whole in itself |" for name in study.runs)),
            "",
        ]
    )


def _shown(study: Study) -> tuple[str, ...]:
    return tuple(dict.fromkeys((study.metric, "accuracy", "macro_f1", "log_loss")))


def _row(score: Joint, *, signed: bool = False) -> str:
    """A row of the tables, after its first column."""

    def written(value: float) -> str:
        text = figure(score.metric, value)
        if not signed:
            return text
        return ("+" + text if value > 0 else text).replace(" %", " points")

    ends = (
        f"{written(low)} to {written(high)}" for low, high in ((score.low, score.high), (score.t_low, score.t_high))
    )
    first, second = ends
    spread = figure(score.metric, score.deviation)
    if score.metric in SHARES:
        spread = spread.replace(" %", " points")
    cells = (metric_name(score.metric), written(score.value), first, written(score.mean), second, spread)
    return "| " + " | ".join(cells) + " |"


def _each(of_runs: pl.DataFrame, metric: str) -> list[str]:
    rows = of_runs.filter((pl.col("subject") == "tuned") & (pl.col("metric") == metric))
    return [
        f"| [{r['run']}]({r['run']}/README.md) | {figure(metric, r['value'])} | {figure(metric, r['low'])} to "
        f"{figure(metric, r['high'])} | {r['n']:,} |"
        for r in rows.iter_rows(named=True)
    ]
