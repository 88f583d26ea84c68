"""Charts of what is checked on any set: what cannot be used, copies, contradictions, columns."""

from itertools import combinations

import polars as pl

from instar.audit.balance import MINIMUM
from instar.charts.audit import class_counts
from instar.charts.findings_forms import NAMED, Drawing, bars, dots, histogram, percent
from instar.charts.theme import Chart
from instar.records import Finding, Json

Row = dict[str, Json]


def unreadable(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """Rows that were set aside, by reason."""
    counts = found.rows.group_by("reason").len("n").sort("n", "reason", descending=[True, False])
    rows = [{"name": why, "value": n, "text": f"{n:,}", "tone": "warn"} for why, n in counts.iter_rows()]
    return (Drawing("02-unreadable", bars(rows, "rows set aside"), counts),)


def class_sizes(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """Examples per class."""
    frame = found.rows.select("class", "n")
    return (Drawing("01-class-counts", class_counts(frame, MINIMUM), frame),)


def small_classes(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """What the smallest classes have of what they should have."""
    rows = [
        {"name": name, "value": n, "text": f"{n:,}, lacks {missing:,}", "tone": "warn"}
        for name, n, missing in found.rows.select("class", "n", "missing").iter_rows()
    ]
    more = f", the {NAMED} smallest of {len(rows)} classes" if len(rows) > NAMED else ""
    chart = bars(rows, f"examples{more}", line=(MINIMUM, f"at least {MINIMUM:,}"))
    return (Drawing("02-small-classes", chart, found.rows.select("class", "n", "missing")),)


def junk_classes(found: Finding, table: pl.DataFrame) -> tuple[Drawing, ...]:
    """Classes of leftovers beside an average class."""
    average = round(found.evidence["of"] / max(table["label"].drop_nulls().n_unique(), 1))
    rows: list[Row] = [
        {"name": name, "value": n, "text": f"{n:,}", "tone": "warn"}
        for name, n in found.rows.select("class", "n").sort("n", descending=True).iter_rows()
    ]
    rows.append({"name": "a class on average", "value": average, "text": f"{average:,}"})
    return (Drawing("02-junk-classes", bars(rows, "examples"), found.rows.select("class", "n")),)


def exact_twins(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """How many rows stand in groups of which size."""
    sizes = found.rows.group_by("group").len("copies")["copies"].to_numpy()
    limits = (2, 3, 4, 5, 10, 20, 50, 100, 500, 1000)
    frame: list[Row] = []
    for low, above in zip(limits, (*limits[1:], 10**12), strict=True):
        inside = sizes[(sizes >= low) & (sizes < above)]
        if len(inside):
            name = f"{low} rows alike" if above == low + 1 else f"{low} to {above - 1}"
            name = f"{low:,} or more" if above == 10**12 else name
            frame.append({"size": name, "groups": len(inside), "rows": int(inside.sum())})
    rows = [
        {"name": row["size"], "value": row["rows"],
         "text": f"{row['rows']:,} rows in {row['groups']:,} group{'s' if row['groups'] > 1 else ''}"}
        for row in frame
    ]  # fmt: skip
    return (Drawing("02-exact-twins", bars(rows, "rows, by how many are alike"), pl.DataFrame(frame)),)


def conflicting_labels(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """Which labels stand at the same content."""
    labels = found.rows.drop_nulls("label").group_by("group").agg(pl.col("label").unique().sort())["label"]
    counted: dict[tuple[str, str], int] = {}
    for names in labels:
        for pair in combinations(names.to_list(), 2):
            counted[pair] = counted.get(pair, 0) + 1
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    frame = pl.DataFrame([{"first": a, "second": b, "contents": n} for (a, b), n in ranked])
    rows = [{"name": f"{a}  and  {b}", "value": n, "text": f"{n:,}", "tone": "warn"} for a, b, n in frame.iter_rows()]
    more = f", the {NAMED} most frequent of {len(rows)} pairs" if len(rows) > NAMED else ""
    return (Drawing("02-conflicting-labels", bars(rows, f"contents that carry both labels{more}"), frame),)


def unlabelled(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """Rows without a label, and what is odd about some of them."""
    e = found.evidence
    if not e["n"]:
        return ()
    rows: list[Row] = [
        {"name": "without a label", "value": e["n"]},
        {"name": "with a file name that is taken", "value": e["clashing_names"], "tone": "warn"},
        {"name": "with a copy in train", "value": e["twins_in_train"], "tone": "warn"},
    ]
    rows = [{**row, "text": f"{row['value']:,}"} for row in rows]
    frame = pl.DataFrame([{"what": row["name"], "n": row["value"]} for row in rows])
    return (Drawing("02-unlabelled", bars(rows, "rows"), frame),)


def idle_columns(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """How far each further column is filled, and what kind it is."""
    frame = found.rows.select("column", "kind", "values", "filled")
    rows = [
        {
            "name": name,
            "value": filled,
            "text": f"{percent(filled)} filled, {values:,} value{'' if values == 1 else 's'}"
            + ("" if kind == "values" else f": {kind}"),
            "tone": "plain" if kind == "values" else "warn",
        }
        for name, kind, values, filled in frame.iter_rows()
    ]
    return (Drawing("02-idle-columns", bars(rows, "filled", shares=True, end=1), frame),)


def label_columns(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """What each column gets right beyond the most frequent label."""
    frame = found.rows.select("column", "accuracy", "majority", "gain", "low", "high")
    return (Drawing("02-label-columns", gains(frame.rename({"column": "name"})), frame),)


def gains(frame: pl.DataFrame) -> Chart:
    """Labels told beyond the most frequent one: name, gain, low, high, best first."""
    ordered = frame.sort("gain", "name", descending=[True, False])
    rows: list[Row] = [
        {"name": row["name"], "value": row["gain"], "low": row["low"], "high": row["high"],
         "text": f"{row['gain'] * 100:+.1f} points".replace("-", "−"), "tone": "warn" if row["low"] > 0 else "quiet"}
        for row in ordered.iter_rows(named=True)
    ]  # fmt: skip
    shown = rows[:NAMED]
    low = min(-0.02, *(r["low"] for r in shown)) * 1.05
    high = max(0.1, *(r["high"] for r in shown)) * 1.05
    return dots(rows, "labels told right, beyond the most frequent label", (low, high), line=(0, "no better"))


def near_twins(found: Finding, _: pl.DataFrame) -> tuple[Drawing, ...]:
    """How far apart the two of a pair are, those with different labels apart."""
    whole = found.rows["difference"].dtype.is_integer()
    title = "bits in which the hashes differ" if whole else "difference (1 − similarity)"
    furthest = float(found.rows["difference"].to_numpy().max())
    domain = (0.0, furthest if whole else max(furthest, 0.1) * 1.05)
    return (pairs_by("02-near-twins", found.rows, "difference", title, domain, whole=whole),)


def pairs_by(
    stem: str, pairs: pl.DataFrame, column: str, title: str, domain: tuple[float, float], *, whole: bool = False
) -> Drawing:
    """How many pairs have which figure, by what is known of their labels."""
    kinds = {
        "different labels": ("warn", pl.col("label") != pl.col("other_label")),
        "same label": ("plain", pl.col("label") == pl.col("other_label")),
        "a label is sealed or missing": ("quiet", pl.col("label").is_null() | pl.col("other_label").is_null()),
    }
    parts = {kind: pairs.filter(which)[column].to_numpy() for kind, (_, which) in kinds.items()}
    present = {kind: numbers for kind, numbers in parts.items() if len(numbers)}
    tones = [kinds[kind][0] for kind in present]
    chart, frame = histogram(present, title, "pairs", tones=tones, whole=whole, domain=domain)
    return Drawing(stem, chart, frame)
