"""A short digest of a source, to see whether it is still what was opened."""

import hashlib
import os
from pathlib import Path

from instar.files import digest


def fingerprint(path: Path) -> str:
    """Of a file its content; of a folder the names, sizes and times of change of its files, which are not read."""
    if path.is_file():
        return digest(path)
    found = []
    for folder, _, names in os.walk(path, followlinks=True):
        for name in names:
            status = (Path(folder) / name).stat()
            found.append(f"{folder}/{name} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(found)).encode(errors="surrogateescape")).hexdigest()
