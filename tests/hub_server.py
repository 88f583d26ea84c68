"""A server on the loopback that speaks what the client of the Hugging Face hub speaks."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from loopback import Handler, listening, part

SHA = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What the server has and what it was asked."""

    sets: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """owner/name to its files."""
    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    status: int = 200
    cuts: list[int] = field(default_factory=list)
    """Break the next answers with a file after so many bytes."""
    refused: set[str] = field(default_factory=set)
    """Files that are listed and cannot be had."""
    port: int = 0
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """(method, path, Range) of every request."""

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def got(self) -> list[str]:
        """Files that were sent."""
        return [path.split("/", 6)[-1] for method, path, _ in self.asked if method == "GET" and "/resolve/" in path]


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve the sets until the block ends."""
    with listening(_Handler, hub=hub) as hub.port:
        yield hub


class _Handler(Handler):
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((self.command, path, self.headers.get("Range", "")))
        if self.hub.status != 200:
            return self.send(self.hub.status, headers={"Retry-After": "30"})
        parts = path.strip("/").removeprefix("api/").split("/")
        name = "/".join(parts[1:3])
        files = self.hub.sets.get(name)
        if files is None:
            return self.send(401, headers={"X-Error-Code": "RepoNotFound"})
        if name in self.hub.gated:
            return self.send(403, headers={"X-Error-Code": "GatedRepo"})
        if "resolve" in parts:
            return self._file(files, "/".join(parts[5:]))
        if parts[3:4] == ["tree"]:
            listed = [
                {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                for path, content in files.items()
            ]
            return self._json(listed)
        return self._json(
            {
                "id": name,
                "sha": SHA,
                "cardData": self.hub.cards.get(name, {}),
                "siblings": [{"rfilename": path} for path in files],
                "private": False,
                "tags": [],
                "downloads": 0,
                "likes": 0,
            }
        )

    def _file(self, files: dict[str, bytes], path: str) -> None:
        if path not in files or path in self.hub.refused:
            return self.send(404, headers={"X-Error-Code": "EntryNotFound"})
        content, start = files[path], self.offset()
        headers = {
            "ETag": f'"{hashlib.sha1(content).hexdigest()}"',
            "X-Repo-Commit": SHA,
            "Accept-Ranges": "bytes",
            **(part(start, len(content)) if "Range" in self.headers else {}),
        }
        cut = self.hub.cuts.pop(0) if self.command == "GET" and self.hub.cuts else None
        self.head(206 if "Range" in self.headers else 200, headers, len(content) - start)
        if self.command != "HEAD":
            self.wfile.write(content[start:][:cut])
        if cut is not None:
            self.close_connection = True

    def _json(self, content: object) -> None:
        self.send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})
