"""Checks of what only texts have: length, damage, content."""

from collections import Counter
from collections.abc import Iterable

import ftfy
import numpy as np
import polars as pl

from instar.audit.association import LEAST, Floats, Ints
from instar.audit.check import WORTH_KNOWING
from instar.audit.wording import DIGITS, number, percent, several
from instar.data.lost import CUT, DEBRIS
from instar.data.measure_texts import BROKEN, LOST
from instar.records import Dataset, Finding, Json, Verdict

LONG = 365
"""Words that make about 512 tokens, the most that BERT and its kin read (1.4 a word, our judgement)."""
SMALL, CHANCE = 0.1, 0.01
"""Cramér's V from which an association is more than none (Cohen 1988, Statistical Power Analysis, 7.2), and the p-value
below which it is not taken for chance."""
LEAST_BROKEN = 5
"""Different damaged texts below which nothing is said of their labels (our judgement)."""
SHUFFLES = 9_999
"""Ways to deal the damaged texts to the classes that are drawn for a p-value."""
SHOWN = 5
"""Garbled sequences that are listed."""


def lengths(dataset: Dataset) -> Finding:
    """Words per labelled text: median, 95th percentile, most, and how many are beyond most networks.

    Words by white space: tokens depend on the network, which is chosen later, and are counted there.
    """
    texts = dataset.part("train", "val", "test").select(words="measure.words")
    rows = texts.group_by("words").len("n").sort("words")
    words = texts["words"]
    long = int((words > LONG).sum())
    evidence: dict[str, Json] = {
        "median": int(words.quantile(0.5, "nearest") or 0),
        "p95": int(words.quantile(0.95, "nearest") or 0),
        "max": int(words.max() or 0),  # type: ignore[arg-type]
        "words": int(words.sum()),
        "long": long,
        "long_words": LONG,
        "long_share": round(long / texts.height, DIGITS),
    }
    sentence = (
        f"Half of the texts have {several(evidence['median'], 'word')} or fewer, 19 in 20 have "
        f"{number(evidence['p95'])} or fewer, the longest has {number(evidence['max'])}."
    )
    if long:
        sentence += (
            f" {several(long, 'text')} ({percent(evidence['long_share'])}) {'has' if long == 1 else 'have'} more than "
            f"{LONG}, which by rule of thumb is more than most networks read."
        )
    sentence += " Words are counted here; their tokens are counted in the plan, where the network is known."
    verdict: Verdict = "note" if evidence["long_share"] >= WORTH_KNOWING else "passed"
    return Finding("lengths", verdict, sentence, evidence, rows)


def mojibake(dataset: Dataset) -> Finding:
    """Texts with characters that were lost or misread before the set was published (U+FFFD, "Ã¶" ...): which they are,
    whether they can be read again, and whether they go with the label."""
    broken = pl.col("measure.replacement") + pl.col("input").str.count_matches(CUT)
    texts = dataset.part("train", "val", "test").with_columns(broken.cast(pl.Int64).alias("n"))
    rows = (
        texts.filter(pl.col("n") > 0).select("id", "n", "label", text="input").sort("n", "id", descending=[True, False])
    )
    evidence: dict[str, Json] = {
        "rows": rows.height,
        "share": round(rows.height / texts.height, DIGITS),
        "of": texts.height,
        "characters": int(rows["n"].sum()),
    }
    if not rows.height:
        return Finding("mojibake", "passed", "No text shows lost or misread characters.", evidence, rows)
    evidence |= _garbled(rows["text"]) | _told_by(texts.filter(pl.col("split") != "test"))
    sentence = (
        f"{number(rows.height)} of {several(texts.height, 'text')} ({percent(evidence['share'])}) "
        f"{'holds' if rows.height == 1 else 'hold'} characters that were lost or misread before the set was "
        f"published ({several(evidence['characters'], 'place')}"
    )
    if evidence["sequences"]:
        shown, n, meant = evidence["sequences"][0]
        sentence += f", most often “{shown}”, {number(n)} times, {f'for “{meant}”' if meant else 'for what is lost'}"
    sentence += ")"
    if evidence["lost"]:
        sentence += f"; what stood in {several(evidence['lost'], 'run')} of such characters cannot be told"
    if evidence["carries"]:
        sentence += (
            f". They go with the label (Cramér's V {evidence['cramers_v']:.2f}): {percent(evidence['label_share'])} of "
            f"the different texts of train and val that hold them are {evidence['label']}, against "
            f"{percent(evidence['usual'])} of all"
        )
    verdict: Verdict = "issue" if evidence["share"] >= WORTH_KNOWING else "note"
    return Finding("mojibake", verdict, f"{sentence}.", evidence, rows)


