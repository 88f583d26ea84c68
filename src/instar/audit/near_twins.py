"""Examples that are nearly the same: scaled, re-coloured or slightly cropped pictures, reworded texts."""

import polars as pl

from instar.audit.leakage import LEAK
from instar.audit.wording import DIGITS, number, percent, several
from instar.data.near import LEAST_SHINGLES, NEAR_BITS, NEAR_SHARE, SHINGLE, Ints, alike_pictures, alike_texts, clusters
from instar.data.split import SHARES, near_leak
from instar.records import Dataset, Finding, Json, Verdict
from instar.records.data import Split

LISTED = 10_000
"""Pairs that are listed, the nearest; all are counted. A set made from a template has millions."""
LETTERS = 200
"""Letters of a text that is listed; its id leads to the whole."""
LABELLED: tuple[Split, ...] = ("train", "val", "test")


def near_twin_pictures(dataset: Dataset) -> Finding:
    """Pairs of pictures with nearly the same perceptual hash, without exact twins."""
    if "measure.phash" not in dataset.table.columns:
        return _skipped(dataset, "pictures were not hashed when the set was opened")
    rows = _different(dataset).drop_nulls("measure.phash")
    closing = "Crops that leave out much, and mirrored copies, have other hashes and are not found this way."
    return _finding(dataset, rows, alike_pictures(rows), closing, {"bits": NEAR_BITS})


def near_twin_texts(dataset: Dataset) -> Finding:
    """Pairs of texts with nearly the same shingles, without exact twins."""
    rows = _different(dataset)
    words = LEAST_SHINGLES + SHINGLE - 1
    closing = f"Texts of fewer than {words} words are alike too easily and were left out."
    figures: dict[str, Json] = {"similarity": NEAR_SHARE, "least_words": words}
    return _finding(dataset, rows, alike_texts(rows), closing, figures)


def _different(dataset: Dataset) -> pl.DataFrame:
    """One example of each set of exact twins, a labelled one where there is one, and how many labelled ones it has."""
    labelled = pl.col("split").is_in(LABELLED)
    rows = dataset.part(*LABELLED, "unlabelled").with_columns(labelled.sum().over("twin").alias("copies"))
    return rows.sort(~labelled, maintain_order=True).unique("twin", keep="first", maintain_order=True)


def _skipped(dataset: Dataset, why: str) -> Finding:
    together = _together(dataset)
    kept = "only exact copies are kept together"
    if together:
        kept = f"those of {several(together, 'group')} among the labelled ones were found at opening and kept together"
    evidence: dict[str, Json] = {"why": why, "kept_together": together}
    return Finding("near-twins", "skipped", f"Near copies were not looked for: {why}; {kept}.", evidence)


def _together(dataset: Dataset) -> int:
    """Groups that hold more than one content."""
    groups = dataset.part(*LABELLED).group_by("group").agg(pl.col("twin").n_unique())
    return groups.filter(pl.col("twin") > 1).height


