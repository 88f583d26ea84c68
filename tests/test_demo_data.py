"""The two sets of `instar demo`: equal bytes for a seed, the layouts they imitate, every fault in place."""

import csv
import hashlib
import io
from collections import Counter
from pathlib import Path

import ftfy
import numpy as np
import pytest
from PIL import Image

from instar.demo import butterflies, reviews
from instar.demo.butterflies import make_butterflies
from instar.demo.drawing import SIZE, portrait
from instar.demo.reviews import make_reviews
from instar.demo.species import SPECIES
from instar.errors import UserError

PER_CLASS = 12
ROWS = 400


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), np.int16)


def table_of(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(encoding), newline="")))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> butterflies.Planted:
    return make_butterflies(tmp_path_factory.mktemp("demo") / "set", seed=0, per_class=PER_CLASS)


@pytest.fixture(scope="module")
def labels(drawn: butterflies.Planted) -> dict[str, str]:
    return {f"train/{row['filename']}": row["label"] for row in table_of(drawn.folder / "Training_set.csv")}


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> reviews.Planted:
    return make_reviews(tmp_path_factory.mktemp("demo") / "reviews.csv", seed=0, n=ROWS)


@pytest.fixture(scope="module")
def rows(composed: reviews.Planted) -> list[dict[str, str]]:
    """The rows of the table, counted from 1: the first element is no row."""
    return [{}, *table_of(composed.path, "cp1252")]


def test_a_seed_gives_the_same_pictures(drawn: butterflies.Planted, tmp_path: Path) -> None:
    again = make_butterflies(tmp_path / "set", seed=0, per_class=PER_CLASS)
    assert digests(again.folder) == digests(drawn.folder)
    assert again.twins == drawn.twins and again.answers == drawn.answers
    _, other = butterflies.lay_out(tmp_path, 1, PER_CLASS)
    assert other.twins != drawn.twins


def test_pictures_are_laid_out_as_on_kaggle(drawn: butterflies.Planted, labels: dict[str, str]) -> None:
    assert {path.name for path in drawn.folder.iterdir()} == {
        "Training_set.csv",
        "train",
        "Testing_set.csv",
        "test",
    }
    assert (drawn.folder / "Training_set.csv").read_text().startswith("filename,label\n")
    listed = {f"test/{row['filename']}" for row in table_of(drawn.folder / "Testing_set.csv")}
    there = {path.relative_to(drawn.folder).as_posix() for path in drawn.folder.glob("*/*.jpg")}
    assert set(labels) | listed == there | {drawn.missing}
    assert listed == set(drawn.answers)
    assert dict(Counter(labels.values())) == drawn.counts
    assert set(drawn.counts) == set(SPECIES)


def test_sound_pictures_open_and_broken_ones_do_not(drawn: butterflies.Planted) -> None:
    broken = {drawn.truncated, drawn.empty, drawn.page}
    for path in drawn.folder.glob("*/*.jpg"):
        if path.relative_to(drawn.folder).as_posix() in broken:
            with pytest.raises(OSError):
                pixels(path)
        else:
            assert pixels(path).shape == (SIZE, SIZE, 3)
    assert (drawn.folder / drawn.empty).read_bytes() == b""
    assert (drawn.folder / drawn.page).read_bytes().startswith(b"<!DOCTYPE html>")
    assert (drawn.folder / drawn.truncated).read_bytes().startswith(b"\xff\xd8")
    assert not (drawn.folder / drawn.missing).exists()


def test_twins_are_those_planted_and_no_others(drawn: butterflies.Planted, labels: dict[str, str]) -> None:
    found: dict[str, set[str]] = {}
    for path, digest in digests(drawn.folder).items():
        found.setdefault(digest, set()).add(path)
    pairs = {frozenset(paths) for paths in found.values() if len(paths) > 1}
    assert pairs == {frozenset(pair) for pair in (*drawn.twins, drawn.across, drawn.conflict)}
    assert all(labels[a] == labels[b] for a, b in (*drawn.twins, drawn.same_pixels, drawn.near_twins))
    assert drawn.across[1].startswith("test/") and labels[drawn.across[0]] == drawn.answers[drawn.across[1]]
    assert tuple(labels[path] for path in drawn.conflict) == drawn.look_alikes


def test_one_pair_has_equal_pixels_and_one_nearly(drawn: butterflies.Planted) -> None:
    first, second = (drawn.folder / path for path in drawn.same_pixels)
    assert first.read_bytes() != second.read_bytes()
    assert np.array_equal(pixels(first), pixels(second))
    original, again = (pixels(drawn.folder / path) for path in drawn.near_twins)
    assert 0 < np.abs(original - again).mean() < 8


def test_one_species_is_rare_and_one_is_grey(drawn: butterflies.Planted, labels: dict[str, str]) -> None:
    assert drawn.counts[drawn.rare] * 2 < min(n for name, n in drawn.counts.items() if name != drawn.rare)
    grey = set()
    for path in labels:
        if path not in {drawn.truncated, drawn.empty, drawn.page, drawn.missing}:
            red, green, blue = np.moveaxis(pixels(drawn.folder / path), 2, 0)
            grey |= {path} if (red == green).all() and (green == blue).all() else set()
    assert grey == set(drawn.grey)
    assert [labels[path] for path in drawn.grey].count(drawn.grey_species) == len(drawn.grey) - 1


