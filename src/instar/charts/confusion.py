"""The confusion matrix: figures for few classes, a map with its worst places named for many."""

from typing import Any

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from instar.charts.theme import (
    ACCENT,
    GREY,
    INK,
    LIGHT,
    PALE,
    WARN,
    Chart,
    fitted,
    plot,
    ranked,
    shorten,
    wrap,
)

NUMBERED = 16
"""Up to so many classes have room for a figure in each cell."""
WRAPPED = 8
"""Up to so many classes have room for their names above the columns."""
PAIRS = 7
MAP = 330
"""Units a side of the map."""
BEST_ORDER = 300
"""Classes up to which the order of the leaves is optimised (cubic in their number)."""


def confusion(frame: pl.DataFrame, classes: tuple[str, ...]) -> Chart:
    """What was taken for what, as shares of each true class.

    frame: label, predicted, n (pairs that occur). Up to `NUMBERED` classes keep their order and have their
    shares written; more are ordered so that classes which are taken for each other are neighbours, and the
    worst pairs are numbered on the map and named beside it.
    """
    position = {name: i for i, name in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)))
    for label, predicted, n in frame.select("label", "predicted", "n").iter_rows():
        counts[position[label], position[predicted]] = n
    if len(classes) <= NUMBERED:
        return _table(counts, classes)
    return _map(counts, classes, pairs(frame, PAIRS))


def pairs(frame: pl.DataFrame, most: int) -> pl.DataFrame:
    """label, predicted, n, of (examples of the label), share: the wrong pairs, most frequent first."""
    totals = frame.group_by("label").agg(of=pl.col("n").sum())
    wrong = frame.filter((pl.col("label") != pl.col("predicted")) & (pl.col("n") > 0)).join(totals, on="label")
    wrong = wrong.with_columns(share=pl.col("n") / pl.col("of"))
    keys = ["n", "share", "label", "predicted"]
    return wrong.sort(keys, descending=[True, True, False, False]).head(most)


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(C, C): the rows as shares; a class without examples has zeros."""
    total = counts.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(counts, total, out=np.zeros_like(counts), where=total > 0))


def ordering(counts: NDArray[np.float64]) -> list[int]:
    """An order of the classes in which those that are taken for each other stand together.

    Average linkage on one minus the mean of both directions' shares, its leaves turned so that neighbours are
    nearest (Bar-Joseph et al. 2001, doi:10.1093/bioinformatics/17.suppl_1.S22).
    """
    shares = _shares(counts)
    np.fill_diagonal(shares, 0)
    distance = 1 - (shares + shares.T) / 2
    np.fill_diagonal(distance, 0)
    flat = squareform(distance, checks=False)
    tree = linkage(flat, "average")
    return [int(i) for i in leaves_list(optimal_leaf_ordering(tree, flat) if len(counts) <= BEST_ORDER else tree)]


def _table(counts: NDArray[np.float64], classes: tuple[str, ...]) -> Chart:
    """Every cell with its share in per cent; columns bear their names or, without room, the rows' numbers."""
    few = len(classes) <= WRAPPED
    heads = [wrap(c, int(540 / len(classes) / 8)) if few else str(i + 1) for i, c in enumerate(classes)]
    lines = max(head.count("\n") for head in heads)
    heads = ["\n" * (lines - head.count("\n")) + head for head in heads]
    examples = counts.sum(axis=1)
    sides = [f"{shorten(c, 30)} ({examples[i]:,.0f})" + ("" if few else f"   {i + 1}") for i, c in enumerate(classes)]
    shares = _shares(counts)
    cells: list[dict[str, Any]] = [
        {
            "side": sides[i],
            "head": heads[j],
            "label": classes[i],
            "predicted": classes[j],
            "share": share,
            "right": i == j,
            "text": _percent(share, few),
        }
        for i, row in enumerate(shares.tolist())
        for j, share in enumerate(row)
    ]
    split = "split(datum.label, '\\n')"
    top = alt.Axis(orient="top", labelExpr=split, labelAngle=0, labelLineHeight=17, labelPadding=8 + 17 * lines)
    x = alt.X("head:N", sort=None, title=None, scale=alt.Scale(paddingInner=0.03), axis=top)
    y = alt.Y("side:N", sort=None, title=None, scale=alt.Scale(paddingInner=0.06))
    base = plot(cells).encode(x=x, y=y)
    layers = []
    for truth, tone, full in (("datum.right", ACCENT, 1.0), ("!datum.right", WARN, 0.5)):
        scale = alt.Scale(domain=[0, full], range=[PALE, tone], clamp=True, interpolate="rgb")
        color = alt.Color("share:Q", scale=scale, legend=None)
        layers.append(base.transform_filter(truth).mark_rect().encode(color=color))
    ink = alt.condition("datum.share > (datum.right ? 0.5 : 0.3)", alt.value("white"), alt.value(INK))
    chart = alt.layer(*layers).resolve_scale(color="independent")
    title = _caption(
        "rows: true class (examples), columns: predicted class" + ("" if few else ", in per cent of the row")
    )
    return fitted(chart, base.mark_text().encode(text="text:N", color=ink)).properties(title=title)


