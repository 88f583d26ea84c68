"""What the rivals reached: kept as files, and made into tables from these alone."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from contest.task import Clock, Floats, Ints, Point, Task
from instar import machine, store
from instar.metrics import METRICS, decoded, score
from instar.shares import wilson

REACHED = 1e-9
"""Rounding that does not keep a score from counting as reached."""


@dataclass(frozen=True)
class Result:
    """One training of one rival: seconds, the validation curve, and the answers to the test rows."""

    rival: str
    seed: int
    repeat: int
    seconds: float
    peak_memory_mb: float | None
    load: float
    """Of the machine in the last minute before the training: 0 where nothing else runs."""
    curve: tuple[Point, ...]
    truth: Ints
    probabilities: Floats

    @property
    def final(self) -> float:
        """Validation accuracy at the end. instar keeps its best weights, the others their last."""
        scores = [point.accuracy for point in self.curve]
        return max(scores) if self.rival == "instar" else scores[-1]

    def within(self, seconds: float) -> float:
        """Best validation accuracy so far at that time; 0 before the first validation."""
        return max((p.accuracy for p in self.curve if p.seconds <= seconds), default=0.0)

    def reaching(self, accuracy: float) -> float | None:
        """Seconds until the validation accuracy is that high; None where it never is."""
        return next((p.seconds for p in self.curve if p.accuracy >= accuracy - REACHED), None)


def place(out: Path, rival: str, seed: int, repeat: int) -> Path:
    """The JSON of a result; its curve and its answers lie beside it."""
    return out / "results" / f"{rival}-{seed}-{repeat}.json"


def keep(path: Path, rival: str, repeat: int, task: Task, clock: Clock, probabilities: Floats, load: float) -> None:
    """Write a result; the JSON comes last, so that it stands for the whole."""
    ids = {"id": task.test.ids, "label": [task.dataset.classes[i] for i in task.test.labels]}
    columns = {f"p.{name}": probabilities[:, i] for i, name in enumerate(task.dataset.classes)}
    store.write_frame(path.with_suffix(".parquet"), pl.DataFrame({**ids, **columns}))
    store.write_frame(path.with_suffix(".csv"), pl.DataFrame([asdict(point) for point in clock.curve]))
    about = {
        "rival": rival,
        "seed": task.seed,
        "repeat": repeat,
        "seconds": round(clock.spent, 2),
        "peak_memory_mb": clock.peak_memory_mb,
        "load": round(load, 2),
        "test_rows": len(task.test),
        "test_accuracy": round(float((probabilities.argmax(1) == task.test.labels).mean()), 6),
        "versions": machine.versions(),
    }
    store.write_text(path, json.dumps(about, indent=1))


def read(path: Path) -> Result:
    """Read what `keep` wrote."""
    about: dict[str, Any] = json.loads(path.read_text())
    answers = store.read_frame(path.with_suffix(".parquet"))
    names = [name.removeprefix("p.") for name in answers.columns if name.startswith("p.")]
    curve = pl.read_csv(path.with_suffix(".csv"), schema_overrides={"after": pl.String, "accuracy": pl.Float64})
    return Result(
        rival=about["rival"],
        seed=about["seed"],
        repeat=about["repeat"],
        seconds=about["seconds"],
        peak_memory_mb=about["peak_memory_mb"],
        load=about["load"],
        curve=tuple(Point(**row) for row in curve.iter_rows(named=True)),
        truth=np.array([names.index(label) for label in answers["label"]], dtype=np.int64),
        probabilities=answers.select(f"p.{name}" for name in names).to_numpy(),
    )


def spread(values: list[float], form: str) -> str:
    """Median, with the lowest and the highest in parentheses."""
    return f"{median(values):{form}} ({min(values):{form}}–{max(values):{form}})"


def tables(results: list[Result], ordered: bool) -> str:
    """Markdown: times, then test scores."""
    rivals = list(dict.fromkeys(result.rival for result in results))
    by_rival = {rival: [r for r in results if r.rival == rival] for rival in rivals}
    return f"{_times(by_rival)}\n{_scores(by_rival, ordered)}"


def _times(by_rival: dict[str, list[Result]]) -> str:
    targets = [rival for rival in by_rival if rival != "instar"]
    lines = [
        f"| rival | trainings | seconds | validation accuracy at the end | at the time when instar ends | "
        f"peak MB | {' | '.join(f'time to the end of {t}' for t in targets)} |",
        "|---|--:|--:|--:|--:|--:|" + "--:|" * len(targets),
    ]
    for rival, results in by_rival.items():
        same_time = [r.within(i.seconds) for r in results for i in by_rival.get("instar", ()) if _pair(r, i)]
        memory = [r.peak_memory_mb for r in results if r.peak_memory_mb]
        cells = [
            rival,
            str(len(results)),
            spread([r.seconds for r in results], ",.0f"),
            spread([r.final for r in results], ".3f"),
            spread(same_time, ".3f") if same_time else "–",
            spread(memory, ",.0f") if memory else "–",
            *(_ratio(results, by_rival[target]) for target in targets),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _pair(one: Result, other: Result) -> bool:
    return (one.seed, one.repeat) == (other.seed, other.repeat)


def _ratio(results: list[Result], targets: list[Result]) -> str:
    """Time to the target's final validation accuracy, as a share of the time that the target itself took to reach it
    first; of trainings with the same seed and repeat."""
    pairs = [(r.reaching(t.final), t.reaching(t.final)) for r in results for t in targets if _pair(r, t)]
    found = [ours / theirs for ours, theirs in pairs if ours is not None and theirs]
    if len(found) == len(pairs):
        return spread(found, ".2f") if found else "–"
    reached = f"reached in {len(found)} of {len(pairs)}"
    return f"{reached}: {spread(found, '.2f')}" if found else reached


def _scores(by_rival: dict[str, list[Result]], ordered: bool) -> str:
    metrics = ["accuracy", "balanced_accuracy", "macro_f1", *(["mae", "quadratic_kappa"] if ordered else [])]
    lines = [
        f"| rival | answer | n | {' | '.join(metrics)} | accuracy, seed by seed |",
        "|---|---|--:|" + "--:|" * len(metrics) + "---|",
    ]
    for rival, results in by_rival.items():
        for decode in ("argmax", "median") if ordered else ("argmax",):
            answers = [(r.truth, decoded(r.probabilities, decode), r.probabilities.shape[1]) for r in results]
            means = {metric: [_score(metric, *answer) for answer in answers] for metric in metrics}
            n = len(results[0].truth)
            low, high = wilson(float(np.mean(means["accuracy"])), n)
            cells = [f"{np.mean(means[metric]):.3f}" for metric in metrics]
            cells[0] += f" ({low:.3f}–{high:.3f})"
            each = ", ".join(f"{value:.3f}" for value in means["accuracy"])
            lines.append(f"| {rival} | {decode} | {n:,} | {' | '.join(cells)} | {each} |")
    return "\n".join(lines) + "\n"


def _score(metric: str, truth: Ints, predicted: Ints, classes: int) -> float:
    assert metric in METRICS
    return score(metric, truth, predicted, classes)
