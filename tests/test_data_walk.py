"""Folders as they are on real disks: not readable, going in circles, too large, with links that lead nowhere."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from instar.data import reading
from instar.data.fingerprint import fingerprint
from instar.data.folder import look
from instar.data.measure_images import measure
from instar.data.raw import Raw
from instar.data.walk import walk
from instar.errors import UserError

REVIEWS = "stars,review\n5,Very good food\n1,Cold and slow again\n5,We come here often\n1,Never again for us\n"
NOBODY = 65534


@pytest.fixture
def plain_person() -> Iterator[Path]:
    """A folder of a person without special rights: to the superuser every folder is readable."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        os.seteuid(before)
        shutil.rmtree(folder)


@pytest.fixture
def shut() -> Iterator[list[Path]]:
    """What a test shuts; opened again so that it can be deleted."""
    paths: list[Path] = []
    yield paths
    for path in paths:
        path.chmod(0o700)


def close(path: Path, shut: list[Path]) -> None:
    path.chmod(0)
    shut.append(path)


def paint(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(root / path, "PNG")


def opened(source: Path) -> Raw:
    return reading.read(str(source), text=None, image=None, label=None)


def test_a_lone_table_of_texts_does_not_mind_what_lies_beside_it(plain_person: Path, shut: list[Path]) -> None:
    (plain_person / "reviews.csv").write_text(REVIEWS)
    (plain_person / "private").mkdir()
    (plain_person / "private/diary").write_text("secret")
    (plain_person / "notes").write_text("secret")
    close(plain_person / "notes", shut)
    close(plain_person / "private", shut)
    raw = opened(plain_person / "reviews.csv")
    assert (raw.modality, raw.frame.height) == ("text", 4)


def test_what_is_looked_at_beside_a_lone_table_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "NEARBY", 3)
    paint(tmp_path, "a.png", "far/b.png", "far/c.png", "far/away/d.png")
    (tmp_path / "near.csv").write_text("picture,label\na.png,x\nfar/b.png,y\na.png,x\nfar/b.png,y\n")
    assert opened(tmp_path / "near.csv").frame["input"].to_list() == ["a.png", "far/b.png", "a.png", "far/b.png"]
    (tmp_path / "near.csv").write_text("picture,label\nfar/away/d.png,x\na.png,y\nfar/away/d.png,x\na.png,y\n")
    with pytest.raises(UserError, match=r"not among the first 3 files beside it; put the table and its pictures into"):
        opened(tmp_path / "near.csv")
    assert opened(tmp_path).frame.height == 4  # a folder that is named is looked through to its end


def test_the_nearest_files_are_seen_first(tmp_path: Path) -> None:
    paint(tmp_path, "a/b/c/deep.png", "a/middle.png", "z.png")
    assert look(tmp_path, 2).pictures == ("a/middle.png", "z.png")
    assert (look(tmp_path, 2).cut, look(tmp_path, 3).cut, look(tmp_path).cut) == (True, False, False)


def test_a_class_that_cannot_be_looked_into_is_not_passed_over(plain_person: Path, shut: list[Path]) -> None:
    paint(plain_person, "cat/1.png", "dog/1.png", "owl/1.png")
    close(plain_person / "owl", shut)
    with pytest.raises(UserError, match=r"folders that cannot be looked into: .*owl \(Permission denied\); make"):
        opened(plain_person)


def test_folders_of_the_system_take_no_part(plain_person: Path, shut: list[Path]) -> None:
    paint(plain_person, "cat/1.png", "dog/1.png")
    (plain_person / "lost+found").mkdir()
    close(plain_person / "lost+found", shut)
    assert opened(plain_person).facts["ignored_files"] == 1


def test_a_file_or_table_that_cannot_be_opened(plain_person: Path, shut: list[Path]) -> None:
    paint(plain_person, "cat/1.png", "cat/2.png", "cat/noname", "dog/1.png")
    close(plain_person / "cat/2.png", shut)
    close(plain_person / "cat/noname", shut)
    raw = opened(plain_person)
    measured = measure(raw.frame.select("id", "input"), plain_person)
    assert dict(measured.select("id", "error").iter_rows()) == {
        "cat/1.png": None,
        "cat/2.png": "cannot be opened (Permission denied)",
        "dog/1.png": None,
    }
    assert raw.facts["ignored_files"] == 1
    (plain_person / "reviews.csv").write_text(REVIEWS)
    close(plain_person / "reviews.csv", shut)
    with pytest.raises(UserError, match=r"reviews.csv cannot be opened \(Permission denied\); make it readable"):
        opened(plain_person / "reviews.csv")


def test_a_link_that_leads_nowhere_is_a_picture_that_is_missing(tmp_path: Path) -> None:
    paint(tmp_path, "cat/1.png", "dog/1.png")
    (tmp_path / "cat/2.png").symlink_to(tmp_path / "annex/2.png")
    raw = opened(tmp_path)
    measured = measure(raw.frame.select("id", "input"), tmp_path)
    assert dict(measured.select("id", "error").iter_rows())["cat/2.png"] == "file missing"
    before = fingerprint(tmp_path)
    paint(tmp_path, "annex/2.png")
    assert fingerprint(tmp_path) != before


def test_no_folder_is_visited_twice(tmp_path: Path) -> None:
    paint(tmp_path, "cat/1.png", "dog/1.png")
    for name in "abc":
        (tmp_path / "cat" / name).symlink_to(tmp_path)  # followed blindly: 3 to the power of 40 folders
    assert sorted(level.folder for level in walk(tmp_path)) == ["", "cat", "dog"]
    assert opened(tmp_path).frame.height == 2
    assert fingerprint(tmp_path) == fingerprint(tmp_path)