def _caption(text: str) -> alt.TitleParams:
    """A quiet line above a chart that says how to read it."""
    return alt.TitleParams(text, fontWeight="normal", color=GREY)


def _percent(share: float, sign: bool) -> str:
    """Whole per cent; nothing for nothing."""
    if share == 0:
        return ""
    text = "<1" if share < 0.005 else f"{share * 100:.0f}"
    return f"{text} %" if sign else text


def _map(counts: NDArray[np.float64], classes: tuple[str, ...], worst: pl.DataFrame) -> Chart:
    """All cells as points of colour, the worst pairs numbered, and their names."""
    place = {classes[i]: rank for rank, i in enumerate(ordering(counts))}
    shares, size = _shares(counts), len(classes)
    cells = [
        {
            "x": place[classes[j]] + 0.5,
            "y": place[classes[i]] + 0.5,
            "share": float(shares[i, j]),
            "right": bool(i == j),
            "label": classes[i],
            "predicted": classes[j],
        }
        for i, j in zip(*np.nonzero(counts), strict=True)
    ]
    ground = (
        plot([{"x": 0, "end": size, "y": 0, "under": size}])
        .mark_rect(color=PALE)
        .encode(_at("x", size), _at("y", size), x2="end:Q", y2="under:Q")
    )
    base = plot(cells).encode(_at("x", size), _at("y", size))
    square: dict[str, Any] = {"shape": "square", "opacity": 1, "size": max(5.0, MAP / size) ** 2}
    right = base.transform_filter("datum.right").mark_point(color=LIGHT, **square)
    scale = alt.Scale(domain=[0, 0.4], range=["#EBC0AB", WARN], clamp=True, interpolate="rgb")
    wrong = (
        base.transform_filter("!datum.right")
        .mark_point(**square)
        .encode(color=alt.Color("share:Q", scale=scale, legend=None))
    )
    named = worst.select("label", "predicted").iter_rows()
    spots = [((place[b] + 0.5) * MAP / size, (place[a] + 0.5) * MAP / size) for a, b in named]
    marks = plot([{"x": x / MAP * size, "y": y / MAP * size} for x, y in spots]).encode(_at("x", size), _at("y", size))
    rings = marks.mark_point(filled=False, color=INK, size=150, strokeWidth=1.5)
    numbers = [
        plot([{"rank": str(i + 1)}]).mark_text(x=x, y=y, fontWeight="bold").encode(text="rank:N")
        for i, (x, y) in enumerate(_beside(spots))
    ]
    drawn = alt.layer(ground, right, wrong, rings, *numbers).properties(width=MAP, height=MAP)
    title = _caption(
        "rows: true class, columns: predicted class (grey: right, darker: a larger share of the class); "
        "classes that are confused stand together"
    )
    told = worst.select("label", "predicted", "n", "of").iter_rows()
    names = [
        (str(i + 1), shorten(a, 40), f"{n:,} of {of:,} taken for {shorten(b, 36)}")
        for i, (a, b, n, of) in enumerate(told)
    ]
    return alt.hconcat(drawn, ranked(names, MAP + 34, MAP), spacing=24).properties(title=title)


def _at(field: str, size: int) -> alt.X | alt.Y:
    """The column of a class from the left (field x) or its row from the top (field y)."""
    if field == "x":
        return alt.X("x:Q", scale=alt.Scale(domain=[0, size], nice=False), axis=None)
    return alt.Y("y:Q", scale=alt.Scale(domain=[size, 0], nice=False), axis=None)


def _beside(spots: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A place for the number of each spot: near it, inside the map, as far as can be from all others."""
    ways = [
        (17 * np.cos(a), 17 * np.sin(a)) for a in np.array([-0.5, -0.25, 0, 0.5, 0.75, 1]) * np.pi
    ]  # not along the diagonal
    taken, found = list(spots), []
    for x, y in spots:
        free = [(min(max(x + dx, 8), MAP - 8), min(max(y + dy, 8), MAP - 8)) for dx, dy in ways]
        best = max(free, key=lambda p: min([np.hypot(p[0] - q[0], p[1] - q[1]) for q in taken]))
        taken.append(best)
        found.append(best)
    return found
