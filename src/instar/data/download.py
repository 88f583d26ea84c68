"""One file from the network: streamed, resumed where the server can, checked, and whole or absent."""

import contextlib
import errno
import hashlib
import json
import re
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import BinaryIO

import requests

from instar import files
from instar.data.cache import beside, full, make, megabytes, need_room
from instar.errors import UserError
from instar.progress import bar

CHUNK = 2**15
"""Bytes written at once; of a stream that breaks, up to so many that had come are lost."""
SECONDS = (10.0, 30.0)
"""How long a server may take to answer a connection, and between two pieces of data."""
ATTEMPTS = 4
"""Broken streams in a row without one new byte, after which the download is given up."""
PAUSE = 1.0
"""Seconds before the second attempt, doubled before each one after it."""
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Opener = Callable[[int, str], requests.Response]
"""opener(offset, validator): a streamed answer, from `offset` on if the file still has that validator."""


@dataclass(frozen=True)
class Seen:
    """What a server said of a file, kept beside the part of it that has arrived."""

    validator: str = ""
    """ETag or Last-Modified: what a request to resume must name (RFC 9110, 13.1.5)."""
    md5: str = ""
    total: int = 0
    """Bytes; 0 where unknown."""


def get(url: str, offset: int = 0, validator: str = "") -> requests.Response:
    """A streamed GET of the bytes from `offset` on; its status is left to the caller."""
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    if offset and validator:
        headers["If-Range"] = validator
    return requests.get(url, headers=headers, stream=True, timeout=SECONDS)


def download(opener: Opener, target: Path, what: str, *, md5: str = "", besides: int = 0) -> None:
    """Download to `target`, unless it is there already.

    Until it is whole, the file is `target`.part, which a later call resumes if the server names the same file
    again, and else begins anew. A stream that breaks is resumed at once, as long as it brings new bytes.

    Args:
        what: name of the file in messages.
        md5: checksum that the file must have, in hexadecimal; else that of the server's X-Goog-Hash, if any.
        besides: bytes that must be free besides, for what comes after.

    Raises:
        requests.HTTPError: the server refuses.
        UserError: no connection, a web page in place of the file, a full disk, a stream that stays broken, a
            wrong checksum.
    """
    if target.exists():
        return
    make(target.parent)
    part = beside(target, ".part")
    failures, furthest, answered = 0, _size(part), False

    def noting(offset: int, validator: str) -> requests.Response:
        nonlocal answered
        answer = opener(offset, validator)
        answered = True
        return answer

    while True:
        try:
            seen = _attempt(noting, part, what, besides)
            break
        except requests.HTTPError:
            raise
        except requests.RequestException as error:
            if not answered:
                raise UserError(unreachable(what, error)) from error
            reached = _size(part)
            failures = 0 if reached > furthest else failures + 1
            furthest = max(furthest, reached)
            if failures >= ATTEMPTS:
                raise UserError(
                    f"the download of {what} broke off at {megabytes(reached)} again and again "
                    f"({_reason(error)}); run the same command again, it goes on from there if the server can"
                ) from error
            time.sleep(PAUSE * 2**failures)
    expected = md5 or seen.md5
    if expected and (actual := checksum(part)) != expected:
        _discard(part)
        raise UserError(
            f"{what} was damaged on its way (MD5 {actual}, not {expected}) and has been thrown away; run the "
            "same command again, and if that does not help, the file at its source has changed"
        )
    part.replace(target)
    _discard(part)


