"""Labels that can be told without reading: by a text of a word or two, by blanks or by capitals."""

import polars as pl
from scipy.special import ndtri

from instar.audit.association import ALPHA, LEAST, by_value, gain, known, wilson_low
from instar.audit.check import WORTH_KNOWING
from instar.audit.wording import DIGITS, number, percent, several
from instar.records import Dataset, Finding, Json

SHORT = 3
"""Most words of a text that is looked at as a label in disguise."""
REPEATED = 5
"""Times that such a text must occur with a label before it can mean one."""
PURE = 0.8
"""Share of one label, surely exceeded (Wilson; for all that is looked at together: Bonferroni), from which a trait
decides it (our judgement)."""


def one_word_labels(dataset: Dataset) -> Finding:
    """Texts of up to three words that alone decide the label, as where a form offers ready-made answers."""
    known_rows = dataset.part("train", "val")
    texts = known_rows.filter(pl.col("measure.words") <= SHORT).with_columns(
        text=pl.col("input").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    )
    counted = (
        texts.group_by("text", "label")
        .agg(pl.len().alias("times"))
        .sort("times", "label", descending=[True, False])
        .group_by("text", maintain_order=True)
        .agg(pl.col("times").sum().alias("n"), pl.col("label").first(), pl.col("times").first().alias("most"))
        .filter(pl.col("n") >= REPEATED)
    )
    z = _critical(counted.height)
    low = [wilson_low(most, n, z) for most, n in counted.select("most", "n").iter_rows()]
    rows = (
        counted.with_columns(
            share=(pl.col("most") / pl.col("n")).round(DIGITS), low=pl.Series(low, dtype=pl.Float64).round(DIGITS)
        )
        .select("text", "n", "label", "share", "low")
        .sort("n", "text", descending=[True, False])
    )
    usual = known_rows["label"].value_counts()["count"].max() / known_rows.height  # type: ignore[operator]
    deciding = rows.filter((pl.col("low") >= PURE) & (pl.col("low") > usual))
    n = int(deciding["n"].sum())
    evidence: dict[str, Json] = {
        "words": SHORT,
        "short": texts.height,
        "short_share": round(texts.height / known_rows.height, DIGITS),
        "of": known_rows.height,
        "repeated": rows.height,
        "deciding": deciding.height,
        "rows": n,
        "share": round(n / known_rows.height, DIGITS),
        "pure": PURE,
        "examples": [[row["text"], row["label"], row["share"]] for row in deciding.head(6).iter_rows(named=True)],
    }
    sentence = (
        f"{number(texts.height)} of {several(known_rows.height, 'text')} of train and val "
        f"({percent(evidence['short_share'])}) {'has' if texts.height == 1 else 'have'} {SHORT} words or fewer"
    )
    if not deciding.height:
        sentence += "; none of them that is repeated decides the label."
        return Finding("one-word-labels", "passed", sentence, evidence, rows)
    named = ", ".join(f"“{text}” is {label} in {percent(share)}" for text, label, share in evidence["examples"][:4])
    sentence += (
        f"; {several(deciding.height, 'such text')} {'decides' if deciding.height == 1 else 'decide'} the label alone, "
        f"in {several(n, 'row')} ({percent(evidence['share'])}): {named}."
    )
    verdict = "issue" if evidence["share"] >= WORTH_KNOWING else "note"
    return Finding("one-word-labels", verdict, sentence, evidence, rows)  # type: ignore[arg-type]


def whitespace_label(dataset: Dataset) -> Finding:
    """Blanks at the ends, double blanks, capitals: traits of how a text was typed or joined, not of what it says.

    Rows that repeat a text letter by letter, with the same label, are one witness.
    """
    rows = dataset.part("train", "val").unique(["twin", "label", "input"], keep="first", maintain_order=True)
    if rows.height < LEAST or rows["label"].n_unique() < 2:
        return Finding("whitespace-label", "skipped", f"{several(rows.height, 'different text')} are too few to tell.")
    text = pl.col("input")
    letters = text.str.contains(r"\p{L}")
    traits = {
        "a leading blank": text.str.contains(r"^\s"),
        "a trailing blank": text.str.contains(r"\s$"),
        "a double blank": text.str.contains(r"\S\s\s+\S"),
        "nothing but capitals": letters & ~text.str.contains(r"\p{Ll}"),
        "no capital": letters & ~text.str.contains(r"\p{Lu}"),
    }
    of = known(rows)
    held = rows.select("label", **traits)
    usual = dict(rows["label"].value_counts().iter_rows())
    found: list[dict[str, Json]] = []
    for trait in traits:
        column = held[trait]
        if column.n_unique() < 2:
            continue
        told = gain(of, by_value(of, column.cast(pl.Int64).to_numpy()), at_once=len(traits))
        own = held.filter(trait)["label"].value_counts(sort=True)
        n, label, most = int(column.sum()), own["label"][0], int(own["count"][0])
        base = usual[label] / rows.height
        surely = wilson_low(most, n, _critical(len(traits)))
        carries = told.low >= WORTH_KNOWING or (surely >= PURE and surely > base)
        found.append(
            {"trait": trait, "n": n, "label": label, "share": round(most / n, DIGITS), "usual": round(base, DIGITS),
             "gain": told.gain, "low": told.low, "carries": carries}
        )  # fmt: skip
    schema = {"trait": pl.String, "n": pl.Int64, "label": pl.String, "share": pl.Float64, "usual": pl.Float64,
              "gain": pl.Float64, "low": pl.Float64, "carries": pl.Boolean}  # fmt: skip
    table = pl.DataFrame(found, schema=schema).sort("carries", "gain", "trait", descending=[True, True, False])
    carrying = table.filter("carries")
    evidence: dict[str, Json] = {"traits": table.drop("carries").to_dicts(), "carrying": carrying["trait"].to_list()}
    if not carrying.height:
        sentence = "Neither blanks nor capitals tell the label."
        return Finding("whitespace-label", "passed", sentence, evidence, table)
    parts = [
        f"{percent(row['share'])} of the {several(row['n'], 'different text')} with {row['trait']} are {row['label']} "
        f"({percent(row['usual'])} of all)"
        for row in carrying.iter_rows(named=True)
    ]
    sentence = f"How a text is typed tells its label: {'; '.join(parts)}."
    return Finding("whitespace-label", "issue", sentence, evidence, table)


def _critical(at_once: int) -> float:
    """The z of a 95 % interval for so many comparisons together (Bonferroni)."""
    return float(-ndtri(ALPHA / 2 / max(at_once, 1)))
