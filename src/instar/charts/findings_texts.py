"""Charts of what only texts have."""

import altair as alt
import polars as pl

from instar.audit.association import wilson_low
from instar.audit.text_checks import LONG
from instar.charts.findings_common import Row
from instar.charts.findings_forms import NAMED, Drawing, bars, dots, percent
from instar.charts.measures import lengths as length_chart
from instar.charts.theme import ACCENT, GREY, WIDTH, Chart, plot, shorten
from instar.records import Finding

LIMITS = (16, 32, 64, 128, 256, 512)
"""Tokens that networks are given to read."""
TOKENS = 512 / LONG
"""Tokens a word, as `audit.text_checks.LONG` takes them."""
PANELS = 5
"""Classes that have room for their words beside each other."""
WORDS = 8


def lengths(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """Words per text, and how many texts lose their end at which limit of tokens."""
    frame = found.rows.select("words", "n")
    words, n = frame["words"].to_numpy(), frame["n"].to_numpy()
    cut = [{"tokens": limit, "share": float(n[words * TOKENS > limit].sum() / n.sum())} for limit in LIMITS]
    rows: list[Row] = [
        {"name": f"{row['tokens']} tokens", "value": row["share"], "text": percent(row["share"])} for row in cut
    ]
    chart = bars(rows, f"texts cut off, at about {TOKENS:.1f} tokens a word", shares=True, end=1)
    return (
        Drawing("03-lengths", length_chart(frame), frame),
        Drawing("02-lengths-cut", chart, pl.DataFrame(cut)),
    )


def mojibake(found: Finding, table: pl.DataFrame) -> tuple[Drawing, ...]:
    """Share of each class with lost characters: damage that goes with the label is a shortcut too."""
    return shares("02-mojibake", "texts of the class with lost characters", found, table)


def markup(found: Finding, table: pl.DataFrame) -> tuple[Drawing, ...]:
    """Share of each class with markup."""
    return shares("02-markup", "texts of the class with entities or tags", found, table)


def short_texts(found: Finding, table: pl.DataFrame) -> tuple[Drawing, ...]:
    """Share of each class that is a word, or no word."""
    return shares("02-short-texts", "texts of the class with a word or none", found, table)


def shares(stem: str, title: str, found: Finding, table: pl.DataFrame) -> tuple[Drawing, ...]:
    """Share of the examples of each class that a finding lists, with 95 % intervals; sealed labels stay out."""
    counts = found.rows.drop_nulls("label").group_by(pl.col("label").alias("class")).len("n")
    if not counts.height:
        return ()
    of = table.drop_nulls("label").group_by(pl.col("label").alias("class")).len("of")
    frame = of.join(counts, on="class", how="left").with_columns(pl.col("n").fill_null(0).cast(pl.Int64))
    frame = frame.with_columns(share=pl.col("n") / pl.col("of"))
    bounds = [(wilson_low(n, m), 1 - wilson_low(m - n, m)) for n, m in frame.select("n", "of").iter_rows()]
    frame = frame.with_columns(low=pl.Series([a for a, _ in bounds]), high=pl.Series([b for _, b in bounds]))
    frame = frame.select("class", "n", "of", "share", "low", "high").sort("share", "class", descending=[True, False])
    rows: list[Row] = [
        {"name": row["class"], "value": row["share"], "low": row["low"], "high": row["high"],
         "text": f"{percent(row['share'])}  ({row['n']:,} of {row['of']:,})"}
        for row in frame.head(NAMED).iter_rows(named=True)
    ]  # fmt: skip
    whole = int(frame["n"].sum()) / int(frame["of"].sum())
    end = min(1.0, max(0.02, *(row["high"] for row in rows)) * 1.1)
    chart = dots(rows, title, (0.0, end), line=(whole, f"of all: {percent(whole)}"))
    return (Drawing(stem, chart, frame),)


def language(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """Texts of each language, and those of which it cannot be told; nothing where there is one language only."""
    told = found.evidence.get("languages", {})
    if len(told) < 2:
        return ()
    main, of = found.evidence["main"], found.evidence["of"]
    counts = [(name, n, "plain" if name == main else "warn") for name, n in told.items()]
    untold = of - sum(told.values())
    unclear = [("too short or unclear", untold, "quiet")] if untold else []
    rows: list[Row] = [
        {"name": name, "value": n, "text": f"{n:,} ({percent(n / of)})", "tone": tone}
        for name, n, tone in counts[: NAMED - len(unclear)] + unclear
    ]
    frame = pl.DataFrame([(name, n) for name, n, _ in counts + unclear], ["language", "n"], orient="row")
    return (Drawing("02-language", bars(rows, "texts, by language"), frame),)


def vocabulary(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """The words that tell classes apart: beside each other for few classes, the most telling ones for many."""
    frame = found.rows.select("class", "word", "z", "n")
    names = frame["class"].unique(maintain_order=True).to_list()
    if len(names) <= PANELS:
        return (Drawing("02-vocabulary", _columns(frame, names), frame),)
    rows: list[Row] = [
        {"name": f"{row['word']}: {row['class']}", "value": row["z"], "text": f"z = {row['z']:.1f}, {row['n']:,} times"}
        for row in frame.sort("z", descending=True).head(NAMED).iter_rows(named=True)
    ]
    return (Drawing("02-vocabulary", bars(rows, "how surely the word goes with the class (z)"), frame),)


def _columns(frame: pl.DataFrame, names: list[str]) -> Chart:
    """A column of words per class, each word with a bar as long as it is telling."""
    across, height = WIDTH / len(names), 30 * WORDS + 40
    top = float(frame["z"].to_numpy().max())
    marks = []
    for i, name in enumerate(names):
        part = frame.filter(pl.col("class") == name).head(WORDS)
        left = i * across
        room = int((across - 20) / 8)
        marks.append({"x": left, "end": left, "y": 8, "text": shorten(name, room), "head": True})
        marks += [
            {"x": left, "end": left + (across - 28) * max(z, 0) / top, "y": 30 * (j + 1) + 12,
             "text": shorten(word, room), "head": False}
            for j, (word, z) in enumerate(part.select("word", "z").iter_rows())
        ]  # fmt: skip
    base = plot(marks).encode(
        x=alt.X("x:Q", scale=alt.Scale(domain=[0, WIDTH], nice=False), axis=None),
        y=alt.Y("y:Q", scale=alt.Scale(domain=[height, 0], nice=False), axis=None),
    )
    words = base.transform_filter("!datum.head")
    bars_ = words.mark_rule(color=ACCENT, strokeWidth=4, yOffset=12).encode(x2="end:Q")
    texts = words.mark_text(align="left").encode(text="text:N")
    heads = base.transform_filter("datum.head").mark_text(align="left", fontWeight="bold", color=GREY)
    return alt.layer(bars_, texts, heads.encode(text="text:N")).properties(width=WIDTH, height=height)


def one_word_labels(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """The most frequent short texts and how surely each means one label."""
    frame = found.rows.select("text", "n", "label", "share", "low")
    rows: list[Row] = [
        {"name": f"“{row['text']}”", "value": row["share"], "low": row["low"], "high": row["share"],
         "text": f"{shorten(row['label'], 18)}: {percent(row['share'])} of {row['n']:,}",
         "tone": "warn" if row["low"] >= found.evidence["pure"] else "plain"}
        for row in frame.head(NAMED).iter_rows(named=True)
    ]  # fmt: skip
    title = "share of its most frequent label; the line goes down to the lower bound"
    return (Drawing("02-one-word-labels", dots(rows, title, (0.0, 1.0)), frame),)


def whitespace_label(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """Share of the leading label among the texts with each trait, beside its share among all."""
    frame = found.rows.select("trait", "n", "label", "share", "usual", "carries")
    rows: list[Row] = [
        {"name": row["trait"], "value": row["share"], "low": min(row["share"], row["usual"]),
         "high": max(row["share"], row["usual"]),
         "text": f"{shorten(row['label'], 18)}: {percent(row['share'])}, else {percent(row['usual'])}",
         "tone": "warn" if row["carries"] else "plain"}
        for row in frame.iter_rows(named=True)
    ]  # fmt: skip
    title = "share of the leading label among texts with the trait; the line goes to its share of all"
    return (Drawing("02-whitespace-label", dots(rows, title, (0.0, 1.0)), frame),)