def test_look_alikes_differ_on_the_hind_wing_alone() -> None:
    """With one seed the two are the same picture but for a thin line; any other two species are not."""
    for seed in map(str, range(12)):
        monarch, viceroy, peacock = (
            np.asarray(portrait(seed, name), np.int16) for name in (*butterflies.LOOK_ALIKES, "PEACOCK")
        )
        assert 0 < (np.abs(monarch - viceroy).max(2) > 30).mean() < 0.03
        assert (np.abs(monarch - peacock).max(2) > 30).mean() > 0.05


def test_a_complete_set_is_not_drawn_again(drawn: butterflies.Planted) -> None:
    before = {path: path.stat().st_mtime_ns for path in drawn.folder.rglob("*")}
    assert make_butterflies(drawn.folder, seed=0, per_class=PER_CLASS) == drawn
    assert {path: path.stat().st_mtime_ns for path in drawn.folder.rglob("*")} == before


def test_what_stands_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "holiday.jpg").write_bytes(b"dear")
    with pytest.raises(UserError, match="another folder"):
        make_butterflies(tmp_path / "mine", per_class=PER_CLASS)
    (tmp_path / "mine.csv").write_text("dear")
    with pytest.raises(UserError, match="another file"):
        make_reviews(tmp_path / "mine.csv", n=ROWS)
    assert (tmp_path / "mine" / "holiday.jpg").read_bytes() == b"dear"
    assert (tmp_path / "mine.csv").read_text() == "dear"


def test_an_interrupted_drawing_leaves_no_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(butterflies, "made", fails)
        make_butterflies(tmp_path / "set", per_class=PER_CLASS)
    assert not (tmp_path / "set").exists()
    make_butterflies(tmp_path / "set", per_class=10)
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_seed_gives_the_same_reviews(composed: reviews.Planted, tmp_path: Path) -> None:
    before = composed.path.stat().st_mtime_ns
    assert make_reviews(composed.path, seed=0, n=ROWS) == composed
    assert composed.path.stat().st_mtime_ns == before
    again, other = make_reviews(tmp_path / "a.csv", 0, ROWS), make_reviews(tmp_path / "b.csv", 1, ROWS)
    assert again.path.read_bytes() == composed.path.read_bytes() != other.path.read_bytes()


def test_reviews_are_laid_out_as_on_kaggle(composed: reviews.Planted, rows: list[dict[str, str]]) -> None:
    header = composed.path.read_bytes().split(b"\r\n")[0].decode().split(",")
    assert header[:5] == ["reviewer_id", "store_name", "category", "store_address", "latitude "]
    assert header[5:] == ["longitude", "rating_count", "review_time", "review", "rating"]
    assert len(rows) - 1 == composed.rows == ROWS
    assert [row["reviewer_id"] for row in rows[1:]] == [str(n) for n in range(1, ROWS + 1)]
    assert len({row["store_address"] for row in rows[1:]}) == 8
    assert Counter(row["rating"] for row in rows[1:]) == Counter(composed.counts) + Counter({"": 1})
    assert rows[composed.unlabelled]["rating"] == ""
    rarest = min(composed.counts, key=composed.counts.__getitem__)
    assert rarest == "2 stars" and max(composed.counts.values()) > 2 * composed.counts[rarest]


def test_the_table_is_not_utf8(composed: reviews.Planted, rows: list[dict[str, str]]) -> None:
    with pytest.raises(UnicodeDecodeError):
        composed.path.read_bytes().decode()
    lossy = [
        n for n, row in enumerate(rows) if n and "\ufffd" in row["review"].encode("cp1252").decode(errors="replace")
    ]
    debris = set(composed.lost)
    assert set(composed.not_utf8) - debris == set(lossy) - debris
    assert any("\u2019" in rows[n]["review"] for n in composed.not_utf8)
    assert any("é" in row["review"] for row in rows[1:])


def test_copied_and_contradicting_reviews(composed: reviews.Planted, rows: list[dict[str, str]]) -> None:
    for first, second in (composed.copied, composed.conflict):
        assert rows[first]["review"] == rows[second]["review"]
        assert len(rows[first]["review"].split()) > 12
    assert len({rows[n]["rating"] for n in composed.copied}) == 1
    assert [rows[n]["rating"] for n in composed.conflict] == ["5 stars", "1 star"]
    for text, where in composed.repeated.items():
        assert {rows[n]["review"].strip() for n in where} == {text} and len(where) > 1
        stars = {rows[n]["rating"] for n in where}
        assert (text in composed.disputed) == (len(stars) > 1)
    assert {"Good", "Excellent service", "ok"} <= set(composed.repeated)
    assert composed.disputed


def test_short_empty_and_mangled_texts(composed: reviews.Planted, rows: list[dict[str, str]]) -> None:
    text = {n: row["review"] for n, row in enumerate(rows) if n}
    words = {n: [w for w in t.split() if any(map(str.isalpha, w))] for n, t in text.items()}
    assert {n for n, t in text.items() if not t.strip()} == set(composed.empty)
    assert {n for n, t in text.items() if t.strip() and not words[n]} == set(composed.symbols)
    assert {n for n in text if len(words[n]) == 1 == len(text[n].split())} == set(composed.one_word)
    assert {n for n, t in text.items() if "&amp;" in t or "<br>" in t} == set(composed.entities)
    assert {n for n, t in text.items() if "ï¿" in t or "ýýýý" in t} == set(composed.lost)
    repaired = {n for n, t in text.items() if "â€™" in t and "Ã©" in t}
    assert repaired == set(composed.garbled)
    assert all("It's the café" in ftfy.fix_text(text[n]) for n in repaired)
