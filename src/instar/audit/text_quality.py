"""What texts are made of: markup, scripts, and the words that tell classes apart."""

import numpy as np
import polars as pl
from scipy.special import ndtri
from sklearn.feature_extraction.text import CountVectorizer

from instar.audit.check import WORTH_KNOWING
from instar.audit.wording import DIGITS, listed, number, percent, several
from instar.data.measure_texts import BROKEN
from instar.records import Dataset, Finding, Json

TELLING = 10
"""Words that are listed for each class."""
LEAST_COUNT = 5
"""A word that occurs less often in the texts tells nothing for sure."""
ALPHA = 0.01
"""Probability, over all words and classes together, of calling a word telling that is not (Bonferroni)."""


def markup(dataset: Dataset) -> Finding:
    """Texts with HTML entities or tags: leftovers of a web page."""
    texts = dataset.part("train", "val", "test")
    if "measure.entities" not in texts.columns:
        return Finding("markup", "skipped", "The set was opened before markup was measured; open it anew.")
    rows = (
        texts.filter(pl.col("measure.entities") > 0)
        .select("id", "label", n="measure.entities", text="input")
        .sort("n", "id", descending=[True, False])
    )
    share = round(rows.height / texts.height, DIGITS)
    evidence: dict[str, Json] = {
        "rows": rows.height,
        "share": share,
        "of": texts.height,
        "places": int(rows["n"].sum()),
    }
    if not rows.height:
        return Finding("markup", "passed", "No text holds HTML entities or tags.", evidence, rows)
    sentence = (
        f"{number(rows.height)} of {several(texts.height, 'text')} ({percent(share)}) "
        f"{'holds' if rows.height == 1 else 'hold'} HTML entities or tags ({several(evidence['places'], 'place')})."
    )
    return Finding("markup", "note" if share >= WORTH_KNOWING else "passed", sentence, evidence, rows)


def language(dataset: Dataset) -> Finding:
    """Scripts of the texts; a network that was trained on one language reads other scripts badly."""
    texts = dataset.part("train", "val", "test")
    if "measure.script" not in texts.columns:
        return Finding("language", "skipped", "The set was opened before scripts were measured; open it anew.")
    rows = (
        texts.drop_nulls("measure.script").group_by(pl.col("measure.script").alias("script")).agg(pl.len().alias("n"))
    ).sort("n", "script", descending=[True, False])
    if not rows.height:
        return Finding("language", "not applicable", "No text has a letter.", {}, rows)
    written = int(rows["n"].sum())
    other = round(1 - rows["n"][0] / written, DIGITS)
    evidence: dict[str, Json] = {
        "scripts": dict(rows.iter_rows()),
        "main": rows["script"][0],
        "other": written - int(rows["n"][0]),
        "other_share": other,
        "of": written,
    }
    closing = "Languages that share a script are not told apart."
    if rows.height == 1:
        sentence = f"All texts with letters are written in {evidence['main']} script. {closing}"
        return Finding("language", "passed", sentence, evidence, rows)
    named = ", ".join(f"{script} ({number(n)})" for script, n in rows.rows()[1:6])
    sentence = (
        f"{several(evidence['other'], 'text')} ({percent(other)}) {'is' if evidence['other'] == 1 else 'are'} not "
        f"written in {evidence['main']} script as the others are: {named}. {closing}"
    )
    return Finding("language", "note" if other >= WORTH_KNOWING else "passed", sentence, evidence, rows)


def vocabulary(dataset: Dataset) -> Finding:
    """The words that tell each class from the others, each text counted once per label; garbled characters
    are left out.

    Log-odds ratio with an informative Dirichlet prior, the prior being the counts of the whole set, scaled by its
    variance to z (Monroe, Colaresi, Quinn 2008, "Fightin' Words", Political Analysis 16). A word is telling from the
    z on that one word of one class reaches by chance with probability `ALPHA` over all words and classes.
    """
    texts = dataset.part("train", "val").unique(["twin", "label"], keep="first", maintain_order=True)
    empty = pl.DataFrame(schema={"class": pl.String, "word": pl.String, "z": pl.Float64, "n": pl.Int64})
    vectoriser = CountVectorizer(token_pattern=r"(?u)\b[^\W\d_]{2,}\b")
    classes = sorted(texts["label"].unique())
    try:
        counts = vectoriser.fit_transform([BROKEN.sub(" ", text) for text in texts["input"]])
    except ValueError:  # no word at all
        return Finding("vocabulary", "not applicable", "The texts hold no words of letters.", {}, empty)
    total = np.asarray(counts.sum(axis=0), dtype=np.float64).ravel()
    often = np.flatnonzero(total >= LEAST_COUNT)
    words, prior = vectoriser.get_feature_names_out()[often], total[often]
    evidence: dict[str, Json] = {
        "different": len(total),
        "once": int((total == 1).sum()),
        "running": int(total.sum()),
        "compared": len(often),
    }
    extent = f"{several(evidence['running'], 'running word')}, {number(evidence['different'])} different"
    critical = float(-ndtri(ALPHA / 2 / max(len(often) * len(classes), 1)))
    parts = [empty]
    labels = texts["label"].to_numpy()
    for name in classes:
        own = np.asarray(counts[labels == name].sum(axis=0), dtype=np.float64).ravel()[often]
        z = _log_odds(own, prior - own, prior)
        best = np.argsort(-z, kind="stable")[:TELLING]
        best = best[z[best] >= critical]
        columns = {"class": [name] * len(best), "word": words[best], "z": z[best].round(2), "n": own[best].astype(int)}
        parts.append(pl.DataFrame(columns, schema=empty.schema))
    rows = pl.concat(parts)
    first = {row["class"]: row["word"] for row in rows.reverse().iter_rows(named=True)}
    evidence |= {"critical_z": round(critical, 2), "telling": rows.height, "first": first}
    if not first:
        sentence = f"{extent}; no single word goes with a class more than chance would have it."
        return Finding("vocabulary", "passed", sentence, evidence, rows)
    named = listed([f"“{word}” for {name}" for name, word in sorted(first.items())], 6)
    sentence = f"{extent}. The words that tell classes apart most: {named}. Whether they should is for you to judge."
    return Finding("vocabulary", "note", sentence, evidence, rows)


def _log_odds(own: np.ndarray, others: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """z of each word for one class against all others (equations 16, 20 and 22 of the paper)."""
    a0, n_own, n_others = prior.sum(), own.sum(), others.sum()
    odds_own = np.log((own + prior) / (n_own + a0 - own - prior + 1e-9))
    odds_others = np.log((others + prior) / (n_others + a0 - others - prior + 1e-9))
    z: np.ndarray = (odds_own - odds_others) / np.sqrt(1 / (own + prior) + 1 / (others + prior))
    return z
