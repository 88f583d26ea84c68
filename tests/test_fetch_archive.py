"""Archives: what is sound is unpacked whole, what is hostile or broken is refused in one line."""

import gzip
import io
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from instar.data import archive_guard
from instar.data.archive import unpack
from instar.data.fetching import resolve
from instar.errors import UserError

CLASSES = {f"set/{name}/{i}.txt": f"{name} {i}".encode() for name in ("cat", "dog") for i in range(3)}
Entry = tuple[str, bytes] | tarfile.TarInfo


def make_zip(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], packed: bool = False) -> Path:
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def make_tar(path: Path, *entries: Entry) -> Path:
    kind = path.suffix.lstrip(".")
    mode = {"tar": "w", "tgz": "w:gz"}.get(kind, f"w:{kind}")
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
            else:
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1])
                archive.addfile(info, io.BytesIO(entry[1]))
    return path


def link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info


def contents(folder: Path) -> dict[str, bytes]:
    assert not [path for path in folder.rglob("*") if path.is_symlink()]
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def opened(path: Path, tmp_path: Path) -> dict[str, bytes]:
    folder = tmp_path / "out"
    folder.mkdir()
    unpack(path, folder)
    return contents(folder)


def refused(path: Path, tmp_path: Path) -> str:
    """The complaint; nothing may be left outside of the folder, nor in the cache."""
    before = contents(tmp_path)
    with pytest.raises(UserError) as caught:
        resolve(str(path))
    said = str(caught.value)
    assert path.name in said and "\n" not in said
    assert contents(tmp_path) == before
    return said


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTAR_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz", "a.tar.gz", "a.tar.bz2", "a.tar.xz"])
def test_every_kind_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    make: Callable[..., Path] = make_zip if name.endswith("zip") else make_tar
    path = make(tmp_path / name, *CLASSES.items())
    found = resolve(str(path))
    assert contents(found.path) == CLASSES
    assert found.name == "a" and found.path.name == "a"


def test_an_archive_is_unpacked_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_zip(tmp_path / "a.zip", *CLASSES.items())
    first = resolve(str(path))
    capsys.readouterr()
    moved = path.rename(tmp_path / "sub.zip").rename(tmp_path / "a.zip")
    assert resolve(str(moved)).receipt == first.receipt
    assert "unpacking" not in capsys.readouterr().err
    make_zip(path, *list(CLASSES.items())[1:])
    assert resolve(str(path)).path != first.path


OUTSIDE = [
    "../evil.txt",
    "a/../../evil.txt",
    "/evil.txt",
    "C:/evil.txt",
    "..\\evil.txt",
    "a\\..\\..\\evil.txt",
]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_lead_outside(tmp_path: Path, name: str, kind: str) -> None:
    make: Callable[..., Path] = make_zip if kind == "zip" else make_tar
    assert "outside of its folder" in refused(make(tmp_path / f"a.{kind}", ("ok.txt", b"a"), (name, b"b")), tmp_path)


def test_folders_that_lead_outside_are_not_made(tmp_path: Path) -> None:
    folder = tarfile.TarInfo("../evil")
    folder.type = tarfile.DIRTYPE
    assert opened(make_tar(tmp_path / "a.tar", folder, ("ok.txt", b"a")), tmp_path) == {"ok.txt": b"a"}
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("to", ["/etc/passwd", "../../secret.txt", "nothing.txt", "set", "."])
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_to_what_is_no_file_of_the_archive(tmp_path: Path, to: str, kind: bytes) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    path = make_tar(tmp_path / "a.tar", ("set/a.txt", b"a"), link("set/b.txt", to, kind))
    assert "leads to no file of it" in refused(path, tmp_path)


