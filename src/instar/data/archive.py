"""Archives, taken for hostile until proven otherwise: unpacked whole into a folder, or refused."""

import bz2
import gzip
import lzma
import posixpath
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from instar.data.archive_guard import MOST_FILES, RATIO, SMALL, Target, folds_case
from instar.data.cache import full, megabytes, need_room
from instar.data.download import DISK_FULL, is_web_page
from instar.errors import UserError
from instar.progress import bar

SUFFIXES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")
LONGEST_READ = 2**24
"""Bytes that `tarfile` may ask for at once: it reads extended headers whole, whatever size they claim."""
CHUNK = 2**20
UNIX = 3
"""`create_system` of zip entries that carry the type of a file."""
COMPRESSED: dict[bytes, Callable[[BinaryIO], IO[bytes]]] = {
    b"\x1f\x8b": lambda raw: cast(IO[bytes], gzip.GzipFile(fileobj=raw)),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    EOFError,
    ValueError,
)
"""What the standard library raises for archives that are damaged; BZ2File raises a plain OSError."""


def is_archive(path: Path) -> bool:
    """Whether the name of a file says that it is an archive."""
    return path.name.lower().endswith(SUFFIXES)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip or tar archive into an empty folder, which the caller deletes on an error.

    What kind it is, its first bytes say. Links are never made: one to a file of the same tar becomes a copy.
    Owners, permissions and times are not taken over. Names of a zip that are UTF-8 without saying so are read
    as UTF-8.

    Raises:
        UserError: absolute names, names with "..", links that lead to no file of the archive, devices, more
            than `RATIO` times its size, more than the disk has room for, too many files, encryption, one name
            twice, damage, a web page.
    """
    target = Target(archive, folder, folds_case(folder), max(archive.stat().st_size * RATIO, SMALL))
    try:
        with archive.open("rb") as raw:
            start = raw.read(512)
            raw.seek(0)
            if start.startswith(b"PK"):
                _unpack_zip(raw, target)
            elif is_web_page(start):
                raise target.refuse("is a web page, not an archive; open it in a browser to see why")
            else:
                _unpack_tar(raw, start, target)
    except UserError:
        raise
    except NotImplementedError as error:
        raise target.refuse(f"is packed in a way that cannot be read ({error}); pack it anew") from error
    except BROKEN as error:
        raise _damaged(target, error) from error
    except OSError as error:
        if error.errno in DISK_FULL:
            raise full(folder.parent, f"unpacking {archive.name} stopped") from error
        if error.errno is None:
            raise _damaged(target, error) from error
        raise target.refuse(f"cannot be unpacked ({error.strerror}); unpack it by hand") from error


def _damaged(target: Target, error: Exception) -> UserError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return target.refuse(f"is damaged or no archive ({reason:.120}); download or pack it again")


def _unpack_zip(raw: BinaryIO, target: Target) -> None:
    with zipfile.ZipFile(raw) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        places = []
        for member in members:
            name, mode = _zip_name(member), member.external_attr >> 16
            if member.flag_bits & 1:
                raise target.refuse("is encrypted; unpack it by hand and name the folder")
            if member.create_system == UNIX and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                kind = "link" if stat.S_ISLNK(mode) else "device or pipe"
                raise target.refuse(f"holds a {kind} ({name!r:.80}); unpack it by hand and name the folder")
            places.append(target.claim(name, member.file_size))
        need_room(target.folder, target.size, f"unpacking {target.archive.name}")
        with bar(f"unpacking {target.archive.name} (files)", len(members)) as advance:
            for member, place in zip(members, places, strict=True):
                with archive.open(member) as stream:
                    _write(stream, place)
                advance(1, "")


def _zip_name(member: zipfile.ZipInfo) -> str:
    """The name of a file in a zip; many packers write UTF-8 and forget to say so."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode()
    except UnicodeError:
        return member.filename


def _unpack_tar(raw: BinaryIO, start: bytes, target: Target) -> None:
    """One pass, as a compressed tar cannot be looked through beforehand without unpacking it."""
    opener = next((COMPRESSED[magic] for magic in COMPRESSED if start.startswith(magic)), None)
    stream = _Bounded(opener(raw) if opener else raw, target)
    links: dict[str, str] = {}
    total = target.archive.stat().st_size
    with bar(f"unpacking {target.archive.name} (MB read)", -(-total // 10**6)) as advance:
        done = 0
        for archive, member in _members(stream):
            if member.issym() or member.islnk():
                folder = member.name.rpartition("/")[0] if member.issym() else ""
                links[posixpath.normpath(member.name)] = posixpath.normpath(posixpath.join(folder, member.linkname))
            elif member.isfile():
                place = target.claim(member.name, member.size)
                need_room(target.folder, member.size, f"unpacking {target.archive.name}")
                _write(cast(IO[bytes], archive.extractfile(member)), place)
            elif not member.isdir():
                raise target.refuse(f"holds a device or pipe ({member.name!r:.80})")
            here = -(-raw.tell() // 10**6)
            advance(here - done, "")
            done = here
    _copy_links(links, target)


@dataclass
class _Bounded:
    """A stream that refuses to read a header of absurd size, and to be wound further than may be unpacked."""

    stream: IO[bytes]
    target: Target

    def read(self, size: int) -> bytes:
        if size > LONGEST_READ:
            raise tarfile.ReadError(f"it has a header of {megabytes(size)}")
        return self.stream.read(size)

    def seek(self, position: int) -> int:
        # Names and padding take 2 kB a file at most, and there are no more files than may be.
        if position > self.target.most + 2048 * (len(self.target.seen) + MOST_FILES):
            self.target.grow(position)
        return self.stream.seek(position)

    def tell(self) -> int:
        return self.stream.tell()


def _members(stream: _Bounded) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """The members of a tar whose end is where it should be: `tarfile` takes a broken header for the end."""
    with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r:") as archive:
        for member in archive:
            yield archive, member
        stream.seek(archive.offset)
        if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("it ends too early")


def _copy_links(links: dict[str, str], target: Target) -> None:
    files = {path: target.folder / path for path in target.seen}
    for name, to in links.items():
        for _ in range(len(links)):
            if to not in links:
                break
            to = links[to]
        if to not in files:
            raise target.refuse(f"holds a link that leads to no file of it ({name!r:.80} -> {to!r:.80})")
        size = files[to].stat().st_size
        place = target.claim(name, size)
        need_room(target.folder, size, f"unpacking {target.archive.name}")
        with files[to].open("rb") as stream:
            _write(stream, place)


def _write(stream: IO[bytes], place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("xb") as out:
        while piece := stream.read(CHUNK):
            out.write(piece)
