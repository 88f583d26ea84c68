"""What the servers of the tests share: a thread on the loopback, and answers in one piece."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers quietly, and keeps connections open."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def head(self, status: int, headers: dict[str, str], length: int | None) -> None:
        """Status and headers; without a length only the end of the connection ends the body."""
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if length is None:
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def send(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """A whole answer; a HEAD gets its headers alone."""
        self.head(status, headers or {}, len(body))
        if self.command != "HEAD":
            self.wfile.write(body)

    def offset(self) -> int:
        """The first byte that the client asks for."""
        return int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])


def part(start: int, length: int) -> dict[str, str]:
    """The header of an answer that begins at `start` of `length` bytes."""
    return {"Content-Range": f"bytes {start}-{length - 1}/{length}"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves early is part of the tests."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def listening(handler: type[Handler], **has: object) -> Iterator[int]:
    """Serve with a handler that has these attributes until the block ends; yields the port."""
    server = _Server(("127.0.0.1", 0), type("Handler", (handler,), has))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
