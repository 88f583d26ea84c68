"""Near twins: real copies of real pictures and texts are found, others are not, and the search is exact."""

from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from instar.audit.near_twins import near_twin_pictures, near_twin_texts
from instar.data import measure_images, measure_texts
from instar.data.grouping import Kind
from instar.data.near import MOST, NEAR_BITS, alike_pictures, alike_texts, clusters, near_pictures, near_texts
from instar.data.opening import build
from instar.data.raw import Raw
from instar.records import Dataset
from planted_worlds import HASH, in_class, pictures


def scene(seed: int, size: tuple[int, int] = (240, 180)) -> Image.Image:
    """Smooth blobs of colour, as different from each other as photographs are."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    return coarse.resize(size, Image.Resampling.BICUBIC)


def hashes(folder: Path, **pictures: Image.Image) -> dict[str, str]:
    for name, picture in pictures.items():
        picture.save(folder / f"{name}.png")
    rows = pl.DataFrame({"id": list(pictures), "input": [f"{name}.png" for name in pictures]})
    return dict(measure_images.measure(rows, folder).select("id", "measure.phash").iter_rows())


def bits(a: str, b: str) -> int:
    return (int(a, 16) ^ int(b, 16)).bit_count()


def test_altered_copies_are_near_and_other_pictures_are_far(tmp_path: Path) -> None:
    one = scene(0)
    one.save(tmp_path / "coarse.jpg", quality=25)
    found = hashes(
        tmp_path,
        one=one,
        coarse=Image.open(tmp_path / "coarse.jpg").copy(),
        small=one.resize((97, 70)),
        wide=one.resize((300, 180)),
        pale=ImageEnhance.Contrast(one).enhance(0.7),
        dark=ImageEnhance.Brightness(one).enhance(0.8),
        soft=one.filter(ImageFilter.GaussianBlur(1)),
        grey=one.convert("L"),
        **{f"other{i}": scene(i) for i in range(1, 20)},
    )
    copies = ("coarse", "small", "wide", "pale", "dark", "soft", "grey")
    assert max(bits(found["one"], found[name]) for name in copies) <= NEAR_BITS
    others = [value for name, value in found.items() if name not in copies]
    assert min(bits(a, b) for a, b in combinations(others, 2)) > NEAR_BITS


def test_a_flat_picture_has_no_hash(tmp_path: Path) -> None:
    assert hashes(tmp_path, flat=Image.new("RGB", (50, 50), "white"))["flat"] is None


def test_the_search_for_pictures_is_exact() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, (600, 32), dtype=np.uint8)
    codes[300:] = codes[:300]
    codes[300:, :7] ^= rng.integers(0, 256, (300, 7), dtype=np.uint8)
    texts = [code.tobytes().hex() for code in codes]
    pairs = near_pictures(texts, 24)
    assert pairs is not None
    found = set(pairs.iter_rows())
    by_hand = {(i, j, b) for i, j in combinations(range(600), 2) if (b := bits(texts[i], texts[j])) <= 24}
    assert found == by_hand and len(by_hand) > 50


def test_the_search_for_texts_is_exact() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(60)]
    texts = []
    for _ in range(60):
        line = rng.choice(words, 40).tolist()
        for changes in range(4):
            changed = list(line)
            for at in rng.integers(0, 40, changes):
                changed[at] = "new"
            texts.append(" ".join(changed))

    def shingles(text: str) -> set[tuple[str, ...]]:
        parts = text.split()
        return {tuple(parts[i : i + 3]) for i in range(len(parts) - 2)}

    sets = [shingles(text) for text in texts]
    by_hand = {
        (i, j): len(a & b) / len(a | b)
        for (i, a), (j, b) in combinations(enumerate(sets), 2)
        if len(a & b) >= 0.8 * len(a | b)
    }
    pairs = near_texts(texts)
    assert pairs is not None
    found = {(i, j): s for i, j, s in pairs.iter_rows()}
    assert found == pytest.approx(by_hand) and len(by_hand) > 50


def test_short_texts_are_left_out() -> None:
    for texts in (["good food and good service"] * 2, [], [""]):
        pairs = near_texts(texts)
        assert pairs is not None and pairs.is_empty()


def test_too_many_alike_are_not_compared() -> None:
    line = " ".join(f"w{i}" for i in range(40))
    assert near_texts([f"{line} {i}" for i in range(4000)]) is None
    assert near_pictures(["0f" * 32] * 4000) is None


def test_clusters_by_hand() -> None:
    assert clusters(6, np.array([4, 1, 2]), np.array([5, 2, 4])).tolist() == [0, 1, 1, 3, 1, 1]
    empty = np.array([], dtype=np.int64)
    assert clusters(3, empty, empty).tolist() == [0, 1, 2]


def test_clusters_are_those_of_a_search_by_hand() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 80, (2, 50))
    smallest = np.arange(80)
    for _ in range(80):
        for a, b in zip(first, second, strict=True):
            smallest[[a, b]] = min(smallest[a], smallest[b])
    assert clusters(80, first, second).tolist() == smallest.tolist()


def test_pictures_without_a_hash_keep_their_places() -> None:
    rows = pl.DataFrame({"measure.phash": [None, HASH, None, "f0" * 32, HASH]})
    found = alike_pictures(rows)
    assert isinstance(found, pl.DataFrame) and found.rows() == [(1, 4, 0)]


def test_more_than_are_compared() -> None:
    hashes, texts = [HASH] * (MOST + 1), ["good food"] * (MOST + 1)
    for found in (alike_pictures(pl.DataFrame({"measure.phash": hashes})), alike_texts(pl.DataFrame({"input": texts}))):
        assert isinstance(found, str) and "50,001" in found


def films(given: tuple[str, ...] = (), grouping: Kind = "near", without: int = 0) -> Dataset:
    """200 reviews, each with a slightly reworded one of the same class; some of the latter without a label."""
    rng = np.random.default_rng(0)
    lines = [rng.choice(1000, 20).tolist() for _ in range(200)]
    texts = [" ".join(f"w{i}" for i in line) + end for end in ("", " more") for line in lines]
    labels = [None if i >= 400 - without else "ab"[i % 2] for i in range(400)]
    parts = [given[i % len(given)] if given else None for i in range(400)]
    frame = pl.DataFrame({"id": [f"row {i}" for i in range(400)], "input": texts, "label": labels, "given": parts})
    frame = frame.with_columns(pl.col("given").cast(pl.String))
    measured = measure_texts.measure(frame.select("id", "input"), Path())
    return build(Raw("w", "text", "w", ".", frame, {}), measured, limit=None, seed=0, grouping=grouping)[0]


def test_near_copies_that_are_kept_together() -> None:
    dataset = films()
    found = near_twin_texts(dataset)
    e = found.evidence
    assert (e["pairs"], e["kept_together"], e["across_splits"], e["test_with_near_copy"]) == (200, 200, 0, 0)
    assert e["kept_together"] == dataset.opening["near_groups"]
    assert e["random_leak_near"] == e["exact_leak_near"] == 0.7
    assert found.verdict == "issue"
    assert "near copies are kept together, in 200 groups, so that none stands in two splits" in found.sentence
    assert "70.0 % of a random test split would have a near copy in train" in found.sentence
    assert "in train or val" not in found.sentence


def test_near_copies_that_were_asked_not_to_be_kept_together() -> None:
    dataset = films(grouping="exact")
    found = near_twin_texts(dataset)
    e = found.evidence
    test = dataset.part("test")["input"].str.strip_suffix(" more").to_list()
    learnt = set(dataset.part("train", "val")["input"].str.strip_suffix(" more"))
    assert e["test_with_near_copy"] == sum(text in learnt for text in test) > 40
    assert e["kept_together"] == 0
    assert "as only exact copies are kept together (grouping=exact was asked for)" in found.sentence
    assert "near copies are kept" not in found.sentence


def test_near_copies_across_a_given_split_are_reported() -> None:
    """Row i and its copy i + 200 stand in one part where the parts alternate, and in two where they do not."""
    inside = near_twin_texts(films(("train", "train", "val", "test")))
    assert (inside.evidence["kept_together"], inside.evidence["test_with_near_copy"]) == (200, 0)
    assert "where the split that came with the set allows it" in inside.sentence
    across = near_twin_texts(films(("train", "val", "test")))
    assert across.evidence["kept_together"] == 0
    assert across.evidence["test_share"] == 1
    assert "have such a copy in train or val, as the split came with the set" in across.sentence


def test_near_copies_without_a_label_are_told() -> None:
    found = near_twin_texts(films(without=200))
    e = found.evidence
    assert (e["unlabelled_pairs"], e["kept_together"], e["random_leak_near"]) == (200, 0, 0)
    assert found.verdict == "note"
    assert found.sentence.startswith("200 pairs of texts are nearly, but not exactly, the same")
    assert "200 pairs hold one without a label" in found.sentence


def test_a_test_text_that_stands_there_twice_is_counted_twice() -> None:
    world = pictures().where(in_class("ant", 20), measure__phash=HASH)
    twins = (pl.col("label") == "ant") & (pl.col("split") == "test") & (pl.col("measure.phash") == HASH)
    held = world.frame.filter(twins).height
    found = near_twin_pictures(world.where(twins, twin=1000, group=1000).seal())
    assert found.evidence["test_with_near_copy"] == held == 3


def test_what_could_not_be_compared_says_so() -> None:
    rows = pl.DataFrame({"input": [" ".join(f"w{i}" for i in range(40)) + f" {i}" for i in range(4000)]})
    frame = rows.with_row_index("id").select(
        pl.format("row {}", "id").alias("id"),
        "input",
        label=pl.col("id").cast(pl.String).str.tail(1),
        given=pl.lit(None),
    )
    measured = measure_texts.measure(frame.select("id", "input"), Path())
    dataset = build(Raw("w", "text", "w", ".", frame, {}), measured, limit=None, seed=0)[0]
    found = near_twin_texts(dataset)
    assert found.verdict == "skipped"
    assert found.sentence.endswith("split by template; only exact copies are kept together.")
    assert found.evidence["why"] == dataset.opening["grouping_reason"]
