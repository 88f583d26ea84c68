"""Charts of reasons: the words that weigh most, and what happens when what is marked is taken out."""

import altair as alt
import polars as pl

from instar.charts.theme import ACCENT, GREY, HEIGHT, WARN, WIDTH, Chart, fitted, plot, shorten
from instar.charts.wording import PER_CENT

HEAVY = 6
"""Words shown of each text."""
COLUMNS = 3
NAMES = {"marked": "what is marked", "random": "elsewhere, by lot"}


def deletion(frame: pl.DataFrame) -> Chart:
    """Mean probability of the answer against the share that is taken out, with 95 % intervals.

    frame: order (marked, random), share, probability, low, high, n.
    """
    rows = frame.with_columns(name=pl.col("order").replace_strict(NAMES))
    x = alt.X(
        "share:Q",
        title="share of the example that is hidden",
        scale=alt.Scale(domain=[0, 0.62], nice=False),
        axis=alt.Axis(**PER_CENT, values=[0, 0.1, 0.2, 0.3, 0.4, 0.5], grid=False),
    )

    def y(field: str) -> alt.Y:
        axis = alt.Axis(**PER_CENT, tickCount=6)
        scale = alt.Scale(domain=[0, 1], nice=False)
        return alt.Y(f"{field}:Q", title="probability of the answer", scale=scale, axis=axis)

    tone = alt.Color("name:N", scale=alt.Scale(domain=list(NAMES.values()), range=[ACCENT, GREY]), legend=None)
    base = plot(rows).encode(x=x, color=tone)
    band = base.mark_area(opacity=0.15, line=False).encode(y=y("low"), y2="high:Q")
    line = base.mark_line().encode(y=y("probability"), strokeDash=alt.StrokeDash("name:N", legend=None))
    point = base.mark_point().encode(y=y("probability"))
    ends = plot(rows.filter(pl.col("share") == pl.col("share").max())).encode(x=x, color=tone)
    label = ends.mark_text(align="left", dx=12, fontWeight="bold").encode(y=y("probability"), text="name:N")
    return fitted(band, line, point, label)


def tokens(frame: pl.DataFrame, examples: pl.DataFrame) -> Chart:
    """The heaviest words of each text: to the right what speaks for the answer, to the left what speaks against it.

    frame: id, class, place, word, joined, weight; examples: id, kind, label, predicted.
    """
    panels = []
    rows = -(-examples.height // COLUMNS)
    for row in examples.iter_rows(named=True):
        own = frame.filter((pl.col("id") == row["id"]) & (pl.col("class") == row["predicted"]))
        heavy = own.drop_nulls("weight").sort(pl.col("weight").abs(), "place", descending=[True, False]).head(HEAVY)
        heavy = heavy.with_columns(
            name=pl.col("word").map_elements(lambda word: shorten(word, 14), pl.String), speaks=pl.col("weight") > 0
        )
        wrong = "" if row["kind"] == "right" else f" (true: {shorten(row['label'], 12)})"
        tone = alt.Color("speaks:N", scale=alt.Scale(domain=[True, False], range=[ACCENT, WARN]), legend=None)
        y = alt.Y("place:O", sort=None, title=None, axis=None)
        base = plot(heavy).encode(y=y)
        bars = base.mark_bar().encode(
            x=alt.X("weight:Q", title=None, axis=alt.Axis(tickCount=3, format="~r")), color=tone
        )
        label = base.mark_text(align="right", x=-8).encode(text="name:N")
        panels.append(
            alt.layer(bars, label).properties(
                title=shorten(row["predicted"], 14) + wrong,
                width=WIDTH / COLUMNS - 150,
                height=HEIGHT / rows - 60,
            )
        )
    return alt.vconcat(
        *(alt.hconcat(*panels[start : start + COLUMNS], spacing=120) for start in range(0, len(panels), COLUMNS))
    )