def _finding(
    dataset: Dataset, rows: pl.DataFrame, found: pl.DataFrame | str, closing: str, figures: dict[str, Json]
) -> Finding:
    """The finding for pairs first, second, difference of positions in `rows`."""
    if isinstance(found, str):
        return _skipped(dataset, found)
    first, second = found["first"].to_numpy(), found["second"].to_numpy()
    cluster = clusters(rows.height, first, second)
    pairs = _sides(rows.select("label", "split", "twin"), found)
    listed = _listed(rows, found)
    test, other_test = pl.col("split") == "test", pl.col("other_split") == "test"
    learnt = ["train", "val"]
    across = pairs.filter((test & pl.col("other_split").is_in(learnt)) | (other_test & pl.col("split").is_in(learnt)))
    contents = pl.concat([across.filter(test)["twin"], across.filter(other_test)["other_twin"]]).unique()
    leaking = dataset.part("test").filter(pl.col("twin").is_in(contents.implode())).height
    held = dataset.part("test").height
    unlabelled = pairs.filter((pl.col("split") == "unlabelled") | (pl.col("other_split") == "unlabelled")).height
    joined = pl.Series(cluster).value_counts()["count"]
    copies: Ints = rows["copies"].to_numpy()
    random, exact = near_leak(copies, first, second, SHARES["train"])
    evidence: dict[str, Json] = {
        "compared": rows.height,
        **figures,
        "pairs": pairs.height,
        "listed": listed.height,
        "clusters": int((joined > 1).sum()),
        "largest": max(joined, default=0) if pairs.height else 0,
        "examples": int(joined.filter(joined > 1).sum()),
        "across_classes": pairs.filter(pl.col("label") != pl.col("other_label")).height,
        "across_splits": across.height,
        "test_with_near_copy": leaking,
        "test_share": round(leaking / held, DIGITS) if held else 0.0,
        "unlabelled_pairs": unlabelled,
        "kept_together": _together(dataset),
        "random_leak_near": round(random, DIGITS),
        "exact_leak_near": round(exact, DIGITS),
        "grouping": dataset.opening["grouping"],
        "reason": dataset.opening["grouping_reason"],
    }
    if not pairs.height:
        sentence = f"No two of {number(rows.height)} different {dataset.modality}s are nearly the same. {closing}"
        return Finding("near-twins", "passed", sentence, evidence, listed)
    serious = evidence["across_classes"] or evidence["test_share"] >= LEAK or evidence["random_leak_near"] >= LEAK
    verdict: Verdict = "issue" if serious else "note"
    return Finding("near-twins", verdict, f"{_sentence(dataset, evidence)}. {closing}", evidence, listed)


def _sides(rows: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """The columns of both rows of each pair, those of the second with other_ before their names, and `difference`."""
    first, second = (rows[found[side].to_numpy()] for side in ("first", "second"))
    second = second.rename({name: f"other_{name}" for name in rows.columns})
    return pl.concat([found.select("difference"), first, second], how="horizontal")


def _listed(rows: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """The `LISTED` nearest pairs with the beginnings of what is compared."""
    shown = rows.select("id", "label", "split", pl.col("input").str.slice(0, LETTERS))
    nearest = found.sort("difference", maintain_order=True).head(LISTED)
    return _sides(shown, nearest).sort("difference", "id", "other_id")


def _sentence(dataset: Dataset, e: dict[str, Json]) -> str:
    """How many pairs there are, what is kept together, what would have leaked and what does."""
    kind = dataset.modality
    parts = [
        f"{several(e['pairs'], 'pair')} of {kind}s {'is' if e['pairs'] == 1 else 'are'} nearly, but not exactly, the "
        f"same ({number(e['examples'])} of {number(e['compared'])} different {kind}s)"
        + (f", {number(e['across_classes'])} with different labels" if e["across_classes"] else "")
    ]
    if e["listed"] < e["pairs"]:
        parts.append(f"the nearest {number(e['listed'])} are listed")
    given, kept = dataset.opening["given_split"], e["kept_together"]
    if kept:
        within = "where the split that came with the set allows it" if given else "so that none stands in two splits"
        parts.append(f"near copies are kept together, in {several(kept, 'group')}, {within}")
    if e["random_leak_near"]:
        random, exact = percent(e["random_leak_near"]), percent(e["exact_leak_near"])
        other = "even with exact" if exact == random else f"{exact} with exact"
        parts.append(f"{random} of a random test split would have a near copy in train, {other} copies kept together")
    if e["test_with_near_copy"]:
        cause = "as the split came with the set" if given else f"as only exact copies are kept together ({e['reason']})"
        parts.append(
            f"{several(e['test_with_near_copy'], f'test {kind}')} ({percent(e['test_share'])}) "
            f"{'has' if e['test_with_near_copy'] == 1 else 'have'} such a copy in train or val, {cause}"
        )
    if e["unlabelled_pairs"]:
        holds = "holds" if e["unlabelled_pairs"] == 1 else "hold"
        parts.append(f"{several(e['unlabelled_pairs'], 'pair')} {holds} one without a label")
    return "; ".join(parts)
