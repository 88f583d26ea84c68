"""Pairs of examples that are nearly the same: pictures by their hashes, texts by their shingles. Exact, no sampling."""

import re

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from instar.data.measure_texts import normalised

NEAR_BITS = 44
"""Most bits of 256 in which the hashes of near copies differ. On two public sets of 8,335 pictures nearly
all pairs up to here are scaled, re-coloured or slightly cropped copies or variants of one drawing; from 46 on,
different specimens on white appear among them (docs/LOG.md)."""
NEAR_SHARE = 0.8
"""Least Jaccard similarity of the shingles of near copies (Broder 1997 on resemblance; the value: our judgement)."""
SHINGLE = 3
"""Words of a shingle."""
LEAST_SHINGLES = 8
"""Texts of fewer different shingles (about ten words) are alike too easily to say anything."""
BLOCK = 256
"""Hashes that are compared with all others at a time: 256 x 50,000 distances are 26 MB."""
MOST_PAIRS = 5_000_000
"""Pairs that are looked at closely (seconds). A set made from a template, or the frames of a film, has more: every
example is then near to thousands of others, and pairs are no way to tell of it."""
MOST = 50_000
"""Different examples that are compared with each other; more are not. As many pictures take 13 s of one core, as many
texts of 40 words 7 s and 0.8 GB (measured); the work for pictures grows with the square."""
ALIKE = f"more than {MOST_PAIRS:,} pairs are alike, too many to compare"
Ints = NDArray[np.int64]


def alike_pictures(rows: pl.DataFrame) -> pl.DataFrame | str:
    """Pairs of near copies among different pictures, by their hashes.

    Args:
        rows: column measure.phash, null for a picture that shows nothing; such a picture is near to none.

    Returns:
        first, second (positions in `rows`, first < second), difference (bits); or why they were not compared.
    """
    at = np.flatnonzero(rows["measure.phash"].is_not_null().to_numpy())
    if len(at) > MOST:
        return f"{len(at):,} pictures are more than are compared with each other"
    found = near_pictures(rows["measure.phash"].drop_nulls().to_list())
    if found is None:
        return f"{ALIKE}; if they are frames of films, split by film"
    first, second = (pl.Series(side, at[found[side].to_numpy()]) for side in ("first", "second"))
    return pl.DataFrame([first, second, found["bits"].alias("difference")])


def alike_texts(rows: pl.DataFrame) -> pl.DataFrame | str:
    """Pairs of near copies among different texts, by their shingles.

    Args:
        rows: column input, the text.

    Returns:
        first, second (positions in `rows`, first < second), difference (1 - similarity); or why they were not
        compared.
    """
    if rows.height > MOST:
        return f"{rows.height:,} different texts are more than are compared with each other"
    found = near_texts(rows["input"].to_list())
    if found is None:
        return f"{ALIKE}; if they are made from a template, split by template"
    return found.select("first", "second", difference=(1 - pl.col("similarity")).round(3))


def near_pictures(hashes: list[str], most: int = NEAR_BITS) -> pl.DataFrame | None:
    """All pairs of hashes (hexadecimal, equal lengths, a multiple of 64 bits) that differ in at most `most` bits.

    Exact: of pairs that differ in more than that many bits of the first half, the second is not looked at.

    Returns:
        first, second (positions, first < second), bits; None where there are more than `MOST_PAIRS`.
    """
    words = len(hashes[0]) // 16 if hashes else 1
    codes = np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint64).reshape(len(hashes), words)
    parts: list[Ints] = [np.empty((0, 3), dtype=np.int64)]
    half = (codes.shape[1] + 1) // 2
    for start in range(0, len(codes), BLOCK):
        i, j = np.nonzero(_bits(codes[start : start + BLOCK, None, :half], codes[None, start:, :half]) <= most)
        i, j = i[i < j] + start, j[i < j] + start
        bits = _bits(codes[i], codes[j])
        near = bits <= most
        i, j, bits = i[near], j[near], bits[near]
        parts.append(np.stack([i, j, bits], axis=1).astype(np.int64))
        if sum(map(len, parts)) > MOST_PAIRS:
            return None
    return pl.DataFrame(np.concatenate(parts), schema={"first": pl.Int64, "second": pl.Int64, "bits": pl.Int64})