def _attempt(opener: Opener, part: Path, what: str, besides: int) -> Seen:
    """One connection: from where the part ends to the end of the file."""
    offset, before = _size(part), _read_seen(part)
    if before is None or not (before.validator or before.md5):
        offset, before = 0, Seen()
    with contextlib.closing(opener(offset, before.validator)) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            _discard(part)
            raise requests.ConnectionError("the file has changed since the download began")
        answer.raise_for_status()
        if "text/html" in answer.headers.get("Content-Type", ""):
            raise _web_page(answer.url, what)
        if answer.status_code != requests.codes.partial_content:
            offset = 0
        seen = _seen(answer, offset)
        if offset:
            if any(a and b and a != b for a, b in zip(astuple(before), astuple(seen), strict=True)):
                _discard(part)
                raise requests.ConnectionError("the file has changed since the download began")
            seen = Seen(before.validator, before.md5 or seen.md5, before.total or seen.total)
        need_room(part.parent, max(seen.total - offset, 0) + besides, what)
        files.write_text(_seen_path(part), json.dumps(asdict(seen)))
        with part.open("ab" if offset else "wb") as stream:
            _pour(answer, stream, what, offset, seen.total)
    if seen.total and _size(part) != seen.total:
        raise requests.ConnectionError(f"{_size(part)} of {seen.total} bytes came")
    return seen


def _pour(answer: requests.Response, stream: BinaryIO, what: str, offset: int, total: int) -> None:
    done = offset
    with bar(f"{what} (MB)" if total else f"{what} (MB, size unknown)", _mb(total)) as advance:
        advance(_mb(offset), "")
        for piece in answer.iter_content(CHUNK):
            if done == 0 and is_web_page(piece):
                raise _web_page(answer.url, what)
            try:
                stream.write(piece)
                stream.flush()
            except OSError as error:
                if error.errno in DISK_FULL:
                    folder = Path(stream.name).parent
                    raise full(folder, f"{what} stopped at {megabytes(done)}, which are kept") from error
                raise
            advance(_mb(done + len(piece)) - _mb(done), "")
            done += len(piece)


def _seen(answer: requests.Response, offset: int) -> Seen:
    """What the headers say of the whole file."""
    headers = answer.headers
    if offset:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", headers.get("Content-Range", ""))
        total = int(match[2]) if match and int(match[1]) == offset else -1
    else:
        encoded = headers.get("Content-Encoding", "identity") != "identity"
        total = 0 if encoded else int(headers.get("Content-Length", 0))
    etag = headers.get("ETag", "")
    validator = etag if etag.startswith('"') else headers.get("Last-Modified", "")
    md5 = re.search(r"\bmd5=([\w+/=]+)", headers.get("X-Goog-Hash", ""))
    return Seen(validator, b64decode(md5[1]).hex() if md5 else "", total)


def is_web_page(start: bytes) -> bool:
    """Whether a file that begins so is HTML: what login pages, portals and moved downloads send."""
    head = start[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return head.startswith((b"<!doctype html", b"<html", b"<head", b"<!-- saved"))


def _web_page(url: str, what: str) -> UserError:
    where = url.split("?")[0]
    return UserError(
        f"{where} sent a web page in place of {what}; open it in a browser to see why (a login, terms to "
        "accept, a network that asks to sign in), then run the same command again"
    )


def unreachable(what: str, error: requests.RequestException) -> str:
    """One line for a server that does not answer."""
    return f"cannot reach the server of {what} ({_reason(error)}); check the network, a proxy or a firewall"


def _reason(error: Exception) -> str:
    """The innermost reason that a chain of network errors gives, on one line."""
    while inner := [e for a in error.args if isinstance(e := getattr(a, "reason", a), Exception)]:
        error = inner[0]
    text = " ".join(str(error).split())
    return re.sub(r"^.*>: ", "", text)[:200] or type(error).__name__


def checksum(path: Path) -> str:
    """MD5 of a file in hexadecimal: what the mirrors publish. It guards against damage, not malice."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _seen_path(part: Path) -> Path:
    return beside(part, ".json")


def _read_seen(part: Path) -> Seen | None:
    path = _seen_path(part)
    return Seen(**json.loads(path.read_text())) if path.exists() and part.exists() else None


def _mb(size: int) -> int:
    """Megabytes, begun ones counted."""
    return -(-size // 10**6)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _seen_path(part).unlink(missing_ok=True)
