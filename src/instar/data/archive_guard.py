"""What an archive may put into a folder: names that stay inside it, so many files, so many bytes."""

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from instar.data.cache import megabytes
from instar.errors import UserError

RATIO = 200
"""What is unpacked may be so many times the size of the archive. Our judgement: tables of text reach 20 and
pictures 1, while deflate allows 1032 and the other methods more."""
SMALL = 64 * 2**20
"""Bytes up to which any ratio is let pass: a few megabytes of zeros harm nobody."""
MOST_FILES = 2_000_000
"""ImageNet has 1.3 million; each file takes an inode and 4 kB at least."""


@dataclass
class Target:
    """The folder that is being filled, and what has gone into it."""

    archive: Path
    folder: Path
    folds: bool
    """Whether the disk takes names that differ by case alone for one name."""
    most: int
    """Bytes that may be unpacked."""
    size: int = 0
    seen: set[str] = field(default_factory=set)
    folded: dict[str, str] = field(default_factory=dict)

    def refuse(self, why: str) -> UserError:
        return UserError(f"{self.archive.name} {why}; nothing of it was unpacked")

    def claim(self, name: str, size: int) -> Path:
        """Where a file of the archive goes, once its name and its size have been found harmless."""
        name = name.replace("\\", "/")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name) or "\0" in name:
            raise self.refuse(f"holds a file that would land outside of its folder ({name!r:.80})")
        if not parts:
            raise self.refuse("holds a file without a name")
        path = "/".join(parts)
        if path in self.seen:
            raise self.refuse(f"holds {path!r:.80} twice; unpack it by hand and name the folder")
        self.seen.add(path)
        for i in range(self.folds * len(parts)):
            name = "/".join(parts[: i + 1])
            other = self.folded.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
            if other != name:
                raise self.refuse(f"holds {other!r:.80} and {name!r:.80}, which this disk cannot keep apart")
        if len(self.seen) > MOST_FILES:
            raise self.refuse(f"holds more than {MOST_FILES:,} files; unpack it by hand and name the folder")
        self.grow(size)
        return self.folder.joinpath(*parts)

    def grow(self, size: int) -> None:
        self.size += size
        if self.size > self.most:
            raise self.refuse(
                f"would unpack to more than {megabytes(self.most)}, {RATIO} times its size, which looks like "
                "an attack; if you trust it, unpack it by hand and name the folder"
            )


def folds_case(folder: Path) -> bool:
    """Whether the disk of an empty folder takes "a" and "A" for one name, as macOS and Windows do."""
    probe = folder / "case"
    probe.touch()
    folds = (folder / "CASE").exists()
    probe.unlink()
    return folds