def _bits(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """In how many bits codes (..., words) differ, one word after the other: all at once would need their memory."""
    distance: NDArray[np.uint16] = np.bitwise_count(a[..., 0] ^ b[..., 0]).astype(np.uint16)
    for word in range(1, a.shape[-1]):
        distance += np.bitwise_count(a[..., word] ^ b[..., word])
    return distance


def near_texts(texts: list[str], least: float = NEAR_SHARE) -> pl.DataFrame | None:
    """All pairs of texts whose sets of shingles have a Jaccard similarity of at least `least`.

    Exact: two sets that similar share one of their first |x| - ceil(least |x|) + 1 elements in any order common to
    all sets; with the rarest elements first there are few candidates (prefix filtering: Chaudhuri, Ganti, Kaushik
    2006, ICDE; Bayardo, Ma, Srikant 2007, WWW).

    Returns:
        first, second (positions, first < second), similarity. Texts of fewer than `LEAST_SHINGLES` take no part.
        None where more than `MOST_PAIRS` would have to be compared.
    """
    words = [re.findall(r"\w+", normalised(text)) for text in texts]
    frame = pl.DataFrame({"doc": range(len(words)), "word": words}, {"doc": pl.Int64, "word": pl.List(pl.String)})
    shingles = (
        frame.explode("word")
        .with_columns(last=pl.col("doc").shift(1 - SHINGLE))
        .select(
            "doc", "last", pl.concat_str([pl.col("word").shift(-i) for i in range(SHINGLE)], separator=" ").alias("s")
        )
        .filter(pl.col("doc") == pl.col("last"))
        .select("doc", "s")
        .unique()
        .with_columns(size=pl.len().over("doc"), df=pl.len().over("s"))
        .filter(pl.col("size") >= LEAST_SHINGLES)
        .with_columns(code=pl.struct("df", "s").rank("dense"))
        .select("doc", "size", "df", "code")
        .sort("doc", "code")
    )
    prefix = (pl.col("size") - (least * pl.col("size")).ceil() + 1).cast(pl.Int64)
    heads = shingles.filter((pl.int_range(pl.len()).over("doc") < prefix) & (pl.col("df") > 1)).select(
        "doc", "size", "code"
    )
    alike = heads.group_by("code").len()["len"].cast(pl.Float64)
    if (alike * (alike - 1) / 2).sum() > MOST_PAIRS:
        return None
    candidates = (
        heads.join(heads, on="code", suffix="_2")
        .filter(pl.col("doc") < pl.col("doc_2"))
        .filter(pl.min_horizontal("size", "size_2") >= least * pl.max_horizontal("size", "size_2"))
        .select("doc", "doc_2")
        .unique()
        .sort("doc", "doc_2")
    )
    wanted = pl.concat([candidates["doc"], candidates["doc_2"]]).unique()
    sets = {
        doc: frozenset(codes)
        for doc, codes in shingles.filter(pl.col("doc").is_in(wanted.implode())).group_by("doc").agg("code").iter_rows()
    }
    found = [
        (a, b, shared / (len(sets[a]) + len(sets[b]) - shared))
        for a, b in candidates.iter_rows()
        if (shared := len(sets[a] & sets[b])) * (1 + least) >= least * (len(sets[a]) + len(sets[b]))
    ]
    schema = {"first": pl.Int64, "second": pl.Int64, "similarity": pl.Float64}
    return pl.DataFrame(found, schema=schema, orient="row")


def clusters(n: int, first: Ints, second: Ints) -> Ints:
    """(n,): the smallest position that each position is joined to by any chain of pairs."""
    pairs = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(n, n))
    _, cluster = connected_components(pairs, directed=False)
    _, smallest, of = np.unique(cluster, return_index=True, return_inverse=True)
    return smallest[of].astype(np.int64)
