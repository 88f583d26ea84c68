"""How many examples has each class?"""

import math

import polars as pl

from instar.audit.wording import listed, number, several
from instar.records import Dataset, Finding, Json, Verdict

UNEVEN = 1.5
"""Ratio of the largest to the smallest class above which accuracy favours the large ones (our judgement)."""
VERY_UNEVEN = 10.0
"""Ratio above which small classes risk being ignored altogether (our judgement)."""
MINIMUM = 100
"""Examples that every class should have, over all splits."""


def class_counts(dataset: Dataset) -> Finding:
    """Sizes of the classes over train, val and test, their ratio and their effective number.

    The effective number is exp(entropy) of the class shares: as many classes of equal size would be as varied
    (the Hill number of order 1; Hill 1973, Ecology 54). The ratio counts a smallest class without any as one example.
    """
    labelled = dataset.part("train", "val").group_by(pl.col("label").alias("class"))
    seen = labelled.agg(
        (pl.col("split") == "train").sum().alias("train"), (pl.col("split") == "val").sum().alias("val")
    )
    counts = {name: dataset.counts.get(name, 0) for name in dataset.classes}
    rows = (
        pl.DataFrame({"class": list(counts), "n": list(counts.values())}, {"class": pl.String, "n": pl.Int64})
        .join(seen, on="class", how="left")
        .with_columns(pl.col("train", "val").fill_null(0).cast(pl.Int64))
        .sort("n", "class", descending=[True, False])
    )
    empty = {
        part: rows.filter(held == 0).height
        for part, held in (
            ("train", pl.col("train")),
            ("val", pl.col("val")),
            ("test", pl.col("n") - pl.col("train") - pl.col("val")),
        )
    }
    n = sum(counts.values())
    smallest, largest = min(counts, key=lambda c: counts[c]), max(counts, key=lambda c: counts[c])
    shares = [count / n for count in counts.values() if count]
    ratio = counts[largest] / max(counts[smallest], 1)
    evidence: dict[str, Json] = {
        "classes": len(counts),
        "n": n,
        "smallest": smallest,
        "smallest_n": counts[smallest],
        "largest": largest,
        "largest_n": counts[largest],
        "ratio": round(ratio, 2),
        "effective": round(math.exp(-sum(s * math.log(s) for s in shares)), 1),
        "empty": empty,
    }
    verdict: Verdict = "issue" if ratio > VERY_UNEVEN or any(empty.values()) else "note" if ratio > UNEVEN else "passed"
    if counts[smallest] == counts[largest]:
        sizes = f"{number(counts[largest])} in each"
    else:
        ratio_said = f"a ratio of {evidence['ratio']:.2f}, " if counts[smallest] else ""
        sizes = (
            f"from {number(counts[smallest])} ({smallest}) to {number(counts[largest])} ({largest}), "
            f"{ratio_said}as varied as {evidence['effective']:.1f} classes of equal size"
        )
    sentence = f"{number(n)} labelled {dataset.modality}s in {several(len(counts), 'class', 'classes')}: {sizes}."
    lacking = [f"{several(k, 'class', 'classes')} in {part}" for part, k in empty.items() if k]
    if lacking:
        sentence += f" There is no example of {', '.join(lacking)}."
    return Finding("class-counts", verdict, sentence, evidence, rows)


def small_classes(dataset: Dataset) -> Finding:
    """Classes with fewer than `MINIMUM` examples, and how many each lacks.

    Where the person limited the examples per class to fewer, that is worth a note, not an issue.
    """
    limit = dataset.opening["limit"]
    small = sorted((dataset.counts.get(c, 0), c) for c in dataset.classes if dataset.counts.get(c, 0) < MINIMUM)
    rows = pl.DataFrame(
        {
            "class": [c for _, c in small],
            "n": [n for n, _ in small],
            "missing": [MINIMUM - n for n, _ in small],
        },
        {"class": pl.String, "n": pl.Int64, "missing": pl.Int64},
    )
    evidence: dict[str, Json] = {
        "minimum": MINIMUM,
        "n": rows.height,
        "missing": int(rows["missing"].sum()),
        "classes": len(dataset.classes),
        "limit": limit,
    }
    if not small:
        sentence = f"Every class has {MINIMUM} examples or more."
        return Finding("small-classes", "passed", sentence, evidence)
    own_wish = limit is not None and limit < MINIMUM
    sentence = (
        f"{number(rows.height)} of {several(len(dataset.classes), 'class', 'classes')} "
        f"{'has' if rows.height == 1 else 'have'} fewer than {MINIMUM} examples"
        f"{f', as no more than {limit} a class were taken' if own_wish else ''}; "
        f"{several(evidence['missing'], 'example')} "
        f"{'is' if evidence['missing'] == 1 else 'are'} missing in "
        f"{small[0][1] if len(small) == 1 else f'all, most for {listed([c for _, c in small], 3)}'}."
    )
    return Finding("small-classes", "note" if own_wish else "issue", sentence, evidence, rows)
