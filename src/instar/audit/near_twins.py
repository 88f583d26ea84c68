"""Examples that are nearly the same: scaled, re-coloured or slightly cropped pictures, reworded texts."""

import polars as pl

from instar.audit.leakage import LEAK
from instar.audit.wording import DIGITS, number, percent, several
from instar.data.near import (
    LEAST_SHINGLES,
    MOST_PAIRS,
    NEAR_BITS,
    NEAR_SHARE,
    SHINGLE,
    clusters,
    near_pictures,
    near_texts,
)
from instar.records import Dataset, Finding, Json, Verdict
from instar.records.data import Split

MOST = 50_000
"""Different examples that are compared with each other (seconds); more are not, and the finding says so."""
ALIKE = f"More than {number(MOST_PAIRS)} pairs are alike, too many to compare"
SPLITS: tuple[Split, ...] = ("train", "val", "test", "unlabelled")


def near_twin_pictures(dataset: Dataset) -> Finding:
    """Pairs of pictures with nearly the same perceptual hash, without exact twins."""
    if "measure.phash" not in dataset.table.columns:
        return _skipped("The set was opened before pictures were hashed; open it anew to look for near copies.")
    rows = _different(dataset).drop_nulls("measure.phash")
    if rows.height > MOST:
        return _skipped(f"{number(rows.height)} pictures are more than are compared with each other.")
    found = near_pictures(rows["measure.phash"].to_list())
    if found is None:
        return _skipped(f"{ALIKE}; if they are frames of films, split by film.")
    found = found.rename({"bits": "difference"})
    closing = "Crops that leave out much, and mirrored copies, have other hashes and are not found this way."
    return _finding(dataset, rows, found, closing, {"compared": rows.height, "bits": NEAR_BITS})


def near_twin_texts(dataset: Dataset) -> Finding:
    """Pairs of texts with nearly the same shingles, without exact twins."""
    rows = _different(dataset)
    if rows.height > MOST:
        return _skipped(f"{number(rows.height)} different texts are more than are compared with each other.")
    found = near_texts(rows["input"].to_list())
    if found is None:
        return _skipped(f"{ALIKE}; if they are made from a template, split by template.")
    found = found.select("first", "second", difference=(1 - pl.col("similarity")).round(3))
    words = LEAST_SHINGLES + SHINGLE - 1
    closing = f"Texts of fewer than {words} words are alike too easily and were left out."
    figures: dict[str, Json] = {"compared": rows.height, "similarity": NEAR_SHARE, "least_words": words}
    return _finding(dataset, rows, found, closing, figures)


def _different(dataset: Dataset) -> pl.DataFrame:
    """One example of each group of exact twins; a labelled one where there is one."""
    rows = dataset.part(*SPLITS).with_columns(last=pl.col("split") == "unlabelled")
    return rows.sort("last", maintain_order=True).unique("group", keep="first", maintain_order=True)


def _skipped(why: str) -> Finding:
    return Finding("near-twins", "skipped", why)


def _finding(
    dataset: Dataset, rows: pl.DataFrame, found: pl.DataFrame, closing: str, figures: dict[str, Json]
) -> Finding:
    """The finding for pairs first, second, difference of positions in `rows`."""
    cluster = clusters(rows.height, found["first"].to_numpy(), found["second"].to_numpy())
    sides = []
    for side, prefix in (("first", ""), ("second", "other_")):
        part = rows[found[side].to_list()].select("id", "label", "split", "input")
        sides.append(part.rename({name: prefix + name for name in part.columns}))
    pairs = pl.concat([found.select("difference"), *sides], how="horizontal").sort("difference", "id", "other_id")
    test, other_test = pl.col("split") == "test", pl.col("other_split") == "test"
    learnt = ["train", "val"]
    across = pairs.filter((test & pl.col("other_split").is_in(learnt)) | (other_test & pl.col("split").is_in(learnt)))
    leaking = pl.concat([across.filter(test)["id"], across.filter(other_test)["other_id"]]).n_unique()
    held = dataset.part("test").height
    unlabelled = pairs.filter((pl.col("split") == "unlabelled") | (pl.col("other_split") == "unlabelled")).height
    joined = pl.Series(cluster).value_counts()["count"]
    evidence: dict[str, Json] = {
        **figures,
        "pairs": pairs.height,
        "clusters": int((joined > 1).sum()),
        "largest": int(joined.max() or 0) if pairs.height else 0,  # type: ignore[arg-type]
        "examples": int(joined.filter(joined > 1).sum()),
        "across_classes": pairs.filter(pl.col("label") != pl.col("other_label")).height,
        "across_splits": across.height,
        "test_with_near_copy": leaking,
        "test_share": round(leaking / held, DIGITS) if held else 0.0,
        "unlabelled_pairs": unlabelled,
    }
    if not pairs.height:
        sentence = f"No two of {number(rows.height)} different {dataset.modality}s are nearly the same. {closing}"
        return Finding("near-twins", "passed", sentence, evidence, pairs)
    sentence = (
        f"{several(pairs.height, 'pair')} of {dataset.modality}s {'is' if pairs.height == 1 else 'are'} nearly, but "
        f"not exactly, the same ({number(evidence['examples'])} of {number(rows.height)} different "
        f"{dataset.modality}s)"
    )
    if evidence["across_classes"]:
        sentence += f", {number(evidence['across_classes'])} with different labels"
    if leaking:
        sentence += (
            f"; {several(leaking, f'test {dataset.modality}')} ({percent(evidence['test_share'])}) "
            f"{'has' if leaking == 1 else 'have'} such a copy in train or val, as only exact copies are kept together"
        )
    if unlabelled:
        sentence += f"; {several(unlabelled, 'pair')} {'holds' if unlabelled == 1 else 'hold'} one without a label"
    serious = evidence["across_classes"] or evidence["test_share"] >= LEAK
    verdict: Verdict = "issue" if serious else "note"
    return Finding("near-twins", verdict, f"{sentence}. {closing}", evidence, pairs)