def _garbled(texts: Iterable[str]) -> dict[str, Json]:
    """sequences: [as it stands, times, what ftfy reads in it or "" where that is lost], most frequent first;
    different_sequences: how many there are; lost: runs of such as are lost."""
    found: Counter[str] = Counter()
    lost = 0
    for text in texts:
        found.update(BROKEN.findall(text))
        lost += DEBRIS.subn("", text)[1]
    meant = {sequence: ftfy.fix_encoding(sequence) for sequence in found}
    readable = {s: m if m != s and LOST not in m else "" for s, m in meant.items()}
    sequences = [[s, n, readable[s]] for s, n in found.most_common(SHOWN)]
    return {"sequences": sequences, "different_sequences": len(found), "lost": lost}


def _told_by(rows: pl.DataFrame) -> dict[str, Json]:
    """Whether lost characters go with the label in train and val, copies of a text being one witness.

    Cramér's V (1946, Mathematical Methods of Statistics, 21.9) of loss and label, and how often as large a chi-square
    comes about when the damaged texts are dealt to the classes at random (`SHUFFLES` times; its asymptotic p-value is
    far too small where a class has few texts). The label named is the one with most damaged texts beyond its share.
    The gain in accuracy that tells shortcuts says nothing here: where few texts are damaged it moves with whichever of
    two classes of like size a fold holds more of.
    """
    once = rows.unique(["twin", "label"], keep="first", maintain_order=True)
    counted = once.group_by("label").agg(n=pl.len(), broken=(pl.col("n") > 0).sum()).sort("label")
    sizes, broken = counted["n"].to_numpy().astype(np.int64), counted["broken"].to_numpy().astype(np.int64)
    total = int(broken.sum())
    if once.height < LEAST or counted.height < 2 or not LEAST_BROKEN <= total < once.height:
        return {"carries": False}
    found = float(_chi_square(broken, sizes))
    dealt = np.random.default_rng(0).multivariate_hypergeometric(sizes, total, SHUFFLES, method="marginals")
    as_large = int((_chi_square(dealt, sizes) >= found * (1 - 1e-9)).sum())
    p, strength = (1 + as_large) / (1 + SHUFFLES), float(np.sqrt(found / once.height))
    most = int((broken - sizes * total / once.height).argmax())
    return {
        "cramers_v": round(strength, DIGITS),
        "p": float(f"{p:.3g}"),
        "label": counted["label"][most],
        "label_share": round(int(broken[most]) / total, DIGITS),
        "usual": round(int(sizes[most]) / once.height, DIGITS),
        "different_texts": once.height,
        "different_broken": total,
        "carries": p < CHANCE and strength >= SMALL,
    }


def _chi_square(broken: Ints, sizes: Ints) -> Floats:
    """Pearson's statistic of (..., classes) damaged texts of classes of these sizes, against whole ones."""
    share = broken.sum(axis=-1, keepdims=True) / sizes.sum()
    expected = sizes * share
    found: Floats = ((broken - expected) ** 2 / (expected * (1 - share))).sum(axis=-1)
    return found


def short_texts(dataset: Dataset) -> Finding:
    """Texts of a single word, and texts without a letter: little to learn from, and often repeated."""
    texts = dataset.part("train", "val", "test")
    one_word, no_letter = pl.col("measure.words") <= 1, pl.col("measure.letters") == 0
    rows = texts.filter(one_word | no_letter).select("id", "label", text="input").sort("text", "id")
    n = texts.filter(one_word).height
    evidence: dict[str, Json] = {
        "n": n,
        "symbols_only": texts.filter(no_letter).height,
        "of": texts.height,
        "share": round(n / texts.height, DIGITS),
        "different": texts.filter(one_word)["input"].str.to_lowercase().str.strip_chars().n_unique(),
    }
    if not rows.height:
        sentence = "Every text has more than one word, and letters."
        return Finding("short-texts", "passed", sentence, evidence, rows)
    are = "is" if n == 1 else "are"
    sentence = f"{number(n)} of {several(texts.height, 'text')} ({percent(evidence['share'])}) {are} a single word"
    if n:
        sentence += f" ({number(evidence['different'])} different)"
    bare = evidence["symbols_only"]
    sentence += f"; {number(bare)} {'has' if bare == 1 else 'have'} no letter at all."
    heavy = rows.height / texts.height >= WORTH_KNOWING
    return Finding("short-texts", "note" if heavy else "passed", sentence, evidence, rows)
