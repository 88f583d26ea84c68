"""Names that do not collide, tables that come back, folders that are whole or absent."""

import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from instar.compose.write import whole, write_set
from instar.data.licences import identifier
from instar.data.reading import read
from instar.errors import UserError
from instar.modality.image_files import file_names
from instar.modality.text import TEXT


def rows(*triples: tuple[str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(triples, schema=["source", "input", "label"], orient="row")


def test_names_say_class_and_source_and_never_collide() -> None:
    names = file_names(
        rows(
            ("a", "train/Image_1.jpg", "Red Admiral"),
            ("a", "test/image_1.JPG", "Red Admiral"),
            ("b", "Image_1.jpg", "Red Admiral"),
            ("a", "x/noname", "red admiral"),
            ("a", "../../.hidden.png", ".."),
            ("a", "été?.png", "???"),
        )
    )
    assert names == [
        "images/Red_Admiral/a-Image_1.jpg",
        "images/Red_Admiral/a-image_1.JPG".replace(".JPG", "-2.JPG"),
        "images/Red_Admiral/b-Image_1.jpg",
        "images/red_admiral-2/a-noname",
        "images/_/a-hidden.png",
        "images/_-2/a-été.png",
    ]


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1)), max_size=30))
def test_names_are_safe_and_distinct_whatever_the_sources_say(triples: list[tuple[str, str, str]]) -> None:
    names = file_names(rows(*triples))
    assert len({name.casefold() for name in names}) == len(triples)
    assert names == file_names(rows(*triples))
    for name in names:
        parts = name.split("/")
        assert len(parts) == 3
        assert not any(part.startswith(".") or len(part.encode()) > 255 for part in parts)
        assert not re.search(r'[\\:*?"<>|\x00-\x1f]', name)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(str.strip)


@given(st.lists(TEXTS, min_size=4, max_size=12))
@example(["a\rb", 'say "a, b"\r\n', " padded ", "\ufeffmarked"])
def test_texts_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("texts")
    kept = pl.DataFrame(
        {
            "source": ["a", "b"] * len(texts),
            "input": texts * 2,
            "label": [["x, y", 'z "1"'][i % 2] for i in range(2 * len(texts))],
            "original": [f"row {i}" for i in range(2 * len(texts))],
            "was": "old\nclass",
        }
    )
    write_set(kept, {"a": "CC0", "b": "unknown"}, TEXT, folder, "link")
    back = read(str(folder), text="text", image=None, label="label").frame
    assert back["input"].to_list() == kept["input"].to_list()
    assert back["label"].to_list() == kept["label"].to_list()
    assert back["extra.licence"].to_list() == ["CC0", "unknown"] * len(texts)
    assert back["extra.original"].to_list() == kept["original"].to_list()


def test_a_folder_is_whole_or_absent(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with pytest.raises(ZeroDivisionError), whole(out) as folder:
        (folder / "half.txt").write_text("half")
        raise ZeroDivisionError
    assert list(out.parent.iterdir()) == []
    out.mkdir()
    with whole(out) as folder:
        (folder / "all.txt").write_text("all")
        assert list(out.iterdir()) == []
    assert [p.name for p in out.parent.iterdir()] == ["out"]
    assert (out / "all.txt").read_text() == "all"
    with pytest.raises(UserError, match="exists already; name another folder"), whole(out):
        raise AssertionError


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"), whole(tmp_path / "file" / "out"):
        raise AssertionError


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("CC0: Public Domain", "cc0-1.0"),
        ("CC BY 4.0", "cc-by-4.0"),
        ("Attribution-ShareAlike 3.0 (CC BY-SA 3.0)", "cc-by-sa-3.0"),
        ("cc-by-nc-sa-4.0", "cc-by-nc-sa-4.0"),
        ("Apache 2.0", "apache-2.0"),
        ("MIT", "mit"),
        ("unknown", "unknown"),
        ("Permitted for research", "other"),
    ],
)
def test_licences_as_the_hub_writes_them(licence: str, expected: str) -> None:
    assert identifier(licence) == expected
