"""Checks of what only texts have: length, damage, content."""

import polars as pl

from instar.audit.wording import DIGITS, number, percent, several
from instar.records import Dataset, Finding, Json, Verdict

LONG = 365
"""Words that make about 512 tokens, the most that BERT and its kin read (1.4 a word, our judgement)."""
WORTH_KNOWING = 0.01
"""Share of the texts from which a trait is worth a note, or a loss is an issue (our judgement)."""


def lengths(dataset: Dataset) -> Finding:
    """Words per labelled text: median, 95th percentile, most, and how many are beyond most networks."""
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
            f" {several(long, 'text')} ({percent(evidence['long_share'])}) "
            f"{'has' if long == 1 else 'have'} more than {LONG}, which is more than most networks read."
        )
    verdict: Verdict = "note" if evidence["long_share"] >= WORTH_KNOWING else "passed"
    return Finding("lengths", verdict, sentence, evidence, rows)


def mojibake(dataset: Dataset) -> Finding:
    """Texts with characters that were lost or misread before the set was published (U+FFFD, "Ã¶" ...)."""
    texts = dataset.part("train", "val", "test")
    rows = (
        texts.filter(pl.col("measure.replacement") > 0)
        .select("id", "label", n="measure.replacement", text="input")
        .select("id", "n", "label", "text")
        .sort("n", "id", descending=[True, False])
    )
    evidence: dict[str, Json] = {
        "rows": rows.height,
        "share": round(rows.height / texts.height, DIGITS),
        "of": texts.height,
        "characters": int(rows["n"].sum()),
    }
    if not rows.height:
        return Finding("mojibake", "passed", "No text shows lost or misread characters.", evidence, rows)
    sentence = (
        f"{number(rows.height)} of {several(texts.height, 'text')} ({percent(evidence['share'])}) "
        f"{'holds' if rows.height == 1 else 'hold'} characters that were lost or misread before the set was "
        f"published ({several(evidence['characters'], 'place')}); what stood there cannot be told for sure."
    )
    verdict: Verdict = "issue" if evidence["share"] >= WORTH_KNOWING else "note"
    return Finding("mojibake", verdict, sentence, evidence, rows)


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
    sentence = f"{number(n)} of {several(texts.height, 'text')} ({percent(evidence['share'])}) are a single word"
    if n:
        sentence += f" ({number(evidence['different'])} different)"
    sentence += f"; {number(evidence['symbols_only'])} have no letter at all."
    heavy = rows.height / texts.height >= WORTH_KNOWING
    return Finding("short-texts", "note" if heavy else "passed", sentence, evidence, rows)
