"""A short digest of a source, to see whether it is still what was opened."""

import hashlib
from pathlib import Path

from instar.data.walk import walk
from instar.files import digest


def fingerprint(path: Path) -> str:
    """Of a file its content; of a folder the names, sizes and times of change of its files, which are not read."""
    if path.is_file():
        return digest(path)
    found = []
    for level in walk(path):
        for name in level.files:
            file = path / level.path(name)
            try:
                status = file.stat()
            except OSError:  # a link that leads nowhere
                status = file.lstat()
            found.append(f"{file} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(found)).encode(errors="surrogateescape")).hexdigest()