def test_a_file_written_through_a_link(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar", link("set", str(tmp_path)), ("set/evil.txt", b"a"))
    assert "leads to no file of it" in refused(path, tmp_path)


def test_links_that_lead_in_circles(tmp_path: Path) -> None:
    assert "no file" in refused(make_tar(tmp_path / "a.tar", link("a", "b"), link("b", "a")), tmp_path)


def test_links_within_a_tar_become_copies(tmp_path: Path) -> None:
    path = make_tar(
        tmp_path / "a.tar",
        ("./set/a.txt", b"a"),
        link("set/b.txt", "a.txt"),
        link("c.txt", "./set/b.txt"),
        link("d.txt", "set/a.txt", tarfile.LNKTYPE),
    )
    assert opened(path, tmp_path) == dict.fromkeys(["set/a.txt", "set/b.txt", "c.txt", "d.txt"], b"a")


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices(tmp_path: Path, kind: bytes) -> None:
    assert "device or pipe" in refused(make_tar(tmp_path / "a.tar", link("a", "", kind)), tmp_path)


@pytest.mark.parametrize(("mode", "what"), [(stat.S_IFLNK, "link"), (stat.S_IFCHR, "device")])
def test_links_and_devices_in_a_zip(tmp_path: Path, mode: int, what: str) -> None:
    info = zipfile.ZipInfo("a.txt")
    info.create_system, info.external_attr = 3, (mode | 0o777) << 16
    assert f"holds a {what}" in refused(make_zip(tmp_path / "a.zip", (info, b"/etc/passwd")), tmp_path)


@pytest.mark.parametrize("name", ["a.zip", "a.tgz", "a.tar.xz"])
def test_bombs(tmp_path: Path, name: str) -> None:
    zeros = ("zeros.txt", bytes(65 * 2**20))
    path = make_zip(tmp_path / name, zeros, packed=True) if name == "a.zip" else make_tar(tmp_path / name, zeros)
    assert path.stat().st_size < 2**20
    assert "looks like an attack" in refused(path, tmp_path)


def test_a_header_of_absurd_size(tmp_path: Path) -> None:
    """`tarfile` would read an extended header into memory, however long it says that it is."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 2**40
    path = tmp_path / "a.tgz"
    path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(2**20)))
    assert "has a header of" in refused(path, tmp_path)


def test_what_is_passed_over_counts_too(tmp_path: Path) -> None:
    """A folder with a size would make the reader unpack that much, only to skip it."""
    info = tarfile.TarInfo("x")
    info.type, info.size = b"Z", 2**45
    path = tmp_path / "a.tgz"
    path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(2**20)))
    refused(path, tmp_path)


def test_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2**26 + 1000))
    for path in (
        make_zip(tmp_path / "a.zip", ("a", bytes(2000))),
        make_tar(tmp_path / "a.tar", ("a", bytes(2000))),
    ):
        with pytest.raises(UserError, match=r"disk .* is full"):
            resolve(str(path))


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_guard, "MOST_FILES", 5)
    assert "more than 5 files" in refused(make_zip(tmp_path / "a.zip", *CLASSES.items()), tmp_path)
    assert "more than 5 files" in refused(make_tar(tmp_path / "a.tar", *CLASSES.items()), tmp_path)


def test_encrypted(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", ("a.txt", b"a"))
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the flag in the local header and in the directory at the end
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "is encrypted" in refused(path, tmp_path)


def test_a_method_that_python_does_not_know(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", ("a.txt", b"a"))
    content = bytearray(path.read_bytes())
    content[8], content[content.index(b"PK\x01\x02") + 10] = 9, 9
    path.write_bytes(content)
    assert "pack it anew" in refused(path, tmp_path)


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz", "a.tar.bz2", "a.tar.xz"])
@pytest.mark.parametrize("damage", ["cut", "overwritten", "nothing", "noise", "page"])
def test_damage(tmp_path: Path, name: str, damage: str) -> None:
    whole = tuple((f"{i}.txt", bytes((i * 7 + k * k) % 251 for k in range(3000))) for i in range(20))
    path = make_zip(tmp_path / name, *whole) if name == "a.zip" else make_tar(tmp_path / name, *whole)
    content = path.read_bytes()
    middle = len(content) // 2 // 512 * 512
    path.write_bytes(
        {
            "cut": content[:middle],
            "overwritten": content[:middle] + b"\xff" * 600 + content[middle + 600 :],
            "nothing": b"",
            "noise": b"no archive at all",
            "page": b"\n<!DOCTYPE html>\n<html>",
        }[damage]
    )
    if (name, damage) == ("a.tar", "overwritten"):  # a plain tar has checksums for headers alone
        at = content.index(b"10.txt")
        path.write_bytes(content[:at] + b"\xff" * 600 + content[at + 600 :])
    assert ("web page" if damage == "page" else "is damaged") in refused(path, tmp_path)


def test_a_tar_that_ends_between_two_files(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar", ("a.txt", bytes(512)), ("b.txt", bytes(512)))
    path.write_bytes(path.read_bytes()[:1024])
    assert "ends too early" in refused(path, tmp_path)


def test_names_that_differ_by_case_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept apart where the disk can, refused where it cannot: never one over the other."""
    files = {"Rose/1.txt": b"a", "rose/2.txt": b"b", "a.txt": b"c", "A.txt": b"d"}
    path = make_zip(tmp_path / "a.zip", *files.items())
    monkeypatch.setattr("instar.data.archive.folds_case", lambda folder: True)
    assert "cannot keep apart" in refused(path, tmp_path)
    alone = make_zip(tmp_path / "b.zip", ("Rose/1.txt", b"a"), ("rose/2.txt", b"b"))
    assert "'Rose' and 'rose'" in refused(alone, tmp_path)
    monkeypatch.undo()
    if not archive_guard.folds_case(tmp_path):
        assert opened(path, tmp_path) == files


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice(tmp_path: Path) -> None:
    for path in (
        make_zip(tmp_path / "a.zip", ("a.txt", b"a"), ("a.txt", b"b")),
        make_tar(tmp_path / "a.tar", ("a.txt", b"a"), ("./a.txt", b"b")),
    ):
        assert "holds 'a.txt' twice" in refused(path, tmp_path)


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    assert "cannot be unpacked" in refused(make_zip(tmp_path / "a.zip", ("a", b"a"), ("a/b", b"b")), tmp_path)


def test_rights_are_not_taken_over(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.sh")
    info.mode = 0o6777
    path = make_tar(tmp_path / "a.tar", info)
    opened(path, tmp_path)
    assert (tmp_path / "out/a.sh").stat().st_mode & 0o7111 == 0


def test_names_in_utf8_that_do_not_say_so(tmp_path: Path) -> None:
    """As some packers write them: with the bytes of UTF-8 but without the flag."""
    path = make_zip(tmp_path / "a.zip", ("Tagpfauenauge-äöü.txt", b"a"))
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    content[7] &= ~8
    content[directory + 9] &= ~8
    path.write_bytes(content)
    assert opened(path, tmp_path) == {"Tagpfauenauge-äöü.txt": b"a"}
