"""Near twins: real copies of real pictures and texts are found, others are not, and the search is exact."""

from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from instar.data import measure_images
from instar.data.near import NEAR_BITS, clusters, near_pictures, near_texts


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
