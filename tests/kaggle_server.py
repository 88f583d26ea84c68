"""A server on the loopback that speaks what Kaggle's own client speaks: API, and storage behind a redirect.

The client knows no address but Kaggle's; so the server is the HTTP proxy of the test, and answers for every
host. With KAGGLE_API_ENVIRONMENT=LOCALHOST the client talks to http://localhost/api, unencrypted: nothing of
the client is replaced.
"""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from loopback import Handler, listening, part

STORAGE = "http://storage.test"


@dataclass
class Fault:
    """What goes wrong with one answer of the storage."""

    cut: int | None = None
    """Break the connection after so many bytes of the body."""
    body: bytes | None = None
    """Send this in place of the file, under its headers."""
    kind: str = "application/zip"
    seconds_a_piece: float = 0.0
    length: bool = True
    """Say how long the body is; without that only the end of the connection ends it."""


@dataclass
class World:
    """What the server has and what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    """owner/name (the whole set as a zip) or owner/name/file to what the storage sends."""
    names: dict[str, str] = field(default_factory=dict)
    """Name in the storage, where it is another one: a file may be sent zipped."""
    version: int = 3
    tokens: set[str] = field(default_factory=set)
    keys: set[tuple[str, str]] = field(default_factory=set)
    private: bool = False
    status: int = 200
    """Of every call of the API."""
    page: bytes | None = None
    """HTML that a portal sends in place of every answer of the API."""
    hashes: bool = True
    tags: bool = True
    ranges: bool = True
    heeds_validators: bool = True
    redirects: bool = True
    faults: list[Fault] = field(default_factory=list)
    """Taken by the answers of the storage, in turn."""
    port: int = 0
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """(method, url, headers) of every request."""

    @property
    def proxy(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def downloads(self) -> list[dict[str, str]]:
        """Headers of the requests to the storage."""
        return [headers for _, url, headers in self.asked if url.startswith(STORAGE)]

    def environment(self) -> dict[str, str]:
        """What leads the client here, in any process."""
        return {
            "KAGGLE_API_ENVIRONMENT": "LOCALHOST",
            "http_proxy": self.proxy,
            "HTTP_PROXY": self.proxy,
            "no_proxy": "",
            "NO_PROXY": "",
        }


@contextmanager
def serving(world: World) -> Iterator[World]:
    """Serve the world until the block ends."""
    with listening(_Handler, world=world) as world.port:
        yield world


class _Handler(Handler):
    world: World

    def do_HEAD(self) -> None:
        self._note()
        self.send(404)

    def do_POST(self) -> None:
        self._note()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        call = urlsplit(self.path).path.removeprefix("/api/v1/datasets.DatasetApiService/")
        world = self.world
        if world.page is not None:
            return self.send(200, world.page, {"Content-Type": "text/html"})
        if not self._knows_credentials():
            return self._refuse(401, "Unauthenticated")
        if world.status != 200:
            return self._refuse(world.status, "Not now")
        name = f"{body['ownerSlug']}/{body['datasetSlug']}"
        if not any(known.startswith(name) for known in world.files):
            return self._refuse(404, "Not Found")
        if world.private and "Authorization" not in self.headers:
            return self._refuse(403, "Permission 'datasets.get' was denied")
        if call == "GetDataset":
            about = {
                "ref": name,
                "currentVersionNumber": world.version,
                "licenseName": "CC0: Public Domain",
                "totalBytes": 12345,
            }
            return self.send(200, json.dumps(about).encode(), {"Content-Type": "application/json"})
        assert call == "DownloadDataset", self.path
        assert isinstance(body["datasetVersionNumber"], int)
        wanted = "/".join([name, body["fileName"]]) if body.get("fileName") else name
        if wanted not in world.files:
            return self._refuse(404, "Not Found")
        if not world.redirects:
            return self._file(wanted)
        address = f"{STORAGE}/{world.names.get(wanted, wanted)}?for={wanted}&signed={len(world.asked)}"
        return self.send(302, headers={"Location": address})

    def do_GET(self) -> None:
        self._note()
        assert self.path.startswith(STORAGE), self.path
        self._file(urlsplit(self.path).query.split("&")[0].removeprefix("for="))

    def _file(self, name: str) -> None:
        world = self.world
        content = world.files[name]
        fault = world.faults.pop(0) if world.faults else Fault()
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        headers = {"Content-Type": fault.kind, **({"ETag": tag} if world.tags else {})}
        if world.hashes:
            headers["X-Goog-Hash"] = f"crc32c=AAAAAA==,md5={base64.b64encode(hashlib.md5(content).digest()).decode()}"
        body, start, status = fault.body if fault.body is not None else content, 0, 200
        if world.ranges:
            headers["Accept-Ranges"] = "bytes"
            same = self.headers.get("If-Range", tag) == tag or not world.heeds_validators
            if "Range" in self.headers and same:
                start, status = self.offset(), 206
                headers |= part(start, len(content))
        self.head(status, headers, len(body) - start if fault.length else None)
        stop = len(body) if fault.cut is None else min(start + fault.cut, len(body))
        step = 4096 if fault.seconds_a_piece else 2**20
        for at in range(start, stop, step):
            self.wfile.write(body[at : min(at + step, stop)])
            self.wfile.flush()
            time.sleep(fault.seconds_a_piece)
        if fault.cut is not None:
            self.close_connection = True

    def _note(self) -> None:
        self.world.asked.append((self.command, self.path, dict(self.headers)))

    def _knows_credentials(self) -> bool:
        """Public sets need none; but wrong ones are refused."""
        said = self.headers.get("Authorization", "")
        kind, _, secret = said.partition(" ")
        if kind == "Bearer":
            return secret in self.world.tokens
        if kind == "Basic":
            user, _, key = base64.b64decode(secret).decode().partition(":")
            return (user, key) in self.world.keys
        return not said

    def _refuse(self, status: int, message: str) -> None:
        headers = {"Content-Type": "application/json", "Retry-After": "30"}
        self.send(status, json.dumps({"code": status, "message": message}).encode(), headers)
