"""What each technique was worth, from the kept answers alone."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from instar.metrics import ORDERED, Floats, Ints, decoded, score

DRAWS = 2000


@dataclass(frozen=True)
class Kept:
    """The answers of one training: logits by weights and view, of validation and test rows."""

    trial: str
    seed: int
    seconds: float
    logits: dict[str, dict[str, NDArray[np.float32]]]
    """part -> "weights/view" -> (N, C)"""


@dataclass(frozen=True)
class Truth:
    """Labels and groups of the rows of a part."""

    labels: Ints
    groups: Ints


def kept(path: Path) -> Kept:
    """Read one file of results."""
    with np.load(path, allow_pickle=False) as stored:
        logits: dict[str, dict[str, NDArray[np.float32]]] = {"val": {}, "test": {}}
        for name in stored.files:
            if ":" in name:
                part, way = name.split(":")
                logits[part][way] = stored[name]
        return Kept(path.stem.rsplit("-", 1)[0], int(path.stem.rsplit("-", 1)[1]), float(stored["seconds"]), logits)


def ways(logits: dict[str, NDArray[np.float32]], prior_C: Floats, *, ordered: bool) -> dict[str, Ints]:
    """Answers (N,) by what was done after the training: weights, views, decoding."""
    shares = {way: softmax(value.astype(np.float64), axis=1) for way, value in logits.items()}
    shares |= _means(shares)
    found = {way: decoded(p, "argmax") for way, p in shares.items()}
    last = shares["last/centre"]
    adjusted = np.log(np.maximum(last, 1e-12)) - np.log(prior_C)
    found["adjusted afterwards"] = adjusted.argmax(1)
    if ordered:
        found["median"] = decoded(last, "median")
        found["expected"] = np.rint(last @ np.arange(last.shape[1])).astype(np.int64)
        for weights in ("ema", "wise50", "wise75", "soup"):
            if f"{weights}/centre" in shares:
                found[f"{weights}, median"] = decoded(shares[f"{weights}/centre"], "median")
    return found


def _means(shares: dict[str, Floats]) -> dict[str, Floats]:
    """Means of views."""
    sets = {"flip": ("centre", "mirror"), "whole, flip": ("whole", "whole-mirror"),
            "centre and whole, flip": ("centre", "mirror", "whole", "whole-mirror")}  # fmt: skip
    of = {name: [shares.get(f"last/{view}") for view in views] for name, views in sets.items()}
    return {name: np.mean(parts, axis=0) for name, parts in of.items() if all(p is not None for p in parts)}


def table(
    results: list[Kept], truth: dict[str, Truth], prior_C: Floats, metric: str, *, ordered: bool, base: str = "base"
) -> str:
    """Markdown: a row for each technique, in training and after it."""
    classes = len(prior_C)
    metrics = ("accuracy", "balanced_accuracy", "macro_f1", *(reversed(ORDERED) if ordered else ()))
    answers: dict[tuple[str, str], dict[int, dict[str, Ints]]] = {}
    seconds: dict[str, list[float]] = {}
    for result in results:
        seconds.setdefault(result.trial, []).append(result.seconds)
        for part in ("val", "test"):
            for way, given in ways(result.logits[part], prior_C, ordered=ordered).items():
                answers.setdefault((result.trial, way), {}).setdefault(result.seed, {})[part] = given
    start = answers[base, "last/centre"]
    lines = [
        f"| training | after it | seeds | {metric}, validation | over base (95 %), seed by seed | "
        f"{metric}, test | over base (95 %) | {', '.join(metrics)}, test | s |",
        "|---|---|--:|--:|---|--:|---|---|--:|",
    ]
    for (trial, way), by_seed in answers.items():
        if trial != base and way not in ("last/centre", "flip", "median"):
            continue
        seeds = sorted(set(by_seed) & set(start))
        if not seeds:
            continue
        cells = [trial, way, str(len(seeds))]
        for part in ("val", "test"):
            of = truth[part]
            values = [score_of(metric, of, by_seed[s][part], classes) for s in seeds]
            mean, low, high = gain([(by_seed[s][part], start[s][part]) for s in seeds], of, metric, classes)
            text = f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"
            if part == "val":
                each = [v - score_of(metric, of, start[s][part], classes) for v, s in zip(values, seeds, strict=True)]
                text += "; " + ", ".join(f"{e:+.3f}" for e in each)
            cells += [f"{np.mean(values):.3f}", text]
        tests = [
            f"{np.mean([score_of(m, truth['test'], by_seed[s]['test'], classes) for s in seeds]):.3f}" for m in metrics
        ]
        cells += [", ".join(tests), f"{np.mean(seconds[trial]):,.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def score_of(metric: str, truth: Truth, answers: Ints, classes: int) -> float:
    """One metric; the mean distance between classes too."""
    if metric == "mae":
        return float(np.abs(truth.labels - answers).mean())
    return score(metric, truth.labels, answers, classes)


def gain(pairs: list[tuple[Ints, Ints]], truth: Truth, metric: str, classes: int) -> tuple[float, float, float]:
    """Mean over the seeds of the difference, with an interval from a bootstrap over groups of rows and over seeds."""
    rng = np.random.default_rng(0)
    _, group_N = np.unique(truth.groups, return_inverse=True)
    rows = np.argsort(group_N, kind="stable")
    starts = np.searchsorted(group_N[rows], np.arange(group_N.max() + 2))

    def difference(ours: Ints, theirs: Ints, at: Ints) -> float:
        of = Truth(truth.labels[at], truth.groups[at])
        return score_of(metric, of, ours[at], classes) - score_of(metric, of, theirs[at], classes)

    everything = np.arange(len(truth.labels))
    mean = float(np.mean([difference(*pair, everything) for pair in pairs]))
    found = []
    for _ in range(DRAWS // 4):
        chosen = rng.integers(group_N.max() + 1, size=group_N.max() + 1)
        at = np.concatenate([rows[starts[g] : starts[g + 1]] for g in chosen])
        which = rng.integers(len(pairs), size=len(pairs))
        found.append(np.mean([difference(*pairs[i], at) for i in which]))
    low, high = np.quantile(found, [0.025, 0.975])
    return mean, float(low), float(high)
