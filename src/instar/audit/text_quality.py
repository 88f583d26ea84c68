"""What texts are made of: markup, languages, and the words that tell classes apart."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from scipy.special import ndtri
from sklearn.feature_extraction.text import CountVectorizer

from instar.audit.check import WORTH_KNOWING
from instar.audit.wording import DIGITS, listed, number, percent, several
from instar.data.language import LEAST_LETTERS, names
from instar.data.measure_texts import BROKEN
from instar.records import Dataset, Finding, Json, Verdict

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
    """Languages and scripts of the texts; a network that was trained on one language reads others badly.

    The main language is the likeliest one of most texts. A text is in another when it cannot be in the main one (see
    `data.language.languages`), or when nothing but its script can be told, and the main language is not written in it
    here.
    """
    texts = dataset.part("train", "val", "test")
    if not {"measure.script", "measure.language"} <= set(texts.columns):
        return Finding("language", "skipped", "The set was opened before languages were measured; open it anew.")
    texts = texts.drop_nulls("measure.script").select(
        "id", "label", script="measure.script", codes=pl.col("measure.language").str.split(" "),
        letters="measure.letters", text="input",
    )  # fmt: skip
    if not texts.height:
        return Finding("language", "not applicable", "No text has a letter.", {}, texts.drop("codes", "letters"))
    likeliest, known = pl.col("codes").list.first(), pl.col("codes").is_not_null()
    main = _most(texts.select(code=likeliest)["code"])
    scripts = texts["script"].value_counts().sort("count", "script", descending=[True, False])
    usual = scripts["script"].to_list()[:1]
    if main is not None:
        usual = _usual(texts.filter(pl.col("codes").list.contains(main))["script"])
    foreign = pl.when(known).then(~pl.col("codes").list.contains(main or "")).otherwise(~pl.col("script").is_in(usual))
    name = likeliest.replace_strict(names(), default=None).fill_null(pl.format("{} script", "script"))
    rows = (
        texts.filter(foreign)
        .select("id", "label", name.alias("language"), "script", "text")
        .sort(pl.len().over("language"), "language", "id", descending=[True, False, False])
    )
    others = dict(rows.group_by("language", maintain_order=True).len().iter_rows())
    untold = texts.filter(~known & ~foreign)
    short, rest = untold.filter(pl.col("letters") < LEAST_LETTERS).height, texts.height - rows.height
    told = texts.height - untold.height if main else 0
    alike = texts.filter(~foreign & (pl.col("codes").list.len() > 1)).height
    evidence: dict[str, Json] = {
        "main": names()[main] if main else f"{usual[0]} script",
        "languages": {**({names()[main]: told - rows.height} if main else {f"{usual[0]} script": rest}), **others},
        "other": rows.height,
        "other_share": round(rows.height / (told or texts.height), DIGITS),
        "told": told,
        "alike": alike,
        "short": short,
        "unclear": untold.height - short,
        "least_letters": LEAST_LETTERS,
        "scripts": dict(scripts.iter_rows()),
        "of": texts.height,
    }
    verdict: Verdict = "note" if evidence["other_share"] >= WORTH_KNOWING else "passed"
    if not told and not rows.height:
        verdict = "not applicable"
    return Finding("language", verdict, _languages(evidence, others), evidence, rows)


def _most(values: pl.Series) -> str | None:
    """The most frequent value, the first of the alphabet among equals."""
    counted = values.drop_nulls().value_counts().sort("count", values.name, descending=[True, False])
    return counted[values.name][0] if counted.height else None


def _usual(scripts: pl.Series) -> list[str]:
    """Those of a share that is worth knowing: Japanese is written in three."""
    counted = scripts.value_counts()
    return counted.filter(pl.col("count") >= WORTH_KNOWING * len(scripts))["script"].to_list()


def _languages(evidence: Mapping[str, Json], others: Mapping[str, int]) -> str:
    """Main language, others, and how much cannot be told."""
    main, told, other, short = (evidence[key] for key in ("main", "told", "other", "short"))
    named = listed([f"{name} ({number(n)})" for name, n in others.items()])
    share = f"({percent(evidence['other_share'])}) {'is' if other == 1 else 'are'} not in {main} as the others are"
    if not told:
        sentence = "No text is long and clear enough to tell its language"
        if other:
            sentence += f"; {number(other)} of {several(evidence['of'], 'text')} {share}: {named}"
        return f"{sentence}; scripts: {listed(list(evidence['scripts']))}."
    if other:
        sentence = f"{number(other)} of the {several(told, 'text')} whose language can be told {share}: {named}."
    else:
        sentence = "The only text" if told == 1 else f"All {number(told)} texts"
        sentence += f" whose language can be told {'is' if told == 1 else 'are'} in {main}"
        alike = evidence["alike"]
        sentence += f", or may be: {number(alike)} may as well be in one that is alike." if alike else "."
    untold = [f"{several(short, 'text')} of fewer than {evidence['least_letters']} letters"] if short else []
    if evidence["unclear"]:
        untold.append(f"{several(evidence['unclear'], 'text')} that may be in several, or hold too little of one")
    return f"{sentence} It cannot be told of {' and of '.join(untold)}." if untold else sentence


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
